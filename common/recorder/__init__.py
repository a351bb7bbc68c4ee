"""Recording completions: each counted once, many in one commit."""

from .answers import Recorded, RecordOutcome
from .recorder import Recorder

__all__ = ["RecordOutcome", "Recorded", "Recorder"]
