from datetime import timedelta

import pytest
from pydantic import Field

from common.schema_mode import SchemaMode
from common.settings import Settings, SettingsError
from common.sport import DatasetRole, Sport

MINIMAL = {"GCP_PROJECT": "a-project"}
WEBHOOK = "https://hooks.slack.invalid/T0/B0/very-secret"


def problems_of(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(environment)
    return str(refused.value)


def test_project_alone_is_enough() -> None:
    settings = Settings.from_environment(MINIMAL)

    assert settings.gcp_project == "a-project"
    assert settings.sport is Sport.NBA
    assert settings.schema_mode is SchemaMode.SUBCOLLECTION
    assert settings.max_event_age == timedelta(hours=24)
    assert settings.slack_webhook_url is None


def test_everything_can_be_set() -> None:
    settings = Settings.from_environment(
        MINIMAL
        | {
            "SPORT": "mlb",
            "ENVIRONMENT": "staging",
            "DATASET_PREFIX": "t1",
            "ENABLE_SUBCOLLECTION_COMPLETIONS": "true",
            "DUAL_WRITE_MODE": "true",
            "USE_SUBCOLLECTION_READS": "false",
            "SLACK_WEBHOOK_URL": WEBHOOK,
            "MAX_EVENT_AGE_SECONDS": "60",
        }
    )

    assert settings.names.dataset(DatasetRole.PREDICTIONS) == "t1_mlb_predictions"
    assert settings.environment == "staging"
    assert settings.schema_mode is SchemaMode.DUAL_WRITE
    assert settings.max_event_age == timedelta(seconds=60)
    assert settings.slack_webhook_url == WEBHOOK


@pytest.mark.parametrize(
    ("enable", "dual_write", "reads", "mode"),
    [
        ("false", "false", "false", SchemaMode.LEGACY),
        ("false", "true", "false", SchemaMode.LEGACY),
        ("true", "true", "false", SchemaMode.DUAL_WRITE),
        ("true", "true", "true", SchemaMode.SUBCOLLECTION_READS),
        ("true", "false", "true", SchemaMode.SUBCOLLECTION),
    ],
)
def test_each_flag_has_its_own_say_in_the_mode(
    enable: str, dual_write: str, reads: str, mode: SchemaMode
) -> None:
    flags = {
        "ENABLE_SUBCOLLECTION_COMPLETIONS": enable,
        "DUAL_WRITE_MODE": dual_write,
        "USE_SUBCOLLECTION_READS": reads,
    }

    assert Settings.from_environment(MINIMAL | flags).schema_mode is mode


def test_all_problems_are_told_at_once() -> None:
    problems = problems_of(
        {
            "SPORT": "cricket",
            "ENVIRONMENT": "Prod!",
            "DATASET_PREFIX": "a-b",
            "DUAL_WRITE_MODE": "perhaps",
            "MAX_EVENT_AGE_SECONDS": "0",
        }
    )

    assert "GCP_PROJECT: Field required" in problems
    for named in (
        "SPORT='cricket'",
        "ENVIRONMENT='Prod!'",
        "DATASET_PREFIX='a-b'",
        "DUAL_WRITE_MODE='perhaps'",
    ):
        assert named in problems
    assert "MAX_EVENT_AGE_SECONDS='0'" in problems


def test_empty_variable_is_one_that_is_not_set() -> None:
    assert "GCP_PROJECT: Field required" in problems_of({"GCP_PROJECT": ""})

    settings = Settings.from_environment(
        MINIMAL | {"SLACK_WEBHOOK_URL": "", "SPORT": "", "DUAL_WRITE_MODE": "", "MAX_EVENT_AGE_SECONDS": ""}
    )
    assert settings == Settings.from_environment(MINIMAL)


@pytest.mark.parametrize("project", ["a b", "-a", "A", "a\n"], ids=repr)
def test_project_that_can_be_none_is_refused(project: str) -> None:
    assert f"GCP_PROJECT={project!r}" in problems_of({"GCP_PROJECT": project})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("hooks.slack.invalid/T0/very-secret", "'hooks.slack.invalid/…'"),
        ("//hooks.slack.invalid/very-secret", "'/…'"),
        ("ftp://hooks.slack.invalid/very-secret", "'ftp://hooks.slack.invalid/…'"),
        ("https:///very-secret", "'https:///…'"),
        ("https://hooks slack/very-secret", "'https://hooks slack/…'"),
        ("https://hooks.slack.invalid/very-secret\n", "'https://hooks.slack.invalid/…'"),
        ("https://hooks.slack.invalid:port/very-secret", "'https://hooks.slack.invalid:port/…'"),
        ("https://[hooks/very-secret", "'https://[hooks/…'"),
        ("no", "'no'"),
        (" ", "' '"),
    ],
)
@pytest.mark.parametrize("name", ["SLACK_WEBHOOK_URL", "SLACK_WEBHOOK_URL_CONSISTENCY"])
def test_malformed_url_is_refused_with_what_of_it_is_no_secret(name: str, url: str, shown: str) -> None:
    problems = problems_of(MINIMAL | {name: url})

    assert f"{name}={shown}: " in problems
    assert "very-secret" not in problems


def test_contradicting_flags_stop_the_function_and_secrets_are_not_echoed() -> None:
    problems = problems_of(MINIMAL | {"USE_SUBCOLLECTION_READS": "false", "SLACK_WEBHOOK_URL": WEBHOOK})

    assert "USE_SUBCOLLECTION_READS=False is no valid combination" in problems
    assert "very-secret" not in problems


def test_secret_shows_neither_in_the_settings_nor_in_their_json() -> None:
    settings = Settings.from_environment(MINIMAL | {"SLACK_WEBHOOK_URL_CONSISTENCY": WEBHOOK})

    assert "very-secret" not in repr(settings)
    assert "very-secret" not in settings.model_dump_json()


def test_malformed_secret_is_named_and_not_echoed() -> None:
    class Strict(Settings):
        slack_webhook_url_test: int = Field(alias="SLACK_WEBHOOK_URL_TEST")

    with pytest.raises(SettingsError, match="SLACK_WEBHOOK_URL_TEST") as refused:
        Strict.from_environment(MINIMAL | {"SLACK_WEBHOOK_URL_TEST": WEBHOOK})

    assert "very-secret" not in str(refused.value)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.from_environment(MINIMAL).gcp_project = "another"  # type: ignore[misc]


def test_python_names_are_not_read_from_the_environment() -> None:
    assert "GCP_PROJECT: Field required" in problems_of({"gcp_project": "a-project"})
