"""What every test may ask for. Emulators start when the first test needs one, all that any will at once.

A project id of its own is all that isolates a test in the emulators: ask for `project_id` or a client, never
write an id. While a test runs that uses an emulator, the environment names it, for processes that the test
spawns too. Outside of that there is no cloud variable, and no credentials are found.
"""

import gc
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from common.runtime.gc_tuning import start_collecting
from local.stack.emulators import KINDS, Emulators
from tests.support.isolation import remove_cloud_variables
from tests.support.wall_clock import WallClock

# Google's clients take most of a second to import, and unit tests need none.
if TYPE_CHECKING:
    from google.cloud import bigquery, firestore, pubsub_v1

    from tests.support.consolidation_stack import Stack
    from tests.support.firestore_proxy import FirestoreProxy
    from tests.support.stub_bigquery import BigQueryStub

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", settings.get_profile("any machine"), max_examples=20)
settings.load_profile("any machine")

# As where the functions run. It is there for the BigQuery emulator, and BigQuery's client would load it, too.
sys.modules["pandas"] = None  # type: ignore[assignment]

# Consoles that are made as their module loads would keep the width of the terminal that the tests are run in.
for _size in ("COLUMNS", "LINES"):
    os.environ.pop(_size, None)

# A quarter of the fast suite's time went into collecting garbage: none is collected while tests are loaded.
gc.disable()

_HOSTS = {f"{kind.name}_host": kind for kind in KINDS}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what uses an emulator, so that nobody needs to remember to."""
    for item in items:
        if _HOSTS.keys() & _fixtures(item):
            item.add_marker(pytest.mark.emulator)


def pytest_collection_finish() -> None:
    """What is loaded stays, and is not walked through again."""
    start_collecting()


def _environment() -> dict[str, str]:
    """Without what pytest itself writes there, anew for each part of a test."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def no_cloud() -> Iterator[None]:
    """Nothing of the cloud is known. Once for all tests: for each it would take longer than many of them."""
    with pytest.MonkeyPatch.context() as patch:
        remove_cloud_variables(os.environ, patch)
        yield


@pytest.fixture(autouse=True)
def environment_of_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Only the emulators that the test uses can be reached. What it writes into the environment ends with it,
    as does what a command writes for clients."""
    before = _environment()
    for name in _HOSTS.keys() & request.fixturenames:
        os.environ[_HOSTS[name].variable] = request.getfixturevalue(name)
    yield
    after = _environment()
    if after != before:
        for name in after.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@pytest.fixture(scope="session")
def emulators(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulators]:
    """Every emulator that some test of this session uses. Fails, never skips, where one cannot start."""
    used = {name for item in request.session.items for name in _fixtures(item)}
    kinds = [kind for name, kind in _HOSTS.items() if name in used]
    with Emulators.start(tmp_path_factory.mktemp("emulators"), project="tests", kinds=kinds) as started:
        yield started


@pytest.fixture(scope="session")
def firestore_host(emulators: Emulators) -> str:
    """HOST:PORT."""
    return emulators["firestore"].host


@pytest.fixture(scope="session")
def pubsub_host(emulators: Emulators) -> str:
    """HOST:PORT."""
    return emulators["pubsub"].host


@pytest.fixture(scope="session")
def bigquery_host(emulators: Emulators) -> str:
    """http://HOST:PORT."""
    return emulators["bigquery"].host


@pytest.fixture
def project_id() -> str:
    """New for every test: its Firestore, its topics and its datasets are empty."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def clock() -> WallClock:
    """Stands at 2026-01-17 23:00 UTC until it is moved."""
    return WallClock()


@pytest.fixture
def firestore_client(firestore_host: str, project_id: str) -> Iterator["firestore.Client"]:
    from google.cloud import firestore

    client = firestore.Client(project=project_id)
    yield client
    client.close()


@pytest.fixture
async def async_firestore_client(
    firestore_host: str, project_id: str
) -> AsyncIterator["firestore.AsyncClient"]:
    from google.cloud import firestore

    client = firestore.AsyncClient(project=project_id)
    yield client
    client.close()


@pytest.fixture
def publisher_client(pubsub_host: str) -> Iterator["pubsub_v1.PublisherClient"]:
    from google.cloud import pubsub_v1

    client = pubsub_v1.PublisherClient()
    with client:
        yield client


@pytest.fixture
def subscriber_client(pubsub_host: str) -> Iterator["pubsub_v1.SubscriberClient"]:
    from google.cloud import pubsub_v1

    client = pubsub_v1.SubscriberClient()
    with client:
        yield client


@pytest.fixture
def bigquery_client(bigquery_host: str, project_id: str) -> Iterator["bigquery.Client"]:
    """Anonymous: this client alone looks for credentials although it knows its emulator."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    client = bigquery.Client(project=project_id, credentials=AnonymousCredentials())
    yield client
    client.close()


@pytest.fixture
def stack(firestore_host: str, bigquery_host: str, project_id: str) -> Iterator["Stack"]:
    """What a consolidation works on, with its tables."""
    from tests.support.consolidation_stack import Stack

    stack = Stack(project_id).create_tables()
    yield stack
    stack.close()


@pytest.fixture
def proxy(firestore_host: str) -> "FirestoreProxy":
    """Stands before the Firestore emulator, once it is served."""
    from tests.support.firestore_proxy import FirestoreProxy

    return FirestoreProxy(firestore_host)


@pytest.fixture
def stub() -> Iterator["BigQueryStub"]:
    """A BigQuery that answers as it is told."""
    from tests.support.stub_bigquery import BigQueryStub

    with BigQueryStub().serving() as serving:
        yield serving
