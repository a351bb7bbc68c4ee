"""Every function starts from its stage, in a process of its own, with what requirements.txt installs."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from infra.deployment.stage import stage
from infra.deployment.verify import VerifyError, placeholders, verify
from infra.manifest import load
from tests.support.source_tree import FUNCTIONS, ROOT

PYTHON = ROOT / ".venv" / "functions" / "bin" / "python"
MANIFEST = load(ROOT)


@dataclass(frozen=True, kw_only=True)
class Started:
    """What became of the staged functions."""

    loaded: Mapping[str, frozenset[str]]
    """The modules of each."""
    refused: Mapping[str, str]
    """What each says that is started without its settings."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Started:
    """Staged as ./deploy.sh stages them, and started all at the same time: each takes half a second."""
    staged = tmp_path_factory.mktemp("staged")
    for name in FUNCTIONS:
        stage(ROOT, name, staged)

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
