"""Ten thousand batches in one audit: time, memory, reads."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from local.stack.emulators import FIRESTORE
from local.stack.ports import LOOPBACK, free_port
from local.stack.service import Service
from tests.bench.frame import Bench, benchmark
from tests.bench.latency_proxy import accepts
from tests.bench.measuring import Measurement, at_most

BATCHES = 10_000
ROUND_TRIP_SECONDS = 0.01
LIMIT_SECONDS = 540


@benchmark("audit_scale")
def audit_of_ten_thousand(bench: Bench) -> Iterator[Measurement]:
    """An audit of 10,000 consolidated batches, 10 ms away from a stand-in of Firestore.

    The emulator looks at every document for each query. Counts, receipts and the client are real here, and so
    are the connection and the time of the answers.
    """
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.firestore_stand_in", str(port), str(BATCHES)]
    log = bench.run_dir / "firestore-stand-in.log"
    stand_in = Service.start("stand-in", [*command, str(ROUND_TRIP_SECONDS)], log=log)
    try:
        stand_in.wait_until(lambda: accepts(port), within=timedelta(seconds=60))
        whole = _audit(port)
    finally:
        stand_in.stop()
    yield Measurement(
        name="audit_scale.ten_thousand",
        value=whole["seconds"],
        unit="seconds",
        target=at_most(LIMIT_SECONDS),
        details={
            "cpu_ms_per_batch": 1000 * whole["cpu_seconds"] / BATCHES,
            "reads_per_batch": whole["reads"] / BATCHES,
            "left": whole["left"],
            "findings": whole["findings"],
            "load": os.getloadavg()[0],
        },
    )
    yield Measurement(
        name="audit_scale.peak_memory", value=whole["peak_mib"], unit="MiB", target=at_most(512), details={}
    )


def _audit(port: int) -> dict[str, Any]:
    environment = {**os.environ, FIRESTORE.variable: f"{LOOPBACK}:{port}"}
    command = [sys.executable, "-m", "tests.bench.audit_once"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
