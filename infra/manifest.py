"""What `functions/manifest.json` says of each function: how it is woken, sized and configured."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from common import topics

PATH = Path("functions") / "manifest.json"

EnvName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class Function(BaseModel):
    """One folder of `functions/`, and what its deployment needs to know. Nothing has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    trigger_topics: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    """Constants of the topic registry. One service hears them all, each through a subscription of its own."""
    entry_point: str
    """Name of the function in `main.py`."""
    retry: Literal[True]
    """Without it Pub/Sub counts a failed delivery as delivered."""
    memory_mib: Annotated[int, Field(ge=256)]
    cpu: PositiveInt
    """Whole CPUs: a concurrency above 1 needs one."""
    timeout_seconds: Annotated[int, Field(gt=0, le=540)]
    """Event functions are cut off at 540 s, whatever gcloud accepts."""
    concurrency: PositiveInt
    """Events that one instance handles at a time. Above 1 a recorder's completions share commits."""
    min_instances: Annotated[int, Field(ge=0)]
    max_instances: PositiveInt
    """Bounds what a flood of events may cost, and how many clients a store has."""
    fixed_env: Mapping[EnvName, str]
    required_env: Annotated[tuple[EnvName, ...], Field(strict=False)]
    """Taken from the environment of who deploys; deployment stops when one is missing."""
    optional_env: Annotated[tuple[EnvName, ...], Field(strict=False)]
    """Taken over when they are set."""
    secrets: Annotated[tuple[EnvName, ...], Field(strict=False)]
    """Variables that are secret. The deployer's `{NAME}_SECRET` says under which name Secret Manager has it;
    where that is not set, the function does without."""
    service_account: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    """The part before `@`; Terraform makes the account."""


class Manifest(BaseModel):
    """The deploy list."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    runtime: Annotated[str, Field(pattern=r"^python3\d\d$")]
    """Cloud Run's name of the Python that all functions run on; tests run on the same."""
    functions: Mapping[str, Function]


def load(root: Path) -> Manifest:
    """Read the manifest; raises pydantic's ValidationError naming the function and the field."""
    return Manifest.model_validate(json.loads((root / PATH).read_text(encoding="utf-8")))


def heard(name: str, function: Function) -> Mapping[topics.Topic, topics.Subscription]:
    """What wakes the function in `functions/{name}`, and how it is delivered.

    Raises UnknownTopic for a constant that the registry does not hold, or to which it subscribes no such
    function.
    """
    return {entry: _subscription(entry, name) for entry in map(topics.topic, function.trigger_topics)}


def _subscription(entry: topics.Topic, name: str) -> topics.Subscription:
    """Raises UnknownTopic where the registry has none for the function."""
    try:
        return entry.subscriptions[name]
    except KeyError:
        # The manifest names the topics that wake it, the registry how: both must say so.
        raise topics.UnknownTopic(
            f"topic: {entry.constant} is not heard by {name!r} in the registry"
        ) from None
