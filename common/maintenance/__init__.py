"""What a sweep or an operator does to batches that no event moves on."""

from .deadlines import OverdueBatches, time_out_missing
from .redrive import Redriven, redrive
from .schema_migration import Migration
from .swept import Resumed, Swept

__all__ = ["Migration", "OverdueBatches", "Redriven", "Resumed", "Swept", "redrive", "time_out_missing"]
