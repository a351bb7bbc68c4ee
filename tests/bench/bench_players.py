"""Player names: how fast keys are made, and what asking for many at once saves."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from common.player_names import normalize
from common.players.resolver import PlayerNames
from common.warehouse.warehouse import EMULATOR_HOST, Warehouse, connect
from local.stack.emulators import BIGQUERY
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, at_least, at_most, interleaved_medians, seconds
from tests.support.nba_players import nba_players
from tests.support.player_tables import Entry, PlayerTables, player_names

ROUND_TRIP = timedelta(milliseconds=20)


class CountingSession(requests.Session):
    """Counts the HTTP requests that a client really makes."""

    count = 0

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        self.count += 1
        return super().request(*args, **kwargs)

    def during(self, work: Callable[[], object]) -> int:
        before = self.count
        work()
        return self.count - before


@benchmark("players.normalize")
def keys_per_second(bench: Bench) -> Iterator[Measurement]:
    """Keys made on one core, of the names of all NBA players, and of those with accents."""
    names = [player.full_name for player in nba_players()]
    accented = [name for name in names if not name.isascii()] * 200
    medians = interleaved_medians(
        5,
        all_names=lambda: seconds(lambda: list(map(normalize, names))),
        accented=lambda: seconds(lambda: list(map(normalize, accented))),
    )
    for kind, given in (("all_names", names), ("accented", accented)):
        rate = len(given) / medians[kind]
        yield Measurement(
            name=f"players.normalize.{kind}", value=rate, unit="names/s", target=at_least(200_000)
        )


@benchmark("players.resolve", emulators=[BIGQUERY])
def many_names_at_once(bench: Bench) -> Iterator[Measurement]:
    """50 names in one question against one by one, 20 ms away, and the HTTP requests that it takes."""
    project = bench.new_project()
    near = bench.emulators["bigquery"].host
    names = register_everyone(connect(project, {EMULATOR_HOST: near}))
    with bench.slowed(near, round_trip=ROUND_TRIP) as far:
        session = CountingSession()
        client = bigquery.Client(
            project=project,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": far},
            _http=session,
        )
        resolver = partial(player_names, Warehouse(client), lambda: datetime.now(UTC))
        yield speed(resolver, names[:50])
        yield from requests_made(session, resolver, names)


def speed(resolver: Callable[[], PlayerNames], names: list[str]) -> Measurement:
    medians = interleaved_medians(
        3,
        one_by_one=lambda: seconds(partial(resolve_one_by_one, resolver(), names)),
        at_once=lambda: seconds(lambda: resolver().resolve(names).unwrap()),
    )
    return Measurement(
        name="players.resolve.50_at_once",
        value=medians["one_by_one"] / medians["at_once"],
        unit="ratio",
        target=at_least(20),
        details={f"{way}_ms": 1000 * median for way, median in medians.items()},
    )


def requests_made(
    session: CountingSession, resolver: Callable[[], PlayerNames], names: list[str]
) -> Iterator[Measurement]:
    one_by_one = session.during(partial(resolve_one_by_one, resolver(), names[:50]))
    for number, allowed in ((50, 1), (450, 5)):
        known = resolver()
        first, again = (session.during(lambda: known.resolve(names[:number]).unwrap()) for _ in range(2))  # noqa: B023
        yield Measurement(
            name=f"players.resolve.requests_for_{number}",
            value=first,
            unit="requests",
            target=at_most(allowed),
            details={"of_50_one_by_one": one_by_one},
        )
        yield Measurement(
            name=f"players.resolve.requests_for_{number}_again",
            value=again,
            unit="requests",
            target=at_most(0),
        )


def register_everyone(client: bigquery.Client) -> list[str]:
    """Every name of the league, each as one player of two seasons."""
    tables = PlayerTables(client)
    names = sorted({normalize(player.full_name): player.full_name for player in nba_players()}.items())
    tables.register(
        Entry(universal_player_id=f"{key}_001", player_name=name, player_lookup=key, season=season)
        for key, name in names
        for season in ("2024-25", "2025-26")
    )
    return [name for _, name in names]


def resolve_one_by_one(names: PlayerNames, asked: list[str]) -> None:
    for name in asked:
        names.resolve_one(name).unwrap()
