"""What a shell completes behind `./ops/run`."""

import pytest
from typer.testing import CliRunner

from ops import handling, reading, reports, writing  # noqa: F401  registers the commands
from ops.options import app

VARIABLE = "_./OPS/RUN_COMPLETE"
"""As the script says that `./ops/run --show-completion` prints."""


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("./ops/run red", ["redrive"]),
        ("./ops/run dead-letters re", ["replay"]),
        ("./ops/run redrive --mi", ["--missing"]),
        ("./ops/run migrate --to du", ["dual_write"]),
        ("./ops/run status -o j", ["json"]),
    ],
)
def test_shell_completes_commands_options_and_choices(
    words: str, completed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = len(words.split()) - 1
    monkeypatch.setenv(VARIABLE, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(number))

    result = CliRunner().invoke(app, [], prog_name="./ops/run")

    assert result.stdout.split() == completed
