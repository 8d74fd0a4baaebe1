"""What a table hides from a hasty look, found before anything trains."""

from neuroscope.data.audit.audit import audit, drops
from neuroscope.data.audit.finding import Finding

__all__ = ["Finding", "audit", "drops"]
