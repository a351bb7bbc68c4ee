"""One audit in a process of its own: what it took, as a JSON line.

    python -m tests.bench.audit_once PROJECT SECONDS

Batches are those of PROJECT in the emulator that the environment names; the other stores are sound. The run
is cut short after SECONDS.
"""

import json
import resource
import sys
import time
from datetime import timedelta

import structlog
from google.cloud import firestore

from common.audit.report import Asked
from common.batches.batches import Batches
from common.documents.store import FirestoreDocuments
from tests.support.audit_stack import AuditStack


def main(project: str, limit_seconds: str) -> None:
    with structlog.testing.capture_logs():
        db = firestore.Client(project=project)
        audits = AuditStack(Batches(FirestoreDocuments(db)), db)
        auditor = audits.auditor(time_limit=timedelta(seconds=float(limit_seconds)))
        began, cpu_began = time.monotonic(), time.process_time()
        report = auditor.run(Asked()).unwrap()
    left = {name: outcome.left for name, outcome in report.outcomes.items() if outcome.left}
    said = {
        "seconds": time.monotonic() - began,
        "cpu_seconds": time.process_time() - cpu_began,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "reads": report.cost.reads,
        "findings": len(report.findings),
        "left": left,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
