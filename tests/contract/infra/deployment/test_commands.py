"""Every command of a deployment is one that the real gcloud's parser accepts: it is asked, and no account is.

It checks the names of flags, and hardly any values: those are checked in `target`, `manifest` and
`preflight`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from infra.deployment import commands
from infra.deployment.commands import Command
from infra.deployment.preflight import Facts, obstacles
from infra.deployment.target import target
from tests.support.a_function import a_function
from tests.support.gcloud_project import GIVEN
from tests.support.source_tree import ROOT

TARGET = target(GIVEN)
PARSER = ROOT / "tests" / "support" / "gcloud_parser.py"


def refusals(words: Sequence[Command], folder: Path) -> list[str]:
    """What gcloud's parser says of each; empty where it accepts."""
    gcloud = shutil.which("gcloud")
    assert gcloud is not None
    sdk = Path(gcloud).resolve().parents[1]
    parsed = subprocess.run(
        [sys.executable, "-I", "-S", str(PARSER), str(sdk)],
        input="".join(json.dumps(each) + "\n" for each in words),
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "CLOUDSDK_CONFIG": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert parsed.returncode == 0, parsed.stderr
    found = [json.loads(line) for line in parsed.stdout.splitlines()]
    assert len(found) == len(words)
    return found


@pytest.fixture(scope="module")
def printed() -> list[Command]:
    """What a dry run prints, and what only some deployments do."""
    ended = subprocess.run(
        [sys.executable, "-m", "infra.deployment", "--dry-run", "--verify", "/bin/true"],
        cwd=ROOT,
        env={**os.environ, **GIVEN, "SLACK_WEBHOOK_URL_SECRET": "slack", "DATASET_PREFIX": "t1"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [shlex.split(line) for line in ended.stdout.splitlines() if line.startswith("gcloud ")]
    return [*lines, *rare()]


def rare() -> list[Command]:
    return [
        commands.remove_tags("nba-x", TARGET, untag=["d12345678", "d87654321"]),
        commands.move_traffic("nba-x", TARGET, to="nba-x-1", previous=None, untag=["previous"]),
    ]


def test_every_command_is_accepted(printed: list[Command], tmp_path: Path) -> None:
    refused = dict(zip(map(shlex.join, printed), refusals(printed, tmp_path), strict=True))

    assert {command: told for command, told in refused.items() if told} == {}
    assert {"deploy", "update-traffic", "publish", "get-iam-policy"} <= {
        word for command in printed for word in command
    }


def test_misspelt_flag_of_any_command_is_refused(printed: list[Command], tmp_path: Path) -> None:
    kinds = {tuple(word for word in each[:5] if not word.startswith("-")): each for each in printed}
    misspelt = [[re.sub(r"^--(\w)", r"--x\1", word) for word in each] for each in kinds.values()]

    assert len(misspelt) > 5
    assert all("unrecognized arguments" in told or "refused" in told for told in refusals(misspelt, tmp_path))


def test_sources_and_files_that_a_dry_run_names_are_there_afterwards(printed: list[Command]) -> None:
    named = [word for each in printed for word in each if word.startswith(("--source=", "--env-vars-file="))]

    assert len(named) >= 4
    assert all(Path(word.partition("=")[2]).exists() for word in named)


def test_remedies_that_people_are_told_are_accepted_too(tmp_path: Path) -> None:
    may_act: dict[str, frozenset[str]] = {TARGET.invoker: frozenset()}
    nothing = Facts(
        account="ann@example.com", project_number="1", apis=frozenset(), policy={}, accounts=frozenset()
    )
    found = obstacles(
        nothing, TARGET, {"x": a_function()}, may_act=may_act, runtime="python311", today=date(2026, 11, 26)
    )
    told = [shlex.split(each.remedy) for each in found if each.remedy.startswith("gcloud ")]

    assert len(told) > 5
    assert set(refusals(told, tmp_path)) == {""}
