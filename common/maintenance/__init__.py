"""What a sweep or an operator does to batches that no event moves on."""

from .deadlines import OverdueBatches, Resumed, time_out_missing
from .redrive import Redriven, redrive
from .schema_migration import Migration

__all__ = ["Migration", "OverdueBatches", "Redriven", "Resumed", "redrive", "time_out_missing"]
