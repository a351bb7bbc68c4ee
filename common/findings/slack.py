"""Slack's incoming webhook: a message counts as delivered when Slack says so, and not before."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from ..result import ErrorInfo, ErrorType, Result
from .channel import Channel, LogChannel

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookResponse

TIME_LIMIT: Final = timedelta(seconds=30)
"""Of one message with its repetitions: the audit that tells it has a time limit of its own."""
ATTEMPT_SECONDS: Final = 10.0
"""Of one request."""
FIRST_PAUSE_SECONDS: Final = 0.5
"""Doubled after each attempt; Slack's own Retry-After goes first."""
USERNAME: Final = "Prediction Coordinator"

_SILENT: Final = logging.Logger("slack", level=logging.CRITICAL + 1)
"""The client's own log lines hold the address."""


def channel(webhook_url: str | None) -> Channel:
    """Slack where a webhook is set, else the log."""
    return LogChannel() if webhook_url is None else SlackChannel(webhook_url)


class SlackChannel:
    """Sends to one webhook; safe to share between threads.

    Safe to repeat; whether a message that got no answer arrived, nobody can know. The address is a secret:
    neither a failure nor a log line holds it.
    """

    def __init__(
        self,
        webhook_url: str,
        *,
        time_limit: timedelta = TIME_LIMIT,
        sleep: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._webhook_url = webhook_url
        self._limit_seconds = time_limit.total_seconds()
        self._sleep = sleep
        self._monotonic = monotonic

    def send(self, text: str) -> Result[None]:
        """Deliver one message, tried again within the time limit where that may help.

        What Slack asks us to wait is waited, if it ends within the limit. A refusal for good (a webhook that
        was revoked) is PERMANENT at once (SlackError), all else TRANSIENT.
        """
        ends_at = self._monotonic() + self._limit_seconds
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            sent, asked_seconds = self._attempt(text, min(ATTEMPT_SECONDS, ends_at - self._monotonic()))
            if not sent.is_retryable:
                return sent
            wait_seconds = pause_seconds if asked_seconds is None else asked_seconds
            # A wait past the end is no attempt: the next run tells it.
            if self._monotonic() + wait_seconds >= ends_at:
                return sent
            self._sleep(wait_seconds)
            pause_seconds *= 2

    def _attempt(self, text: str, timeout_seconds: float) -> tuple[Result[None], float | None]:
        """The outcome, and for how long Slack asked us to wait."""
        from slack_sdk.errors import SlackClientError
        from slack_sdk.webhook import WebhookClient

        # The client takes whole seconds, and 0 for "no limit".
        seconds = max(1, round(timeout_seconds))
        # Without the client's own retries: ours know the time limit.
        client = WebhookClient(self._webhook_url, timeout=seconds, retry_handlers=[], logger=_SILENT)
        try:
            answer = client.send_dict({"username": USERNAME, "text": text})
        except (OSError, HTTPException, UnicodeError, LookupError) as exc:
            error = ErrorInfo.transient(type(exc).__name__, f"Slack gave no answer that can be read: {exc}")
            return Result.failure(error), None
        except (SlackClientError, ValueError):
            # Both hold the address in their text.
            return Result.failure(ErrorInfo.permanent("SlackError", "the webhook is no address")), None
        return _outcome(answer), _retry_after_seconds(answer)


def _outcome(answer: "WebhookResponse") -> Result[None]:
    # The body, too: a proxy's login page is a 200.
    if answer.status_code == 200 and answer.body == "ok":
        return Result.success(None)
    # Whoever is refused (a webhook that was revoked, a channel that is gone) stays refused.
    is_permanent = 400 <= answer.status_code < 500 and answer.status_code not in (408, 429)
    error_type = ErrorType.PERMANENT if is_permanent else ErrorType.TRANSIENT
    told = f"Slack answered {answer.status_code}: {answer.body[:200]}"
    return Result.failure(ErrorInfo(error_type, "SlackError", told))


def _retry_after_seconds(answer: "WebhookResponse") -> float | None:
    asked = str(answer.headers.get("Retry-After", ""))
    return float(asked) if answer.status_code in (429, 503) and asked.isdecimal() else None
