"""BigQuery, each call a `Result`: queries, statements, loads and tables.

`warehouse` is what works; the `records` of its answers load no client library.
"""

__all__ = ["job_keys", "jobs", "literals", "parameters", "records", "schema_fields", "warehouse"]
