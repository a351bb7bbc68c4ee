import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from common.sport import Sport
from common.topics import UnknownTopic
from infra.manifest import Function, deployed_names, load
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


def test_function_of_one_topic_is_named_by_sport_and_folder() -> None:
    names = deployed_names("completion_recorder", a_function(), Sport.MLB)

    assert [(name, topic.constant) for name, topic in names.items()] == [
        ("mlb-completion-recorder", "PREDICTION_READY")
    ]


def test_function_of_several_topics_is_deployed_once_for_each() -> None:
    several = a_function(trigger_topics=("PHASE2_RAW_COMPLETE", "PHASE_SWEEP"))

    assert list(deployed_names("phase_transitions", several, Sport.NBA)) == [
        "nba-phase-transitions-phase2-raw-complete",
        "nba-phase-transitions-phase-sweep",
    ]


def test_topic_that_is_not_in_the_registry_is_refused() -> None:
    with pytest.raises(UnknownTopic, match="NO_SUCH_TOPIC"):
        deployed_names("x", a_function(trigger_topics=("NO_SUCH_TOPIC",)), Sport.NBA)
