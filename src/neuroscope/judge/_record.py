"""What all results share: they are frozen dataclasses that become finite JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from neuroscope.base.plain import plain


@dataclasses.dataclass(frozen=True)
class Record:
    """Base of all results of this folder."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a JSON object; a number that is not finite becomes null."""
        return {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}
