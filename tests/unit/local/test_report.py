"""The report names what it found, and also prints what has no end."""

import io

from rich.console import Console

from common.batches.records import BatchStatus, Counts
from local import report
from local.judging.evidence import Evidence
from local.judging.promises import judge
from local.play import Ending, Played
from tests.support.sound_run import batch, completions, sound_run


def printed(evidence: Evidence) -> str:
    played = Played(
        evidence=evidence, boundaries=(), ending=Ending.FINISHED, was_killed=False, replaced_workers=0
    )
    console = Console(file=io.StringIO(), width=200)
    report.show(console, played, judge(evidence, victim=None, was_killed=False))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_sound_run_has_five_kept_promises() -> None:
    text = printed(sound_run())

    assert text.count("✔") == 5
    assert "✘" not in text


def test_who_is_missing_is_named() -> None:
    ended = completions()[2:]
    text = printed(sound_run(completions=ended, batch=batch(counts=Counts(completed=len(ended)))))

    names = sorted(one.player_lookup for one in completions()[:2])
    assert f"2 ({', '.join(names)}) missing" in text


def test_a_run_that_got_nowhere_is_reported_too() -> None:
    text = printed(
        sound_run(
            batch=batch(status=BatchStatus.OPEN, counts=Counts()),
            completions=(),
            receipts=(),
            announced=(),
            lock=None,
            main=(),
            dead_letters=("Error: [bold]not a style[/bold]",) * 3,
        )
    )

    assert text.count("✘") == 5
    assert "[bold]not a style[/bold] (3 times)" in text
    assert "30 players are missing" in text
