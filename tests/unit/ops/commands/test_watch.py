"""A batch as it moves: one line for each change, and an end with the answer of `explain`."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console

from common.batches.records import BatchStatus, Counts
from ops.answer import Format
from ops.commands.watch import watch
from ops.explaining.batch_evidence import Explained
from ops.explaining.batch_facts import BatchFacts
from tests.support.batch_documents import NOW, batch_of
from tests.support.explained import TELLING


def seen(
    ended: int,
    status: BatchStatus = BatchStatus.OPEN,
    *,
    asked_again_at: datetime | None = None,
    **batch: Any,
) -> Explained:
    facts = BatchFacts(
        batch=replace(
            batch_of(),
            expected_players=3,
            counts=Counts(completed=ended),
            status=status,
            deadline=NOW + timedelta(hours=1),
            **batch,
        ),
        now=NOW,
        missing=["amy", "bob", "cas"][ended:],
        failed=(),
        unstaged=(),
        last_completion_at=NOW,
        asked_again_at=asked_again_at,
        holder=None,
        refusals=(),
        expected_end=None,
    )
    return Explained(facts=facts, events=(), receipts=())


class Played:
    """Evidence that moves on at each look, and stands at its last."""

    def __init__(self, *looks: Explained) -> None:
        self._looks: Iterator[Explained] = iter(looks)
        self._last = looks[-1]

    def of(self, batch_id: str) -> Explained:
        return next(self._looks, self._last)

    def again(self, found: Explained) -> Explained:
        return next(self._looks, self._last)


MERGED = seen(3, BatchStatus.CONSOLIDATED, consolidated_generation=1, phase_generation=1)


def watched(form: Format, *looks: Explained) -> tuple[list[str], int]:
    console = Console(file=io.StringIO(), width=300)
    pauses: list[float] = []
    answer = watch(Played(*looks), "batch1", TELLING, console=console, form=form, sleep=pauses.append)  # type: ignore[arg-type]
    assert len(pauses) == len(looks) - 1
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines(), answer.status


def test_every_change_is_one_line_and_what_does_not_change_is_none() -> None:
    lines, status = watched(Format.TEXT, seen(1), seen(1), seen(2), MERGED)

    assert [line.split("  ", 1)[1] for line in lines] == ["1 / 3  open", "2 / 3  open", "3 / 3  consolidated"]
    assert status == 0


def test_lines_for_machines_name_who_is_missing() -> None:
    lines, _ = watched(Format.JSON, seen(2), MERGED)

    assert [json.loads(line)["missing"] for line in lines] == [["cas"], []]


def test_batch_that_failed_ends_the_watch_with_its_status() -> None:
    _, status = watched(Format.TEXT, seen(1), seen(1, BatchStatus.FAILED))

    assert status == 1


def test_batch_that_failed_is_watched_on_while_players_that_were_asked_for_again_may_come() -> None:
    failed = seen(1, BatchStatus.FAILED, asked_again_at=NOW)

    lines, status = watched(Format.TEXT, failed, MERGED)

    assert [line.split("  ", 1)[1] for line in lines] == ["1 / 3  failed", "3 / 3  consolidated"]
    assert status == 0


def test_ctrl_c_ends_the_watch_with_what_is_known_then() -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    answer = watch(
        Played(seen(1)),  # type: ignore[arg-type]
        "batch1",
        TELLING,
        console=Console(file=io.StringIO()),
        form=Format.TEXT,
        sleep=interrupt,
    )

    assert answer.data["state"].value == "running"
