from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from common.players.resolver import CHUNK_SIZE, Ambiguous, Player, PlayerNames, Unresolved
from common.players.unresolved_names import UnresolvedNames
from common.result import ErrorInfo, ErrorType, Result
from common.warehouse.records import Rows
from tests.support.wall_clock import WallClock

TTL = timedelta(minutes=15)
BROKEN = ErrorInfo.transient("ServiceUnavailable", "503 the warehouse is away")


def player(number: int, lookup: str) -> Player:
    return Player(
        universal_player_id=f"{lookup}_{number:03}", player_lookup=lookup, player_name=lookup.title()
    )


DONCIC = player(1, "lukadoncic")
JAMES = player(1, "lebronjames")
JOHNSONS = (player(1, "chrisjohnson"), player(2, "chrisjohnson"))


class InMemoryWarehouse:
    """Knows players by key; `asked` and `queued` hold the keys of each statement. Broken where told so."""

    def __init__(self) -> None:
        self.players: dict[str, list[Player]] = defaultdict(list)
        self.asked: list[list[str]] = []
        self.queued: list[list[str]] = []
        self.queries_left = 1_000
        self.queue_works = True

    def know(self, *players: Player) -> None:
        for known in players:
            self.players[known.player_lookup].append(known)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        assert parameters is not None
        if not self.queries_left:
            return Result.failure(BROKEN)
        self.queries_left -= 1
        self.asked.append(list(parameters["names"]))
        return Result.success(
            rows(
                {
                    "name": name,
                    "universal_player_id": found.universal_player_id,
                    "player_lookup": found.player_lookup,
                    "player_name": found.player_name,
                }
                for name in parameters["names"]
                for found in self.players[name]
            )
        )

    def execute(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, job_key: str | None = None
    ) -> Result[Rows]:
        assert parameters is not None
        if not self.queue_works:
            return Result.failure(BROKEN)
        self.queued.append([name["normalized_lookup"] for name in parameters["names"]])
        return Result.success(rows([]))


def rows(found: Any) -> Rows:
    return Rows(rows=list(found), job_id="job", bytes_processed=0, affected_rows=None)


@pytest.fixture
def warehouse() -> InMemoryWarehouse:
    warehouse = InMemoryWarehouse()
    warehouse.know(DONCIC, JAMES, *JOHNSONS)
    return warehouse


@pytest.fixture
def names(warehouse: InMemoryWarehouse, clock: WallClock) -> PlayerNames:
    queue = UnresolvedNames(warehouse, dataset="nba_reference", source="tests", now=clock)
    return PlayerNames(warehouse, queue, dataset="nba_reference", now=clock, ttl=TTL)


def test_every_name_gets_its_answer(names: PlayerNames) -> None:
    resolution = names.resolve(["Luka Dončić", "Chris Johnson", "Nobody"]).unwrap()

    assert resolution.resolved == {"Luka Dončić": DONCIC}
    assert resolution.ambiguous == {"Chris Johnson": Ambiguous(lookup="chrisjohnson", candidates=JOHNSONS)}
    assert resolution.unresolved == ("Nobody",)
    assert resolution.invalid == ()


def test_two_spellings_of_one_name_are_both_answered_by_one_question(
    names: PlayerNames, warehouse: InMemoryWarehouse
) -> None:
    resolution = names.resolve(["LeBron James", "LEBRON JAMES", "LeBron James"]).unwrap()

    assert resolution.resolved == {"LeBron James": JAMES, "LEBRON JAMES": JAMES}
    assert warehouse.asked == [["lebronjames"]]


def test_no_names_are_resolved_without_a_question(names: PlayerNames, warehouse: InMemoryWarehouse) -> None:
    assert names.resolve([]).unwrap().answers == {}
    assert warehouse.asked == []


@pytest.mark.parametrize(
    ("count", "questions"), [(1, 1), (CHUNK_SIZE, 1), (CHUNK_SIZE + 1, 2), (450, 5), (2_000, 20)]
)
def test_one_question_per_chunk_of_distinct_keys(
    names: PlayerNames, warehouse: InMemoryWarehouse, count: int, questions: int
) -> None:
    spellings = [f"Player {n}" for n in range(count)] + [f"player-{n}" for n in range(count)]

    names.resolve(spellings).unwrap()

    assert len(warehouse.asked) == questions
    assert len({key for keys in warehouse.asked for key in keys}) == count == sum(map(len, warehouse.asked))


def test_an_answer_is_remembered_whatever_it_was(
    names: PlayerNames, warehouse: InMemoryWarehouse, clock: WallClock
) -> None:
    spellings = ["LeBron James", "Chris Johnson", "Nobody"]
    first = names.resolve(spellings).unwrap()

    clock.advance(TTL - timedelta(seconds=1))
    second = names.resolve(spellings).unwrap()

    assert second == first
    assert len(warehouse.asked) == 1
    assert warehouse.queued == [["chrisjohnson", "nobody"]]


def test_an_old_answer_is_asked_for_again(
    names: PlayerNames, warehouse: InMemoryWarehouse, clock: WallClock
) -> None:
    assert names.resolve(["New Player"]).unwrap().unresolved == ("New Player",)
    warehouse.know(player(1, "newplayer"))

    clock.advance(TTL)

    assert names.resolve(["New Player"]).unwrap().resolved == {"New Player": player(1, "newplayer")}


@pytest.mark.parametrize("value", [None, "", "...", "姚明", 23], ids=repr)
def test_what_is_no_name_is_said_and_the_others_are_answered(names: PlayerNames, value: Any) -> None:
    result = names.resolve(["LeBron James", value])

    assert result.is_partial
    assert result.unwrap().resolved == {"LeBron James": JAMES}
    assert result.error is not None
    assert (result.error.exception_class, result.error.type) == ("InvalidName", ErrorType.PERMANENT)
    assert result.unwrap().invalid == (result.error.message,)
    assert "names[1]: " in result.error.message and repr(value) in result.error.message


def test_a_question_that_fails_is_a_failure_and_no_answer(
    names: PlayerNames, warehouse: InMemoryWarehouse
) -> None:
    warehouse.queries_left = 0

    assert names.resolve(["LeBron James", "Nobody"]) == Result.failure(BROKEN)
    assert names.resolve_one("LeBron James") == Result.failure(BROKEN)
    assert warehouse.queued == []


def test_after_a_failure_only_the_rest_is_asked_for(names: PlayerNames, warehouse: InMemoryWarehouse) -> None:
    spellings = [f"Player {n:03}" for n in range(250)]
    warehouse.know(*(player(1, f"player{n:03}") for n in range(250)))
    warehouse.queries_left = 2
    assert names.resolve(spellings).is_failure

    warehouse.queries_left = 1

    assert len(names.resolve(spellings).unwrap().resolved) == 250
    assert list(map(len, warehouse.asked)) == [100, 100, 50]


def test_a_queue_that_cannot_be_written_is_said_and_written_the_next_time(
    names: PlayerNames, warehouse: InMemoryWarehouse
) -> None:
    warehouse.queue_works = False
    failed = names.resolve(["LeBron James", "Nobody"])
    warehouse.queue_works = True

    again = names.resolve(["LeBron James", "Nobody"])

    assert failed == Result.partial(again.unwrap(), BROKEN)
    assert again.is_success
    assert warehouse.queued == [["nobody"]]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param("Luka Dončić", DONCIC, id="resolved"),
        pytest.param("Chris Johnson", Ambiguous(lookup="chrisjohnson", candidates=JOHNSONS), id="ambiguous"),
        pytest.param("Nobody", Unresolved(lookup="nobody"), id="unresolved"),
    ],
)
def test_one_name_is_the_batch_of_one(names: PlayerNames, name: str, answer: Any) -> None:
    assert names.resolve_one(name) == Result.success(answer)


@pytest.mark.parametrize("value", [None, ""], ids=repr)
def test_one_value_that_is_no_name_is_a_failure(names: PlayerNames, value: str | None) -> None:
    result = names.resolve_one(value)

    assert result.is_failure and not result.is_retryable
    assert result.error is not None and result.error.exception_class == "InvalidName"


def test_one_name_whose_queueing_failed_keeps_its_error(
    names: PlayerNames, warehouse: InMemoryWarehouse
) -> None:
    warehouse.queue_works = False

    assert names.resolve_one("Nobody") == Result.partial(Unresolved(lookup="nobody"), BROKEN)
