"""The statements behind player names, for one dataset."""

from pathlib import Path
from typing import Final

from ..sql_blocks import SqlBlocks

_BLOCKS: Final = SqlBlocks(Path(__file__).with_name("players.sql"))


def resolve(dataset: str) -> str:
    """Find players by their keys. Parameter `names`: keys.

    Columns: name (the key asked for), universal_player_id, player_lookup, player_name; a row per player that
    goes by the key, none for a key of nobody.
    """
    return _BLOCKS.fill("resolve", reference=dataset)


def queue(dataset: str) -> str:
    """Queue names for people.

    Parameters: `names`, of original_name, normalized_lookup and notes; `source`, `seen_on`, `seen_at`. The
    same name on the same day again changes nothing; on a later day it counts once more, and one that was
    resolved is pending again.
    """
    return _BLOCKS.fill("queue", reference=dataset)
