"""The key of a store: "Store 0042 North" gives "store-0042-north"."""

import re
from typing import Final

LOOKUP_PATTERN: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class InvalidName(ValueError):
    """No key can be made from this value."""


def normalize(name: str) -> str:
    key = "-".join(re.findall(r"[a-z0-9]+", name.lower())) if isinstance(name, str) else ""
    if not key:
        raise InvalidName(f"name: {name!r} is no store")
    return key
