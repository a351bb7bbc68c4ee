"""A function's entry in the manifest, as a test wants it."""

from typing import Any

from infra.manifest import Function

ENTRY: dict[str, Any] = {
    "trigger_topics": ["PREDICTION_READY"],
    "entry_point": "recorder",
    "retry": True,
    "memory_mib": 512,
    "cpu": 1,
    "timeout_seconds": 60,
    "concurrency": 80,
    "min_instances": 0,
    "max_instances": 4,
    "fixed_env": {"FUNCTION_USE_ASGI": "true"},
    "required_env": ["GCP_PROJECT", "SPORT"],
    "optional_env": ["DATASET_PREFIX"],
    "secrets": [],
    "service_account": "recorder",
}


def a_function(**changes: Any) -> Function:
    return Function.model_validate(ENTRY | changes)
