"""What the functions and the workers of a local run are told.

Whatever the manifest lets a deployment set is taken from the environment of who runs it, as `./deploy.sh`
takes it: `DATASET_PREFIX`, `ENVIRONMENT`, the flags of the migration. Secrets are not: nothing local posts
to Slack.
"""

from collections.abc import Mapping

from common.settings import Settings, SettingsError
from common.sport import Sport
from infra.manifest import Manifest

from ..problem import Problem

PROJECT = "local"
"""Always, whatever GCP_PROJECT says: the emulators know no other."""

_OURS = {"ENVIRONMENT": "local", "LOCK_LEASE_SECONDS": "20"}
"""Where nobody chose otherwise. A lease this short only shortens the wait for a dead holder."""


def values(sport: Sport, manifest: Manifest, chosen: Mapping[str, str]) -> dict[str, str]:
    """Variable → value: what functions and workers are told.

    Of the environment `chosen` counts what some function may be told (`optional_env` of the manifest), and is
    set. Project and sport are always ours.
    """
    optional = {name for function in manifest.functions.values() for name in function.optional_env}
    taken = {name: chosen[name] for name in sorted(optional) if chosen.get(name)}
    return {**_OURS, **taken, "GCP_PROJECT": PROJECT, "SPORT": sport.value}


def settings(values: Mapping[str, str]) -> Settings:
    """The values as functions read them; a Problem names every one that is wrong."""
    try:
        return Settings.from_environment(values)
    except SettingsError as error:
        raise Problem(str(error)) from error
