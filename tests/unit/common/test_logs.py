import io
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog

from common import logs, trace

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Output:
    """What the process has written."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def output(monkeypatch: pytest.MonkeyPatch) -> Iterator[Output]:
    """Logs are configured to write here; what was configured before comes back."""
    before = structlog.get_config()
    written = Output()
    monkeypatch.setattr(sys, "stdout", written.stream)
    logs.configure("a-project", function="completion_recorder", environment="staging")
    logs.enter()
    trace._current.set(None)
    yield written
    logs.enter()
    structlog.configure(**before)


def test_line_is_one_json_object_with_sentence_action_and_severity(
    output: Output,
) -> None:
    structlog.get_logger().warning("batch past its deadline\nby far", action="overdue", batch_id="b-1")

    (line,) = output.lines()
    assert line["message"] == "batch past its deadline\nby far"
    assert (line["action"], line["batch_id"]) == ("overdue", "b-1")
    assert line["severity"] == "WARNING"
    assert line["function"] == "completion_recorder"
    assert line["environment"] == "staging"
    assert line["logging.googleapis.com/labels"] == {
        "function": "completion_recorder",
        "environment": "staging",
    }
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)


def test_ids_that_are_bound_show_on_every_following_line(output: Output) -> None:
    logs.bind(event_id="e-1", batch_id="b-1")

    structlog.get_logger().info("first")
    structlog.get_logger().info("second", batch_id="b-2")

    first, second = output.lines()
    assert (first["event_id"], first["batch_id"]) == ("e-1", "b-1")
    assert (second["event_id"], second["batch_id"]) == ("e-1", "b-2")


def test_another_event_starts_without_the_ids_of_the_one_before(output: Output) -> None:
    logs.enter(event_id="e-1")
    logs.bind(batch_id="b-1")
    logs.enter(event_id="e-2")

    structlog.get_logger().info("second")

    (line,) = output.lines()
    assert line["event_id"] == "e-2"
    assert "batch_id" not in line
    assert logs.bound() == {"event_id": "e-2"}


def test_trace_is_written_as_cloud_logging_reads_it(output: Output) -> None:
    structlog.get_logger().info("outside of an event")
    trace.enter(TRACE, event_id="e-1")
    structlog.get_logger().info("inside")

    outside, inside = output.lines()
    assert "logging.googleapis.com/trace" not in outside
    assert (
        inside["logging.googleapis.com/trace"] == "projects/a-project/traces/0af7651916cd43dd8448eb211c80319c"
    )
    assert inside["logging.googleapis.com/spanId"] == "b7ad6b7169203331"


def test_exception_is_an_error_with_its_stack_trace(output: Output) -> None:
    try:
        raise RuntimeError("a bug")
    except RuntimeError:
        structlog.get_logger().exception("it failed")

    (line,) = output.lines()
    assert line["severity"] == "ERROR"
    assert "RuntimeError: a bug" in line["exception"]


@pytest.mark.parametrize(
    ("method", "severity"),
    [("info", "INFO"), ("warning", "WARNING"), ("error", "ERROR"), ("critical", "CRITICAL")],
)
def test_severity_is_one_that_cloud_logging_knows(output: Output, method: str, severity: str) -> None:
    getattr(structlog.get_logger(), method)("a sentence")

    assert output.lines()[0]["severity"] == severity


def test_debug_is_left_out(output: Output) -> None:
    structlog.get_logger().debug("a detail")

    assert output.lines() == []


def test_value_that_json_does_not_know_is_written_as_text(output: Output) -> None:
    structlog.get_logger().info("a sentence", value={1, 2}, error=ValueError("x"))

    (line,) = output.lines()
    assert line["value"] == "{1, 2}"
