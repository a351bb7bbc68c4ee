"""Every NBA player, past and present, by many spellings, against real tables."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping

import pytest
from google.cloud import bigquery

from common.players.resolver import Ambiguous, Player, Resolution
from tests.support.nba_players import NbaPlayer, nba_players
from tests.support.player_tables import Alias, Entry, PlayerTables, player_names
from tests.support.wall_clock import WallClock

LEAGUE = nba_players()
ACCENTS = str.maketrans("aceinosuyzACEINOSUYZ", "áçéíñöşûÿžÁÇÉÍÑÖŞÛŸŽ")

SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case, other marks": lambda name: name.lower().replace(" ", "-").replace("'", "\u2019"),
    "no accents": lambda name: without_accents(name),
    "more accents": lambda name: name.translate(ACCENTS),
    "accents apart": lambda name: unicodedata.normalize("NFD", name),
}


def without_accents(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))


def key(name: str) -> str:
    """A key of the test's own making; good enough for these names, in which every accent decomposes."""
    return "".join(c for c in without_accents(name).lower() if c.isalnum())


def misspelt(name: str) -> str:
    """The last two letters change places; where they are equal, one more is added."""
    return name[:-2] + name[:-3:-1] if name[-1] != name[-2] else name + name[-1]


NAMESAKES: Mapping[str, set[int]] = defaultdict(set)
for one in LEAGUE:
    NAMESAKES[key(one.full_name)].add(one.player_id)


@pytest.fixture
def tables(bigquery_client: bigquery.Client) -> PlayerTables:
    """Every other player with two seasons, as the registry has them."""
    tables = PlayerTables(bigquery_client)
    seasons = [("2024-25", one) for one in LEAGUE] + [("2025-26", one) for one in LEAGUE[::2]]
    tables.register(
        Entry(
            universal_player_id=str(one.player_id),
            player_name=one.full_name,
            player_lookup=key(one.full_name),
            season=season,
        )
        for season, one in seasons
    )
    return tables


def test_every_player_is_found_by_every_spelling_and_no_two_are_merged(
    tables: PlayerTables, clock: WallClock
) -> None:
    spelt = {spell(one.full_name): one for one in LEAGUE for spell in SPELLINGS.values()}

    resolution = player_names(tables.warehouse, clock).resolve(list(spelt)).unwrap()

    assert {found for name in spelt for found in ids(resolution, name)} == {one.player_id for one in LEAGUE}
    assert [name for name, one in spelt.items() if ids(resolution, name) != namesakes(one)] == []
    assert len(resolution.ambiguous) > 38
    assert {row["normalized_lookup"] for row in tables.queued()} == {
        key(name) for name in resolution.ambiguous
    }


def test_a_misspelt_name_is_nobody_or_who_is_really_called_so(tables: PlayerTables, clock: WallClock) -> None:
    wrong = [misspelt(one.full_name) for one in LEAGUE]
    strangers = {key(name) for name in wrong} - NAMESAKES.keys()

    resolution = player_names(tables.warehouse, clock).resolve(wrong).unwrap()

    assert [name for name in wrong if ids(resolution, name) != NAMESAKES.get(key(name), set())] == []
    assert len(strangers) > 4_900
    assert {key(name) for name in resolution.unresolved} == strangers
    assert sorted(row["normalized_lookup"] for row in tables.queued()) == sorted(strangers)


def test_a_suffix_counts_unless_the_alias_table_says_otherwise(
    tables: PlayerTables, clock: WallClock
) -> None:
    unique = [
        one for one in LEAGUE if len(namesakes(one)) == 1 and key(one.full_name + "jr") not in NAMESAKES
    ]
    with_alias, without = unique[::20], unique[1::20]
    tables.alias(Alias(key(one.full_name) + "jr", key(one.full_name)) for one in with_alias)

    names = player_names(tables.warehouse, clock)
    resolution = names.resolve([f"{one.full_name} Jr." for one in with_alias + without]).unwrap()

    assert [ids(resolution, f"{one.full_name} Jr.") for one in with_alias] == list(map(namesakes, with_alias))
    assert set(resolution.unresolved) == {f"{one.full_name} Jr." for one in without}


def namesakes(one: NbaPlayer) -> set[int]:
    return NAMESAKES[key(one.full_name)]


def ids(resolution: Resolution, name: str) -> set[int]:
    """Who may be meant, by whatever answer."""
    match resolution.answers[name]:
        case Player(universal_player_id=found):
            return {int(found)}
        case Ambiguous(candidates=candidates):
            return {int(one.universal_player_id) for one in candidates}
        case _:
            return set()
