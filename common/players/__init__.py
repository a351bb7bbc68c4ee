"""Player names → players, many at a time, by the registry and the aliases that people made.

`resolver` answers each name with a `Player`, `Unresolved` or `Ambiguous`; the last two wait for a person in
the queue of `unresolved_names`. The key of a name is made in `common/player_names.py`.
"""

__all__ = ["resolver", "unresolved_names"]
