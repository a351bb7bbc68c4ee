"""Whatever a sender may send ends in a dead letter that names the field, or comes again until it is right.

On the served system, through Pub/Sub as in the cloud: never a crash, never acknowledged into nothing.
"""

import json
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore, pubsub_v1
from google.pubsub_v1 import PubsubMessage

from common.batches.batches import Batches
from common.documents.store import FirestoreDocuments
from common.entrypoint.dead_letters import COLLECTION
from common.publisher import Publisher
from common.sport import Sport
from common.topics import PREDICTION_READY
from local.judging import taps
from local.judging.delivery_log import DeliveryLog
from local.stack.ports import require_free
from local.stack.topology import Names
from tests.support.local_run import WITHIN, LocalRun, local_run
from tests.support.polling import eventually

DAY = date(2026, 1, 17)
TIMEOUT_SECONDS = 10
ABSENT = object()
RECORDER = "completion_recorder"


class Served:
    """The system that `./local/run serve` keeps up, reached as it says that it can be."""

    def __init__(self, run: LocalRun) -> None:
        self.run = run
        self.environment = dict(re.findall(r"^export (\w+)=(\S+)$", run.said, re.MULTILINE))
        project = self.environment["GCP_PROJECT"]
        self.names = Names(project=project, sport=Sport(self.environment["SPORT"]))
        self.database = firestore.Client(project=project)
        self.batches = Batches(FirestoreDocuments(self.database))
        self.publisher = pubsub_v1.PublisherClient()
        self.subscriber = pubsub_v1.SubscriberClient()

    @property
    def recorder_log(self) -> DeliveryLog:
        found = re.search(r"^Logs: (\S+)$", self.run.said, re.MULTILINE)
        assert found
        return DeliveryLog.read(Path(found[1]) / "nba-completion-recorder.log")

    def publish(self, body: bytes, **attributes: str) -> str:
        """To `prediction-ready`; returns the event's id."""
        publisher = Publisher(self.publisher, project=self.names.project, sport=self.names.sport)
        return publisher.publish_raw(PREDICTION_READY.name(self.names.sport), body, attributes).unwrap()

    def dead_letter(self, event_id: str) -> dict[str, Any] | None:
        snapshot = self.database.collection(COLLECTION).document(event_id).get(timeout=TIMEOUT_SECONDS)
        found: dict[str, Any] | None = snapshot.to_dict()
        return found

    def take_dead_letters(self, event_id: str) -> list[PubsubMessage]:
        """Those of this event on the dead-letter topic, which is empty then."""
        [found] = taps.drain(self.subscriber, [self.names.dead_letters(PREDICTION_READY)])
        return [one for one in found if one.attributes["dead_letter_event_id"] == event_id]

    def open_batch(self, batch_id: str, *players: str) -> None:
        deadline = datetime.now(UTC) + timedelta(hours=1)
        self.batches.open(batch_id, DAY, players, deadline=deadline).unwrap()

    def close(self) -> None:
        self.database.close()
        self.publisher.stop()
        self.subscriber.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRun]:
    with local_run("serve", folder=tmp_path_factory.mktemp("serve")) as started:
        started.wait_for("Ctrl-C ends it all.")
        yield started


@pytest.fixture
def served(run: LocalRun, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    for name, value in re.findall(r"^export (\w+_EMULATOR_HOST)=(\S+)$", run.said, re.MULTILINE):
        monkeypatch.setenv(name, value)
    system = Served(run)
    yield system
    system.close()


def answer_to_get(url: str) -> int | None:
    """Its status; None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return None


def completion(**fields: Any) -> bytes:
    known = {
        "batch_id": "batch_of_bad_input",
        "player_lookup": "lebronjames",
        "game_date": DAY.isoformat(),
        "predictions_generated": 5,
    }
    stated = {name: value for name, value in {**known, **fields}.items() if value is not ABSENT}
    return json.dumps(stated).encode()


@pytest.mark.parametrize(
    ("body", "attributes", "names"),
    [
        pytest.param(b"\xff{no json", {}, "body", id="an unreadable body"),
        pytest.param(b"[1, 2]", {}, "body", id="a body of another shape"),
        pytest.param(completion(player_lookup=ABSENT), {}, "player_lookup", id="a missing field"),
        pytest.param(completion(predictions_generated="5"), {}, "predictions_generated", id="a wrong type"),
        pytest.param(completion(predictions_generated=-1), {}, "predictions_generated", id="negative"),
        pytest.param(completion(batch_id="a/b"), {}, "batch_id", id="an id that is a path"),
        pytest.param(b"", {"kind": "hello"}, "message.data", id="attributes only"),
        pytest.param(completion(), {"sport": "mlb"}, "attributes.sport", id="a message of another sport"),
    ],
)
def test_what_can_never_be_right_is_a_dead_letter_that_names_the_field(
    served: Served, body: bytes, attributes: dict[str, str], names: str
) -> None:
    event_id = served.publish(body, **attributes)

    letter = eventually(lambda: served.dead_letter(event_id))

    assert names in letter["reason"]
    assert letter["error_type"] == "permanent"


def test_a_dead_letter_can_be_replayed_from_its_topic(served: Served) -> None:
    body = completion(predictions_generated=None)

    event_id = served.publish(body, correlation_id="c1")
    eventually(lambda: served.dead_letter(event_id))

    [replayable] = served.take_dead_letters(event_id)
    assert replayable.data == body
    assert replayable.attributes["correlation_id"] == "c1"
    assert "predictions_generated" in replayable.attributes["dead_letter_reason"]


def test_an_envelope_that_nobody_can_read_is_a_dead_letter_too(served: Served) -> None:
    body = b"no envelope at all"

    request = urllib.request.Request(served.run.url_of(RECORDER), data=body)
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        assert response.status == 200

    letters = [found.to_dict() or {} for found in served.database.collection(COLLECTION).get()]
    [letter] = [letter for letter in letters if letter["data"] == body.decode()]
    assert "body" in letter["reason"]


def test_a_completion_of_the_wrong_day_is_a_dead_letter(served: Served) -> None:
    served.open_batch("batch_of_a_day", "lebronjames")

    event_id = served.publish(completion(batch_id="batch_of_a_day", game_date="2026-01-18"))

    assert "game_date" in eventually(lambda: served.dead_letter(event_id))["reason"]


def test_a_player_whom_the_batch_does_not_expect_is_kept_aside_and_never_counted(served: Served) -> None:
    served.open_batch("batch_of_others", "stephencurry")

    served.publish(completion(batch_id="batch_of_others"))

    unexpected = served.database.collection("prediction_batches/batch_of_others/unexpected")
    eventually(lambda: [snapshot.id for snapshot in unexpected.get()] == ["lebronjames"])
    assert served.batches.get("batch_of_others").unwrap().counts.ended == 0


def test_a_completion_that_is_faster_than_its_batch_comes_again_and_is_recorded(served: Served) -> None:
    event_id = served.publish(completion(batch_id="batch_of_later"))
    eventually(lambda: ("retry_later", event_id) in served.recorder_log.actions)
    assert served.dead_letter(event_id) is None

    served.open_batch("batch_of_later", "lebronjames", "stephencurry")

    eventually(
        lambda: served.batches.get("batch_of_later").unwrap().counts.completed == 1,
        within=timedelta(seconds=60),
    )


def test_a_function_that_is_killed_is_there_again_and_only_what_is_posted_is_a_delivery(
    run: LocalRun,
) -> None:
    run.kill_function(RECORDER)

    run.wait_for("nba-completion-recorder has died and is started again. Why: ")
    eventually(lambda: answer_to_get(run.url_of(RECORDER)) == 405, within=WITHIN)


def test_after_all_of_it_the_system_still_stands_and_ctrl_c_leaves_nothing(run: LocalRun) -> None:
    ports = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", run.said)}
    assert run.processes() and len(ports) >= 5

    run.send(signal.SIGINT)

    assert run.status() == 130
    assert "Traceback" not in run.said
    assert run.processes() == []
    assert list(run.temporary.iterdir()) == []
    assert all(require_free("anybody", port) for port in ports)
