"""What `simulate` makes of a graph file, and how its answer reads in a narrow terminal."""

import io
import json
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from common.phases.graph import GRAPHS
from common.phases.shape import Tier
from common.result import Result, ResultError
from ops.answer import Format, print_answer
from ops.commands import simulate
from ops.simulating.replayed import Replayed, replayed
from tests.unit.ops.simulating.test_replayed import ALL_IN_TURN, EXPECTED, PHASE_4, day, reported, with_tier

NBA = GRAPHS["nba"]
TIER = with_tier(PHASE_4, Tier(reason="tier2_timeout", after_minutes=45, at_least=4))
LATE = [*ALL_IN_TURN[:4], reported(EXPECTED[4], 300)]
FOUND = (
    replayed(TIER, day(LATE, dispatched=300), was_blocked=False),
    replayed(TIER, day(ALL_IN_TURN, dispatched=20), was_blocked=False),
    replayed(TIER, day(ALL_IN_TURN[:1], dispatched=None), was_blocked=False),
)


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        pytest.param("g.json", "{", "g.json: Expecting property name", id="no JSON"),
        pytest.param("g.yaml", "a: [b", "g.yaml: while parsing a flow sequence", id="no YAML"),
        pytest.param("g.json", "{}", "g.json: sport: Field required; boundaries: Field required", id="empty"),
        pytest.param(
            "g.json",
            json.dumps({**NBA.model_dump(mode="json"), "boundries": 1}),
            "g.json: boundries: Extra inputs are not permitted",
            id="a misspelt field",
        ),
        pytest.param(
            "g.json",
            json.dumps({**NBA.model_dump(mode="json"), "sport": "mlb"}),
            "g.json: sport: 'mlb', and what was recorded is of 'nba'",
            id="of another sport",
        ),
    ],
)
def test_graph_that_is_none_is_refused_with_its_file_and_what_is_wrong(
    name: str, text: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(ResultError) as refused:
        simulate.graph_of(written(tmp_path, name, text), "nba")

    message = refused.value.error.message
    assert why in message and message.startswith("--graph: ") and "\n" not in message


def test_graph_as_it_is_can_be_read_back(tmp_path: Path) -> None:
    assert simulate.graph_of(written(tmp_path, "g.json", NBA.model_dump_json()), "nba") == NBA


def shown(found: tuple[Replayed, ...], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    played = iter(found)
    monkeypatch.setattr(simulate, "_played", lambda *_: Result.success(next(played, None)))
    answer = simulate.simulate(None, NBA, date(2026, 1, 17), date(2026, 1, 17))  # type: ignore[arg-type]
    console = Console(file=io.StringIO(), width=80)
    print_answer(answer, console, Format.TEXT)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_every_date_is_one_line_of_eighty_columns_and_what_differs_stands_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulate, "AT_ONCE", 1)

    lines = shown(FOUND, monkeypatch)

    rows = [" ".join(line.split()) for line in lines]
    assert rows[0] == "date phases was (UTC) would be gained later | earlier"
    assert rows[1].startswith("2026-01-17 4 to 5 14:00:00 09:45:00 +4 h 15 min ")
    assert rows[2].startswith("2026-01-17 4 to 5 09:20:00 09:40:00 -20 min ")
    assert rows[3] == "2026-01-17 4 to 5 never never"
    assert "2026-01-17 4 to 5: tier2_timeout instead of all_complete; without" in rows[4]
    assert " ".join(rows[-2:]).endswith("1 would have gone out incomplete, 1 not at all.")
    assert max(map(len, lines)) <= 80
    assert lines[1].rstrip()[-1] == "█" and "…" not in "".join(lines)


def test_dates_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ResultError, match="--to: 2026-01-16 is before 2026-01-17"):
        simulate.simulate(None, NBA, date(2026, 1, 17), date(2026, 1, 16))  # type: ignore[arg-type]
