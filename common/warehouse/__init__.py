"""BigQuery, each call a `Result`: queries, statements, loads and tables.

`Warehouse` is what works, made with `connect`; the records of its answers load no client library.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .records import Loaded, Rows, TableFacts, TableInfo

if TYPE_CHECKING:
    from .warehouse import Limits as Limits
    from .warehouse import Warehouse as Warehouse
    from .warehouse import connect as connect

__all__ = ["Limits", "Loaded", "Rows", "TableFacts", "TableInfo", "Warehouse", "connect"]

__getattr__ = lazy_face(__name__, {"Limits": "warehouse", "Warehouse": "warehouse", "connect": "warehouse"})
