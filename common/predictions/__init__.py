"""The predictions table: columns, business key and row rules, for staging, MERGE, audit and DDL alike.

`encode` checks rows before they are loaded; it loads pydantic, and what only needs the columns does not.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .columns import Column, Mode
from .table import BY_NAME, COLUMNS, KEY, ORDER, PARTITION_COLUMN, TABLE

if TYPE_CHECKING:
    from .rows import INVALID_ROWS as INVALID_ROWS
    from .rows import Row as Row
    from .rows import encode as encode

__all__ = [
    "BY_NAME",
    "COLUMNS",
    "INVALID_ROWS",
    "KEY",
    "ORDER",
    "PARTITION_COLUMN",
    "TABLE",
    "Column",
    "Mode",
    "Row",
    "encode",
]

__getattr__ = lazy_face(__name__, {"INVALID_ROWS": "rows", "Row": "rows", "encode": "rows"})
