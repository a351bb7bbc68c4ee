"""A deployment asks each function whether it works: it answers, on the emulators, and leaves nothing else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import bigquery, firestore

from common.sport import Sport, SportNames
from infra.deployment.answers import Answer, FirestoreAnswers
from infra.deployment.smoke import attributes, canary
from infra.manifest import load
from local.stack import ddl
from tests.support.deliveries import pubsub_message, push, request
from tests.support.fresh_function import started
from tests.support.source_tree import FUNCTIONS, ROOT

DEPLOYMENT = "dtp44f104"


async def asked(name: str, project: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The status with which the function answers a canary that is pushed to it."""
    service = SportNames(sport=Sport.NBA).service(name)
    monkeypatch.setenv("K_SERVICE", service)
    monkeypatch.setenv("K_REVISION", f"{service}-{DEPLOYMENT}")
    question = canary(service, DEPLOYMENT)
    headers, body = push(pubsub_message(b"canary", attributes=attributes(question)))
    path = f"/projects/{project}/topics/{question.name}"
    with started(f"functions.{name}.main", project) as instance:
        entry_point = getattr(instance, load(ROOT).functions[name].entry_point)
        status: int = (await entry_point(request(headers, body, path=path))).status_code
        return status


def answers(client: firestore.Client) -> FirestoreAnswers:
    return FirestoreAnswers(client, within=timedelta(seconds=5))


def uses_bigquery(name: str) -> bool:
    """As its wiring says."""
    main = (ROOT / "functions" / name / "main.py").read_text(encoding="utf-8")
    return "WarehouseWiring" in main


def expected(name: str, bigquery_says: str) -> Mapping[str, Any]:
    return {"firestore": "ok"} | ({"bigquery": bigquery_says} if uses_bigquery(name) else {})


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_function_that_works_answers_by_a_document_and_leaves_nothing_else(
    firestore_client: firestore.Client,
    bigquery_client: bigquery.Client,
    pubsub_host: str,
    project_id: str,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    ddl.apply(bigquery_client, SportNames(sport=Sport.NBA))

    assert await asked(name, project_id, monkeypatch) == 200

    service = SportNames(sport=Sport.NBA).service(name)
    question = canary(service, DEPLOYMENT)
    assert answers(firestore_client).wait(question.canary_id) == Answer(
        service=service, revision=f"{service}-{DEPLOYMENT}", checks=expected(name, "ok")
    )
    answers(firestore_client).forget(question.canary_id)
    left = [found.id for each in firestore_client.collections() for found in each.stream()]
    assert left == []


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if uses_bigquery(name)])
async def test_function_whose_tables_are_missing_says_so_and_is_no_dead_letter(
    firestore_client: firestore.Client,
    bigquery_host: str,
    pubsub_host: str,
    project_id: str,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    assert await asked(name, project_id, monkeypatch) == 200

    question = canary(SportNames(sport=Sport.NBA).service(name), DEPLOYMENT)
    found = answers(firestore_client).wait(question.canary_id)
    assert found is not None
    assert found.checks["firestore"] == "ok"
    assert "NotFound" in found.checks["bigquery"]
    assert [each.id for each in firestore_client.collections()] == ["canaries"]


def test_answer_that_does_not_come_is_waited_for_and_then_given_up(
    firestore_client: firestore.Client,
) -> None:
    now, slept = 0.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        slept.append(seconds)

    waiting = FirestoreAnswers(
        firestore_client, within=timedelta(seconds=3), sleep=sleep, monotonic=lambda: now
    )

    assert waiting.wait("nobody-answers") is None
    assert sum(slept) == pytest.approx(4)
    waiting.forget("nobody-answers")
