"""A staged function is started by the framework in a process of its own; here, functions of three lines."""

import sys
from pathlib import Path

import pytest

from infra.deployment.verify import VerifyError, placeholders, verify
from tests.support.a_function import a_function

FUNCTION = a_function()
VALUES = placeholders(FUNCTION)
GOOD = """
import functions_framework.aio
import common.result
from .rules import decide

@functions_framework.aio.http
async def recorder(request):
    return decide()
"""


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    folder = tmp_path / "stage" / "recorder"
    (folder / "common").mkdir(parents=True)
    (folder / "common" / "__init__.py").touch()
    (folder / "common" / "result.py").touch()
    (folder / "rules.py").write_text("def decide(): return 'ok'\n")
    (folder / "main.py").write_text(GOOD)
    return folder


def test_function_that_starts_tells_what_it_loaded(staged: Path) -> None:
    loaded = verify(staged, FUNCTION, VALUES, sys.executable)

    assert {"main", "main.rules", "common.result"} <= loaded


def test_stage_stays_as_it_was(staged: Path) -> None:
    before = sorted(staged.rglob("*"))

    verify(staged, FUNCTION, VALUES, sys.executable)

    assert sorted(staged.rglob("*")) == before


def test_common_that_is_found_elsewhere_is_refused(staged: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "common").mkdir(parents=True)
    (tmp_path / "elsewhere" / "common" / "__init__.py").touch()
    (tmp_path / "elsewhere" / "common" / "result.py").touch()
    path_hack = f"import sys\nsys.path.insert(0, {str(tmp_path / 'elsewhere')!r})\n"
    (staged / "main.py").write_text(path_hack + GOOD)

    with pytest.raises(VerifyError, match=r"elsewhere/common/__init__\.py, outside the stage"):
        verify(staged, FUNCTION, VALUES, sys.executable)


def test_repository_is_not_found_by_accident(staged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither through the working directory nor through PYTHONPATH."""
    root = Path(__file__).resolve().parents[3]
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", str(root))
    (staged / "main.py").write_text("import common.topics\n" + GOOD)

    with pytest.raises(VerifyError, match=r"No module named 'common\.topics'"):
        verify(staged, FUNCTION, VALUES, sys.executable)


@pytest.mark.parametrize(
    ("main", "complaint"),
    [
        pytest.param(GOOD.replace("recorder", "another"), "recorder", id="entry point missing"),
        pytest.param(
            GOOD.replace("@functions_framework.aio.http", ""),
            "not registered",
            id="entry point not registered",
        ),
        pytest.param(GOOD.replace("import common.result", ""), "common: was not imported", id="no common"),
        pytest.param("import nowhere\n" + GOOD, "No module named 'nowhere'", id="requirement missing"),
        pytest.param("raise SystemExit('no settings')\n" + GOOD, "no settings", id="it gives up"),
        pytest.param("def broken(:\n", "SyntaxError", id="it is no Python"),
        pytest.param(
            GOOD.replace("decide()", "1 / 0"), "recorder: answers with 500", id="it fails when called"
        ),
    ],
)
def test_function_that_would_not_start_is_refused_with_its_last_words(
    staged: Path, main: str, complaint: str
) -> None:
    (staged / "main.py").write_text(main)

    with pytest.raises(VerifyError, match=complaint):
        verify(staged, FUNCTION, VALUES, sys.executable)


def test_environment_of_the_caller_does_not_leak(staged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/secret")
    (staged / "main.py").write_text("import os\nraise SystemExit(f'{sorted(os.environ)}')\n")

    with pytest.raises(VerifyError, match="GCP_PROJECT") as refused:
        verify(staged, FUNCTION, VALUES, sys.executable)

    assert "GOOGLE" not in str(refused.value)
