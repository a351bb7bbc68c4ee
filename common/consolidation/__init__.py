"""The staging tables of a batch become one set of rows in the main table: merged once, verified, cleaned up.

`Consolidator` is the use case, `Receipt` its proof, `duplicates` the check of a day, `CleanUp` what an
auditor does to orphaned tables. The receipt and its processor's name load no client library.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .receipt import PROCESSOR, MergedTable, Receipt

if TYPE_CHECKING:
    from .clean_up import CleanUp as CleanUp
    from .clean_up import Orphans as Orphans
    from .consolidator import Consolidator as Consolidator
    from .duplicate_keys import DuplicateKey as DuplicateKey
    from .duplicate_keys import duplicates as duplicates
    from .merge_sql import Tables as Tables

__all__ = [
    "PROCESSOR",
    "CleanUp",
    "Consolidator",
    "DuplicateKey",
    "MergedTable",
    "Orphans",
    "Receipt",
    "Tables",
    "duplicates",
]

__getattr__ = lazy_face(
    __name__,
    {
        "CleanUp": "clean_up",
        "Consolidator": "consolidator",
        "DuplicateKey": "duplicate_keys",
        "Orphans": "clean_up",
        "Tables": "merge_sql",
        "duplicates": "duplicate_keys",
    },
)
