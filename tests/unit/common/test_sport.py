import pytest

from common.sport import DatasetRole, Sport, SportNames

NBA = SportNames(sport=Sport.NBA)


@pytest.mark.parametrize("role", DatasetRole, ids=str)
def test_datasets_are_named_by_sport_and_role(role: DatasetRole) -> None:
    assert NBA.dataset(role) == f"nba_{role.value}"
    assert SportNames(sport=Sport.MLB).dataset(role) == f"mlb_{role.value}"


def test_prefix_isolates_datasets_and_scope_but_not_bucket_and_topics() -> None:
    isolated = SportNames(sport=Sport.NBA, dataset_prefix="t1")

    assert isolated.dataset(DatasetRole.PREDICTIONS) == "t1_nba_predictions"
    assert isolated.scope == "t1_nba"
    assert isolated.bucket == NBA.bucket == "nba-scraped-data"
    assert isolated.topic("prediction-ready") == "nba-prediction-ready"


def test_service_of_a_function_is_named_by_sport_and_folder() -> None:
    assert SportNames(sport=Sport.MLB).service("completion_recorder") == "mlb-completion-recorder"


def test_another_sports_names_do_not_depend_on_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPORT", "nba")

    assert SportNames(sport=Sport.MLB).topic("prediction-ready") == "mlb-prediction-ready"
