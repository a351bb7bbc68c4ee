"""The environment, read once at cold start into one frozen, validated object.

A missing or malformed setting stops the function before its first event, with every problem listed: a
function that starts with half a configuration fails later, at night, one event at a time.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from .schema_mode import SchemaMode, mode_from_flags
from .sport import FIRST, Sport, SportNames


def _url(value: str | None) -> str | None:
    """A URL that can be posted to, as far as its text tells: another would fail at the first alert.

    ValueError if not.
    """
    if value is None:
        return None
    parts = urlsplit(value)  # raises ValueError itself for some
    is_clean = not any(character.isspace() for character in value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or not is_clean:
        raise ValueError("no URL of the form https://HOST/…")
    return value


SecretUrl = Annotated[str | None, AfterValidator(_url), Field(repr=False, exclude=True)]
"""Shows neither in a settings object that is printed nor in its JSON: who knows the path may post."""


class SettingsError(Exception):
    """The environment cannot be used; the message lists every variable that is wrong."""


class Settings(BaseModel):
    """What every function needs to know. A function with more to know subclasses this.

    Nothing that names something outside the project has a default.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=False)

    gcp_project: Annotated[str, Field(alias="GCP_PROJECT", pattern=r"^[a-z0-9][a-z0-9.:-]*$")]
    sport: Annotated[Sport, Field(alias="SPORT")] = FIRST
    """Whose topics and datasets this instance works on: one deployment per sport."""
    environment: Annotated[str, Field(alias="ENVIRONMENT", pattern=r"^[a-z][a-z0-9-]*$")] = "production"
    """On every log line; alerts wake people for `production` only."""
    dataset_prefix: Annotated[str, Field(alias="DATASET_PREFIX", pattern=r"^[A-Za-z0-9_]*$")] = ""
    """Isolates tests: a prefix of datasets and locks. Empty in production."""
    enable_subcollection_completions: Annotated[bool, Field(alias="ENABLE_SUBCOLLECTION_COMPLETIONS")] = True
    dual_write_mode: Annotated[bool, Field(alias="DUAL_WRITE_MODE")] = False
    use_subcollection_reads: Annotated[bool, Field(alias="USE_SUBCOLLECTION_READS")] = True
    slack_webhook_url: Annotated[SecretUrl, Field(alias="SLACK_WEBHOOK_URL")] = None
    slack_webhook_url_consistency: Annotated[SecretUrl, Field(alias="SLACK_WEBHOOK_URL_CONSISTENCY")] = None
    """Where findings of the auditor go; where it is not set, `SLACK_WEBHOOK_URL` takes them."""
    max_event_age_seconds: Annotated[int, Field(alias="MAX_EVENT_AGE_SECONDS", gt=0)] = 24 * 3600
    """An older event becomes a dead letter. Shorter than any subscription keeps messages, so that none
    expires unseen."""

    @model_validator(mode="after")
    def _flags_make_a_mode(self) -> Self:
        mode_from_flags(
            enable=self.enable_subcollection_completions,
            dual_write=self.dual_write_mode,
            subcollection_reads=self.use_subcollection_reads,
        )
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings from `environment`; raises SettingsError with all problems at once.

        An empty variable is one that is not set: whoever deploys cannot always leave one out. Secrets are not
        in the message, of a webhook only its host.
        """
        told = {name: value for name, value in environment.items() if value}
        try:
            return cls.model_validate(told)
        except ValidationError as exc:
            problems = "; ".join(_describe(error) for error in exc.errors(include_url=False))
            # `from None`: pydantic's own text shows all values, secrets among them.
            raise SettingsError(f"settings: {problems}") from None

    @cached_property
    def names(self) -> SportNames:
        """Datasets and topics of this deployment."""
        return SportNames(sport=self.sport, dataset_prefix=self.dataset_prefix)

    @cached_property
    def schema_mode(self) -> SchemaMode:
        """The mode that batches opened from now on are stamped with."""
        return mode_from_flags(
            enable=self.enable_subcollection_completions,
            dual_write=self.dual_write_mode,
            subcollection_reads=self.use_subcollection_reads,
        )

    @property
    def findings_webhook_url(self) -> str | None:
        """Where findings are told; None: in the log."""
        return self.slack_webhook_url_consistency or self.slack_webhook_url

    @property
    def max_event_age(self) -> timedelta:
        """`MAX_EVENT_AGE_SECONDS` as a span."""
        return timedelta(seconds=self.max_event_age_seconds)


class WarehouseSettings(Settings):
    """What a function that asks BigQuery needs to know beside the rest."""

    bigquery_location: Annotated[str | None, Field(alias="BIGQUERY_LOCATION", min_length=1)] = None
    """That of the datasets; needed where they are not in US or EU, for a job to be found by its id."""
    maximum_bytes_billed: Annotated[PositiveInt | None, Field(alias="MAXIMUM_BYTES_BILLED")] = None
    """What one statement may scan; None: the warehouse's own limit."""


def _describe(error: object) -> str:
    """`GCP_PROJECT: Field required` or `SPORT='cricket': Input should be …`; of a secret, what is none."""
    assert isinstance(error, dict)
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing" or not name:
        return f"{name}: {error['msg']}" if name else str(error["msg"])
    value = _without_path(error["input"]) if "WEBHOOK" in name else error["input"]
    return f"{name}={value!r}: {error['msg']}"


def _without_path(url: str) -> str:
    """`https://hooks.slack.com/…`: the path is the secret; enough is left to see what was set."""
    scheme, separator, rest = url.rpartition("://")
    host, *path = re.split("[/?#]", rest, maxsplit=1)
    return f"{scheme}{separator}{host}{'/…' if path else ''}"
