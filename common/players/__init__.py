"""Player names → players, many at a time, by the registry and the aliases that people made.

`PlayerNames` answers each name with a `Player`, `Unresolved` or `Ambiguous`; the last two wait for a person
in the queue of `UnresolvedNames`. The key of a name is made in `common/player_names.py`.
"""

from .resolver import Ambiguous, Player, PlayerNames, Resolution, Unresolved
from .unresolved_names import UnresolvedNames

__all__ = ["Ambiguous", "Player", "PlayerNames", "Resolution", "Unresolved", "UnresolvedNames"]
