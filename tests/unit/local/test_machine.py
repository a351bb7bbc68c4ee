"""What is read from the tools' own words."""

import pytest

from local.machine import java_major, main


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        pytest.param('openjdk version "17.0.15" 2025-04-15', 17, id="a release of today"),
        pytest.param('openjdk version "21" 2023-09-19', 21, id="the first of a new one"),
        pytest.param('java version "1.8.0_392"', 8, id="from when versions began with 1"),
        pytest.param("The operation couldn't be completed. Unable to locate a Java Runtime.", 0, id="none"),
    ],
)
def test_java_tells_its_version_in_many_ways(banner: str, major: int) -> None:
    assert java_major(banner) == major


def test_deploying_needs_python_and_no_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert main(["functions"]) == 0
    assert main([]) == 1
