import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from common.result import ErrorType, Result
from common.runtime.metrics import MAX_LABELS, Metrics
from tests.support.monotonic_clock import MonotonicClock


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def monotonic() -> MonotonicClock:
    return MonotonicClock()


@pytest.fixture
def metrics(stream: io.StringIO, told: list[str], monotonic: MonotonicClock) -> Metrics:
    return Metrics(log_to(stream), tell=told.append, monotonic=monotonic)


def log_to(stream: Any) -> Any:
    return structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[structlog.processors.EventRenamer("message"), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_count_is_one_line_that_a_log_based_metric_can_read(metrics: Metrics, stream: io.StringIO) -> None:
    result = metrics.count("players_resolved", 450, source="odds", cached=False)

    assert result == Result.success(None)
    assert lines(stream) == [
        {
            "message": "players_resolved",
            "action": "metric",
            "metric": "players_resolved",
            "value": 450,
            "unit": "count",
            "labels": {"source": "odds", "cached": False},
        }
    ]


def test_a_count_is_one_unless_said_otherwise(metrics: Metrics, stream: io.StringIO) -> None:
    metrics.count("batches_closed")
    metrics.count("batches_closed", 0)

    assert [line["value"] for line in lines(stream)] == [1, 0]


def test_a_timing_is_in_seconds(metrics: Metrics, stream: io.StringIO) -> None:
    metrics.timing("merge_time", timedelta(milliseconds=1500), generation=2)

    [line] = lines(stream)
    assert (line["value"], line["unit"], line["labels"]) == (1.5, "seconds", {"generation": 2})


def test_a_timed_block_is_timed(metrics: Metrics, stream: io.StringIO, monotonic: MonotonicClock) -> None:
    with metrics.timed("merge_time", sport="nba"):
        monotonic.sleep(2.5)

    [line] = lines(stream)
    assert (line["value"], line["labels"]) == (2.5, {"outcome": "success", "sport": "nba"})


def test_a_timed_block_that_raises_is_timed_and_raises(
    metrics: Metrics, stream: io.StringIO, monotonic: MonotonicClock
) -> None:
    with pytest.raises(KeyError), metrics.timed("merge_time"):
        monotonic.sleep(1)
        raise KeyError("x")

    [line] = lines(stream)
    assert (line["value"], line["labels"]) == (1.0, {"outcome": "exception"})


@pytest.mark.parametrize(
    ("name", "value", "labels"),
    [
        pytest.param("", 1, {}, id="no name"),
        pytest.param("Players", 1, {}, id="capital in the name"),
        pytest.param("players-resolved", 1, {}, id="hyphen in the name"),
        pytest.param("p" * 101, 1, {}, id="long name"),
        pytest.param("players", -1, {}, id="negative"),
        pytest.param("players", float("nan"), {}, id="not a number"),
        pytest.param("players", float("inf"), {}, id="infinite"),
        pytest.param("players", "1", {}, id="text as value"),
        pytest.param("players", 1, {"Source": "odds"}, id="capital in a label"),
        pytest.param("players", 1, {"source": None}, id="label without a value"),
        pytest.param("players", 1, {"source": 1.5}, id="fraction as label"),
        pytest.param("players", 1, {"source": "x" * 201}, id="long label"),
        pytest.param("players", 1, {f"l{n}": n for n in range(MAX_LABELS + 1)}, id="too many labels"),
    ],
)
def test_a_malformed_metric_is_refused_and_told_once(
    metrics: Metrics, stream: io.StringIO, told: list[str], name: str, value: Any, labels: dict[str, Any]
) -> None:
    results = [metrics.count(name, value, **labels) for _ in range(3)]

    assert [result.error.type for result in results if result.error] == [ErrorType.PERMANENT] * 3
    assert stream.getvalue() == ""
    assert len(told) == 1 and told[0].startswith(f"metric {name} cannot be written: ")


def test_a_closed_log_breaks_no_work_and_is_told_once_per_metric(
    metrics: Metrics, stream: io.StringIO, told: list[str]
) -> None:
    stream.close()

    with metrics.timed("merge_time"):
        results = [metrics.count("rows_merged") for _ in range(3)]

    assert all(result.is_failure for result in results)
    assert [sentence.partition(":")[0] for sentence in told] == [
        "metric rows_merged cannot be written",
        "metric merge_time cannot be written",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_told_and_returned(told: list[str]) -> None:
    class FullDisk(io.StringIO):
        def flush(self) -> None:
            with open("/dev/full", "w") as full:
                full.write("x")

    result = Metrics(log_to(FullDisk()), tell=told.append).count("rows_merged")

    assert result.error is not None and result.error.exception_class == "OSError"
    assert len(told) == 1 and "No space left" in told[0]


def test_many_threads_tell_once(metrics: Metrics, stream: io.StringIO, told: list[str]) -> None:
    stream.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: metrics.count("rows_merged"), range(200)))

    assert len(told) == 1


def test_it_is_told_on_standard_error_unless_said_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    Metrics(log_to(io.StringIO())).count("Bad Name")

    assert capsys.readouterr().err.startswith("metric Bad Name cannot be written: ValueError: ")
