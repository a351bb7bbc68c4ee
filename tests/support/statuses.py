"""What a status page may have to say: nothing, one day, a catastrophe, names that mean harm."""

from datetime import UTC, date, datetime, timedelta

from common.batches.expected_end import expected_end
from common.reporting.records import BatchLine, FindingLine, PhaseLine, Status, StripDay, Verdict

NOW = datetime(2026, 1, 17, 23, 20, tzinfo=UTC)
START = NOW - timedelta(minutes=20)
DAY = date(2026, 1, 17)
EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


def nothing() -> Status:
    return Status(
        at=NOW,
        sport="nba",
        game_date=DAY,
        audited_at=None,
        verdict=Verdict.UNKNOWN,
        phases=(),
        batches=(),
        findings=(),
        strip=strip(Verdict.UNKNOWN),
        blind=(),
    )


def one_day() -> Status:
    times = [START + timedelta(seconds=3.6 * number) for number in range(1, 301)]
    end = expected_end(times, expected=450, started_at=START, now=NOW)
    running = BatchLine(
        batch_id="batch_2026-01-17_1768690800",
        status="open",
        ended=300,
        expected=450,
        started_at=START,
        deadline=NOW + timedelta(minutes=20),
        completed_at=times,
        expected_end=end,
    )
    phases = (
        phase("phase2_to_phase3", "dispatched", "all processors are done"),
        phase(
            "phase4_to_phase5",
            "blocked",
            "gate data_freshness: 3 of 5 tables",
            since=NOW - timedelta(hours=1),
        ),
    )
    return Status(
        at=NOW,
        sport="nba",
        game_date=DAY,
        audited_at=NOW - timedelta(minutes=12),
        verdict=Verdict.WELL,
        phases=phases,
        batches=(running,),
        findings=(),
        strip=strip(Verdict.WELL),
        blind=(),
    )


def catastrophe(name: str = "batch_2026-01-17_1768690800", number: int = 300) -> Status:
    findings = tuple(
        FindingLine(
            finding_class="lost_increment",
            severity="critical" if index % 3 else "warning",
            scope=f"{name}-{index}",
            is_explained=index % 2 == 0,
            summary=f"{name}: the counters say 2, 3 players have ended",
            ids=tuple(f"{name}{player}" for player in range(40)),
            first_seen=NOW - timedelta(hours=index),
            command=f"./ops/run repair lost_increment-{index:012}",
            is_silenced=index == 1,
        )
        for index in range(number)
    )
    batches = tuple(
        BatchLine(
            batch_id=f"{name}-{index}",
            status="open",
            ended=0,
            expected=20_000,
            started_at=START,
            deadline=NOW - timedelta(hours=3),
            completed_at=(),
            expected_end=None,
            wrong="open 3 h 0 min past its deadline: 0 of 20000 players have ended",
        )
        for index in range(12)
    )
    return Status(
        at=NOW,
        sport="nba",
        game_date=DAY,
        audited_at=NOW - timedelta(hours=9),
        verdict=Verdict.SICK,
        phases=(phase(name, "held", name),),
        batches=batches,
        findings=findings,
        strip=strip(Verdict.SICK),
        blind=(f"phases ({name})",),
    )


def phase(boundary: str, state: str, reason: str, since: datetime | None = None) -> PhaseLine:
    return PhaseLine(boundary=boundary, state=state, waits_since=since, reason=reason)


def strip(verdict: Verdict) -> tuple[StripDay, ...]:
    return tuple(
        StripDay(day=DAY - timedelta(days=back), verdict=verdict, audits=24, findings=back % 3)
        for back in range(29, -1, -1)
    )
