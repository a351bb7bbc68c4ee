"""Staging tables: a worker's rows go into a table of its own, before anybody hears of them.

`writer` writes them; `table_names` tells whose a table is.
"""

__all__ = ["legacy_names", "table_names", "writer"]
