"""Celery for a benchmark to compare with, kept out of everything else.

Every version has a virtual environment of its own below .run/. What cannot be had is `NotHere`.
"""

import sys
from pathlib import Path

from tests.bench.at_hand import install

NEWEST = "5.7.0"
BEFORE = "5.6.3"
"""The last in which a chord on Redis fires its callback without a claim (its source)."""

_HOME = Path(__file__).parents[2] / ".run" / "bench-celery"
_BROUGHT_ALONG = [
    "amqp==5.4.2",
    "billiard==4.3.2",
    "click==8.5.1",
    "click-didyoumean==0.3.1",
    "click-plugins==1.1.1.2",
    "click-repl==0.4.1",
    "kombu==5.7.0",
    "packaging==26.3",
    "prompt_toolkit==3.0.53",
    "python-dateutil==2.9.0.post0",
    "redis==8.1.0",
    "six==1.17.0",
    "typing_extensions==4.16.0",
    "tzdata==2026.6",
    "tzlocal==5.4.5",
    "vine==5.1.0",
    "wcwidth==0.9.4",
]


def celery_python(version: str) -> Path:
    """A Python that has this version of Celery, and redis-py."""
    venv = _HOME / version
    python = venv / "bin" / "python"
    if not python.exists():
        install([sys.executable, "-m", "venv", str(venv)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install([*pip, f"celery=={version}", *_BROUGHT_ALONG])
    return python
