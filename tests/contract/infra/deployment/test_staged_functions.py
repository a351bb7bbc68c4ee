"""Every function starts from its stage, in a process of its own, with what requirements.txt installs."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.deployment.release import digest
from infra.deployment.stage import stage
from infra.deployment.verify import VerifyError, placeholders, verify
from infra.manifest import load
from tests.support.source_tree import FUNCTIONS, ROOT

PYTHON = ROOT / ".venv" / "functions" / "bin" / "python"
MANIFEST = load(ROOT)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All functions, staged as ./deploy.sh stages them."""
    folder = tmp_path_factory.mktemp("staged")
    for name in FUNCTIONS:
        stage(ROOT, name, folder)
    return folder


@dataclass(frozen=True, kw_only=True)
class Started:
    """What became of the staged functions."""

    loaded: Mapping[str, frozenset[str]]
    """The modules of each."""
    refused: Mapping[str, str]
    """What each says that is started without its settings."""


@pytest.fixture(scope="module")
def started(staged: Path) -> Started:
    """All at the same time: each takes half a second."""

    def load_with_settings(name: str) -> frozenset[str]:
        return verify(staged / name, MANIFEST.functions[name], placeholders(MANIFEST.functions[name]), PYTHON)

    def load_without_settings(name: str) -> str:
        with pytest.raises(VerifyError) as refusal:
            verify(staged / name, MANIFEST.functions[name], MANIFEST.functions[name].fixed_env, PYTHON)
        return str(refusal.value)

    with ThreadPoolExecutor() as pool:
        loaded = pool.map(load_with_settings, FUNCTIONS)
        refused = pool.map(load_without_settings, FUNCTIONS)
        return Started(
            loaded=dict(zip(FUNCTIONS, loaded, strict=True)),
            refused=dict(zip(FUNCTIONS, refused, strict=True)),
        )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_staged_function_starts_in_its_own_process_from_its_own_files(started: Started, name: str) -> None:
    assert {"main", "main.handler", "common.result"} <= started.loaded[name]


def test_staged_recorder_never_loads_bigquery_pandas_or_pyarrow(started: Started) -> None:
    names = started.loaded["completion_recorder"]

    assert not {name.split(".")[0] for name in names} & {"pandas", "pyarrow", "numpy"}
    assert "google.cloud.firestore" in names
    assert not [name for name in names if name.startswith("google.cloud.bigquery")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_staged_function_without_its_settings_stops_and_names_them(started: Started, name: str) -> None:
    assert "GCP_PROJECT: Field required" in started.refused[name]


def test_common_is_the_same_in_every_stage(staged: Path) -> None:
    assert len({digest(staged / name / "common") for name in FUNCTIONS}) == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_stage_holds_files_only_and_nothing_that_is_not_needed(staged: Path, name: str) -> None:
    found = [path for path in (staged / name).rglob("*") if not path.is_dir()]

    assert {path.suffix for path in found} <= {".py", ".pyc", ".json", ".txt", ".sql", ".j2"}
    assert not [path for path in found if path.is_symlink() or path.name.startswith("test_")]
    assert {path.name for path in (staged / name).iterdir()} >= {"main.py", "common", "requirements.txt"}
