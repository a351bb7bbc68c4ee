import subprocess
import sys
from importlib import import_module

import pytest

FACES = ("common.consolidation", "common.predictions", "common.staging", "common.warehouse")


@pytest.mark.parametrize("name", FACES)
def test_every_name_of_a_face_is_found_and_no_other(name: str) -> None:
    face = import_module(name)

    assert all(getattr(face, each) is not None for each in face.__all__)
    with pytest.raises(AttributeError, match="unheard_of"):
        _ = face.unheard_of


def test_a_face_loads_no_client_before_it_is_asked_for_one() -> None:
    script = f"import sys, {', '.join(FACES)}; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "common.consolidation.receipt" in loaded.stdout.split()
    assert not [each for each in loaded.stdout.split() if each.startswith(("google.cloud.", "google.api"))]
