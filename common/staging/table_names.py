"""Names of staging tables: `_staging_{batch}_{worker}`, from which both ids can be read back.

Letters of the alphabet but `q`, and digits, stand for themselves; every other byte is `q` and two hexadecimal
digits. So `_` only separates, no batch's prefix is another's, and no two names differ by case alone. (A
wildcard over plain names, `_staging_b1_*`, also returned the rows of batch `b1_2`: measured.) Pure.
"""

import re
import string
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "_staging_"
GATHERED_PREFIX: Final = "_gathered_"
"""Of the tables into which a consolidation copies many staging tables."""
MAX_NAME_BYTES: Final = 1_024
"""BigQuery's limit for a table id."""

_ESCAPE: Final = "q"
_KEPT: Final = frozenset((string.ascii_lowercase + string.digits).replace(_ESCAPE, "").encode())
_PART: Final = r"((?:[a-pr-z0-9]|q[0-9a-f]{2})+)"
_NAME: Final = re.compile(f"{PREFIX}{_PART}_{_PART}")
_GATHERED: Final = re.compile(rf"{GATHERED_PREFIX}{_PART}_(\d+)_(\d+)")


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What the name of a gathered table says."""

    batch_id: str
    generation: int
    fence: int
    """The fence of the lock holder who made it: a holder who was overtaken writes into a table of its
    own."""


def staging_table(batch_id: str, worker_id: str) -> str:
    """The table of one worker for one batch; raises ValueError for an empty id or a name that is too long."""
    if not worker_id:
        raise ValueError("worker_id: must not be empty")
    return _checked(f"{batch_prefix(batch_id)}{_encode(worker_id)}")


def batch_prefix(batch_id: str) -> str:
    """What the names of all staging tables of a batch start with, and no other's."""
    if not batch_id:
        raise ValueError("batch_id: must not be empty")
    return f"{PREFIX}{_encode(batch_id)}_"


def gathered_table(batch_id: str, generation: int, fence: int) -> str:
    """Where one holder of the lock gathers the staging tables of a batch; no other holder writes there.

    Raises ValueError for a name that is too long.
    """
    return _checked(f"{gathered_prefix(batch_id)}{generation}_{fence}")


def gathered_prefix(batch_id: str) -> str:
    """What the names of all gathered tables of a batch start with, and no other's."""
    return f"{GATHERED_PREFIX}{_encode(batch_id)}_"


def parse_gathered(table: str) -> Gathered | None:
    """What a gathered table's name says; None for any other name."""
    # Asked of every table of the dataset, other people's among them: nothing else may pass.
    match = _GATHERED.fullmatch(table)
    batch_id = None if match is None else _decode(match[1])
    if match is None or batch_id is None:
        return None
    # Written anew and compared: `007` reads as a number, and is no name that we give.
    named = Gathered(batch_id=batch_id, generation=int(match[2]), fence=int(match[3]))
    return named if table == gathered_table(batch_id, named.generation, named.fence) else None


def parse(table: str) -> tuple[str, str] | None:
    """Batch and worker of a staging table's name; None for any other name.

    Only a name that `staging_table` gives is one: bytes that are no text, and letters that were escaped
    without need, are another's naming.
    """
    match = _NAME.fullmatch(table)
    if match is None:
        return None
    batch_id, worker_id = _decode(match[1]), _decode(match[2])
    if batch_id is None or worker_id is None:
        return None
    # Needless escapes decode, too: only our own spelling counts.
    is_ours = table == f"{batch_prefix(batch_id)}{_encode(worker_id)}"
    return (batch_id, worker_id) if is_ours else None


def belongs_to(table: str, batch_id: str) -> bool:
    """Whether `table` is a staging table of this very batch.

    A completion names the table of its rows, and what it names is merged and dropped: the main table, a
    backup or another batch's table must not be named by anybody. Asked when the message is read, before
    merging and before dropping.
    """
    parsed = parse(table)
    return parsed is not None and parsed[0] == batch_id


def _encode(text: str) -> str:
    """Injective: `_decode` gives the text back.

    ASCII only, so that a name has as many bytes as characters.
    """
    return "".join(chr(byte) if byte in _KEPT else f"{_ESCAPE}{byte:02x}" for byte in text.encode())


def _decode(encoded: str) -> str | None:
    """The text that `_encode` was given; None for bytes that are no UTF-8."""
    try:
        return re.sub(
            "(?:q[0-9a-f]{2})+", lambda run: bytes.fromhex(run[0].replace(_ESCAPE, "")).decode(), encoded
        )
    except UnicodeDecodeError:
        return None


def _checked(name: str) -> str:
    # Checked here, for BigQuery would tell it by a refused load, after the rows were made.
    if len(name) > MAX_NAME_BYTES:
        raise ValueError(f"{name[:60]}…: {len(name)} bytes, a table id has at most {MAX_NAME_BYTES}")
    return name
