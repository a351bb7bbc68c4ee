"""The status page: one look says whether today is well, and what to type where it is not.

`gathering` reads the stores, `records` is what the page says, `page` renders it, `publishing` puts it where
it is read. It keeps no state.
"""

__all__ = ["assembly", "page", "publishing"]
