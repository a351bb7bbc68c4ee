"""Telling people: the text of a message, and the port that sends it."""

from typing import Final, Protocol

import structlog

from ..result import Result
from ..texts import counted
from .telling import Change, Group, Notice

MAX_NOTICES_SHOWN: Final = 10
"""Of one message, with at most so many ids each and so long a sentence: Slack cuts a message that is
longer than 40,000 characters, and nobody reads as much."""
MAX_IDS_SHOWN: Final = 10
MAX_SUMMARY_CHARS: Final = 500
"""An error's text may be a whole page."""

log = structlog.get_logger()


class Channel(Protocol):
    """Tells people.

    A success means that the message was delivered; a failure is told again by the next run.
    """

    def send(self, text: str) -> Result[None]:
        """Deliver one message; may deliver it twice where an answer was lost."""


class LogChannel:
    """Where there is no webhook, the log has to do: a warning, with `action=findings_told`."""

    def send(self, text: str) -> Result[None]:
        """Never fails: the log is always there."""
        log.warning(text, action="findings_told")
        return Result.success(None)


def message_for(group: Group) -> str:
    """One message for all that is to be told of a batch, a date, or a part of the system; Slack's mrkdwn.

    Per notice: its change, class and severity, the sentence, who is concerned, and the command to paste; of
    one that is over only that it is. All texts are escaped: ids and reasons come from messages of others.
    """
    shown = group.notices[:MAX_NOTICES_SHOWN]
    lines = [f"*{escape(group.scope.kind.value)} {escape(group.scope.name)}*"]
    for notice in shown:
        # A group of others, folded together: each notice then tells its own scope.
        if notice.tracked.finding.scope != group.scope:
            lines.append(f"_{escape(notice.tracked.finding.scope.name)}_")
        lines += _lines(notice)
    if len(group.notices) > len(shown):
        lines.append(f"… and {len(group.notices) - len(shown)} more: `./ops/run findings`")
    if group.dependent_count:
        dependent = counted(group.dependent_count, "finding", "depend")
        lines.append(f"{dependent} on it, not told while it lasts.")
    return "\n".join(lines)


def _lines(notice: Notice) -> list[str]:
    finding = notice.tracked.finding
    head = f"{_SIGN[notice.change]} *{finding.finding_class.value}* {notice.change.value}"
    lines = [f"{head} ({finding.severity.value}): {escape(finding.summary[:MAX_SUMMARY_CHARS])}"]
    pending = notice.tracked.pending
    if pending is not None and notice.change is not Change.RESOLVED:
        lines.append(f"its repair was asked for at {pending.asked_at:%H:%M} UTC and has not arrived")
    if finding.ids and notice.change is not Change.RESOLVED:
        lines.append(escape(named(finding.ids)))
    if notice.change is not Change.RESOLVED:
        # A backtick would end the code; a name that holds one is quoted for the shell already.
        lines.append(f"`{escape(finding.command.replace('`', ''))}`")
    return lines


def named(ids: tuple[str, ...]) -> str:
    """`ann, ben … and 12 more`."""
    shown = ", ".join(ids[:MAX_IDS_SHOWN])
    return shown if len(ids) <= MAX_IDS_SHOWN else f"{shown} … and {len(ids) - MAX_IDS_SHOWN} more"


def escape(text: str) -> str:
    """What Slack would take for a link or a mention is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_SIGN = {
    Change.OPENED: ":rotating_light:",
    Change.FLAPPING: ":twisted_rightwards_arrows:",
    Change.WORSENED: ":small_red_triangle:",
    Change.ONGOING: ":hourglass:",
    Change.ESCALATED: ":exclamation:",
    Change.RESOLVED: ":white_check_mark:",
}
