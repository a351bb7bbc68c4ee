import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from common.topics import REGISTRY, UnknownTopic
from infra.manifest import Function, heard, load
from tests.support.a_function import ENTRY, a_function


def manifest(folder: Path, **changes: Any) -> Path:
    (folder / "functions").mkdir()
    written = {"runtime": "python311", "functions": {"recorder": ENTRY | changes}}
    (folder / "functions" / "manifest.json").write_text(json.dumps(written))
    return folder


def test_manifest_is_read_by_name(tmp_path: Path) -> None:
    read = load(manifest(tmp_path))

    assert read.runtime == "python311"
    assert read.functions["recorder"] == a_function()


@pytest.mark.parametrize("field", ENTRY)
def test_field_that_is_missing_is_named(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Function.model_validate({name: value for name, value in ENTRY.items() if name != field})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trigger_topics", []),
        ("retry", False),
        ("memory_mib", 128),
        ("cpu", 0),
        ("timeout_seconds", 541),
        ("concurrency", 0),
        ("max_instances", 0),
        ("required_env", ["lower"]),
        ("service_account", "x"),
        ("unheard_of", 1),
    ],
)
def test_value_that_the_platform_would_refuse_or_ignore_is_named(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        Function.model_validate(ENTRY | {field: value})


def test_function_is_delivered_to_as_the_registry_says() -> None:
    topic = REGISTRY["PREDICTION_READY"]

    assert heard("completion_recorder", a_function()) == {topic: topic.subscriptions["completion_recorder"]}


@pytest.mark.parametrize(
    ("name", "constant"),
    [
        pytest.param("completion_recorder", "NO_SUCH_TOPIC", id="no topic of the registry"),
        pytest.param("another", "PREDICTION_READY", id="a topic to which the registry subscribes others"),
    ],
)
def test_topic_that_the_registry_does_not_deliver_to_the_function_is_refused(
    name: str, constant: str
) -> None:
    with pytest.raises(UnknownTopic, match=constant):
        heard(name, a_function(trigger_topics=(constant,)))
