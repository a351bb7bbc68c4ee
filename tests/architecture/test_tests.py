"""Each test can fail: it asserts something, by itself or by a helper of the tests."""

import dis
import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

ASSERTS = {"AssertionError", "raises", "fail", "unwrap"}
"""Names by which a test, as pytest compiles it, fails."""
ACCEPTS = {
    "refuse_if_stale": "raises what is stale",
    "run_state_machine_as_test": "each step and invariant of the machine asserts",
}
"""What raises by itself, and whose silence is all that a test may want."""


def codes(code: CodeType) -> Iterator[CodeType]:
    """A function's, and those of the functions in it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from codes(inner)


def can_fail(test: Callable[..., Any], seen: frozenset[object] = frozenset()) -> bool:
    inner = getattr(getattr(test, "hypothesis", None), "inner_test", test)
    function = inspect.unwrap(inner)
    if not isinstance(function, FunctionType) or function in seen:
        return False
    own = list(codes(function.__code__))
    names = {name for code in own for name in code.co_names}
    if names & (ASSERTS | ACCEPTS.keys()) or any(map(_asserts_plainly, own)):
        return True
    called = [inspect.unwrap(each) for name in names if callable(each := function.__globals__.get(name))]
    ours = [each for each in called if isinstance(each, FunctionType) and _is_of_tests(each)]
    return any(can_fail(each, seen | {function}) for each in ours)


def _asserts_plainly(code: CodeType) -> bool:
    """In a file whose assertions pytest leaves as they are."""
    return any(each.opname == "LOAD_ASSERTION_ERROR" for each in dis.get_instructions(code))


def _is_of_tests(function: FunctionType) -> bool:
    return "/tests/" in function.__code__.co_filename


def collected(request: pytest.FixtureRequest) -> set[Callable[..., Any]]:
    return {item.function for item in request.session.items if isinstance(item, pytest.Function)}


def test_every_test_can_fail(request: pytest.FixtureRequest) -> None:
    """Of this session: of the whole suite all, of the fast one those that it runs."""
    assert not [test.__qualname__ for test in collected(request) if not can_fail(test)]


def test_test_that_only_calls_is_found() -> None:
    def calls() -> None:
        print(codes(calls.__code__))

    def asserts_within() -> None:
        test_test_that_only_calls_is_found()

    assert not can_fail(calls)
    assert can_fail(asserts_within)


def test_no_test_is_content_with_any_exception(request: pytest.FixtureRequest) -> None:
    """Any would do for a misspelt name, too."""
    files = {inspect.unwrap(test).__code__.co_filename for test in collected(request)}

    assert files
    assert not [file for file in files if _accepts_anything(file)]


def _accepts_anything(file: str) -> bool:
    with open(file, encoding="utf-8") as source:
        text = source.read()
    return f"raises({Exception.__name__})" in text or f"raises({BaseException.__name__})" in text
