"""What is deployed is what there is: folders, manifest and topic registry agree, and every function starts
from its stage, in a process of its own, with nothing but what requirements.txt installs."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.entrypoint.bodies import MAX_BODY_BYTES, MAX_HELD_BYTES
from common.settings import Settings, WarehouseSettings
from common.sport import Sport, SportNames
from common.topics import REGISTRY
from infra.deployment.release import digest
from infra.deployment.stage import stage
from infra.deployment.verify import VerifyError, placeholders, verify
from infra.manifest import Function, heard, load
from tests.support.source_tree import FUNCTIONS, ROOT, modules

PYTHON = ROOT / ".venv" / "functions" / "bin" / "python"
MANIFEST = load(ROOT)
EVENT_TIMEOUT_SECONDS = 540
SIZES_OF_A_BODY_IN_MEMORY = 4
"""While it is read: its bytes, its JSON, the message in it, the message read."""


def function(name: str) -> Function:
    return MANIFEST.functions[name]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All functions, staged as ./deploy.sh stages them."""
    folder = tmp_path_factory.mktemp("staged")
    for name in FUNCTIONS:
        stage(ROOT, name, folder)
    return folder


@dataclass(frozen=True, kw_only=True)
class Started:
    """What became of the staged functions."""

    loaded: Mapping[str, frozenset[str]]
    """The modules of each."""
    refused: Mapping[str, str]
    """What each says that is started without its settings."""


@pytest.fixture(scope="module")
def started(staged: Path) -> Started:
    """All at the same time: each takes half a second."""

    def load_with_settings(name: str) -> frozenset[str]:
        return verify(staged / name, function(name), placeholders(function(name)), PYTHON)

    def load_without_settings(name: str) -> str:
        with pytest.raises(VerifyError) as refusal:
            verify(staged / name, function(name), function(name).fixed_env, PYTHON)
        return str(refusal.value)

    with ThreadPoolExecutor() as pool:
        loaded = pool.map(load_with_settings, FUNCTIONS)
        refused = pool.map(load_without_settings, FUNCTIONS)
        return Started(
            loaded=dict(zip(FUNCTIONS, loaded, strict=True)),
            refused=dict(zip(FUNCTIONS, refused, strict=True)),
        )


def test_every_folder_with_a_main_is_in_the_manifest_and_nothing_else_is() -> None:
    folders = {
        path.name for path in (ROOT / "functions").iterdir() if path.is_dir() and path.name != "__pycache__"
    }

    assert set(MANIFEST.functions) == set(FUNCTIONS) == folders


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_woken_by_the_topics_whose_subscriber_it_is(name: str) -> None:
    subscribed = {constant for constant, entry in REGISTRY.items() if name in entry.subscriptions}

    assert set(function(name).trigger_topics) == subscribed


@pytest.mark.parametrize("name", FUNCTIONS)
def test_delivery_is_not_repeated_while_the_function_may_still_run(name: str) -> None:
    for delivery in heard(name, function(name)).values():
        assert function(name).timeout_seconds < delivery.ack_deadline_seconds <= 600
    assert function(name).timeout_seconds <= EVENT_TIMEOUT_SECONDS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bodies_that_are_held_at_a_time_leave_the_function_half_of_its_memory(name: str) -> None:
    """However many requests it takes at once: 80 messages as large as Pub/Sub takes would be more."""
    memory_bytes = function(name).memory_mib * 2**20

    assert MAX_BODY_BYTES <= MAX_HELD_BYTES
    assert SIZES_OF_A_BODY_IN_MEMORY * MAX_HELD_BYTES <= memory_bytes / 2


def test_entry_points_and_service_accounts_are_not_shared() -> None:
    functions = MANIFEST.functions.values()

    assert len({each.entry_point for each in functions}) == len(MANIFEST.functions)
    assert len({each.service_account for each in functions}) == len(MANIFEST.functions)


def aliases(settings: type[Settings]) -> set[str]:
    return {field.alias for field in settings.model_fields.values() if field.alias}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_manifest_names_the_settings_that_the_function_reads_and_no_others(name: str) -> None:
    shared = aliases(Settings)
    main = modules()[f"functions.{name}.main"]
    own = {text for text, _ in main.texts if text.isupper() and "_" in text}
    if "WarehouseSettings" in main.path.read_text(encoding="utf-8"):
        own |= aliases(WarehouseSettings) - shared
    given = {*function(name).required_env, *function(name).optional_env, *function(name).secrets}

    assert own <= given <= own | shared
    assert {"GCP_PROJECT", "SPORT"} <= set(function(name).required_env)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_names_in_the_cloud_are_valid_for_every_sport(name: str) -> None:
    """In its URL the service and the number of the project share one label."""
    longest_project_number = 12

    for sport in Sport:
        service = SportNames(sport=sport).service(name)
        assert re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", service)
        assert len(service) + 1 + longest_project_number <= 63


@pytest.mark.parametrize("name", FUNCTIONS)
def test_staged_function_starts_in_its_own_process_from_its_own_files(started: Started, name: str) -> None:
    assert {"main", "main.handler", "common.result"} <= started.loaded[name]


def test_staged_recorder_never_loads_bigquery_pandas_or_pyarrow(started: Started) -> None:
    names = started.loaded["completion_recorder"]

    assert not {name.split(".")[0] for name in names} & {"pandas", "pyarrow", "numpy"}
    assert "google.cloud.firestore" in names
    assert not [name for name in names if name.startswith("google.cloud.bigquery")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_staged_function_without_its_settings_stops_and_names_them(started: Started, name: str) -> None:
    assert "GCP_PROJECT: Field required" in started.refused[name]


def test_common_is_the_same_in_every_stage(staged: Path) -> None:
    assert len({digest(staged / name / "common") for name in FUNCTIONS}) == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_stage_holds_files_only_and_nothing_that_is_not_needed(staged: Path, name: str) -> None:
    found = [path for path in (staged / name).rglob("*") if not path.is_dir()]

    assert {path.suffix for path in found} <= {".py", ".pyc", ".json", ".txt", ".sql", ".j2"}
    assert not [path for path in found if path.is_symlink() or path.name.startswith("test_")]
    assert {path.name for path in (staged / name).iterdir()} >= {"main.py", "common", "requirements.txt"}


def test_functions_environment_holds_what_requirements_pin_and_nothing_more() -> None:
    """A package that somebody installed by hand would hide one that is missing."""
    installed = {
        _key(path.name.split("-")[0])
        for path in (ROOT / ".venv" / "functions").glob("lib/*/site-packages/*.dist-info")
    }
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {_key(line.partition("==")[0]) for line in lines if "==" in line}

    assert installed - {"pip", "setuptools", "wheel"} == pinned


def test_manifest_is_plain_json_with_one_entry_per_function() -> None:
    written = json.loads((ROOT / "functions" / "manifest.json").read_text(encoding="utf-8"))

    assert list(written["functions"]) == sorted(written["functions"])


def _key(name: str) -> str:
    return name.replace("-", "_").replace(".", "_").lower()
