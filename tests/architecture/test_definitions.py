"""What is of basketball stands in the definitions; elsewhere the code speaks of any item, and says so."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from common.phases.graph import GRAPHS
from common.phases.shape import Boundary, RowCounts
from common.predictions.table import COLUMNS, REQUESTED_FROM, TABLE
from common.sport import Sport
from tests.support.source_tree import DEFINITIONS, ROOT

WORDS = {
    *(sport.value for sport in Sport),
    *("basketball", "assists", "boxscore", "boxscores", "gamebook", "injury", "league", "odds", "pitcher"),
    *("points", "prop", "props", "rebounds", "season", "sportsbook", "team", "teams"),
}
BY_CONTRACT: Mapping[tuple[str, str], str] = {
    ("*", "player_lookup"): "field of messages and documents: the key of an item",
    ("*", "game_date"): "field of messages, documents and tables: the day",
    ("*", "game_id"): "field of the prediction request: what is predicted about the item on that day",
    ("common/messages.py", "*"): "the fields of the prediction request, which workers read",
    ("common/players", "*"): "the registry and the aliases are tables of others; no function reads them",
}
"""File or folder, and word → why it stands there."""
OF_ANYTHING: Mapping[tuple[str, str], str] = {
    ("*", "created_at"): "when a document or a row was made",
    ("*", "updated_at"): "when it was changed",
    ("*", "completion_pct"): "how much of a batch is done; also the name of a gate",
    ("common/consolidation/receipt.py", "prediction_consolidation"): "the processor that this suite is",
    ("common/reporting", "points"): "of a line in a drawing",
}
"""Words that the definitions have, too, and that say nothing of basketball."""
ALLOWED = {**BY_CONTRACT, **OF_ANYTHING}


def names_of(boundary: Boundary) -> Iterator[str]:
    """Processors, tables and gates, by every name."""
    yield from (boundary.name, boundary.triggered_by, boundary.parent_processor)
    yield from (*boundary.known, *boundary.aliases, *boundary.export_types)
    for rules in boundary.modes.values():
        for gate in rules.gates:
            yield gate.name
            yield from (table.name for table in gate.tables) if isinstance(gate, RowCounts) else ()


def defined() -> frozenset[str]:
    """Whole names that the definitions give."""
    boundaries = (boundary for graph in GRAPHS.values() for boundary in graph.boundaries)
    of_phases = {name for boundary in boundaries for name in names_of(boundary)}
    of_table = {TABLE, REQUESTED_FROM.table, *(column.name for column in COLUMNS)}
    # A single word is anybody's, unless it is one of WORDS.
    return frozenset(name for name in of_table | of_phases if re.search(r"[_-]|[a-z][A-Z]", name))


def basketball_in(text: str, names: frozenset[str]) -> Iterator[str]:
    """Names that are defined, and words of basketball as parts of any other."""
    for word in re.findall(r"\w+", text):
        if word in names:
            yield word
        else:
            parts = re.split(r"_|(?<=[a-z0-9])(?=[A-Z])", word)
            yield from (part.lower() for part in parts if part.lower() in WORDS)


@cache
def found() -> Mapping[tuple[str, str], int]:
    """File and word → the first line that has it."""
    names, places = defined(), dict[tuple[str, str], int]()
    for path in (path for folder in ("common", "functions") for path in (ROOT / folder).rglob("*")):
        file = str(path.relative_to(ROOT))
        if path.suffix in {".py", ".sql", ".j2", ".json"} and file not in DEFINITIONS:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                for word in basketball_in(line, names):
                    places.setdefault((file, word), number)
    return places


def reasons(file: str, word: str) -> list[tuple[str, str]]:
    """The entries that allow it."""
    houses = ("*", file, *map(str, Path(file).parents))
    return [entry for entry in ALLOWED if entry[0] in houses and entry[1] in ("*", word)]


def test_names_of_basketball_stand_in_the_definitions_only() -> None:
    stray = [
        f"{file}:{line}: {word}" for (file, word), line in sorted(found().items()) if not reasons(file, word)
    ]

    assert not stray


def test_the_readme_names_the_definitions() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("### Yours instead of basketball\n")[2].partition("\n## ")[0]

    assert {link for link in re.findall(r"\]\(([^)]+)\)", section) if link.startswith("common/")} == set(
        DEFINITIONS
    )
    assert len(section.splitlines()) <= 12


def test_nothing_is_allowed_that_is_not_there() -> None:
    used = defaultdict(list)
    for file, word in found():
        for entry in reasons(file, word):
            used[entry].append(file)

    assert not ALLOWED.keys() - used.keys()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("WHEN predicted_points < 0", ["predicted_points"]),
        ("class TeamDefense:  # of the NBA", ["team", "nba"]),
        ("MAX_ASSISTS = nba_rows(player_prop_predictions)", ["assists", "nba", "player_prop_predictions"]),
        ("a window of steam, unbanned", []),
    ],
)
def test_a_name_of_basketball_is_found_in_code_and_in_prose(text: str, words: list[str]) -> None:
    assert list(basketball_in(text, defined())) == words
