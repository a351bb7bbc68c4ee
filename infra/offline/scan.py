"""checkov over the plan of all sports: `./tests/run checkov`. Fails on what checkov.yaml does not waive."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from common.sport import Sport

from .planning import PROJECT, Workspace

ROOT = Path(__file__).resolve().parents[2]
CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"
TIMEOUT_SECONDS = 300.0
"""Of checkov's one run."""
VARIABLES: Mapping[str, object] = {
    "project_id": PROJECT,
    "region": "us-west2",
    "sports": [sport.value for sport in Sport],
    "firestore_location": "us-west2",
    "bigquery_location": "us-west2",
}
"""Values that make every resource there is: all sports at once."""


def main() -> int:
    """checkov's exit status: 0 where nothing is left to mend."""
    with tempfile.TemporaryDirectory() as folder, Workspace.open(ROOT, Path(folder)) as workspace:
        workspace.init()
        plan = Path(folder) / "plan.json"
        plan.write_text(json.dumps(workspace.plan(VARIABLES)), encoding="utf-8")
        # `--skip-download`: the rules of the package alone; nobody's server is asked.
        options = ["--framework", "terraform_plan", "--skip-download", "--compact", "--quiet"]
        config = ["--config-file", str(ROOT / "infra" / "checkov.yaml")]
        return subprocess.run(
            [str(CHECKOV), "--file", str(plan), *options, *config], timeout=TIMEOUT_SECONDS
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
