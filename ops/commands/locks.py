"""Commands about the locks of the consolidations."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from common.findings import operator_command
from common.lock.lock import Lock
from common.lock.rules import LockKey, LockRecord
from common.lock.store import LockSnapshot
from common.result import Result

from ..answer import Answer
from ..bulk import plan_for_each
from ..exit_status import ExitStatus
from ..plan import Plan, Step
from ..refusals import wrong_usage
from ..selection import Fields, Selection, flag, number, text, time
from ..wording import duration, moment

KeyOf = Callable[[date], LockKey]
"""Game date → the lock of its consolidations."""
ReadLock = Callable[[LockKey], Result[LockSnapshot]]
"""The lock as it is, with the server's clock."""
DAYS_SHOWN: Final = 7
"""Game dates back from today whose locks are looked at: one read each."""


def _held(of: Callable[[LockRecord], Any]) -> Callable[[LockSnapshot], Any]:
    """A field of the record of a lock; None where there is no record."""
    return lambda lock: None if lock.record is None else of(lock.record)


SEARCHED: Final = "Of the locks that are held."
FIELDS: Final[Fields[LockSnapshot]] = {
    "batch_id": text(_held(lambda record: record.operation_id)),
    "fence": number(_held(lambda record: record.fence)),
    "expired": flag(lambda lock: lock.has_expired()),
    "acquired_at": time(_held(lambda record: record.acquired_at)),
    "expires_at": time(_held(lambda record: record.expires_at)),
}
"""What `--where` may ask of a lock that is held."""


def recent(key_of: KeyOf, today: date) -> list[LockKey]:
    """The locks of the last week and of tomorrow: a lock is of one game date.

    From tomorrow backwards. A lock of an older date is not among them: it is looked at by naming its date.
    """
    return [key_of(today + timedelta(days=1 - back)) for back in range(DAYS_SHOWN + 1)]


def listed(snapshots: Mapping[LockKey, LockSnapshot], here: Callable[[str], str]) -> Answer:
    """Those that are held, with their holder; one whose lease ran out waits for its next holder, or for the
    command below. `here` makes that one about this system."""
    table = Table(box=None, header_style="bold")
    for title in ("lock", "held for", "fence", "since (UTC)", "until (UTC)", ""):
        table.add_column(title, overflow="fold")
    held = []
    commands = []
    for key, snapshot in snapshots.items():
        record = snapshot.record
        if record is None or not record.is_held:
            continue
        # By the server's clock, which came with the record: that of this machine may be minutes off.
        expired = snapshot.has_expired()
        ago = duration(snapshot.server_now - record.expires_at)
        state = Text(f"expired {ago} ago", style="red") if expired else Text("alive", style="green")
        times = (moment(record.acquired_at), moment(record.expires_at))
        if expired:
            commands.append(here(operator_command("force-release", key.game_date.isoformat())))
        table.add_row(key.document_id, record.operation_id, str(record.fence), *times, state)
        held.append({"lock": str(key), "is_expired": expired, "record": record})
    is_well = not any(each["is_expired"] for each in held)
    return Answer(
        data={"locks": held},
        shown=[table, *(Text(f"    {each}", style="bold") for each in commands)]
        if held
        else ["No lock is held."],
        status=ExitStatus.WELL if is_well else ExitStatus.FOUND,
    )


def plan_force_release(lock: Lock, key: LockKey, read: ReadLock, *, who: str, why: str) -> Plan:
    """Take a lock from the holder that it has now, and from no successor. Nothing where nobody holds it.

    Whatever the holder still sends is refused by its fence, so a holder that lives loses its work and nothing
    else. Done again, it finds the lock free. Raises ResultError.

        shown: held by A ── A releases ── B acquires ── step: A holds it no more, B keeps it
    """
    # Read apart from the lock itself: taking it to look at it would make it held.
    record = read(key).unwrap().record
    command = f"force-release {key.game_date}"
    if record is None or not record.is_held:
        return Plan(command=command, steps=[], seen={"holder": ""})

    def do(_: str) -> Result[str]:
        # Only from the holder that was shown: by now the lock may be a successor's.
        released = lock.force_release(key, who, why, holder_id=record.holder_id)
        return released.map(lambda ended: "released" if ended else "it was free by then")

    sentence = (
        f"take {key} from {record.operation_id} (fence {record.fence}, until {moment(record.expires_at)}): "
        "whatever it still does under this fence writes nothing"
    )
    holder = f"{record.operation_id}, fence {record.fence}"
    return Plan(command=command, steps=[Step(sentence=sentence, do=do)], seen={"holder": holder})


def plan_for_locks(
    keys: Sequence[LockKey],
    read: ReadLock,
    where: Selection[LockSnapshot],
    plan_of: Callable[[LockKey], Plan],
) -> Plan:
    """`plan_of` each of these locks that is held and that `where` chooses.

    Each lock is read once for the choice and once more by its plan, so that a plan rests on the newer of the
    two. Raises ResultError where one cannot be read, or more are chosen than one command may touch.
    """
    read_now = {key: read(key).unwrap() for key in keys}
    chosen = [
        key for key, lock in read_now.items() if lock.record and lock.record.is_held and where.of([lock])
    ]
    return plan_for_each("force-release", "lock", chosen, where, name=str, plan_of=plan_of)


def date_in(text: str) -> date:
    """The date of `2026-01-17` or of `consolidation_locks/consolidation_2026-01-17`.

    From the end, where a date alone, the document's id and its path have it. Raises ResultError (WrongUsage).
    """
    try:
        return date.fromisoformat(text[-10:])
    except ValueError:
        why = f"lock: {text!r} ends with no date"
        raise wrong_usage(why) from None
