"""`dead-letters`: what could not be handled, published again or discarded by a person."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from common import messages
from common.entrypoint.dead_letter_box import DeadLetter, DeadLetterBox
from common.entrypoint.envelope import REPLAYED_EVENT
from common.result import ErrorInfo, Result, ResultError
from common.topics import UnknownTopic, by_name

from ..answer import Answer
from ..exit_status import ExitStatus
from ..operations import Plan, Step
from ..selection import Where, matching
from ..wording import count, moment

REASON_CHARS: Final = 200


class RawPublisher(Protocol):
    def publish_raw(self, topic_name: str, data: bytes, attributes: dict[str, str]) -> Result[str]: ...


def listed(box: DeadLetterBox, where: Sequence[Where], *, handled: bool) -> Answer:
    """Those that wait, newest first; with `handled` the others, too."""
    letters = [each for each in box.newest().unwrap() if handled or each.waits]
    chosen = matching(letters, where)
    table = Table("at (UTC)", "event", "topic", "class", "reason", box=None, header_style="bold")
    for each in chosen:
        cells = (each.event_id, each.topic, each.error_class, each.reason[:REASON_CHARS])
        table.add_row(moment(each.dead_lettered_at), *map(Text, cells))
    waiting = sum(each.waits for each in chosen)
    summary = f"{count(waiting, 'dead letter')} waiting." if waiting else "No dead letter waits."
    return Answer(
        data={"letters": chosen},
        shown=[summary, *([table] if chosen else [])],
        status=ExitStatus.FOUND if waiting else ExitStatus.WELL,
    )


def plan_replay(
    box: DeadLetterBox,
    publisher: RawPublisher,
    event_id: str | None,
    where: Sequence[Where],
    *,
    who: str,
    why: str,
    now: datetime,
) -> Plan:
    """Publish them again under the event id that they had: what was recorded before stays recorded once."""
    chosen = _chosen(box, event_id, where)
    problems = {letter.event_id: why_not for letter in chosen if (why_not := fails_again(letter))}
    steps = [
        Step(
            sentence=f"publish {letter.event_id} on {letter.topic} again",
            do=partial(_replay, box, publisher, letter, who=who, why=why, now=now),
        )
        for letter in chosen
        if letter.event_id not in problems
    ]
    shown = [f"left out: {name}: {why_not}" for name, why_not in problems.items()]
    return Plan(command=_command("replay", event_id, where), steps=steps, shown=shown)


def plan_discard(
    box: DeadLetterBox, event_id: str | None, where: Sequence[Where], *, who: str, why: str, now: datetime
) -> Plan:
    """Note that nobody needs them any more; their documents stay."""
    steps = [
        Step(
            sentence=f"discard {letter.event_id}: {letter.error_class}: {letter.reason[:REASON_CHARS]}",
            do=partial(box.note_discarded, letter.event_id, now, who=who, why=why),
        )
        for letter in _chosen(box, event_id, where)
    ]
    return Plan(command=_command("discard", event_id, where), steps=steps)


def fails_again(letter: DeadLetter) -> str | None:
    """Why publishing it again would end in another dead letter, as far as its message alone tells."""
    if not letter.is_whole:
        return "its document holds only the beginning; the dead-letter subscription has all of it"
    try:
        topic, _ = by_name(letter.topic)
    except UnknownTopic as exc:
        return str(exc)
    model = getattr(messages, topic.message or "", None)
    if model is None:
        return f"no function of ours hears {letter.topic}"
    try:
        model.model_validate_json(letter.data)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'message'}: {first['msg']}"
    return None


def _replay(
    box: DeadLetterBox, publisher: RawPublisher, letter: DeadLetter, *, who: str, why: str, now: datetime
) -> Result[str]:
    attributes = {**letter.attributes, REPLAYED_EVENT: letter.event_id}
    published = publisher.publish_raw(letter.topic, letter.data.encode(), attributes)
    if published.error is not None:
        return published
    message_id = published.unwrap()
    noted = box.note_replayed(letter.event_id, now, who=who, why=why, message_id=message_id)
    return noted.map(lambda _: message_id)


def _chosen(box: DeadLetterBox, event_id: str | None, where: Sequence[Where]) -> list[DeadLetter]:
    if (event_id is None) == (not where):
        raise ResultError(
            ErrorInfo.permanent("WrongUsage", "say which: an event id, or --where FIELD=VALUE (and not both)")
        )
    letters = box.newest().unwrap()
    if event_id is None:
        return matching([letter for letter in letters if letter.waits], where)
    found = [letter for letter in letters if letter.event_id == event_id]
    if not found:
        raise ResultError(ErrorInfo.permanent("NoSuchThing", f"dead letter {event_id!r}: not there"))
    return found


def _command(verb: str, event_id: str | None, where: Sequence[Where]) -> str:
    chosen = [event_id] if event_id else [f"--where {each}" for each in where]
    return " ".join(["dead-letters", verb, *chosen])
