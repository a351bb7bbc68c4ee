"""The predictions table: columns, business key and row rules, for staging, MERGE, audit and DDL alike.

`rows` checks rows before they are loaded; it loads pydantic, and what only needs the columns does not.
"""

__all__ = ["columns", "rows", "schema_check", "table"]
