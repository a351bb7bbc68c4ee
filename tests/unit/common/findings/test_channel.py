from common.findings import Change, Finding, Notice, Repair, Scope, rules
from common.findings.channel import LogChannel, message_for
from common.findings.telling import Group
from tests.support.findings import BATCH, finding
from tests.support.wall_clock import WallClock


def group(clock: WallClock, *findings: Finding, change: Change = Change.OPENED) -> Group:
    notices = tuple(Notice(change=change, tracked=rules.found(None, each, clock())) for each in findings)
    return Group(scope=BATCH, notices=notices)


def test_message_names_what_is_wrong_who_is_concerned_and_the_command_that_mends_it(clock: WallClock) -> None:
    one = finding(ids=("ann", "ben"), repair=Repair.RECOMPUTE_COUNTERS)

    text = message_for(group(clock, one))

    assert text.splitlines() == [
        "*batch batch1*",
        ":rotating_light: *lost_increment* opened (warning): counter 2, documents 3",
        "ann, ben",
        f"`./ops/run repair {one.finding_id}`",
    ]


def test_repair_that_did_not_arrive_is_said_to_be_waited_for(clock: WallClock) -> None:
    tracked = rules.asked(rules.found(None, finding(ids=("ann",)), clock()), ["ann"], clock())

    text = message_for(Group(scope=BATCH, notices=(Notice(change=Change.ESCALATED, tracked=tracked),)))

    assert text.splitlines()[1:4] == [
        ":exclamation: *lost_increment* escalated (warning): counter 2, documents 3",
        "its repair was asked for at 23:00 UTC and has not arrived",
        "ann",
    ]


def test_what_is_over_needs_no_command(clock: WallClock) -> None:
    text = message_for(group(clock, finding(ids=("ann",)), change=Change.RESOLVED))

    assert text.splitlines()[1:] == [
        ":white_check_mark: *lost_increment* resolved (warning): counter 2, documents 3"
    ]


def test_text_from_outside_cannot_mention_the_whole_channel(clock: WallClock) -> None:
    text = message_for(group(clock, finding(ids=("<!channel>",), summary="<!here> & more")))

    assert "<" not in text
    assert "&lt;!channel&gt;" in text and "&lt;!here&gt; &amp; more" in text


def test_message_stays_short_and_says_what_it_leaves_out(clock: WallClock) -> None:
    many = [finding(subject=str(index), ids=tuple("abcdefghijklmnop")) for index in range(40)]

    text = message_for(group(clock, *many))

    assert "… and 30 more: `./ops/run findings`" in text
    assert "j … and 6 more" in text
    assert len(text) < 3_000


def test_message_about_many_batches_names_each(clock: WallClock) -> None:
    other = finding(scope=Scope.of_batch("batch2", None))

    assert "_batch2_" in message_for(group(clock, finding(), other))


def test_the_log_always_hears() -> None:
    assert LogChannel().send("text").is_success
