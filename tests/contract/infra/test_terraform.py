"""The Terraform of `infra/`, run for real without a cloud: it would make what the project's files say."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.sport import Sport
from infra.deployment.preflight import ACT_AS, ROLES
from infra.manifest import load
from infra.offline.planning import TerraformFailed, Workspace
from tests.support.planned import VARIABLES, Planned, faults
from tests.support.source_tree import ROOT

MANIFEST = load(ROOT)
SPORTS = {"nba": (Sport.NBA,), "mlb": (Sport.MLB,), "both": (Sport.NBA, Sport.MLB)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One copy and one provider for all tests; who breaks a file puts it back."""
    with Workspace.open(ROOT, tmp_path_factory.mktemp("terraform")) as workspace:
        workspace.init()
        yield workspace


def planned(workspace: Workspace, *sports: Sport, **variables: object) -> Planned:
    names = [sport.value for sport in sports]
    return Planned(workspace.plan({**VARIABLES, "sports": names, **variables}), sports)


@pytest.fixture(scope="module")
def both(workspace: Workspace) -> Planned:
    return planned(workspace, *SPORTS["both"])


def test_every_file_is_formatted_as_terraform_formats(workspace: Workspace) -> None:
    assert workspace.run("fmt", "-check", "-recursive", "-diff") == ""


def test_configuration_is_valid(workspace: Workspace) -> None:
    assert json.loads(workspace.run("validate", "-json"))["diagnostics"] == []


def test_terraforms_own_tests_pass(workspace: Workspace) -> None:
    assert "Success!" in workspace.run("test", "-no-color")


@pytest.mark.parametrize("sport", [Sport.NBA, Sport.MLB], ids=str)
def test_plan_of_one_sport_makes_what_registry_and_manifest_say_and_no_more(
    workspace: Workspace, sport: Sport
) -> None:
    assert faults(planned(workspace, sport), MANIFEST) == []


def test_plan_of_both_sports_makes_what_registry_and_manifest_say_and_no_more(both: Planned) -> None:
    assert faults(both, MANIFEST) == []


def test_every_alert_says_what_to_do(both: Planned) -> None:
    policies = both.of("google_monitoring_alert_policy")

    assert {policy["display_name"] for policy in policies} >= {
        f"{sport.value}: {what}"
        for sport in SPORTS["both"]
        for what in ("dead letters", "messages wait", "functions fail")
    }
    assert all("1. " in policy["documentation"][0]["content"] for policy in policies)


def test_field_that_grows_with_the_players_is_not_indexed_and_old_completions_expire(both: Planned) -> None:
    fields = {each["field"]: each for each in both.of("google_firestore_field")}

    assert fields["completed_players"]["index_config"] == [{"indexes": []}]
    assert fields["completed_at"]["collection"] == "completions"
    assert fields["completed_at"]["ttl_config"][0]["expiration_offset"] == f"{90 * 86_400}s"
    assert fields["at"]["collection"] == "timeline"


@pytest.mark.parametrize(
    ("bucket", "steps"),
    [
        ("nba-scraped-data", [("NEARLINE", 30), (None, 90)]),
        ("mlb-scraped-data", [("NEARLINE", 30), (None, 90)]),
        ("nba-bigquery-backups", [("ARCHIVE", 90), ("COLDLINE", 30), ("NEARLINE", 7), (None, 365)]),
        ("nba-ml-models", [("ARCHIVE", 90)]),
        ("nba-temp-migration", [(None, 7)]),
    ],
)
def test_bucket_is_aged_as_is_written(
    both: Planned, bucket: str, steps: list[tuple[str | None, int]]
) -> None:
    [made] = [each for each in both.of("google_storage_bucket") if each["name"] == bucket]

    rules = [(rule["action"][0], rule["condition"][0]) for rule in made["lifecycle_rule"]]
    aged = [(action["storage_class"], condition["age"]) for action, condition in rules if condition["age"]]
    assert aged == steps
    assert made["public_access_prevention"] == "enforced"


def test_who_is_no_function_speaks_and_pulls_where_it_is_let(workspace: Workspace) -> None:
    workers = "serviceAccount:workers@elsewhere.iam.gserviceaccount.com"
    made = planned(
        workspace,
        Sport.NBA,
        outside_publishers={"PREDICTION_READY": [workers]},
        outside_subscribers={"PREDICTION_REQUEST": [workers]},
    )

    granted = {
        (each["role"], each["address"].split("[")[0]) for each in made.grants() if each["member"] == workers
    }
    assert granted == {
        ("roles/pubsub.publisher", "google_pubsub_topic_iam_member.outside_publisher"),
        ("roles/pubsub.subscriber", "google_pubsub_subscription_iam_member.outside_subscriber"),
    }


def test_who_deploys_gets_what_a_deployment_needs_and_no_one_else_does(
    workspace: Workspace, both: Planned
) -> None:
    person = "user:deployer@example.com"

    made = planned(workspace, Sport.NBA, deployers=[person])

    granted = [each for each in made.grants() if each["member"] == person]
    on_accounts = {each["role"] for each in granted if each["type"] == "google_service_account_iam_member"}
    assert {each["role"] for each in granted} - on_accounts == ROLES.keys()
    assert on_accounts == {ACT_AS}
    assert not [each for each in both.grants() if each["member"].startswith("user:")]


@pytest.fixture
def break_file(workspace: Workspace) -> Iterator[Callable[[str, str, str], None]]:
    """Replaces a text in a file of the copy, which must be there; puts it back in the end."""
    broken: dict[Path, str] = {}

    def replace(file: str, text: str, by: str) -> None:
        path = workspace.folder / file
        before = path.read_text(encoding="utf-8")
        assert text in before, f"{file} no longer says {text!r}"
        broken.setdefault(path, before)
        path.write_text(before.replace(text, by), encoding="utf-8")

    yield replace
    for path, before in broken.items():
        path.write_text(before, encoding="utf-8")


Break = Callable[[str, str, str], None]


@pytest.mark.parametrize(
    ("text", "by", "complaint"),
    [
        pytest.param(
            "dead_letter_topic  ", "dead_leter_topic  ", "Unsupported argument", id="a misspelt argument"
        ),
        pytest.param("retry_policy {", "retry_policies {", "Unsupported block type", id="a misspelt block"),
        pytest.param(
            "google_pubsub_topic.this[each",
            "google_pubsub_topic.them[each",
            "undeclared",
            id="a lost reference",
        ),
    ],
)
def test_word_that_the_provider_does_not_know_is_refused(
    workspace: Workspace, break_file: Break, text: str, by: str, complaint: str
) -> None:
    break_file("pubsub.tf", text, by)

    with pytest.raises(TerraformFailed, match=complaint):
        workspace.run("validate", "-no-color")


def test_acknowledgement_deadline_below_the_time_limit_stops_the_plan(
    workspace: Workspace, break_file: Break
) -> None:
    break_file("../common/topics.json", '"ack_deadline_seconds": 90', '"ack_deadline_seconds": 30')

    with pytest.raises(TerraformFailed, match="shorter than the time limit of completion_recorder"):
        planned(workspace, Sport.NBA)


def test_topic_that_the_registry_does_not_deliver_stops_the_plan(
    workspace: Workspace, break_file: Break
) -> None:
    break_file("../functions/manifest.json", '"PREDICTION_READY"', '"PREDICTION_REQUEST"')

    with pytest.raises(TerraformFailed, match="Invalid index"):
        planned(workspace, Sport.NBA)


EVERY_TOPIC = "=> { sport = sport, constant = constant, entry = entry }"
MORE = """
resource "google_bigquery_table" "again" {
  dataset_id = "nba_predictions"
  table_id   = "player_prop_predictions"
}

resource "google_bigquery_dataset_iam_member" "anybody" {
  dataset_id = "nba_predictions"
  role       = "roles/bigquery.dataViewer"
  member     = "allAuthenticatedUsers"
}

resource "google_project_iam_member" "wide" {
  project = var.project_id
  role    = "roles/editor"
  member  = google_service_account.build.member
}
"""


def test_topic_left_out_that_something_is_subscribed_to_stops_the_plan(
    workspace: Workspace, break_file: Break
) -> None:
    break_file("pubsub.tf", EVERY_TOPIC, EVERY_TOPIC + ' if constant != "LINE_CHANGED"')

    with pytest.raises(TerraformFailed, match="Invalid index"):
        planned(workspace, Sport.NBA)


def test_what_is_left_out_granted_too_widely_or_defined_twice_is_named(
    workspace: Workspace, break_file: Break
) -> None:
    """Several faults in one plan: each has its own sentence."""
    break_file(
        "pubsub.tf",
        EVERY_TOPIC,
        EVERY_TOPIC + ' if constant != "PHASE6_EXPORT_COMPLETE"',
    )
    break_file("pubsub.tf", "for_each = local.subscriptions\n", "for_each = local.pull_subscriptions\n")
    break_file("pubsub.tf", "max_delivery_attempts = each", "max_delivery_attempts = 5 + 0 * each")
    break_file("pubsub.tf", 'dead_letter_retention = "604800s"', 'dead_letter_retention = "600s"')
    break_file("functions.tf", "event_invoker.member", "build.member")
    break_file("secrets.tf", 'role      = "roles/secretmanager.secretAccessor"', 'role      = "roles/viewer"')
    break_file("scheduler.tf", "Etc/UTC", "America/New_York")
    break_file("bigquery.tf", '"raw", ', '"raw", "scratch", ')
    break_file("outputs.tf", 'output "services" {', MORE + '\noutput "services" {')

    found = "\n".join(faults(planned(workspace, Sport.NBA), MANIFEST))

    for fault in (
        "topic: ('nba-phase6-export-complete', '86400s') is missing",
        "dead-letter topic: nba-phase6-export-complete-dlq is missing",
        "keeper: ('nba-prediction-ready-dlq-sub'",
        "subscription: {'name': 'nba-prediction-ready-completion-recorder-sub'",
        "grant to Pub/Sub's agent: ('roles/pubsub.subscriber', 'projects/offline-project/subscriptions/"
        "nba-prediction-ready-completion-recorder-sub') is missing",
        "caller: ('nba-completion-recorder', 'serviceAccount:function-build@",
        "anybody: granted to allAuthenticatedUsers",
        "wide: roles/editor on the whole project",
        "reader of a secret:",
        "schedule: ",
        "dataset: nba_scratch is extra",
        "table player_prop_predictions: is made by infra/sql, too",
    ):
        assert fault in found
