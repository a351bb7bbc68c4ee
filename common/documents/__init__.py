"""Documents by path: the port over the store of documents, and what keeps it.

`port` says what can be asked, `writes` what can be written, as values, `query` which documents are wanted.
`store` and `async_store` keep them in Firestore, `memory_store` is their twin in memory; `past` shows
either as it was.
"""

__all__ = ["async_store", "document", "memory_store", "past", "port", "query", "store", "writes"]
