"""Every NBA player, past and present: real names to test with, from the list that ships with nba_api."""

from dataclasses import dataclass

from nba_api.stats.static import players  # type: ignore[import-untyped]


@dataclass(frozen=True, kw_only=True)
class NbaPlayer:
    """`player_id` tells apart the few that share a name."""

    player_id: int
    full_name: str


def nba_players() -> list[NbaPlayer]:
    return [NbaPlayer(player_id=p["id"], full_name=p["full_name"]) for p in players.get_players()]
