"""What was broken on purpose and what became of it, for a person: a table, or a paragraph for each where the
terminal is narrow."""

import textwrap
from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .outcome import Sabotage, Sabotaged

WIDE: Final = 118
"""Columns from which on a table can be read."""
MAX_NAMED: Final = 2
"""Players named in a line; how many there are stands behind them."""
MAX_CHARS: Final = 100
"""Of what a finding says."""
TITLE: Final = "\n[bold]What was broken on purpose, and what became of it[/]"


def shown(found: Sabotage, *, width: int) -> RenderableType:
    """The last line says whether all of it is as promised, or what is not."""
    body = _table(found.defects) if width >= WIDE else _paragraphs(found.defects)
    return Group(Text.from_markup(TITLE), body, _last_line(found))


def _table(defects: Sequence[Sabotaged]) -> Table:
    """A row for each defect, in columns that share the width of the terminal."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 2), collapse_padding=True, expand=True)
    table.add_column("class", no_wrap=True)
    for name, ratio in (("broken how, and found as", 12), ("players", 4), ("mended by", 6)):
        table.add_column(name, ratio=ratio, overflow="fold")
    table.add_column("over", no_wrap=True)
    for each in defects:
        story = Text.assemble(f"{each.how}\n", (_found(each), "dim"))
        table.add_row(_name(each), story, _who(each.ids), each.problem or each.mended, _end(each))
    return table


def _found(each: Sabotaged) -> str:
    """What the audit said, cut to a line."""
    return textwrap.shorten(each.found, MAX_CHARS, placeholder=" …") if each.found else "not found"


def _paragraphs(defects: Sequence[Sabotaged]) -> Group:
    """All defects, one below the other."""
    return Group(*(part for each in defects for part in _paragraph(each)))


def _paragraph(each: Sabotaged) -> list[RenderableType]:
    """One defect: its class and end, then how it was broken, found and mended."""
    who = f" ({_who(each.ids)})" if each.ids else ""
    lines = {
        "broken": each.how,
        "found": f"{_found(each)}{who}",
        "mended": each.problem or each.mended,
    }
    # A grid, so that long sentences wrap below themselves.
    told = Table.grid(padding=(0, 1))
    for name, said in lines.items():
        told.add_row(Text(name, style="dim"), Text(said))
    return [Padding(Text.assemble(_name(each), "  ", _end(each)), (0, 2)), Padding(told, (0, 6))]


def _name(each: Sabotaged) -> Text:
    """The class, after a mark that says whether all went as promised."""
    mark = Text("✔ ", style="green") if each.is_as_promised else Text("✘ ", style="red")
    return mark + Text(each.finding_class)


def _end(each: Sabotaged) -> Text:
    """Whether somebody was told that it is over; what was never found cannot be."""
    return Text("resolved" if each.is_resolved and each.found else "not resolved")


def _who(ids: Sequence[str]) -> str:
    """How many, and the first of them."""
    if not ids:
        return ""
    more = f" and {len(ids) - MAX_NAMED} more" if len(ids) > MAX_NAMED else ""
    return f"{', '.join(ids[:MAX_NAMED])}{more}"


def _last_line(found: Sabotage) -> Text:
    """That all is as promised, or everything that is not."""
    wrong = [each.wrong for each in found.defects if not each.is_as_promised]
    if found.problem is None and not wrong and not found.others:
        number = len(found.defects)
        return Text(f"\n  All {number} classes were named, mended and told to be over.", style="bold green")
    problems = [*([found.problem] if found.problem else []), *wrong, *found.others]
    return Text("\n  Not as promised: " + "; ".join(problems), style="bold red")
