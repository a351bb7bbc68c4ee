"""Which system a command works on: a project, or the local stack that `./local/run serve` keeps up."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from common.result import ErrorInfo, Result
from common.settings import Settings, SettingsError

LOCAL_FILE: Final = Path(".run") / "serve.json"
"""Below the repository; `./local/run serve` writes it when everything is up, and removes it at its end."""


@dataclass(frozen=True, kw_only=True)
class Where:
    """A system, as its environment names it."""

    settings: Settings
    environment: Mapping[str, str]
    """What a client of that system has to be told; emulators included."""
    is_local: bool
    logs: Path | None = None
    """The folder of the local stack's logs; None in the cloud, which has Cloud Logging."""

    @property
    def name(self) -> str:
        """For people: `my-project (nba)`, `local stack (nba, prefix t1)`."""
        scope = f", prefix {self.settings.dataset_prefix}" if self.settings.dataset_prefix else ""
        place = "local stack" if self.is_local else self.settings.gcp_project
        return f"{place} ({self.settings.sport.value}{scope})"

    def here(self, command: str) -> str:
        """An operator's command, to be pasted: about this system and no other."""
        return f"{command} --local" if self.is_local else command

    def log_command(self, field: str, value: str, since: datetime | None) -> str:
        """What shows the lines of the logs that name this, ready to paste.

        `since` bounds the cloud's query, which is billed and slow without; the local files are searched
        whole. Quoted for a shell, as ids come from messages.
        """
        if self.logs is not None:
            # As the field stands in a line of JSON: the value alone would also find those that only mention
            # it.
            pattern, files = shlex.quote(f'"{field}": "{value}"'), f"{shlex.quote(str(self.logs))}/*.log"
            return f"grep -h {pattern} {files}"
        time = f' AND timestamp>="{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"' if since else ""
        query = shlex.quote(f'jsonPayload.{field}="{value}"{time}')
        return f"gcloud logging read {query} --project={self.settings.gcp_project}"


def local(root: Path) -> Result[Where]:
    """The stack that serves from this checkout. PERMANENT, and says how to start it, where none does."""
    file = root / LOCAL_FILE
    try:
        # Read anew by each command: a stack that was started again serves from other ports.
        note = json.loads(file.read_text(encoding="utf-8"))
        environment, logs = note["environment"], note.get("logs")
    except FileNotFoundError:
        why = f"{LOCAL_FILE}: not there; start the local stack with ./local/run serve"
        return Result.failure(ErrorInfo.permanent("NotServed", why))
    # Written by another release, or by hand: what it was meant to say is not guessed.
    except (ValueError, KeyError, TypeError) as exc:
        why = f"{LOCAL_FILE}: {exc}; start the local stack again with ./local/run serve"
        return Result.failure(ErrorInfo.permanent("NotServed", why))
    return _from(environment, is_local=True, logs=Path(logs) if logs else None)


def from_environment(environment: Mapping[str, str]) -> Result[Where]:
    """The project that `GCP_PROJECT`, `SPORT` and the others name, as for the functions themselves.

    PERMANENT (InvalidSettings), naming the variable, where one is missing or wrong.
    """
    return _from(environment, is_local=False)


def _from(environment: Mapping[str, str], *, is_local: bool, logs: Path | None = None) -> Result[Where]:
    """A system from its settings; PERMANENT (InvalidSettings), naming what is wrong."""
    try:
        settings = Settings.from_environment(environment)
    # As a failure: a variable that is missing is mended at the keyboard, and gets the status that says so.
    except SettingsError as exc:
        return Result.failure(ErrorInfo.permanent("InvalidSettings", str(exc)))
    return Result.success(Where(settings=settings, environment=environment, is_local=is_local, logs=logs))
