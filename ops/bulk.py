"""One thing, or all that `--where` chooses: the same plan either way, of one part or of many."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final, TypeVar

from common.result import ResultError, returns_result
from common.texts import counted

from .plan import Plan
from .refusals import is_refusal, wrong_usage
from .selection import Selection

T = TypeVar("T")

MAX_CHOSEN: Final = 1_000
"""Of one command: nobody reads a longer plan."""
AT_ONCE: Final = 16
"""Plans that are made, and steps that are done, side by side."""


def refuse_unless_one_is_named(what: str, name: str | None, where: Selection[Any]) -> None:
    """Raises ResultError (WrongUsage) unless there is either a name or a condition: no command is about
    everything because somebody forgot to say what.
    """
    if (name is None) == (not where):
        why = f"say which: {what}, or --where FIELD=VALUE (and not both)"
        raise wrong_usage(why)


def plan_for_each(
    verb: str,
    what: str,
    chosen: Sequence[T],
    where: Selection[Any],
    *,
    name: Callable[[T], str],
    plan_of: Callable[[T], Plan],
) -> Plan:
    """The plans of all that were chosen as one, the set first; what refuses is left out, with the reason.

    `verb` is the command without its arguments, `what` the singular of what is chosen, for people. Raises
    ResultError for more than MAX_CHOSEN, and where a store does not answer: no plan is made by half. A plan
    that is made later of the same set has the same token only if every part of it is as it was.
    """
    # Before any plan is made: a condition that is too wide would read each of its things first.
    if len(chosen) > MAX_CHOSEN:
        why = f"--where: {counted(len(chosen), what)} are chosen, {MAX_CHOSEN:,} at most at once: narrow it"
        raise wrong_usage(why)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # Side by side: a plan reads its stores, and a hundred of them one by one take a minute.
        found = dict(zip(map(name, chosen), pool.map(returns_result(plan_of), chosen), strict=True))
    # A refusal is about one thing, a store that does not answer about all: only the first is left out.
    refused = {
        one: plan.error.message for one, plan in found.items() if plan.error and is_refusal(plan.error)
    }
    for one, plan in found.items():
        if plan.error is not None and one not in refused:
            raise ResultError(replace(plan.error, message=f"{one}: {plan.error.message}"))
    plans = {one: plan.unwrap() for one, plan in found.items() if one not in refused}
    # A part may have left something out of itself without refusing; the whole has to name that, too.
    for each in plans.values():
        refused |= each.left_out
    return Plan(
        command=f"{verb} {where}",
        steps=[step for plan in plans.values() for step in plan.steps],
        shown=[f"{counted(len(chosen), what)} chosen by {where}", *_described(plans)],
        left_out=refused,
        # One fact for the whole set: a thing that has joined it, left it or changed makes another token.
        seen={"chosen": "; ".join(f"{one} ({_facts(plan)})" for one, plan in plans.items())},
        at_once=AT_ONCE,
    )


def _described(plans: Mapping[str, Plan]) -> list[str]:
    """A line for each: what its plan rests on, and whether there is anything to do."""
    return [f"  {one}: {_facts(plan)}{_nothing_in(plan)}" for one, plan in plans.items()]


def _nothing_in(plan: Plan) -> str:
    """Said of a part without steps, so that a person sees that it was not forgotten."""
    return "" if plan.steps or plan.left_out else "; nothing to do"


def _facts(plan: Plan) -> str:
    """What one plan rests on, for the line that shows it."""
    return ", ".join(f"{name} {value}" for name, value in plan.seen.items())
