"""The key of a store: "Store 0042 North" gives "store-0042-north"."""

import re
from collections.abc import Iterable
from typing import Final

from common.result import ErrorInfo, Result

LOOKUP_PATTERN: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class InvalidName(ValueError):
    """No key can be made from this value."""


def normalize(name: str) -> str:
    key = "-".join(re.findall(r"[a-z0-9]+", name.lower())) if isinstance(name, str) else ""
    if not key:
        raise InvalidName(f"name: {name!r} is no store")
    return key


def normalize_all(names: Iterable[object]) -> Result[dict[str, str]]:
    by_key: dict[str, str] = {}
    for name in map(str, names):
        if by_key.setdefault(normalize(name), name) != name:
            return Result.failure(ErrorInfo.permanent(InvalidName.__name__, f"{name!r} is there already"))
    return Result.success(by_key)
