"""The frozen set of players that a batch expects: `manifest/{n}`, written once when the batch is opened.

Chunked: 20,000 names would fill a document, and every array element costs an index entry. Immutable, so an
instance reads it once and checks every event against memory.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ..chunks import chunks as cut
from ..player_names import InvalidName, normalize
from ..result import ErrorInfo, Result
from ..texts import details_of, first_of

CHUNK_PLAYERS: Final = 5_000
"""At most 200 bytes each: below Firestore's 1 MiB a document and 40,000 index entries."""
MAX_PLAYERS: Final = 20_000
"""Of a batch; what the commits, chunks and pages of this suite are planned for."""
MAX_CHUNKS: Final = MAX_PLAYERS // CHUNK_PLAYERS
MAX_NAME_BYTES: Final = 200
"""Of a key; keys are ASCII."""
MANIFEST_DAMAGED: Final = "ManifestDamaged"


def freeze(names: Collection[str]) -> Result[tuple[str, ...]]:
    """The lookup keys of `names`, sorted; PERMANENT (InvalidBatch) for too many, or for a bad name.

    A name is bad if it has no key or one that is too long, or if another name has the same key: to take two
    players for one would lose the rows of the second, and announce success. Whoever opens a batch mends the
    list once, not name by name: the message names the first twenty problems, and the details count all.
    """
    if len(names) > MAX_PLAYERS:
        return _refused(f"{len(names)} players, at most {MAX_PLAYERS}")
    by_key: dict[str, list[str]] = {}
    problems: list[str] = []
    for name in names:
        try:
            by_key.setdefault(normalize(name), []).append(name)
        except InvalidName as exc:
            problems.append(str(exc))
    problems += [problem for key, same in by_key.items() for problem in _problems(key, same)]
    if problems:
        return _refused(first_of(problems), **details_of(problems))
    return Result.success(tuple(sorted(by_key)))


def _problems(key: str, names: Sequence[str]) -> Iterator[str]:
    """What is wrong with a key, given all the names that have it."""
    if len(key) > MAX_NAME_BYTES:
        yield f"{key!r} is longer than {MAX_NAME_BYTES} characters"
    if len(names) > 1:
        told = " and ".join(map(repr, names))
        yield f"{told} are both {key!r}: tell them apart by a lookup with a suffix of its own"


def digest(players: Sequence[str]) -> str:
    """Tells one frozen set from another; `players` are sorted."""
    return hashlib.sha256("\n".join(players).encode()).hexdigest()


def chunks(players: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The documents to create, as `{path: document}`."""
    parts = enumerate(cut(players, CHUNK_PLAYERS))
    return {chunk_path(number): {"players": list(part)} for number, part in parts}


def chunk_path(number: int) -> str:
    """Where a chunk is, below its batch; there are at most `MAX_CHUNKS`."""
    return f"manifest/{number}"


def read_chunk(document: Mapping[str, Any]) -> Sequence[str]:
    """The names of one document; raises KeyError for one that is no chunk."""
    names: Sequence[str] = document["players"]
    return names


def join(parts: Iterable[Sequence[str]], expected_digest: str) -> Result[frozenset[str]]:
    """All names; PERMANENT if they are not those that were frozen: nobody may be forgotten."""
    players = frozenset(player for part in parts for player in part)
    # A chunk that is lost or cut would make a smaller batch, which closes early and says that all is well.
    if digest(sorted(players)) != expected_digest:
        why = f"the players that were found, {len(players)}, are not those that were frozen"
        return Result.failure(ErrorInfo.permanent(MANIFEST_DAMAGED, f"manifest: {why}"))
    return Result.success(players)


def _refused(why: str, **details: Any) -> Result[tuple[str, ...]]:
    return Result.failure(ErrorInfo.permanent("InvalidBatch", f"expected_players: {why}", **details))
