"""The statements behind player names, for one dataset."""

from pathlib import Path
from typing import Final

from ..sql_blocks import SqlBlocks

_BLOCKS: Final = SqlBlocks(Path(__file__).with_name("players.sql"))


def resolve(dataset: str) -> str:
    """Parameter `names`: keys. Columns: name, universal_player_id, player_lookup, player_name."""
    return _BLOCKS.fill("resolve", reference=dataset)


def queue(dataset: str) -> str:
    """Parameters: `names`, of original_name, normalized_lookup and notes; `source`, `seen_on`, `seen_at`."""
    return _BLOCKS.fill("queue", reference=dataset)
