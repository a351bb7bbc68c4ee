"""Does a staged function start and answer, and from its own files? Asked of a process of its own, as the
platform asks.

The framework appends a function's folder to the search path, so that any `common` found earlier wins
(measured). Hence a neutral working directory, `python -P`, no PYTHONPATH, and a look at where each module
of ours was found.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..manifest import Function
from .problem import DeployError

START_TIMEOUT_SECONDS = 60.0
"""A cold start takes about a second; a function that waits for a store at its start never ends."""
_PLACEHOLDERS = {"GCP_PROJECT": "verify", "SPORT": "nba"}
"""What a setting must look like for a function to start; nothing is reached under these names."""

# Loads the function through the framework itself and calls it once, with what is no delivery: it needs no
# store for its answer. Exits with a sentence when something is wrong.
_PROBE = """
import asyncio, sys
from pathlib import Path
from functions_framework import _function_registry as registry, aio

stage, target = Path(sys.argv[1]).resolve(), sys.argv[2]
app = aio.create_asgi_app(target, str(stage / "main.py"))
if target not in registry.REGISTRY_MAP or target not in registry.ASGI_FUNCTIONS:
    sys.exit(f"{target}: is not registered with functions_framework.aio")
ours = {n: m for n, m in sys.modules.items() if n.split(".")[0] in ("common", "main", "functions")}
if "common" not in ours:
    sys.exit("common: was not imported")
for name, module in ours.items():
    if not Path(module.__file__ or "").resolve().is_relative_to(stage):
        sys.exit(f"{name}: found at {module.__file__}, outside the stage")
modules = sorted(sys.modules)
request = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}
answered = []
async def send(message):
    answered.append(message.get("status", 0))
asyncio.run(app(request, receive, send))
if max(answered, default=500) >= 500:
    sys.exit(f"{target}: answers with {max(answered, default='nothing')}")
print("\\n".join(modules))
"""


class VerifyError(DeployError):
    """A staged function that would not start; the message holds the last words of its process."""


def verify(
    staged: Path, function: Function, values: Mapping[str, str], python: Path | str = sys.executable
) -> frozenset[str]:
    """Start the function in its own process under `python`; returns the names of all modules that it loaded.

    `values` is the whole of its environment, as it will be deployed: a value that would stop the function
    at its cold start stops it here. Nothing of the caller's is added: credentials or a PYTHONPATH could
    hide what is missing. Raises VerifyError if it does not load, if its entry point is not registered, or
    if a module of ours comes from outside `staged`.
    """
    # `-P`: the working directory is not on the search path; `-B`: the stage is not written to.
    command = [str(python), "-B", "-P", "-c", _PROBE, str(staged.resolve()), function.entry_point]
    try:
        with tempfile.TemporaryDirectory() as neutral:
            probe = subprocess.run(
                command,
                cwd=neutral,
                env=dict(values),
                capture_output=True,
                text=True,
                timeout=START_TIMEOUT_SECONDS,
            )
    except OSError as exc:
        raise VerifyError(f"{python}: cannot be run") from exc
    except subprocess.TimeoutExpired as exc:
        raise VerifyError(f"{staged.name}: has not started within {START_TIMEOUT_SECONDS:g} s") from exc
    if probe.returncode != 0:
        # The last line is the exception, or the sentence of the probe.
        told = (probe.stderr.strip() or probe.stdout.strip() or f"status {probe.returncode}").splitlines()
        raise VerifyError(f"{staged.name}: would not start: {told[-1]}")
    return frozenset(probe.stdout.split())


def placeholders(function: Function) -> dict[str, str]:
    """Values for a function that is only staged: nobody has said where it will be deployed."""
    required = {name: _PLACEHOLDERS.get(name, "verify") for name in function.required_env}
    return required | dict(function.fixed_env)
