"""Breaks the system in every way that the auditor has a name for, and looks what becomes of it."""
