"""Staging tables: a worker's rows go into a table of its own, before anybody hears of them.

`StagingWriter` writes them; `belongs_to` tells whose a table is, and loads nothing else.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .table_names import belongs_to, staging_table

if TYPE_CHECKING:
    from .writer import StagedWrite as StagedWrite
    from .writer import StagingWriter as StagingWriter

__all__ = ["StagedWrite", "StagingWriter", "belongs_to", "staging_table"]

__getattr__ = lazy_face(__name__, {"StagedWrite": "writer", "StagingWriter": "writer"})
