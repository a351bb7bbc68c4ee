"""A store that stops before any call of any check: that check is unknown, the run is not ok, and the store is
the one root finding. The checks and their stores are those of the list: a new one is stopped by itself."""

import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.retry import Retry

from common import logs
from common.audit.assembly import Audit
from common.audit.audit_log import AuditLog
from common.audit.checks import CHECKS, Check
from common.audit.outcomes import Unknown
from common.audit.report import Asked, AuditReport
from common.batches.records import COMPLETIONS, batch_path
from common.documents.memory_store import MemoryDocuments
from common.findings import Change, Finding, FindingClass, Scope, rules, telling
from common.findings.store import FindingStore
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.sport import ZONE
from common.warehouse.jobs import Timeouts
from local.stack.emulators import BIGQUERY, FIRESTORE, PUBSUB
from tests.support.consolidation_stack import BATCH, TABLES, Stack
from tests.support.findings import Heard, finding
from tests.support.prediction_rows import prediction
from tests.support.sound_day import make_schedule, make_topology, tick
from tests.support.store_line import StoreLine, store_line

KINDS = {kind.name: kind for kind in (FIRESTORE, BIGQUERY, PUBSUB)}
PORTS = {
    "firestore": ("batches", "locks", "phases", "runs", "findings", "documents"),
    "bigquery": ("warehouse", "schedule", "staging"),
    "pubsub": ("topology",),
}
"""Through which ports of a sight a store is called."""
GIVE_UP_SECONDS = 0.2
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(ZONE).date()
LATER = NOW + timedelta(days=2)
"""When staging tables are old enough to be looked at."""
CASES = [pytest.param(check, store, id=f"{check.name}-{store}") for check in CHECKS for store in check.stores]
MARKER = finding(FindingClass.MISSING_MARKER, scope=Scope.of_batch(BATCH, TODAY), ids=("a",))
RUNNING = f"{BATCH}1"
PENDING = rules.asked(telling.told(rules.found(None, MARKER, NOW), Change.OPENED, NOW), ["a"], NOW)


class Before:
    """A port that says so before each of its calls."""

    def __init__(self, port: Any, say: Callable[[], None]) -> None:
        self._port = port
        self._say = say

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)

        def call(*args: Any, **options: Any) -> Any:
            self._say()
            return found(*args, **options)

        return call


@dataclass(frozen=True, kw_only=True)
class World:
    """A project that gives each check something to ask for."""

    project: str
    hosts: dict[str, str]

    def run(self, check: Check, store: str, *, stop_before: int = 0) -> tuple[AuditReport, int]:
        """One run of one check by the deployment's own auditor, and how often it called that store.

        What it remembers is elsewhere. Lines and clients are new: a client that was cut off waits before it
        connects to the same address again.
        """
        calls, memory, own_log = (
            0,
            FindingStore(MemoryDocuments(lambda: NOW)),
            AuditLog(MemoryDocuments(lambda: NOW)),
        )
        memory.put(PENDING)
        with ExitStack() as opened:
            lines = {name: opened.enter_context(store_line(host)) for name, host in self.hosts.items()}
            wired = self._audit(opened, lines)
            auditor = wired.auditor()
            look_at = auditor.sight
            counting = threading.Lock()

            def before_call() -> None:
                nonlocal calls
                with counting:  # a check makes some of its calls side by side
                    calls += 1
                    is_next = calls == stop_before
                if is_next:
                    lines[store].cut()

            def look(**of_this_run: Any) -> Any:
                remembered = FindingStore(wired._wiring.documents())
                sight = look_at(**{**of_this_run, "now": LATER, "findings": remembered})
                said: Any = {name: Before(getattr(sight, name), before_call) for name in PORTS[store]}
                return replace(sight, **said)

            alone = replace(
                auditor, checks=(check,), sight=look, store=memory, channel=Heard(), audit_log=own_log
            )
            report = alone.run(Asked()).unwrap()
        return report, calls

    def _audit(self, opened: ExitStack, lines: Mapping[str, StoreLine]) -> Audit:
        meanwhile = opened.enter_context(pytest.MonkeyPatch.context())
        for name, line in lines.items():
            meanwhile.setenv(KINDS[name].variable, line.host)
        # The log of this process stays the tests'.
        meanwhile.setattr(logs, "configure", lambda *_, **__: None)
        environment = {**os.environ, "GCP_PROJECT": self.project, "SPORT": "nba"}
        wiring = WarehouseWiring(WarehouseSettings, function="consistency_auditor", environment=environment)
        for client in (wiring.publisher_client(), wiring.subscriber_client()):
            opened.callback(client.__exit__, None, None, None)
        opened.callback(wiring.database().close)
        return Audit(wiring)


@pytest.fixture(scope="module")
def world(firestore_host: str, bigquery_host: str, pubsub_host: str) -> Iterator[World]:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    hosts = {"firestore": firestore_host, "bigquery": bigquery_host, "pubsub": pubsub_host}
    project = f"test-{uuid.uuid4().hex[:12]}"
    with pytest.MonkeyPatch.context() as meanwhile, ExitStack() as opened:
        for name, host in hosts.items():
            meanwhile.setenv(KINDS[name].variable, host)
        stack = Stack(project).create_tables()
        opened.callback(stack.close)
        publisher, subscriber = PublisherClient(), SubscriberClient()
        opened.enter_context(publisher)
        opened.enter_context(subscriber)
        make_topology(publisher, subscriber, project)
        _play(stack)
        yield World(project=project, hosts=hosts)


def _play(stack: Stack) -> None:
    """A consolidated batch that has lost a row and an increment; one that runs; nothing heard of phases."""
    make_schedule(stack, [(TODAY + timedelta(days=100), "g1")])
    tick(stack.db)
    rows = {player: [prediction(player, game_date=TODAY)] for player in "ab"}
    stack.play(rows, game_date=TODAY)
    stack.consolidate().unwrap()
    of_a = f"game_date = DATE '{TODAY}' AND player_lookup = 'a'"
    stack.warehouse.execute(f"DELETE FROM `{TABLES.main}` WHERE {of_a}").unwrap()
    stack.db.document(batch_path(BATCH)).update({"completed_count": 1})
    stack.batches.open(RUNNING, TODAY, ["a", "b"], deadline=NOW + timedelta(minutes=50)).unwrap()
    stack.stage(rows["a"], batch_id=RUNNING)
    ended = {"player_lookup": "a", "outcome": "completed", "predictions_count": 5, "event_id": "e"}
    stack.db.document(f"{batch_path(RUNNING)}/{COMPLETIONS}/a").set({**ended, "completed_at": NOW})


@pytest.fixture(autouse=True)
def given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are repeated for a moment: here, a store that is stopped does not come back."""
    for module in [each for name, each in sys.modules.items() if name.startswith("common.")]:
        for name, value in list(vars(module).items()):
            if isinstance(value, Retry):
                monkeypatch.setattr(module, name, value.with_timeout(GIVE_UP_SECONDS))
            elif isinstance(value, dict) and isinstance(value.get("retry"), Retry):
                monkeypatch.setitem(value, "retry", value["retry"].with_timeout(GIVE_UP_SECONDS))
    short = Timeouts(retry_seconds=GIVE_UP_SECONDS).retry
    monkeypatch.setattr(Timeouts, "retry", property(lambda _: short))


def roots(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    down = [each for each in findings if each.finding_class is FindingClass.STORE_DOWN]
    return [(each.subject, *each.ids) for each in down]  # type: ignore[misc]


@pytest.mark.parametrize(("check", "store"), CASES)
def test_store_that_stops_before_any_call_of_a_check_is_the_one_root_finding(
    world: World, check: Check, store: str
) -> None:
    healthy, calls = world.run(check, store)
    known = {each.finding_id for each in healthy.findings}

    numbers = {1, calls // 2 + 1, calls}
    stopped = {number: world.run(check, store, stop_before=number)[0] for number in numbers}

    assert calls and not isinstance(healthy.outcomes[check.name], Unknown)
    for number, report in stopped.items():
        outcome = report.outcomes[check.name]
        assert isinstance(outcome, Unknown), f"stopped before call {number} of {calls}: {outcome}"
        assert outcome.store == store and not report.is_ok
        assert roots(report.findings) == [(store, check.name)]
        others = {each.finding_id for each in report.findings if each.finding_class.value != "store_down"}
        assert others <= known | {PENDING.finding_id}
        # What hangs on the store is counted, and not told; nothing is told to be over.
        told = [each.partition("-")[0] for each in report.told if each.endswith(" opened")]
        assert "store_down" in told and not [each for each in report.told if each.endswith(" resolved")]
