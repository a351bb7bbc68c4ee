"""Whether the receipts of a batch are those that its consolidations wrote. Pure.

    receipts/5 ◀── previous: fence 5, digest ── receipts/8 ◀── receipt_digest ── the batch document

Each receipt holds the digest of the one before, and the batch that of the newest: a receipt that was changed,
removed or put in another's place breaks the chain behind it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from .receipt import Receipt

DIGEST_FIELD: Final = "receipt_digest"
"""Of the batch document: the digest of its newest receipt. Absent where an earlier release wrote that."""
FENCE_FIELD: Final = "receipt_fence"
"""And its fence, which is its name: whoever reads many batches asks for it by path."""


@dataclass(frozen=True, kw_only=True)
class BrokenLink:
    """One receipt that is not as its consolidation wrote it."""

    receipt: str
    """`receipts/5`"""
    what: str
    """`changed`, `removed` or `misplaced`"""
    why: str
    """In words, without the batch."""


def broken_links(
    receipts: Mapping[str, Receipt], *, consolidated_generation: int, newest_digest: str | None
) -> list[BrokenLink]:
    """Judge the receipts of one batch, which are given by the name of their document, oldest first.

    What an earlier release wrote, without digests, cannot be judged, and is not.
    """
    # By number, not by text: 10 comes after 9.
    in_order = [receipts[name] for name in sorted(receipts, key=_number)]
    misplaced = list(_misplaced(receipts, in_order))
    if misplaced:
        return misplaced  # whatever else does not fit, follows from that
    return [*_links(in_order), *_end(in_order, consolidated_generation, newest_digest)]


def _misplaced(receipts: Mapping[str, Receipt], in_order: Sequence[Receipt]) -> Iterator[BrokenLink]:
    """Receipts under another name than their fence, or whose generation does not rise with the fence."""
    for name, receipt in receipts.items():
        if name != str(receipt.fence):
            yield _broken(name, "misplaced", f"it is that of fence {receipt.fence}")
    for earlier, later in pairwise(in_order):
        if later.generation <= earlier.generation:
            why = f"generation {later.generation} behind generation {earlier.generation}"
            yield _broken(later.fence, "misplaced", why)


def _links(in_order: Sequence[Receipt]) -> Iterator[BrokenLink]:
    """Each receipt against the digest that the next one holds of it."""
    by_fence = {receipt.fence: receipt for receipt in in_order}
    for earlier, later in zip([None, *in_order], in_order, strict=False):
        # Written by an earlier release: it says nothing of the one before.
        if later.previous_digest is None:
            continue
        fence = later.previous_fence
        # A release that noted no fence meant the one before it.
        previous = earlier if fence is None else by_fence.get(fence)
        if previous is None:
            name = "the first" if fence is None else str(fence)
            yield _broken(name, "removed", f"receipts/{later.fence} was written behind it")
        elif previous.digest != later.previous_digest:
            yield _broken(previous.fence, "changed", f"receipts/{later.fence} knows it otherwise")


def _end(
    in_order: Sequence[Receipt], consolidated_generation: int, newest_digest: str | None
) -> Iterator[BrokenLink]:
    """The newest receipt against the batch document: nothing that comes later vouches for it."""
    newest = in_order[-1] if in_order else None
    if newest is None or newest.generation < consolidated_generation:
        if consolidated_generation:
            why = f"generation {consolidated_generation} is consolidated, and has none"
            yield _broken("the newest", "removed", why)
    elif newest_digest is not None and newest.digest != newest_digest:
        yield _broken(newest.fence, "changed", "the batch knows it otherwise")


def _broken(name: str | int, what: str, why: str) -> BrokenLink:
    return BrokenLink(receipt=f"receipts/{name}", what=what, why=why)


def _number(name: str) -> tuple[int, str]:
    """By fence, as numbers; what is none comes first."""
    return (int(name) if name.isdecimal() else -1, name)
