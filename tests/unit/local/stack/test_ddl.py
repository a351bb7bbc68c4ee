"""The placeholders of the DDL."""

from common.sport import Sport, SportNames
from local.stack.ddl import fill


def test_placeholders_become_the_datasets_of_the_sport_and_other_braces_stay() -> None:
    names = SportNames(sport=Sport.MLB, dataset_prefix="mine")

    sql = fill("SELECT '{x}' FROM `{predictions}.a` JOIN `{orchestration}.b`", names)

    assert sql == "SELECT '{x}' FROM `mine_mlb_predictions.a` JOIN `mine_mlb_orchestration.b`"
