"""Every document is met, whatever fields it has: a slice in each run, and what was found at every one."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from common.audit import every_document
from common.audit.batch_reader import BatchReader
from common.audit.batches_seen import Wanted
from common.audit.every_document import CHECK, PAGE, check_every_document, collections
from common.audit.in_turn import UNHURRIED, Turn
from common.audit.outcomes import Found, Ok, Outcome, Unknown
from common.documents.memory_store import MemoryDocuments
from common.documents.writes import Set
from common.findings import Finding, FindingClass, Scope
from common.findings.rules import found
from common.phases.graph import GRAPHS
from common.result import ErrorInfo, Result
from tests.support.findings import finding
from tests.support.letters import letter_at

NOW = datetime(2026, 1, 18, 6, tzinfo=UTC)
TODAY = date(2026, 1, 17)
KINDS = collections("nba", GRAPHS["nba"])
OLD = {"game_date": "2025-01-01", "expected_players": 1, "schema_mode": "subcollection"}
OVER = {**OLD, "status": "consolidated", "is_complete": True}
REMEMBERED = found(None, finding(), NOW).to_document()
LETTER = letter_at(NOW)[1]
SOUND: Mapping[str, Mapping[str, Any]] = {
    "prediction_batches/over": OVER,
    "prediction_batches/legacy-open": {**OLD, "is_complete": False},
    "prediction_batches/legacy-over": {**OLD, "is_complete": True},
    f"findings/{REMEMBERED['finding_id']}": REMEMBERED,
    "findings/told-by-its-own-check": {"is_settled": False, "ids": 5},
    "dead_letters/e1": LETTER,
    "audits/a": {"started_at": NOW, "resume": []},
    "sweeps/completion_recorder": {"last_run": NOW},
    "phase2_completion/2025-01-01": {"state": "dispatched"},
}
WRONG: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "prediction_batches/neither": ({"expected_players": 1}, "game_date"),
    "prediction_batches/unsaid": (OLD, "neither status nor is_complete"),
    "prediction_batches/number": ({**OVER, "game_date": 5}, "game_date: 5 is no str"),
    "findings/unsaid": (
        {name: v for name, v in REMEMBERED.items() if name != "is_settled"},
        "it is the finding",
    ),
    "findings/settled": ({**REMEMBERED, "finding_id": "x", "is_settled": True}, "it is the finding"),
    f"findings/{REMEMBERED['finding_id']}": ({**REMEMBERED, "is_settled": None}, "is_settled: None"),
    "dead_letters/timeless": ({**LETTER, "dead_lettered_at": None}, "dead_lettered_at: None is no time"),
    "dead_letters/without": ({"topic": "t"}, "dead_lettered_at"),
    "audits/timeless": ({"resume": []}, "started_at"),
    "audits/number": ({"started_at": 5, "resume": []}, "started_at: 5 is no time"),
    "sweeps/nobody": ({"last_run": NOW}, "no function of that name"),
    "phase2_completion/tomorrow": ({"state": "waiting"}, "Invalid isoformat string"),
    "phase3_completion/2025-01-01": ({"state": 5}, "5 is not a valid PhaseState"),
}


@pytest.fixture
def documents() -> MemoryDocuments:
    return MemoryDocuments(lambda: NOW)


def keep(documents: MemoryDocuments, kept: Mapping[str, Mapping[str, Any]]) -> None:
    documents.commit([Set(path=path, fields=fields) for path, fields in kept.items()]).unwrap()


def check(documents: MemoryDocuments, *known: Finding, **other: Any) -> Outcome:
    asked: dict[str, Any] = {
        "seen": BatchReader(documents).seen(Wanted(since=TODAY)),
        "dates": [TODAY],
        "known": Result.success(known),
        "turn": UNHURRIED,
    }
    return check_every_document(documents, KINDS, **{**asked, **other})


def named(outcome: Outcome) -> dict[str, str]:
    findings = outcome.findings if isinstance(outcome, Found) else ()
    assert all(each.finding_class is FindingClass.UNREADABLE_DOCUMENT for each in findings)
    return {each.subject: each.summary for each in findings}


def test_what_a_query_finds_or_need_not_find_is_no_finding(documents: MemoryDocuments) -> None:
    keep(documents, SOUND)

    outcome = check(documents)

    assert isinstance(outcome, Ok) and outcome.resume_after is None and outcome.looked_at is None


@pytest.mark.parametrize("path", WRONG)
def test_document_that_no_query_finds_is_named_by_its_path_with_the_reason(
    documents: MemoryDocuments, path: str
) -> None:
    fields, why = WRONG[path]
    keep(documents, {**SOUND, path: fields})

    told = named(check(documents))

    assert list(told) == [path] and why in told[path]


def test_what_another_check_has_read_in_this_run_is_left_to_it(documents: MemoryDocuments) -> None:
    today = {"game_date": TODAY.isoformat(), "status": 5}
    keep(documents, {"prediction_batches/odd": today, f"phase2_completion/{TODAY}": {"state": 5}})

    assert named(check(documents)) == {}


def test_each_run_reads_a_slice_and_the_next_goes_on_until_all_are_met(
    documents: MemoryDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(every_document, "SLICE", 20)
    monkeypatch.setattr(every_document, "PAGE", 10)
    keep(documents, {f"dead_letters/e{number:02}": LETTER for number in range(50)})
    keep(documents, {"sweeps/nobody": {}})

    outcomes, after = [], None
    for _ in range(4):
        outcomes.append(check(documents, turn=Turn(seconds_left=lambda: 1.0, after=after)))
        after = outcomes[-1].resume_after

    assert [bool(named(each)) for each in outcomes] == [False, False, True, False]
    assert [each.left for each in outcomes] == [0, 0, 0, 0]
    assert max(each.cost.reads for each in outcomes) <= 30
    assert outcomes[2].resume_after is None and outcomes[3].resume_after == outcomes[0].resume_after


def test_document_that_was_found_is_read_again_in_every_run_until_it_is_mended(
    documents: MemoryDocuments,
) -> None:
    path = "audits/0"
    keep(documents, {path: {}, "sweeps/completion_recorder": {}})
    [known] = check(documents).findings  # type: ignore[union-attr]
    behind_it = Turn(seconds_left=lambda: 1.0, after="findings/z")

    there_still = check(documents, known, turn=behind_it)
    keep(documents, {path: {"started_at": NOW, "resume": []}})
    mended = check(documents, known, turn=behind_it)

    assert list(named(there_still)) == [path]
    assert isinstance(mended, Ok)


def test_walk_whose_time_is_up_says_that_something_is_left(documents: MemoryDocuments) -> None:
    keep(documents, {f"audits/{each:03}": {} for each in range(PAGE + 1)})
    times = iter([1.0, 0.0])

    outcome = check(documents, turn=Turn(seconds_left=lambda: next(times)))

    assert (outcome.left, outcome.resume_after, len(named(outcome))) == (1, f"audits/{PAGE - 1:03}", PAGE)


@pytest.mark.parametrize("asked", ["seen", "known"])
def test_nothing_is_said_where_it_is_not_known_what_others_have_found(
    documents: MemoryDocuments, asked: str
) -> None:
    away = Result[Any].failure(ErrorInfo.transient("ServiceUnavailable", "away"))

    assert isinstance(check(documents, **{asked: away}), Unknown)


def test_findings_of_other_checks_are_not_read_again(documents: MemoryDocuments) -> None:
    other = finding(
        FindingClass.UNREADABLE_DOCUMENT, check="runs", scope=Scope.of_system("audits"), ids=("audits/0",)
    )

    assert other.check != CHECK and isinstance(check(documents, other), Ok)
