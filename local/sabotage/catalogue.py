"""Every class of finding, and how it is made here."""

from typing import Final

from . import batch_defects, phase_defects, row_defects, system_defects, topology_defects
from .defect import Defect

BEFORE: Final[tuple[Defect, ...]] = (system_defects.STORE_DOWN, phase_defects.UNKNOWN_SCHEDULE)
"""Made and found by looks of their own, before anything else is broken: where a store is away, nobody can say
what else is wrong."""
AT_ONCE: Final[tuple[Defect, ...]] = (
    *batch_defects.DEFECTS,
    *row_defects.DEFECTS,
    *phase_defects.DEFECTS,
    *system_defects.DEFECTS,
    *topology_defects.DEFECTS,
)
"""None of these disturbs another: broken together, found by one audit."""
DEFECTS: Final = (*BEFORE, *AT_ONCE)
CLASSES: Final = tuple(each.finding_class.value for each in DEFECTS)
