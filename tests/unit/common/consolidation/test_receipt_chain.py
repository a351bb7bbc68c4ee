"""Receipts that were changed, removed or put in another's place are named."""

from dataclasses import replace

import pytest

from common.consolidation.receipt import Receipt
from common.consolidation.receipt_chain import broken_links
from tests.support.receipts import receipt


def chained(number: int) -> list[Receipt]:
    """Of the generations 1, 2, … under the fences 7, 9, …, each bound to the one before."""
    found = [receipt()]
    while len(found) < number:
        before = found[-1]
        found.append(
            receipt(
                generation=before.generation + 1,
                fence=before.fence + 2,
                previous_digest=before.digest,
                previous_fence=before.fence,
            )
        )
    return found


FIRST, SECOND, THIRD = chained(3)


def found(
    receipts: dict[str, Receipt], *, generation: int = 3, digest: str | None = THIRD.digest
) -> list[str]:
    broken = broken_links(receipts, consolidated_generation=generation, newest_digest=digest)
    return [f"{each.receipt} {each.what}: {each.why}" for each in broken]


def stored(*receipts: Receipt) -> dict[str, Receipt]:
    return {str(each.fence): each for each in receipts}


def test_chain_as_it_was_written_is_whole() -> None:
    assert found(stored(THIRD, FIRST, SECOND)) == []


@pytest.mark.parametrize(
    ("receipts", "broken"),
    [
        pytest.param(
            stored(replace(FIRST, keys_in_main=14), SECOND, THIRD),
            ["receipts/7 changed: receipts/9 knows it otherwise"],
            id="the first was changed",
        ),
        pytest.param(
            stored(FIRST, SECOND, replace(THIRD, bytes_processed=1)),
            ["receipts/11 changed: the batch knows it otherwise"],
            id="the newest was changed",
        ),
        pytest.param(
            stored(SECOND, THIRD),
            ["receipts/7 removed: receipts/9 was written behind it"],
            id="first removed",
        ),
        pytest.param(
            stored(FIRST, THIRD), ["receipts/9 removed: receipts/11 was written behind it"], id="one removed"
        ),
        pytest.param(
            stored(FIRST, SECOND),
            ["receipts/the newest removed: generation 3 is consolidated, and has none"],
            id="the newest was removed",
        ),
        pytest.param(
            {}, ["receipts/the newest removed: generation 3 is consolidated, and has none"], id="all removed"
        ),
        pytest.param(
            {"7": SECOND, "9": FIRST, "11": THIRD},
            [
                "receipts/7 misplaced: it is that of fence 9",
                "receipts/9 misplaced: it is that of fence 7",
                "receipts/7 misplaced: generation 1 behind generation 2",
            ],
            id="two stand in each other's place",
        ),
        pytest.param(
            stored(replace(FIRST, generation=2), replace(SECOND, generation=1), THIRD),
            ["receipts/9 misplaced: generation 1 behind generation 2"],
            id="two have each other's generation",
        ),
        pytest.param(
            stored(FIRST, replace(SECOND, keys_staged=1), THIRD),
            ["receipts/9 changed: receipts/11 knows it otherwise"],
            id="one in the middle was changed",
        ),
    ],
)
def test_receipt_that_is_not_as_it_was_written_is_named(
    receipts: dict[str, Receipt], broken: list[str]
) -> None:
    assert found(receipts) == broken


def test_what_an_earlier_release_wrote_is_not_judged() -> None:
    earlier = stored(receipt(), receipt(generation=2, fence=9))

    assert found(earlier, generation=2, digest=None) == []
    assert found({}, generation=0, digest=None) == []


def test_release_that_did_not_name_the_receipt_before_is_judged_by_its_digest() -> None:
    unnamed = replace(SECOND, previous_fence=None)

    assert found(stored(FIRST, unnamed), generation=2, digest=None) == []
    assert found(stored(unnamed), generation=2, digest=None) == [
        "receipts/the first removed: receipts/9 was written behind it"
    ]
