"""The fan-in of 450 beside a Celery chord on Redis: how fast, and what faults make of it."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from local.stack.emulators import FIRESTORE, PUBSUB
from tests.bench.celery_at_hand import BEFORE, NEWEST
from tests.bench.celery_stack import PROCESSES, WORKERS, chords
from tests.bench.faults import PLAYERS, Fault, Run
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, Target, at_least
from tests.bench.recorder_instances import CONNECTIONS, INSTANCES, recorders

NO_FAULT = [Fault()] * 3
REDELIVERY = [Fault(redelivered=0.2)] * 3
KILLED = [Fault(kill_at=135), Fault(kill_at=270), Fault(kill_at=405)]
FAULTS: Mapping[str, Sequence[Fault]] = {"no_fault": NO_FAULT, "redelivery": REDELIVERY, "killed": KILLED}
"""Redelivery: of 20 % of the messages. Killed: one of two workers, with `kill -9`."""


@benchmark("celery", emulators=[FIRESTORE, PUBSUB])
def beside_a_chord(bench: Bench) -> Iterator[Measurement]:
    """450 completions and what they trigger, as a batch of ours and as a Celery chord on Redis."""
    with chords(NEWEST, bench.run_dir) as celery, recorders(bench) as ours:
        for warming_up in (celery, ours):
            warming_up.run(Fault())
        for name, faults in FAULTS.items():
            pairs = [(ours.run(fault), celery.run(fault)) for fault in faults]
            our_runs, celery_runs = ([pair[side] for pair in pairs] for side in (0, 1))
            if faults is NO_FAULT:
                yield _time(our_runs, celery_runs)
            yield _exact(f"celery.{name}.recorder", our_runs, at_least(1))
            yield _exact(f"celery.{name}.chord", celery_runs)


@benchmark("celery-before", emulators=[])
def before_chords_claimed(bench: Bench) -> Iterator[Measurement]:
    """The same redelivery with the last Celery whose chords do not claim their callback before it fires."""
    with chords(BEFORE, bench.run_dir) as celery:
        celery.run(Fault())
        runs = [celery.run(fault) for fault in REDELIVERY]
    yield _exact("celery.redelivery.chord_before", runs)


def _time(ours: Sequence[Run], celery: Sequence[Run]) -> Measurement:
    """A chord that was not seen to end has no time."""
    our_ms, celery_ms = _ms(ours), _ms(celery)
    return Measurement(
        name="celery.time_per_completion",
        value=celery_ms / our_ms if our_ms and celery_ms else None,
        unit="ratio",
        details={
            "recorder_ms": our_ms,
            "chord_ms": celery_ms,
            "recorder": f"{INSTANCES} instances, {CONNECTIONS} connections each, on the emulators",
            "chord": f"{WORKERS} workers, {PROCESSES} processes each, on Redis in memory",
        },
    )


def _ms(runs: Sequence[Run]) -> float | None:
    """Per completion."""
    took = [1000 * run.seconds / PLAYERS for run in runs if run.seconds is not None]
    return median(took) if took else None


def _exact(name: str, runs: Sequence[Run], target: Target | None = None) -> Measurement:
    """The share of the runs that triggered once, with everybody."""
    numbers = {key: [run.told[key] for run in runs] for key in runs[0].told}
    seconds = [None if run.seconds is None else round(run.seconds, 2) for run in runs]
    return Measurement(
        name=name,
        value=sum(run.is_exact for run in runs) / len(runs),
        unit="of runs exact",
        target=target,
        details={**numbers, "seconds": seconds},
    )
