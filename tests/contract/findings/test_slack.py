"""Slack as a webhook on this machine plays it: delivered is what it says it has taken, nothing else."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from common.documents.memory_store import MemoryDocuments
from common.findings import slack
from common.findings.channel import LogChannel
from common.findings.reporter import Reporter
from common.findings.slack import SlackChannel
from common.findings.store import FindingStore
from common.result import ErrorType
from local.stack.ports import free_port
from tests.support.findings import finding
from tests.support.results import error_of
from tests.support.wall_clock import WallClock
from tests.support.webhook import NOTHING, OK, Answer, webhook

TRANSIENT, PERMANENT = ErrorType.TRANSIENT, ErrorType.PERMANENT


class Time:
    """A monotonic clock that sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def channel(address: str, time: Time) -> SlackChannel:
    return SlackChannel(address, time_limit=timedelta(seconds=30), sleep=time.sleep, monotonic=time.monotonic)


def test_message_is_delivered_when_slack_says_ok() -> None:
    with webhook(OK) as hook:
        assert channel(hook.address, Time()).send("text & more").is_success

    assert hook.texts == ["text & more"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(status=500, body=b"server_error"), id="500"),
        pytest.param(Answer(status=200, body=b"<html>captive portal</html>"), id="200 of somebody else"),
        pytest.param(Answer(status=200, body=b"\xff\xfe\xfd"), id="200 with what is no text"),
        pytest.param(Answer(raw=b"\x00garbage\r\n\r\n"), id="no HTTP"),
        pytest.param(NOTHING, id="nothing"),
    ],
)
def test_what_may_pass_is_tried_again_within_the_time_limit(answer: Answer) -> None:
    time = Time()
    with webhook(answer, answer, OK) as hook:
        assert channel(hook.address, time).send("text").is_success
        assert len(hook.texts) == 3

    with webhook(answer) as hook:
        failed = channel(hook.address, Time()).send("text")

    assert error_of(failed).type is TRANSIENT
    assert len(hook.texts) > 3
    assert hook.address not in str(failed)


@pytest.mark.parametrize("status", [400, 403, 404, 410], ids=str)
def test_refusal_for_good_is_permanent_at_once(status: int) -> None:
    with webhook(Answer(status=status, body=b"no_service")) as hook:
        failed = channel(hook.address, Time()).send("text")

    error = error_of(failed)
    assert (error.type, error.message) == (PERMANENT, f"Slack answered {status}: no_service")
    assert len(hook.texts) == 1


def test_time_that_slack_asks_for_is_waited() -> None:
    time = Time()
    with webhook(Answer(status=429, body=b"", headers={"Retry-After": "7"}), OK) as hook:
        assert channel(hook.address, time).send("text").is_success

    assert time.slept == [7.0]


def test_more_time_than_there_is_is_not_waited() -> None:
    time = Time()
    with webhook(Answer(status=429, body=b"", headers={"Retry-After": "60"}), OK) as hook:
        failed = channel(hook.address, time).send("text")

    assert error_of(failed).type is TRANSIENT
    assert time.slept == [] and len(hook.texts) == 1


def test_nobody_there_is_transient() -> None:
    failed = channel(f"http://127.0.0.1:{free_port()}/", Time()).send("text")

    assert (error_of(failed).type, error_of(failed).exception_class) == (TRANSIENT, "URLError")


@pytest.mark.parametrize("address", ["nonsense", "http://[broken", "file:///etc/passwd"], ids=str)
def test_webhook_that_is_no_address_is_permanent_and_is_not_told(address: str) -> None:
    failed = channel(address, Time()).send("text")

    assert error_of(failed).type is PERMANENT
    assert address not in str(failed)


def test_without_a_webhook_the_log_is_told() -> None:
    assert isinstance(slack.channel(None), LogChannel)
    with capture_logs() as lines:
        assert slack.channel(None).send("text").is_success

    assert [(line["event"], line["action"]) for line in lines] == [("text", "findings_told")]


def test_finding_that_slack_did_not_take_is_logged_and_told_by_the_next_run(clock: WallClock) -> None:
    store = FindingStore(MemoryDocuments(clock))
    with webhook(Answer(status=404, body=b"no_service"), OK) as hook, capture_logs() as lines:
        reporter = Reporter(store, channel(hook.address, Time()), now=clock, teller="run1")
        unheard = reporter.report(finding()).unwrap()
        heard = reporter.report(finding()).unwrap()
        quiet = reporter.report(finding()).unwrap()

    assert [error.message for error in unheard.undelivered] == ["Slack answered 404: no_service"]
    assert [len(each.notices) for each in (unheard, heard, quiet)] == [0, 1, 0]
    assert len(hook.texts) == 2
    assert [line["action"] for line in lines] == ["findings_undelivered", "finding_opened"]
