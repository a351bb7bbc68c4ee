"""A matrix of what was tried: a row per step, a column per fault and way of recovery."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any


def difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What differs, each by its name; empty if nothing does."""
    differing = [name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)]
    return "; ".join(f"{name}: {found.get(name)} != {wanted.get(name)}" for name in sorted(differing))


def lasting(value: Any, *, without: Collection[str]) -> Any:
    """What a document holds beside times and the fields of these names, at whatever depth."""
    if isinstance(value, dict):
        return {
            key: lasting(item, without=without)
            for key, item in value.items()
            if key not in without and not isinstance(item, datetime)
        }
    return [lasting(item, without=without) for item in value] if isinstance(value, list) else value


def show_matrix(capsys: Any, title: str, columns: list[str], rows: list[tuple[str, list[str]]]) -> None:
    with capsys.disabled():
        print(f"\n{title}: {len(rows)} I/O steps")
        print(" " * 22 + " | ".join(columns))
        for number, (name, row) in enumerate(rows, start=1):
            cells = [
                f"{'ok' if cell == 'ok' else 'BROKEN':^{len(column)}}"
                for cell, column in zip(row, columns, strict=True)
            ]
            print(f"{number:2} {name:18} " + " | ".join(cells))
            for cell in row:
                if cell != "ok":
                    print(f"   {cell}")
