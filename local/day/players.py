"""Who plays in the sample slate: the active players of the list that the package `nba_api` carries.

Real names, no network. The package knows no other sport, so another sport's slate borrows the same names.
"""

from nba_api.stats.static import players  # type: ignore[import-untyped]

from common.player_names import normalize

from ..problem import Problem


def active_players() -> list[str]:
    """Lookup keys of all active players, each once, in the order of the list."""
    return list(dict.fromkeys(normalize(player["full_name"]) for player in players.get_active_players()))


def first_players(number: int) -> list[str]:
    """The first `number` of them; a Problem if the list is shorter."""
    known = active_players()
    if not 1 <= number <= len(known):
        raise Problem(
            f"--players {number}: between 1 and {len(known)}, the active players that nba_api knows"
        )
    return known[:number]
