"""Notices that all processors of a phase are done, and starts the next one: once, and certainly."""
