"""Names against real tables: the registry, the aliases and the queue."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from common.players.resolver import Ambiguous, Player, PlayerNames, Unresolved
from common.result import ErrorType
from common.warehouse.jobs import Timeouts
from common.warehouse.warehouse import Limits, Warehouse
from local.stack.ports import free_port
from tests.support.player_tables import DATASET, Alias, Entry, PlayerTables, player_names
from tests.support.wall_clock import WallClock


def player(universal_player_id: str, player_name: str) -> Player:
    lookup, _, _ = universal_player_id.partition("_")
    return Player(universal_player_id=universal_player_id, player_lookup=lookup, player_name=player_name)


def entry(player: Player, **where: str) -> Entry:
    return Entry(**vars(player), **where)


DONCIC = player("lukadoncic_001", "Luka Dončić")
PAYTON = player("garypayton_001", "Gary Payton")
PAYTON_II = player("garypaytonii_001", "Gary Payton II")
JOHNSON = player("chrisjohnson_001", "Chris Johnson")
OTHER_JOHNSON = player("chrisjohnson_002", "Chris Johnson")
LUKA = Unresolved(lookup="luka")


@pytest.fixture
def tables(bigquery_client: bigquery.Client) -> PlayerTables:
    tables = PlayerTables(bigquery_client)
    tables.register(entry(one) for one in (DONCIC, PAYTON, PAYTON_II, JOHNSON, OTHER_JOHNSON))
    return tables


@pytest.fixture
def names(tables: PlayerTables, clock: WallClock) -> PlayerNames:
    return player_names(tables.warehouse, clock)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param("luka doncic", DONCIC, id="by the registry"),
        pytest.param("Gary Payton", PAYTON, id="without the suffix"),
        pytest.param("Gary Payton II", PAYTON_II, id="with the suffix"),
        pytest.param("Gary Payton III", Unresolved(lookup="garypaytoniii"), id="a suffix that nobody has"),
        pytest.param(
            "Chris Johnson",
            Ambiguous(lookup="chrisjohnson", candidates=(JOHNSON, OTHER_JOHNSON)),
            id="two players of one name",
        ),
    ],
)
def test_a_name_in_the_registry(names: PlayerNames, name: str, answer: Any) -> None:
    assert names.resolve_one(name).unwrap() == answer


@pytest.mark.parametrize(
    ("aliases", "answer"),
    [
        pytest.param([Alias("luka", "lukadoncic")], DONCIC, id="one player"),
        pytest.param([Alias("luka", "lukadoncic")] * 2, DONCIC, id="the same alias twice"),
        pytest.param(
            [Alias("luka", "lukadoncic", is_active=False)], Unresolved(lookup="luka"), id="inactive"
        ),
        pytest.param([Alias("luka", "nobody")], LUKA, id="of nobody"),
        pytest.param(
            [Alias("luka", "lukadoncic"), Alias("luka", "garypayton")],
            Ambiguous(lookup="luka", candidates=(PAYTON, DONCIC)),
            id="of two players",
        ),
        pytest.param(
            [Alias("luka", "chrisjohnson")],
            Ambiguous(lookup="luka", candidates=(JOHNSON, OTHER_JOHNSON)),
            id="of an ambiguous name",
        ),
    ],
)
def test_a_name_by_its_aliases(
    tables: PlayerTables, names: PlayerNames, aliases: list[Alias], answer: Any
) -> None:
    tables.alias(aliases)

    assert names.resolve_one("Luka").unwrap() == answer


@pytest.mark.parametrize(
    ("alias", "answer"),
    [
        pytest.param(Alias("garypayton", "garypaytonii"), PAYTON_II, id="to another player"),
        pytest.param(Alias("garypayton", "nobody"), PAYTON, id="to nobody"),
        pytest.param(Alias("garypayton", "garypaytonii", is_active=False), PAYTON, id="inactive"),
    ],
)
def test_an_alias_that_a_person_made_beats_a_namesake_in_the_registry(
    tables: PlayerTables, names: PlayerNames, alias: Alias, answer: Player
) -> None:
    tables.alias([alias])

    assert names.resolve(["Gary Payton", "Gary Payton II"]).unwrap().answers == {
        "Gary Payton": answer,
        "Gary Payton II": PAYTON_II,
    }


def test_an_ambiguous_name_is_queued_for_review_with_those_who_go_by_it(
    tables: PlayerTables, names: PlayerNames
) -> None:
    names.resolve(["Chris Johnson"]).unwrap()

    [row] = tables.queued()
    assert (row["normalized_lookup"], row["status"]) == ("chrisjohnson", "pending")
    assert "chrisjohnson_001; chrisjohnson_002" in row["notes"]


def test_a_player_of_many_teams_and_seasons_is_one_player(tables: PlayerTables, names: PlayerNames) -> None:
    tables.register(
        entry(DONCIC, team_abbr=team, season=season)
        for team in ("DAL", "LAL")
        for season in ("2023-24", "2024-25")
    )
    tables.alias([Alias("luka", "lukadoncic")])

    assert names.resolve(["Luka", "Luka Doncic"]).unwrap().answers == {"Luka": DONCIC, "Luka Doncic": DONCIC}


def test_a_player_who_changed_his_name_is_found_by_both_and_called_by_the_new_one(
    tables: PlayerTables, names: PlayerNames
) -> None:
    then = Player(universal_player_id="eneskanter_001", player_lookup="eneskanter", player_name="Enes Kanter")
    now = Player(
        universal_player_id="eneskanter_001", player_lookup="enesfreedom", player_name="Enes Freedom"
    )
    tables.register([entry(then, season="2020-21"), entry(now, season="2021-22")])

    resolution = names.resolve(["Enes Kanter", "Enes Freedom"]).unwrap()

    assert resolution.resolved == {"Enes Kanter": now, "Enes Freedom": now}


def test_an_unresolved_name_is_queued_once_a_day(tables: PlayerTables, clock: WallClock) -> None:
    for _ in range(3):
        assert player_names(tables.warehouse, clock).resolve(["Somebody New", "Luka Dončić"]).is_success
    first_day = tables.queued()
    clock.advance(timedelta(days=2))
    player_names(tables.warehouse, clock).resolve(["somebody new"]).unwrap()

    assert [(row["original_name"], row["occurrences"]) for row in first_day] == [("Somebody New", 1)]
    [row] = tables.queued()
    assert (row["normalized_lookup"], row["original_name"]) == ("somebodynew", "Somebody New")
    assert (row["first_seen_date"], row["last_seen_date"]) == (date(2026, 1, 17), date(2026, 1, 19))
    assert (row["occurrences"], row["status"], row["source"]) == (2, "pending", "tests")


def test_the_day_of_a_name_is_the_one_in_new_york(tables: PlayerTables, clock: WallClock) -> None:
    clock.advance(timedelta(hours=5))  # 2026-01-18 04:00 UTC

    player_names(tables.warehouse, clock).resolve(["Somebody New"]).unwrap()

    assert [row["first_seen_date"] for row in tables.queued()] == [date(2026, 1, 17)]


def test_each_source_queues_for_itself(tables: PlayerTables, clock: WallClock) -> None:
    for source in ("odds", "injuries"):
        player_names(tables.warehouse, clock, source=source).resolve(["Somebody New"]).unwrap()

    assert [row["source"] for row in tables.queued()] == ["injuries", "odds"]


def test_many_callers_queue_a_name_once(tables: PlayerTables, clock: WallClock) -> None:
    with ThreadPoolExecutor(8) as threads:
        callers = [player_names(tables.warehouse, clock) for _ in range(8)]
        results = list(threads.map(lambda names: names.resolve(["A", "B"]), callers))

    assert all(result.is_success for result in results)
    assert [(row["normalized_lookup"], row["occurrences"]) for row in tables.queued()] == [("a", 1), ("b", 1)]


@pytest.mark.parametrize(("before", "after"), [("resolved", "pending"), ("ignored", "ignored")])
def test_a_decision_stands_unless_it_did_not_help(
    tables: PlayerTables, clock: WallClock, before: str, after: str
) -> None:
    player_names(tables.warehouse, clock).resolve(["Somebody New"]).unwrap()
    table = f"`{DATASET}.unresolved_player_names`"
    tables.warehouse.execute(f"UPDATE {table} SET status = @status WHERE TRUE", {"status": before}).unwrap()

    clock.advance(timedelta(days=1))
    player_names(tables.warehouse, clock).resolve(["Somebody New"]).unwrap()

    assert [(row["status"], row["occurrences"]) for row in tables.queued()] == [(after, 2)]


def test_no_registry_is_not_an_unknown_player(bigquery_client: bigquery.Client, clock: WallClock) -> None:
    result = player_names(Warehouse(bigquery_client), clock).resolve(["Luka Dončić"])

    assert result.is_failure
    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, "NotFound")
    assert result.error.details is not None
    assert "nba_players_registry" in result.error.details["query"]


def test_no_queue_keeps_the_answers_and_says_so(
    tables: PlayerTables, names: PlayerNames, clock: WallClock
) -> None:
    tables.warehouse.delete_table(f"{DATASET}.unresolved_player_names").unwrap()

    result = names.resolve(["Luka Dončić", "Somebody New"])

    assert result.is_partial
    assert result.unwrap().answers == {
        "Luka Dončić": DONCIC,
        "Somebody New": Unresolved(lookup="somebodynew"),
    }
    assert result.error is not None and result.error.exception_class == "NotFound"


def test_a_warehouse_that_is_away_is_not_an_unknown_player(clock: WallClock) -> None:
    nowhere = bigquery.Client(
        project="nowhere",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": f"http://127.0.0.1:{free_port()}"},
    )
    timeouts = Timeouts(request_seconds=0.5, retry_seconds=0.5)

    result = player_names(Warehouse(nowhere, Limits(timeouts=timeouts)), clock).resolve(["Luka Dončić"])

    assert result.is_failure and result.is_retryable
    assert result.error is not None and result.error.type is ErrorType.TRANSIENT
