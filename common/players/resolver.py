"""Player names → players, many at a time. What is not known for certain is said, never guessed.

Suffixes and nicknames resolve by the alias table: "Gary Payton" is not "Gary Payton II" unless a person said
so, and then he is, though there is another "Gary Payton". An error is a failure; it never looks like an
answer, and the input is never handed back as one.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

from cachetools import TTLCache

from ..chunks import chunks
from ..player_names import InvalidName, normalize
from ..result import ErrorInfo, Result, returns_result
from ..texts import first_of
from . import sql
from .unresolved_names import UnresolvedNames

if TYPE_CHECKING:
    from ..warehouse.records import Rows

CHUNK_SIZE: Final = 100
"""Distinct keys per query. 450 names take 8.65 s one by one and 80 ms so (measured); a query takes 10,000
parameters."""
MAX_REMEMBERED: Final = 50_000
"""Answers in memory: all players of all leagues, and then some; the least recently met go first."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """A player by the name of the newest season; `universal_player_id` stays when the name changes."""

    universal_player_id: str
    """Id of the registry, the same over all seasons."""
    player_lookup: str
    """The key by which the registry knows the player now; an alias leads to it."""
    player_name: str


@dataclass(frozen=True, kw_only=True)
class Unresolved:
    """No player and no active alias has this key."""

    lookup: str


@dataclass(frozen=True, kw_only=True)
class Ambiguous:
    """Several players go by this key; which one is meant, the name alone does not tell."""

    lookup: str
    candidates: tuple[Player, ...]
    """In the order of their ids, two or more."""


Answer = Player | Unresolved | Ambiguous


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """An answer to every name, by the spelling that was asked for."""

    answers: Mapping[str, Answer]
    """Spelling as given → answer; a spelling that was given twice stands here once."""
    invalid: tuple[str, ...] = ()
    """A sentence for each value that is no name (None, "", …): its position, itself, and why."""

    @cached_property
    def resolved(self) -> Mapping[str, Player]:
        """Spelling → player."""
        return {name: answer for name, answer in self.answers.items() if isinstance(answer, Player)}

    @cached_property
    def unresolved(self) -> tuple[str, ...]:
        """Spellings of nobody."""
        return tuple(name for name, answer in self.answers.items() if isinstance(answer, Unresolved))

    @cached_property
    def ambiguous(self) -> Mapping[str, Ambiguous]:
        """Spelling → the players that it may mean."""
        return {name: answer for name, answer in self.answers.items() if isinstance(answer, Ambiguous)}


class Warehouse(Protocol):
    """What the resolver needs of the warehouse."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result["Rows"]:
        """Rows of a SELECT, typed parameters in it."""


class PlayerNames:
    """Resolves names against the registry and the aliases of `dataset`. Safe to share between threads.

    Every answer, "unresolved" included, is kept for `ttl` (15 min): for so long a new alias may go unnoticed.
    Two threads that ask for the same new name at once both query for it.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        unresolved_names: UnresolvedNames,
        *,
        dataset: str,
        now: Callable[[], datetime],
        ttl: timedelta = timedelta(minutes=15),
    ) -> None:
        self._warehouse = warehouse
        self._unresolved_names = unresolved_names
        self._sql = sql.resolve(dataset)
        self._answers: TTLCache[str, Answer] = TTLCache(
            MAX_REMEMBERED, ttl.total_seconds(), timer=lambda: now().timestamp()
        )
        self._guard = threading.Lock()

    def resolve(self, names: Sequence[str | None]) -> Result[Resolution]:
        """Answer all `names`: one query per 100 distinct keys that are not cached.

        Unresolved and ambiguous names are queued for a person. A failure answers none (the warehouse's, with
        its type); what was learnt is cached, so that a second call asks for the rest only. A partial answers
        every name that is one: some value was none (class InvalidName, PERMANENT), or the queue could not be
        written, which a second call does.
        """
        keys, invalid = _keys(names)
        found = self._find(sorted(set(keys.values())))
        if found.error is not None:
            return Result.failure(found.error)
        answers = found.unwrap()
        # By spelling, not by key: two spellings of one key both get the answer.
        resolution = Resolution(answers={name: answers[key] for name, key in keys.items()}, invalid=invalid)
        error = self._queue(keys, answers) or _invalid_names(invalid)
        return Result.partial(resolution, error) if error else Result.success(resolution)

    def resolve_one(self, name: str | None) -> Result[Answer]:
        """The batch of one. A value that is no name is a PERMANENT failure of class InvalidName."""
        result = self.resolve([name])
        if result.is_failure or result.unwrap().invalid:
            # A partial or a failure: either has an error.
            assert result.error is not None
            return Result.failure(result.error)
        return result.map(lambda resolution: next(iter(resolution.answers.values())))

    @returns_result
    def _find(self, lookups: Sequence[str]) -> dict[str, Answer]:
        """The answers by key; a failure is the warehouse's. Players are remembered here, others once they are
        queued.
        """
        answers = self._remembered(lookups)
        missing = [lookup for lookup in lookups if lookup not in answers]
        # One after the other: what one chunk taught is kept when the next fails.
        for chunk in chunks(missing, CHUNK_SIZE):
            found = self._warehouse.query(self._sql, {"names": chunk}).unwrap()
            learnt = _answers(chunk, found.rows)
            # What waits for a person is remembered once it is queued: else a queue that failed would never be
            # tried again.
            self._remember({lookup: answer for lookup, answer in learnt.items() if not _waits(answer)})
            answers |= learnt
        return answers

    def _queue(self, keys: Mapping[str, str], answers: Mapping[str, Answer]) -> ErrorInfo | None:
        """Queue what a person has to look at, and only then remember it: a failure is not forgotten."""
        waiting = {lookup: answer for lookup, answer in answers.items() if _waits(answer)}
        # Remembered ones are in the queue since they were met first.
        new = waiting.keys() - self._remembered(waiting).keys()
        if not new:
            return None
        # One spelling per key: the queue has a row per key, not per spelling.
        spellings = {key: name for name, key in keys.items() if key in new}
        queued = self._unresolved_names.add(spellings, {key: _note(waiting[key]) for key in spellings})
        if queued.is_success:
            self._remember({lookup: waiting[lookup] for lookup in spellings})
        return queued.error

    def _remembered(self, lookups: Iterable[str]) -> dict[str, Answer]:
        """The answers that are in memory and have not expired."""
        with self._guard:
            return {lookup: self._answers[lookup] for lookup in lookups if lookup in self._answers}

    def _remember(self, answers: Mapping[str, Answer]) -> None:
        """Keep these answers for `ttl` from now on."""
        with self._guard:
            self._answers.update(answers)


def _keys(names: Iterable[str | None]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Spelling → key, and a sentence for each value that has none."""
    keys: dict[str, str] = {}
    invalid: list[str] = []
    for position, name in enumerate(names):
        try:
            if name is None:
                raise InvalidName("None is no name")
            keys[name] = normalize(name)
        except InvalidName as exc:
            invalid.append(f"names[{position}]: {exc}")
    return keys, tuple(invalid)


def _invalid_names(invalid: tuple[str, ...]) -> ErrorInfo | None:
    if not invalid:
        return None
    return ErrorInfo.permanent(InvalidName.__name__, first_of(invalid))


def _answers(lookups: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> dict[str, Answer]:
    """The rows of one query by key; a key without a row has no candidates."""
    # Every key has an entry: one without a row is Unresolved, and not forgotten.
    candidates: dict[str, list[Player]] = {lookup: [] for lookup in lookups}
    for row in rows:
        candidates[row["name"]].append(
            Player(
                universal_player_id=row["universal_player_id"],
                player_lookup=row["player_lookup"],
                player_name=row["player_name"],
            )
        )
    return {lookup: _answer(lookup, players) for lookup, players in candidates.items()}


def _answer(lookup: str, players: Sequence[Player]) -> Answer:
    """One player is the answer, none is Unresolved, several are Ambiguous: never the first of them."""
    if not players:
        return Unresolved(lookup=lookup)
    if len(players) == 1:
        return players[0]
    return Ambiguous(
        lookup=lookup, candidates=tuple(sorted(players, key=lambda player: player.universal_player_id))
    )


def _waits(answer: Answer) -> bool:
    """Whether a person has to look at it."""
    return not isinstance(answer, Player)


def _note(answer: Answer) -> str:
    """What helps that person."""
    if not isinstance(answer, Ambiguous):
        return ""
    ids = first_of([player.universal_player_id for player in answer.candidates])
    return f"several players go by it: {ids}; an alias decides"
