"""The statements of the judging; their text is in `judging.sql`."""

from pathlib import Path
from typing import Final

from common.sql_blocks import SqlBlocks

SQL: Final = SqlBlocks(Path(__file__).with_name("judging.sql"))
