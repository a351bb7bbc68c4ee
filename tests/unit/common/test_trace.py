import contextvars

import pytest

from common import trace

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def outside_any_event() -> None:
    trace._current.set(None)


def test_there_is_no_trace_outside_an_event() -> None:
    assert trace.current() is None


def test_given_trace_is_continued() -> None:
    assert trace.enter(GIVEN, event_id="e-1") == GIVEN
    assert trace.current() == GIVEN
    assert trace.trace_id(GIVEN) == "0af7651916cd43dd8448eb211c80319c"
    assert trace.span_id(GIVEN) == "b7ad6b7169203331"


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(None, id="absent"),
        pytest.param("", id="empty"),
        pytest.param("garbage", id="garbage"),
        pytest.param(GIVEN.upper(), id="upper case"),
        pytest.param(GIVEN + "\n", id="with a line break"),
        pytest.param("ff" + GIVEN[2:], id="a version that is reserved"),
        pytest.param(GIVEN.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), id="a trace id of zeros"),
        pytest.param(GIVEN.replace("b7ad6b7169203331", "0" * 16), id="a span id of zeros"),
    ],
)
def test_absent_or_malformed_trace_starts_a_new_one(malformed: str | None) -> None:
    started = trace.enter(malformed, event_id="e-1")

    assert started != malformed
    assert trace.current() == started
    assert trace.enter(started, event_id="e-1") == started, "a new trace is well-formed"


def test_each_event_has_a_trace_of_its_own_and_keeps_it_at_every_delivery() -> None:
    events = [f"e-{number}" for number in range(50)]

    first = [trace.enter(None, event_id=event_id) for event_id in events]
    again = [trace.enter(None, event_id=event_id) for event_id in events]

    assert len({trace.trace_id(each) for each in first}) == 50
    assert first == again


def test_trace_shows_only_in_its_own_context() -> None:
    contextvars.copy_context().run(trace.enter, GIVEN, event_id="e-1")

    assert trace.current() is None
