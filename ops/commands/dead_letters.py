"""`dead-letters`: what could not be handled, published again or discarded by a person."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from common import messages
from common.entrypoint.dead_letter_box import MAX_READ, DeadLetter, DeadLetterBox
from common.entrypoint.envelope import REPLAYED_EVENT
from common.result import ErrorInfo, Result, ResultError, returns_result
from common.texts import counted
from common.topics import UnknownTopic, by_name

from ..answer import Answer
from ..bulk import plan_for_each, refuse_unless_one_is_named
from ..exit_status import ExitStatus
from ..plan import Plan, Step
from ..selection import Fields, Selection, text, time
from ..wording import moment

REASON_CHARS: Final = 200
"""Of a reason in a list: the document has all of it."""

SEARCHED: Final = f"Of the newest {MAX_READ:,} dead letters, those that wait."
FIELDS: Final[Fields[DeadLetter]] = {
    "event_id": text(lambda letter: letter.event_id),
    "topic": text(lambda letter: letter.topic),
    "function": text(lambda letter: letter.function),
    "error_class": text(lambda letter: letter.error_class),
    "reason": text(lambda letter: letter.reason),
    "batch_id": text(lambda letter: letter.batch_id),
    "dead_lettered_at": time(lambda letter: letter.dead_lettered_at),
    "published_at": time(lambda letter: letter.published_at),
}
"""What `--where` may ask of a dead letter."""


class RawPublisher(Protocol):
    """Publishes bytes as they are."""

    def publish_raw(self, topic_name: str, data: bytes, attributes: dict[str, str]) -> Result[str]:
        """The id of the message, once it is confirmed."""


class Queue(Protocol):
    """The messages behind the dead letters; without them taken out, they would wait for days."""

    def drop(self, topic_name: str, event_id: str) -> Result[int]:
        """Take the messages of this event out of the topic's dead-letter subscription; returns how many there
        were.
        """


@dataclass(frozen=True, kw_only=True)
class By:
    """Who handles dead letters, when and why; noted with each."""

    who: str
    why: str
    at: datetime
    """The clock at the beginning of the command."""


def listed(box: DeadLetterBox, where: Selection[DeadLetter], *, handled: bool) -> Answer:
    """Those that wait, newest first; with `handled` the others, too. Of the newest MAX_READ alone.

    Raises ResultError where they cannot be read.

    `letters` in the data have all of their fields, reasons whole. Exit status 1 while any of them waits.
    """
    letters = [each for each in box.newest().unwrap() if handled or each.waits]
    chosen = where.of(letters)
    table = Table("at (UTC)", "event", "topic", "class", "reason", box=None, header_style="bold")
    for each in chosen:
        # As Text below: a reason quotes what a message held, which must not be drawn as markup.
        cells = (each.event_id, each.topic, each.error_class, each.reason[:REASON_CHARS])
        table.add_row(moment(each.dead_lettered_at), *map(Text, cells))
    waiting = sum(each.waits for each in chosen)
    summary = f"{counted(waiting, 'dead letter')} waiting." if waiting else "No dead letter waits."
    return Answer(
        data={"letters": chosen},
        shown=[summary, *([table] if chosen else [])],
        status=ExitStatus.FOUND if waiting else ExitStatus.WELL,
    )


def plan_replay(
    box: DeadLetterBox,
    queue: Queue,
    publisher: RawPublisher,
    event_id: str | None,
    *,
    where: Selection[DeadLetter],
    by: By,
) -> Plan:
    """Publish them again under the event id that they had: what was recorded before stays recorded once.

    Who would fail again is left out, with the reason. One letter that is named is replayed whether it waits
    or not; a condition chooses from those that wait. Raises ResultError (NoSuchThing) for an id that is not
    there. A step fails (FailedAgain) where the event became a dead letter anew before the replay was noted:
    it waits.
    """

    def replay(letter: DeadLetter) -> Plan:
        """Left out before anything is published: a letter that fails again would wait again in a minute."""
        plan = _plan("replay", letter)
        why_not = fails_again(letter)
        if why_not is not None:
            return replace(plan, left_out={letter.event_id: why_not})
        sentence = f"publish {letter.event_id} on {letter.topic} again"
        return replace(
            plan, steps=[Step(sentence=sentence, do=lambda _: _replay(box, queue, publisher, letter, by=by))]
        )

    return _plan_for("replay", box, event_id, where=where, plan_of=replay)


def plan_discard(
    box: DeadLetterBox, queue: Queue, event_id: str | None, *, where: Selection[DeadLetter], by: By
) -> Plan:
    """Note that nobody needs them any more; their documents stay. Nothing for one that is discarded.

    Cut short, the letter waits still, and its document says that a discarding was begun, by whom and why.
    """

    def discard(letter: DeadLetter) -> Plan:
        """Also of a letter whose discarding was begun: what is noted of it is noted again."""
        plan = _plan("discard", letter)
        # Whoever discarded it first, and why, stays on record.
        if letter.discarded_at is not None:
            return plan
        sentence = f"discard {letter.event_id}: {letter.error_class}: {letter.reason[:REASON_CHARS]}"

        @returns_result
        def drop(_: str) -> None:
            # Noted first: the message may be all that is whole, and is not to be gone without a word of who
            # wanted that.
            begun = box.note_discarding(letter, by.at, who=by.who, why=by.why).unwrap()
            queue.drop(letter.topic, letter.event_id).unwrap()
            box.note_discarded(begun, by.at).unwrap()

        return replace(plan, steps=[Step(sentence=sentence, do=drop)])

    return _plan_for("discard", box, event_id, where=where, plan_of=discard)


def fails_again(letter: DeadLetter) -> str | None:
    """Why publishing it again would end in another dead letter, as far as its message alone tells; None where
    it may work. Pure.
    """
    # First, as nothing further can be judged by half a message.
    if not letter.is_whole:
        return "its document holds only the beginning; the dead-letter subscription has all of it"
    try:
        topic, _ = by_name(letter.topic)
    except UnknownTopic as exc:
        return str(exc)
    # The receiver's own model judges: what it refuses now, it would refuse again.
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
    box: DeadLetterBox, queue: Queue, publisher: RawPublisher, letter: DeadLetter, *, by: By
) -> Result[str]:
    """Take the old message out, publish the letter, note it; again after a crash: published once more.

    drop old message ── publish ── note
                     │           ╰─ cut short: published once more, as the same event
                     ╰─ cut short: the letter waits still, and its document has all of it
    """
    # Before it is published: where it fails again, a message of the new failure must not be taken out. Its
    # document has all of it (see `fails_again`), so a crash from here on loses nothing.
    dropped = queue.drop(letter.topic, letter.event_id)
    if dropped.error is not None:
        return Result.failure(dropped.error)
    # As the event that it was: a completion that was recorded in the meantime is a repeat then, and not
    # another event's.
    attributes = {**letter.attributes, REPLAYED_EVENT: letter.event_id}
    published = publisher.publish_raw(letter.topic, letter.data.encode(), attributes)
    if published.error is not None:
        return published
    message_id = published.unwrap()
    # A crash in between publishes once more when the command is given again: under the same event id, which
    # whoever has recorded it knows.
    noted = box.note_replayed(letter, by.at, who=by.who, why=by.why, message_id=message_id)
    return noted.map(lambda _: message_id)


def _plan(verb: str, letter: DeadLetter) -> Plan:
    """Without a step."""
    stands = "waits" if letter.waits else "discarded" if letter.discarded_at else "replayed"
    if letter.waits and letter.discard_begun_at is not None:
        stands = f"waits; a discarding was begun at {moment(letter.discard_begun_at)} UTC"
    seen = {"topic": letter.topic, "class": letter.error_class, "state": stands}
    return Plan(command=f"dead-letters {verb} {letter.event_id}", steps=[], seen=seen)


def _plan_for(
    verb: str,
    box: DeadLetterBox,
    event_id: str | None,
    *,
    where: Selection[DeadLetter],
    plan_of: Callable[[DeadLetter], Plan],
) -> Plan:
    """The plan of one letter, or of all that wait and are chosen; raises ResultError."""
    refuse_unless_one_is_named("an event id", event_id, where)
    letters = box.newest().unwrap()
    if event_id is None:
        # A condition is about what waits: nothing is replayed twice because it looks like the rest.
        chosen = where.of([letter for letter in letters if letter.waits])
        return plan_for_each(
            f"dead-letters {verb}",
            "dead letter",
            chosen,
            where,
            name=lambda letter: letter.event_id,
            plan_of=plan_of,
        )
    # One that is named may be handled already: whoever names it has seen that, and wants it again.
    found = [letter for letter in letters if letter.event_id == event_id]
    if not found:
        raise ResultError(ErrorInfo.permanent("NoSuchThing", f"dead letter {event_id!r}: not there"))
    return plan_of(found[0])
