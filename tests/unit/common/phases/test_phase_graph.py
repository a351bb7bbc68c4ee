import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from common.phases.graph import GRAPHS
from common.phases.mode import Mode
from common.phases.phase_graph import Graph, GraphError

NBA = GRAPHS["nba"]


def plain() -> dict[str, Any]:
    """The NBA's graph as JSON's values."""
    data: dict[str, Any] = json.loads(NBA.model_dump_json())
    return data


def test_graph_reads_back_from_json_and_from_yaml_as_it_was() -> None:
    from_json = Graph.read(plain())
    from_yaml = Graph.read(yaml.safe_load(yaml.safe_dump(plain())))

    assert from_json == from_yaml == NBA


def overnight(data: dict[str, Any], boundary: int = 2) -> dict[str, Any]:
    rules: dict[str, Any] = data["boundaries"][boundary]["modes"]["overnight"]
    return rules


def _unknown_topic(data: dict[str, Any]) -> None:
    data["boundaries"][0]["completes_on"] = "PHASE9_COMPLETE"


def _wrong_topic(data: dict[str, Any]) -> None:
    data["boundaries"][0]["dispatches_to"] = "PREDICTION_READY"


def _critical_not_expected(data: dict[str, Any]) -> None:
    overnight(data)["critical"] = ["player_daily_cache", "weather"]


def _tiers_out_of_order(data: dict[str, Any]) -> None:
    overnight(data)["tiers"].reverse()


def _tier_wants_more(data: dict[str, Any]) -> None:
    overnight(data)["tiers"][0]["at_least"] = 6


def _cycle(data: dict[str, Any]) -> None:
    data["boundaries"][3]["next_phase"] = 3


def _twice(data: dict[str, Any]) -> None:
    data["boundaries"][1]["name"] = data["boundaries"][0]["name"]


def _mode_missing(data: dict[str, Any]) -> None:
    del data["boundaries"][0]["modes"]["tomorrow"]


def _strange_required_table(data: dict[str, Any]) -> None:
    overnight(data)["gates"][0]["required"] = ["weather"]


def _entities_of_nobody(data: dict[str, Any]) -> None:
    data["boundaries"][0]["entities"] = {"stores": ["box_scores"]}


def _alias_of_nobody(data: dict[str, Any]) -> None:
    data["boundaries"][0]["aliases"] = {"boxes": "box_scores"}


def _optional_and_expected(data: dict[str, Any]) -> None:
    overnight(data)["optional"] = ["ml_feature_store"]


def _bare_time(data: dict[str, Any]) -> None:
    overnight(data)["deadline"]["at"] = 750  # what YAML makes of 12:30


def _unsafe_table(data: dict[str, Any]) -> None:
    overnight(data)["gates"][0]["tables"][0]["name"] = "x`; DROP TABLE y"


def _no_exports(data: dict[str, Any]) -> None:
    data["boundaries"][3]["export_types"] = []


def _number_of_nobody(data: dict[str, Any]) -> None:
    overnight(data, 3)["gates"][0]["processor"] = "grading"


UNSOUND = [
    pytest.param(_unknown_topic, ["phase2_to_phase3", "PHASE9_COMPLETE"], id="unknown topic"),
    pytest.param(_wrong_topic, ["phase2_to_phase3", "PREDICTION_READY"], id="topic of another message"),
    pytest.param(
        _critical_not_expected, ["phase4_to_phase5", "overnight", "weather"], id="unexpected critical"
    ),
    pytest.param(_tiers_out_of_order, ["phase4_to_phase5", "tier3_timeout"], id="tiers out of order"),
    pytest.param(_tier_wants_more, ["tier2_timeout", "6 processors of 5"], id="tier never reached"),
    pytest.param(_cycle, ["3 → 4 → 5 → 3"], id="cycle"),
    pytest.param(_twice, ["phase2_to_phase3", "2 times"], id="a name twice"),
    pytest.param(_mode_missing, ["phase2_to_phase3", "tomorrow"], id="a mode missing"),
    pytest.param(_strange_required_table, ["precompute_rows", "weather"], id="required table of no gate"),
    pytest.param(_entities_of_nobody, ["stores", "box_scores"], id="entities of no processor"),
    pytest.param(_alias_of_nobody, ["boxes", "box_scores"], id="alias of no processor"),
    pytest.param(_optional_and_expected, ["ml_feature_store", "2 times"], id="optional and expected"),
    pytest.param(_bare_time, ["at", "in quotes"], id="a time that is a number"),
    pytest.param(_unsafe_table, ["name"], id="a table that is SQL"),
    pytest.param(_no_exports, ["phase5_to_phase6", "export_types"], id="an export of nothing"),
    pytest.param(_number_of_nobody, ["completion_pct", "grading"], id="a number that nobody reports"),
]


@pytest.mark.parametrize(("spoil", "named"), UNSOUND)
def test_unsound_graph_is_refused_with_the_name_of_what_is_wrong(
    spoil: Callable[[dict[str, Any]], None], named: list[str]
) -> None:
    data = plain()
    spoil(data)

    with pytest.raises(GraphError) as refusal:
        Graph.read(data)

    assert all(name in str(refusal.value) for name in named), refusal.value


def test_refusal_names_everything_that_is_wrong_at_once() -> None:
    data = plain()
    _unknown_topic(data)
    _critical_not_expected(data)

    with pytest.raises(GraphError, match=r"PHASE9_COMPLETE.*weather"):
        Graph.read(data)


def test_accelerated_graph_waits_less_and_keeps_its_deadlines() -> None:
    fast = NBA.accelerated(60)

    before, after = (graph.boundaries[2].modes[Mode.OVERNIGHT] for graph in (NBA, fast))
    assert [tier.after_minutes for tier in after.tiers] == [1, 2, 4]
    assert fast.boundaries[2].recheck_minutes == NBA.boundaries[2].recheck_minutes / 60
    assert after.deadline == before.deadline
    assert after.gates == before.gates


def test_what_is_behind_a_phase_follows_the_arrows() -> None:
    reached = [boundary.name for boundary in NBA.from_phase(4)]

    assert reached == ["phase3_to_phase4", "phase4_to_phase5", "phase5_to_phase6"]
    assert NBA.from_phase(1) == ()
