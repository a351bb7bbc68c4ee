"""The kinds of field that messages are made of."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from .player_names import LOOKUP_PATTERN, normalize
from .texts import cut

MAX_DOCUMENT_ID_BYTES: Final = 1_500
"""Firestore's limit for a document id, in bytes of UTF-8."""
MAX_TOLD_CHARS: Final = 2_000
"""Of a text that only people read. A batch's array holds one for each failed player, and a document 1
MiB."""


def check_document_id(value: str) -> str:
    """The value, if Firestore takes it as a document id; ValueError if not.

    A slash is the worst of them: `collection.document("a/b/c")` silently addresses a nested document.
    """
    is_reserved = value in (".", "..") or (value.startswith("__") and value.endswith("__"))
    if not value or "/" in value or is_reserved or len(value.encode()) > MAX_DOCUMENT_ID_BYTES:
        raise ValueError("must be a Firestore document id: not empty, no slash, not reserved, <= 1500 bytes")
    return value


def _aware(value: datetime) -> datetime:
    """The moment with a zone; naive text is read as UTC.

    ValueError for one that lies beyond the years that Python knows in some zone: every later calculation with
    it would raise.
    """
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
"""An id of a batch: it becomes a document's."""
PlayerLookup = Annotated[str, BeforeValidator(_normalized), Field(pattern=LOOKUP_PATTERN, max_length=200)]
"""The key of an item, normalised: any spelling of a name is accepted, and the key is what is stored."""
AwareDatetime = Annotated[datetime, AfterValidator(_aware)]
"""Always with a zone; compared and stored in UTC."""
Percentage = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
"""What Firestore and BigQuery can hold."""
Generation = Annotated[int, Field(gt=0, lt=2**63)]
"""Counts the closings of a batch, from 1."""
OfOnePlayer = Annotated[int, Field(ge=0, le=1_000_000)]
"""Predictions or rows of one player. Sums of them are stored, and one absurd summand would spoil them."""
Told = Annotated[str, BeforeValidator(_cut)]
"""What people read, cut to what they read: a batch's document holds hundreds of them."""
