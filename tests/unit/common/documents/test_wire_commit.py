from pathlib import Path

from common.documents.wire_commit import LOOKED_AT_RELEASE


def test_the_pinned_client_is_the_one_whose_inside_was_looked_at() -> None:
    """When this fails: compare what the module names with the new release, then state the release there."""
    pins = (Path(__file__).parents[4] / "requirements.txt").read_text(encoding="utf-8").splitlines()

    assert f"google-cloud-firestore=={LOOKED_AT_RELEASE}" in pins
