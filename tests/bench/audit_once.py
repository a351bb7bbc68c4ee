"""Audits of all batches in a process of its own: what each took, a JSON line for each.

    python -m tests.bench.audit_once CUTS

Firestore is the one that the environment names, the other stores are sound. The first run has all the time
of the function; the others are cut short after a part of what that took, one by one until all is seen.
"""

import json
import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from google.cloud import firestore

from common.audit.audit_log import AuditLog
from common.audit.auditor import TIME_LIMIT, Auditor
from common.audit.checks import CHECKS
from common.audit.report import Asked
from common.batches.batches import Batches
from common.documents.memory_store import MemoryDocuments
from common.documents.store import FirestoreDocuments
from common.findings import ScopeKind
from common.findings.store import FindingStore
from tests.support.audit_stack import AuditStack

MAX_RUNS: Final = 10


def run(auditor: Auditor) -> dict[str, Any]:
    began, cpu_began = time.monotonic(), time.process_time()
    report = auditor.run(Asked()).unwrap()
    return {
        "seconds": time.monotonic() - began,
        "cpu_seconds": time.process_time() - cpu_began,
        "reads": report.cost.reads,
        "findings": len(report.findings),
        "left": sum(outcome.left for outcome in report.outcomes.values()),
        "resume": len(report.resume),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(cuts: str) -> None:
    with structlog.testing.capture_logs():
        db = firestore.Client(project="bench")
        audits = AuditStack(Batches(FirestoreDocuments(db)), db)
        auditor = audits.auditor(
            store=FindingStore(MemoryDocuments(lambda: datetime.now(UTC))),
            audit_log=AuditLog(MemoryDocuments(lambda: datetime.now(UTC))),
            checks=tuple(check for check in CHECKS if check.of is ScopeKind.BATCH),
            time_limit=TIME_LIMIT,
        )
        whole = _said(run(auditor))
        short = replace(auditor, time_limit=timedelta(seconds=whole["seconds"] / float(cuts)))
        cut = [_said(run(short))]
        while cut[-1]["resume"] and len(cut) < MAX_RUNS:
            cut.append(_said(run(short)))


def _said(done: dict[str, Any]) -> dict[str, Any]:
    print(json.dumps(done), flush=True)
    return done


if __name__ == "__main__":
    main(*sys.argv[1:])
