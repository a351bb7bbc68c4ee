"""What this machine must have before anything can start. Needs nothing but Python's standard library.

`python -m local.machine` names everything that is missing, each with the command that installs it, and then
exits with 1; with the argument `functions` or `ops` it looks no further than Python. Any Python 3.7 or newer
can run it, to say that it is the wrong one.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from .problem import Problem

# The one version that the functions run on, see `functions/manifest.json`.
_PYTHON = (3, 11)
# The oldest that the emulators start on.
_JAVA_MAJOR = 17
# `beta` has the commands, the others the emulators.
_COMPONENTS = ("beta", "cloud-firestore-emulator", "pubsub-emulator")
_TIMEOUT_SECONDS = 60


class MissingTool(Problem):
    """Something is not installed: what, and the command that installs it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")


def missing() -> Iterator[MissingTool]:
    """Everything that is missing. Takes about a second, for gcloud is asked."""
    yield from _missing_python()
    yield from _missing_java()
    yield from _missing_gcloud()


def _missing_python() -> Iterator[MissingTool]:
    """The one version, and the module that makes virtual environments, which Debian ships apart."""
    if sys.version_info[:2] != _PYTHON:
        yield MissingTool("Python 3.11 is not installed", "sudo apt-get install python3.11 python3.11-venv")
    elif importlib.util.find_spec("ensurepip") is None:
        yield MissingTool("Python 3.11 lacks its venv module", "sudo apt-get install python3.11-venv")


def _missing_java() -> Iterator[MissingTool]:
    """None, or one on which the emulators do not start."""
    remedy = "sudo apt-get install openjdk-17-jre-headless   (elsewhere: https://adoptium.net)"
    if shutil.which("java") is None:
        yield MissingTool(f"Java {_JAVA_MAJOR} or newer is not installed", remedy)
        return
    major = java_major(_output("java", "-version"))
    if major < _JAVA_MAJOR:
        yield MissingTool(f"Java is version {major}; the emulators need {_JAVA_MAJOR} or newer", remedy)


def java_major(banner: str) -> int:
    """17 from `openjdk version "17.0.15" …`; 8 from `java version "1.8.0_392"`; 0 if it says none. Pure."""
    version = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(version.group(1)) if version else 0


def _missing_gcloud() -> Iterator[MissingTool]:
    """gcloud itself, or components of it."""
    if shutil.which("gcloud") is None:
        yield MissingTool("gcloud is not installed", "see https://cloud.google.com/sdk/docs/install")
        return
    # A component that apt has installed is listed, too; `gcloud components list` would need the network.
    listed = _output("gcloud", "info", "--format=value(installation.components)")
    installed = {entry.partition("=")[0] for entry in listed.strip().split(";")}
    for component in _COMPONENTS:
        if component not in installed:
            yield MissingTool(
                f"gcloud's component {component} is not installed",
                f"gcloud components install {component}   (where apt manages gcloud, this names the package)",
            )


def _output(*command: str) -> str:
    """What the command prints, on either stream: Java tells its version on the second."""
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    return ended.stdout


def main(wanted: list[str]) -> int:
    """Prints what is missing. 0 if nothing is."""
    # A deployment and the operator's commands start no emulator.
    found = list(_missing_python() if wanted in (["functions"], ["ops"]) else missing())
    for tool in found:
        print(tool, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
