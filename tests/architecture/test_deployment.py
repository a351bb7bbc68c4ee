"""What is deployed is what there is: folders, manifest and topic registry agree."""

import json
import re

import pytest

from common.entrypoint.bodies import MAX_BODY_BYTES, MAX_HELD_BYTES
from common.settings import Settings, WarehouseSettings
from common.sport import Sport, SportNames
from common.topics import REGISTRY
from infra.manifest import Function, heard, load
from tests.support.source_tree import FUNCTIONS, ROOT, modules

MANIFEST = load(ROOT)
EVENT_TIMEOUT_SECONDS = 540
SIZES_OF_A_BODY_IN_MEMORY = 4
"""While it is read: its bytes, its JSON, the message in it, the message read."""


def function(name: str) -> Function:
    return MANIFEST.functions[name]


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
