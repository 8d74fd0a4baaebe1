"""The run-time check of annotations in the test session (see addopts in pyproject.toml)."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as for pyright
