"""The audit as it is wired for its function, on all three emulators; and beside everything that works."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.cloud import firestore

from common.audit.assembly import Audit
from common.audit.report import Asked, AuditReport
from common.audit.schedule import GameSchedule, get_dates_with_data, get_expected_game_dates
from common.batches.records import COMPLETIONS, BatchStatus, batch_path
from common.findings import FindingClass
from common.phases.nba import SCHEDULE
from common.reporting.assembly import status_page
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from tests.support.audit_stack import AuditStack
from tests.support.batch_helpers import GAME_DATE
from tests.support.consolidation_stack import BATCH, Stack
from tests.support.prediction_rows import prediction
from tests.support.results import error_of
from tests.support.sound_day import make_schedule, make_topology, tick
from tests.support.spoken_process import SpokenProcess

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

HOUR = timedelta(hours=1)


@pytest.fixture
def scheduled(stack: Stack) -> Stack:
    """With a schedule of one game day, and of one in the coming months: these days have none."""
    coming = datetime.now(UTC).date() + timedelta(days=100)
    make_schedule(stack, [(GAME_DATE, "g1"), (GAME_DATE, "g2"), (coming, "g3")])
    return stack


@pytest.fixture
def audit(
    scheduled: Stack,
    publisher_client: "PublisherClient",
    subscriber_client: "SubscriberClient",
    pubsub_host: str,
) -> Iterator[Audit]:
    """As the function makes it, over a system in which everything has just run."""
    make_topology(publisher_client, subscriber_client, scheduled.project)
    environment = {**os.environ, "GCP_PROJECT": scheduled.project, "SPORT": "nba"}
    wiring = WarehouseWiring(WarehouseSettings, function="consistency_auditor", environment=environment)
    tick(wiring.database())
    yield Audit(wiring)
    wiring.database().close()
    for client in (wiring.publisher_client(), wiring.subscriber_client()):
        client.__exit__(None, None, None)  # type: ignore[no-untyped-call]


def test_audit_of_a_sound_system_finds_nothing_repairs_what_is_broken_and_writes_its_page(
    audit: Audit, scheduled: Stack, tmp_path: Path
) -> None:
    scheduled.play({player: [prediction(player)] for player in "abc"})
    scheduled.consolidate().unwrap()

    sound = audit.auditor().run(Asked()).unwrap()
    scheduled.db.document(batch_path(BATCH)).update({"completed_count": firestore.Increment(1)})
    broken = audit.auditor().run(Asked(batch_id=BATCH, repair=True)).unwrap()
    mended = audit.auditor().run(Asked(batch_id=BATCH)).unwrap()
    page = status_page(audit._wiring, audit, str(tmp_path / "index.html")).publish()

    assert [(each.finding_class.value, each.summary) for each in sound.findings] == [] and sound.is_ok
    assert [each.finding_class for each in broken.findings] == [FindingClass.DOUBLE_INCREMENT]
    assert [each.error for each in broken.mended] == [None]
    assert mended.findings == ()
    assert "double_increment" in Path(page.unwrap()).read_text()


def test_silent_phases_of_a_game_day_are_found(audit: Audit) -> None:
    report = audit.auditor().run(Asked(game_date=GAME_DATE)).unwrap()
    no_games = audit.auditor().run(Asked(game_date=GAME_DATE - timedelta(days=1))).unwrap()

    assert {each.finding_class for each in report.findings} == {FindingClass.SILENT_PHASE}
    assert no_games.findings == ()


def test_dates_with_data_and_dates_with_games_are_told_apart_from_questions_that_failed(
    scheduled: Stack,
) -> None:
    schedule = GameSchedule(scheduled.warehouse, "nba_raw", SCHEDULE)
    missing = GameSchedule(scheduled.warehouse, "nba_raw", SCHEDULE.model_copy(update={"name": "gone"}))
    first, last = GAME_DATE - timedelta(days=3), GAME_DATE + timedelta(days=3)
    long_ago = date(2001, 1, 1)

    tables = ["nba_raw.nbac_schedule", "nba_predictions.player_prop_predictions"]
    with_data = get_dates_with_data(scheduled.warehouse, tables, first, last).unwrap()

    assert get_expected_game_dates(schedule, first, last).unwrap() == [GAME_DATE]
    assert schedule.games(first, first).unwrap() == {}
    assert schedule.games(long_ago, long_ago).unwrap() is None
    assert (
        error_of(get_expected_game_dates(schedule, long_ago, long_ago)).exception_class == "UnknownSchedule"
    )
    assert missing.games(first, last).is_failure
    assert with_data == {tables[0]: frozenset({GAME_DATE}), tables[1]: frozenset()}
    assert get_dates_with_data(scheduled.warehouse, ["nba_raw.gone"], first, last).is_failure


RECORDED = 480
AUDITS, DAYS = 20, 4


def start_recording(project: str, players: Sequence[str], events: Path) -> "subprocess.Popen[bytes]":
    """A process of its own that records them for batch `busy`."""
    lines = [json.dumps({"player": each, "event": f"e-{each}"}) for each in players]
    events.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "tests.support.record_process", project, "busy", "2"]
    with events.open("rb") as said:
        return subprocess.Popen(command, stdin=said, stdout=subprocess.DEVNULL)


def test_audits_beside_processes_that_record_and_consolidate_find_nothing_that_is_not_there(
    stack: Stack, tmp_path: Path
) -> None:
    """Eight processes record and one consolidates, each time the first batch of its day: while it merges, the
    main table has rows that no receipt knows of yet."""
    by_day = {f"batch{number}": GAME_DATE + timedelta(days=number + 1) for number in range(DAYS)}
    for name, day in by_day.items():
        rows = {player: [prediction(player, game_date=day)] for player in "abc"}
        stack.play(rows, batch_id=name, game_date=day)
    players = [f"player{number:04}" for number in range(RECORDED)]
    stack.batches.open("busy", GAME_DATE, players, deadline=datetime.now(UTC) + HOUR).unwrap()
    audits = AuditStack(stack.batches, stack.db, warehouse=stack.warehouse)
    reports: list[AuditReport] = []
    beside_a_merge = 0
    recorded = [audits.batches.get("busy").unwrap().counter]
    consolidating = SpokenProcess("tests.support.consolidation_process", "racer", stack.project, "60")
    recording = [
        start_recording(stack.project, players[part::8], tmp_path / f"{part}.jsonl") for part in range(8)
    ]
    try:
        consolidating.hear()
        names = list(by_day)
        for number in range(AUDITS):
            if number % (AUDITS // DAYS) == 0:
                name = names[number * DAYS // AUDITS]
                consolidating.say(name)
            beside_a_merge += audits.batches.get(name).unwrap().status is not BatchStatus.CONSOLIDATED
            reports.append(audits.audit())
            recorded.append(audits.batches.get("busy").unwrap().counter)
        merged = [consolidating.hear() for _ in names]
        ended = [process.wait(60) for process in recording]
    finally:
        consolidating.end()
        for process in recording:
            process.kill()
            process.wait()

    assert [each.summary for report in reports for each in report.findings] == []
    assert all(report.is_ok for report in reports)
    # Audits have begun before each merge was over, and while players were recorded, or this shows nothing.
    assert beside_a_merge >= DAYS and recorded[0] < recorded[-1]
    assert [each.get("rows_inserted") for each in merged] == [3] * DAYS and ended == [0] * 8
    documents = stack.db.collection(f"{batch_path('busy')}/{COMPLETIONS}").count().get()
    assert documents[0][0].value == RECORDED
    assert audits.audit().is_ok
