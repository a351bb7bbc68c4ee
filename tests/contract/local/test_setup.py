"""On a bare machine, set-up names what is missing, and each time the command that installs it."""

import subprocess
import sys
from pathlib import Path

from tests.support.fake_tools import install

_SETUP = Path(__file__).parents[3] / "local" / "setup"


def set_up(path: Path) -> subprocess.CompletedProcess[str]:
    """Runs it with nothing to be found but what lies in `path`."""
    return subprocess.run(
        ["/bin/bash", str(_SETUP)],
        env={"PATH": str(path)},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_python_that_is_all_it_says(tmp_path: Path) -> None:
    ended = set_up(tmp_path)

    assert ended.returncode == 1
    assert ended.stderr == "Python 3.11 is not installed: sudo apt-get install python3.11 python3.11-venv\n"


def test_with_python_it_names_everything_else_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "python3.11").symlink_to(sys.executable)

    ended = set_up(tmp_path)

    assert ended.returncode == 1
    java, gcloud = ended.stderr.splitlines()
    assert java.startswith("Java 17 or newer is not installed: sudo apt-get install openjdk-17")
    assert gcloud.startswith("gcloud is not installed: ")


def test_it_names_what_is_too_old_and_every_component_that_gcloud_lacks(tmp_path: Path) -> None:
    (tmp_path / "python3.11").symlink_to(sys.executable)
    install(tmp_path, "java", says='java version "1.8.0_392"')
    install(tmp_path, "gcloud", says="core=2025.06.20;beta=2025.06.20")

    ended = set_up(tmp_path)

    assert ended.returncode == 1
    java, firestore, pubsub = ended.stderr.splitlines()
    assert java.startswith("Java is version 8; ")
    assert "gcloud components install cloud-firestore-emulator" in firestore
    assert "gcloud components install pubsub-emulator" in pubsub
