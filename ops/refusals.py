"""What a command says no to, as opposed to what nobody could read."""

from typing import Final

from common.result import ErrorInfo, ErrorType, ResultError

WRONG_USAGE: Final = frozenset({"NotServed", "InvalidSettings", "NoSuchThing", "UnknownPhase", "WrongUsage"})
"""Failures that the person at the keyboard can mend by typing something else."""
STALE_PLAN: Final = "StalePlan"
REFUSED: Final = "Refused"
# By name, as the acts of `common` know nothing of commands: a class that is not here is told as a store that
# could not be asked, which is the more careful of the two.
_REFUSALS: Final = frozenset(
    {
        REFUSED,
        STALE_PLAN,
        "NoGame",
        "NotSwitched",
        "NotRedriven",
        "PlanOvertaken",
        "WrongBatchStatus",
        "WrongState",
    }
)
"""Classes of failures by which a thing says that it stands otherwise than the act needs it."""


def is_refusal(error: ErrorInfo) -> bool:
    """Whether the thing itself stands against the act: a person has to do something else first."""
    return error.type is ErrorType.PERMANENT and error.exception_class in _REFUSALS


def is_wrong_usage(error: ErrorInfo) -> bool:
    """Whether the person at the keyboard can mend it by typing something else: exit status 2."""
    return error.type is ErrorType.PERMANENT and error.exception_class in WRONG_USAGE


def wrong_usage(why: str) -> ResultError:
    """To be raised for what was typed."""
    return ResultError(ErrorInfo.permanent("WrongUsage", why))


def refused(why: str) -> ResultError:
    """To be raised for a thing that stands against the act."""
    return ResultError(ErrorInfo.permanent(REFUSED, why))
