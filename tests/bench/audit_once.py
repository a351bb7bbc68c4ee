"""One audit of all batches in a process of its own: what it took, as a JSON line.

    python -m tests.bench.audit_once

Firestore is the one that the environment names, the other stores are sound.
"""

import json
import resource
import time
from datetime import UTC, datetime
from typing import Any

import structlog
from google.cloud import firestore

from common.audit.audit_log import AuditLog
from common.audit.auditor import Auditor
from common.audit.checks import CHECKS
from common.audit.report import Asked
from common.batches.batches import Batches
from common.documents.memory_store import MemoryDocuments
from common.documents.store import FirestoreDocuments
from common.findings import ScopeKind
from common.findings.store import FindingStore
from tests.support.audit_stack import AuditStack


def run(auditor: Auditor) -> dict[str, Any]:
    began, cpu_began = time.monotonic(), time.process_time()
    report = auditor.run(Asked()).unwrap()
    return {
        "seconds": time.monotonic() - began,
        "cpu_seconds": time.process_time() - cpu_began,
        "reads": report.cost.reads,
        "findings": len(report.findings),
        "left": sum(outcome.left for outcome in report.outcomes.values()),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    with structlog.testing.capture_logs():
        db = firestore.Client(project="bench")
        audits = AuditStack(Batches(FirestoreDocuments(db)), db)
        memory = MemoryDocuments(lambda: datetime.now(UTC))
        auditor = audits.auditor(
            store=FindingStore(memory),
            audit_log=AuditLog(memory),
            checks=tuple(check for check in CHECKS if check.of is ScopeKind.BATCH),
        )
        done = run(auditor)
    print(json.dumps(done))


if __name__ == "__main__":
    main()
