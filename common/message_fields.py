"""The kinds of field that messages are made of."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from .player_names import LOOKUP_PATTERN, normalize
from .texts import cut

MAX_DOCUMENT_ID_BYTES: Final = 1_500
MAX_TOLD_CHARS: Final = 2_000


def check_document_id(value: str) -> str:
    """Accept what Firestore takes as a document id; a slash would silently address a nested document."""
    is_reserved = value in (".", "..") or (value.startswith("__") and value.endswith("__"))
    if not value or "/" in value or is_reserved or len(value.encode()) > MAX_DOCUMENT_ID_BYTES:
        raise ValueError("must be a Firestore document id: not empty, no slash, not reserved, <= 1500 bytes")
    return value


def _aware(value: datetime) -> datetime:
    # The legacy publishers wrote naive UTC.
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        value.astimezone(UTC)  # whatever reckons with it later does the same
    except OverflowError:
        raise ValueError("lies beyond all years") from None
    return value


def _normalized(value: Any) -> Any:
    return normalize(value) if isinstance(value, str) else value


def _cut(value: Any) -> Any:
    return cut(value, MAX_TOLD_CHARS) if isinstance(value, str) else value


DocumentId = Annotated[str, AfterValidator(check_document_id)]
PlayerLookup = Annotated[str, BeforeValidator(_normalized), Field(pattern=LOOKUP_PATTERN, max_length=200)]
AwareDatetime = Annotated[datetime, AfterValidator(_aware)]
Percentage = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
"""What Firestore and BigQuery can hold."""
Generation = Annotated[int, Field(gt=0, lt=2**63)]
OfOnePlayer = Annotated[int, Field(ge=0, le=1_000_000)]
"""Predictions or rows of one player. Sums of them are stored, and one absurd summand would spoil them."""
Told = Annotated[str, BeforeValidator(_cut)]
"""What people read, cut to what they read: a batch's document holds hundreds of them."""
