"""Who comes when, where there is not time for all: nobody waits for ever."""

from common.audit.checks import Check
from common.audit.in_turn import Resume
from common.audit.outcomes import Ok, Outcome
from common.audit.turns import in_order, next_resume
from common.findings import ScopeKind

CHECKS = [Check(name=each, of=ScopeKind.SYSTEM, stores=(), run=lambda _: Ok()) for each in "qrs"]
DONE, NOT_BEGUN = Ok(), Ok(left=1, looked_at=frozenset())


def stopped(after: str) -> Outcome:
    return Ok(left=3, resume_after=after)


def names(*resume: Resume) -> str:
    return "".join(check.name for check in in_order(CHECKS, resume))


def test_checks_come_in_their_order_and_those_that_had_to_stop_after_the_others() -> None:
    assert names() == "qrs"
    assert names(Resume(check="q", after="b1")) == "rsq"
    assert names(Resume(check="s", after=None), Resume(check="q", after="b1")) == "rsq"
    assert names(Resume(check="gone", after=None)) == "qrs"


def test_who_did_not_begin_is_before_who_had_to_stop() -> None:
    resume = next_resume({"q": stopped("b3"), "r": NOT_BEGUN, "s": DONE}, ())

    assert resume == (Resume(check="r", after=None), Resume(check="q", after="b3"))


def test_who_had_no_turn_keeps_its_place() -> None:
    last = (Resume(check="r", after="b1"), Resume(check="q", after="b3"))
    outcomes = {"s": DONE, "r": stopped("b2"), "q": Ok(left=9, resume_after="b3")}

    assert next_resume(outcomes, last) == (Resume(check="q", after="b3"), Resume(check="r", after="b2"))


def test_of_two_that_take_all_the_time_each_is_first_in_its_turn() -> None:
    resume: tuple[Resume, ...] = ()
    first = []
    for run in range(6):
        q, r = [check.name for check in in_order(CHECKS[:2], resume)]
        first.append(q)
        known = {each.check: each.after for each in resume}
        outcomes = {q: stopped(f"b{run}"), r: Ok(left=1, resume_after=known.get(r))}
        resume = next_resume(outcomes, resume)

    assert "".join(first) == "qrqrqr"


def test_where_all_came_to_their_end_nothing_is_taken_up() -> None:
    assert next_resume({"q": DONE}, (Resume(check="q", after="b1"),)) == ()
