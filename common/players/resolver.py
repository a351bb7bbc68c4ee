"""Player names → players, many at a time. What is not known for certain is said, never guessed.

Suffixes and nicknames resolve by the alias table: "Gary Payton" is not "Gary Payton II" unless a person said
so. An error is a failure; it never looks like an answer, and the input is never handed back as one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from ..chunks import chunks
from ..player_names import InvalidName, normalize
from ..result import ErrorInfo, Result
from .sql import RESOLVE
from .ttl_cache import TtlCache
from .unresolved_names import UnresolvedNames

if TYPE_CHECKING:
    from ..warehouse.records import Rows

CHUNK_SIZE = 100
"""Distinct keys per query."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """A player by the name of the newest season; `universal_player_id` stays when the name changes."""

    universal_player_id: str
    player_lookup: str
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


Answer = Player | Unresolved | Ambiguous


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """An answer to every name, by the spelling that was asked for."""

    answers: Mapping[str, Answer]
    invalid: tuple[str, ...] = ()
    """A sentence for each value that is no name (None, "", …): its position, itself, and why."""

    @cached_property
    def resolved(self) -> Mapping[str, Player]:
        return {name: answer for name, answer in self.answers.items() if isinstance(answer, Player)}

    @cached_property
    def unresolved(self) -> tuple[str, ...]:
        return tuple(name for name, answer in self.answers.items() if isinstance(answer, Unresolved))

    @cached_property
    def ambiguous(self) -> Mapping[str, Ambiguous]:
        return {name: answer for name, answer in self.answers.items() if isinstance(answer, Ambiguous)}


class Warehouse(Protocol):
    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result["Rows"]: ...


class PlayerNames:
    """Resolves names against the registry and the aliases of `dataset`. Safe to share between threads.

    Every answer, "unresolved" included, is kept for `ttl`; so long a new alias may go unnoticed.
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
        self._sql = RESOLVE.replace("{reference}", dataset)
        self._cache: TtlCache[str, Answer] = TtlCache(ttl, now)

    def resolve(self, names: Sequence[str | None]) -> Result[Resolution]:
        """Answer all `names`: one query per 100 distinct keys that are not cached.

        Unresolved names are queued for a person. A failure answers none; what was learnt is cached, so that a
        second call asks for the rest only. A partial answers every name that is one: some value was none
        (class InvalidName, PERMANENT), or the queue could not be written, which a second call does.
        """
        keys, invalid = _keys(names)
        known = self._known(sorted(set(keys.values())))
        return known.and_then(lambda answers: self._resolution(keys, answers, invalid))

    def resolve_one(self, name: str | None) -> Result[Answer]:
        """The batch of one. A value that is no name is a PERMANENT failure of class InvalidName."""

        def only_answer(resolution: Resolution) -> Result[Answer]:
            error = _invalid_names(resolution.invalid)
            return Result.failure(error) if error else Result.success(*resolution.answers.values())

        return self.resolve([name]).and_then(only_answer)

    def _known(self, lookups: Sequence[str]) -> Result[dict[str, Answer]]:
        known = self._cache.get(lookups)
        missing = [lookup for lookup in lookups if lookup not in known]
        for chunk in chunks(missing, CHUNK_SIZE):
            found = self._query(chunk)
            if found.is_failure:
                return found
            known |= found.unwrap()
        return Result.success(known)

    def _query(self, lookups: Sequence[str]) -> Result[dict[str, Answer]]:
        found = self._warehouse.query(self._sql, {"names": lookups})
        answers = found.map(lambda rows: _answers(lookups, rows.rows))
        if answers.is_success:
            self._cache.put(_certain(answers.unwrap()))
        return answers

    def _resolution(
        self, keys: Mapping[str, str], known: Mapping[str, Answer], invalid: tuple[str, ...]
    ) -> Result[Resolution]:
        resolution = Resolution(answers={name: known[key] for name, key in keys.items()}, invalid=invalid)
        error = self._queue(keys, known) or _invalid_names(invalid)
        return Result.partial(resolution, error) if error else Result.success(resolution)

    def _queue(self, keys: Mapping[str, str], known: Mapping[str, Answer]) -> ErrorInfo | None:
        """Queue what is unresolved, and only then remember it: else a failure to queue would be forgotten."""
        unresolved = {lookup: known[lookup] for lookup in known.keys() - _certain(known).keys()}
        waiting = unresolved.keys() - self._cache.get(unresolved).keys()
        spellings = {key: name for name, key in keys.items() if key in waiting}
        if not spellings:
            return None
        result = self._unresolved_names.add(spellings)
        if result.is_success:
            self._cache.put({lookup: unresolved[lookup] for lookup in spellings})
        return result.error


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
    return ErrorInfo.permanent(InvalidName.__name__, "; ".join(invalid))


def _answers(lookups: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> dict[str, Answer]:
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
    if not players:
        return Unresolved(lookup=lookup)
    if len(players) == 1:
        return players[0]
    return Ambiguous(
        lookup=lookup, candidates=tuple(sorted(players, key=lambda player: player.universal_player_id))
    )


def _certain(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """The answers that leave nothing to be queued."""
    return {lookup: answer for lookup, answer in answers.items() if not isinstance(answer, Unresolved)}
