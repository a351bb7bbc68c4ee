"""What the exit status of every command says: a script can decide on it."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """0 and 1 are answers; 2 and 3 are none."""

    # In the order of what outranks what: several answers in one have the greatest.
    WELL = 0
    FOUND = 1
    """Something needs a person."""
    WRONG_USAGE = 2
    COULD_NOT_LOOK = 3
    """A store is out of reach, or says what nobody can read: neither well nor ill."""
