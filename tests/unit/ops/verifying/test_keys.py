"""What one key of the main table says against its consolidation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.verifying.keys import KeySeen

MERGED_AT = datetime(2026, 1, 17, 23, 0, tzinfo=UTC)


def seen(**fields: Any) -> KeySeen:
    known = {"key": ("amy", "ensemble", "24.5"), "copies": 1, "changed_at": MERGED_AT, "unmarked": False}
    return KeySeen(**{**known, **fields})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        pytest.param(seen(), None, id="as it was merged"),
        pytest.param(seen(copies=2), "is there 2 times", id="twice"),
        pytest.param(
            seen(changed_at=MERGED_AT + timedelta(minutes=1)),
            "was changed at 2026-01-17 23:01:00, after its consolidation",
            id="changed later",
        ),
        pytest.param(
            seen(changed_at=None, unmarked=True),
            "was written by something other than the consolidation",
            id="without a mark",
        ),
    ],
)
def test_key_tells_what_is_wrong_with_it(key: KeySeen, said: str | None) -> None:
    assert key.told(MERGED_AT) == said
    assert str(key) == "amy / ensemble / 24.5"


def test_key_that_nobody_consolidated_cannot_have_been_changed_after_that() -> None:
    assert seen().told(None) is None
