"""SQL as SQL: named blocks of a `.sql` file, so that an editor colours it and a query can be tried by hand.

    -- name: count
    -- What it is for, in a sentence or two.
    SELECT COUNT(*) AS found FROM {table};

A block ends where the next begins. `{placeholders}` are filled with text that its caller has quoted.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class SqlBlocks:
    """The blocks of one file; read once, when it is made."""

    def __init__(self, file: Path) -> None:
        self._blocks: Mapping[str, str] = dict(_blocks(file.read_text(encoding="utf-8")))

    def fill(self, name: str, **values: str) -> str:
        """The statement of that name, its placeholders filled with text that the caller has quoted or
        checked.

        Raises KeyError for an unknown block or a placeholder without a value, ValueError for a value without
        a placeholder: a misspelt name must not leave half a statement. A value of several lines keeps the
        indentation of its placeholder only where it brings it along.
        """
        block = self._blocks[name]
        unused = values.keys() - {field for _, field, _, _ in Formatter().parse(block)}
        if unused:
            raise ValueError(f"{name}: no placeholder for {', '.join(sorted(unused))}")
        return block.format_map(values)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    _, *parts = _NAME.split(text)
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        lines = body.splitlines()
        # What stands above the statement is for whoever reads the file, not for BigQuery.
        first = next(number for number, line in enumerate(lines) if not line.startswith("--"))
        yield name, "\n".join(lines[first:]).strip()
