"""The keys of a batch's items, all at once: whatever the rule is that makes one, no two items share a key."""

from collections.abc import Iterable

from ..player_names import InvalidName, normalize
from ..result import ErrorInfo, Result
from ..texts import details_of, first_of


def normalize_all(names: Iterable[object], *, max_key_chars: int | None = None) -> Result[dict[str, str]]:
    """Key → name of every name, in the order given; or one failure that tells of every bad one.

    A name is bad if it has no key or one that is longer than `max_key_chars`, and if another one has the
    same: of namesakes each needs a lookup of its own, such as "maxmuncy" and "maxmuncyathletics". The failure
    is PERMANENT, of class InvalidName, names the first twenty and counts all: whoever opens a batch mends the
    list once, not name by name.
    """
    given = list(names)
    by_key: dict[str, list[str]] = {}
    problems: list[str] = []
    for name in given:
        try:
            by_key.setdefault(normalize(name), []).append(name)  # type: ignore[arg-type]
        except InvalidName as exc:
            problems.append(str(exc))
    for key, same in by_key.items():
        if max_key_chars is not None and len(key) > max_key_chars:
            problems.append(f"{key!r} is longer than {max_key_chars} characters")
        if len(same) > 1:
            told = " and ".join(repr(name) for name in same)
            problems.append(f"{told} are both {key!r}: tell them apart by a lookup with a suffix of its own")
    if problems:
        return Result.failure(
            ErrorInfo.permanent(InvalidName.__name__, first_of(problems), **details_of(problems))
        )
    return Result.success({key: name for key, [name] in by_key.items()})
