"""Neuroscope: deep learning you can see through, on your own data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neuroscope.verbs.load import load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import `load` when it is asked for, so that `import neuroscope` stays quick."""
    if name == "load":
        from neuroscope.verbs.load import load  # noqa: PLC0415 - that is the point

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
