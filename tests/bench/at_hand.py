"""Installing what a benchmark compares with; what cannot be had is `NotHere`."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.frame import NotHere

_INSTALL_SECONDS = 300


def install(command: Sequence[str], cwd: Path | None = None) -> None:
    """Run one command of an installation."""
    try:
        subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except FileNotFoundError as error:
        raise NotHere(f"{' '.join(command)}: there is no {error.filename} here") from error
    except subprocess.TimeoutExpired as error:
        raise NotHere(f"{' '.join(command)}: took more than {_INSTALL_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise NotHere(f"{' '.join(command)}: {error.stderr.strip()[-300:]}") from error
