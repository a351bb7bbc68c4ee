"""A matrix of what was tried: a row per step, a column per fault and way of recovery."""

from typing import Any


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
