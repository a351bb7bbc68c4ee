"""`status` and the lists that it is made of: one query for each kind of thing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from common.entrypoint.dead_letter_box import DeadLetterBox
from common.findings.tracked import Tracked
from common.result import ResultError
from common.texts import counted

from ..answer import Answer
from ..exit_status import ExitStatus
from ..wording import moment


def findings(tracked: Sequence[Tracked], here: Callable[[str], str]) -> Answer:
    """Those that are open, the worst and oldest first, each with its command.

    Silenced ones are listed, too, with the end of their silence: only telling stops.
    """
    opened = [each for each in tracked if each.is_open]
    # The id comes last, so that findings of one audit, which have the same time, keep their order.
    opened.sort(key=lambda each: (-each.finding.severity.rank, each.first_seen, each.finding_id))
    shown: list[RenderableType] = [
        f"{counted(len(opened), 'finding')} open." if opened else "No finding is open."
    ]
    for each in opened:
        colour = "red" if each.finding.severity.rank else "yellow"
        silence = f"  silent until {moment(each.silence.until)}" if each.silence else ""
        since = f"  (since {moment(each.first_seen)}){silence}"
        said = f"{each.finding.scope.name}: {each.finding.summary}{since}"
        shown.append(Text.assemble((f"{each.finding.finding_class.value}  ", f"bold {colour}"), said))
        shown.append(Text(f"    {here(each.finding.command)}", style="bold"))
    data = {
        "findings": [
            {**each.to_document(), "finding_id": each.finding_id, "command": here(each.finding.command)}
            for each in opened
        ]
    }
    return Answer(data=data, shown=shown, status=ExitStatus.FOUND if opened else ExitStatus.WELL)


def dead_letters(box: DeadLetterBox, here: Callable[[str], str]) -> Answer:
    """How many wait; `dead-letters` lists them."""
    waiting = [each for each in box.newest().unwrap() if each.waits]
    words = (
        f"{counted(len(waiting), 'dead letter')} waiting: {here('./ops/run dead-letters')}"
        if waiting
        else "No dead letter waits."
    )
    return Answer(
        data={"waiting": len(waiting)},
        shown=[words],
        status=ExitStatus.FOUND if waiting else ExitStatus.WELL,
    )


def whole(name: str, game_date: date, parts: Mapping[str, Answer | ResultError]) -> Answer:
    """All parts below each other. One that could not be read says so, and the rest is told all the same.

    Its status is the gravest of the parts: 3 for one that could not be read outranks anything found.

    `parts` are shown in their order. In the data a part that could not be read is `{"unknown": error}`, so
    that a script which looks for its keys fails rather than takes it for empty.
    """
    shown: list[RenderableType] = [Text.assemble((f"{name}, {game_date}", "bold"))]
    data: dict[str, Any] = {"system": name, "game_date": game_date}
    statuses = []
    for title, part in parts.items():
        shown += ["", Text(title, style="bold underline")]
        if isinstance(part, ResultError):
            shown.append(Text(f"could not look: {part}", style="red"))
            data[title] = {"unknown": part.error.to_dict()}
            statuses.append(ExitStatus.COULD_NOT_LOOK)
            continue
        shown += part.shown
        data[title] = part.data
        statuses.append(part.status)
    return Answer(data=data, shown=shown, status=max(statuses, default=ExitStatus.WELL))
