"""Commands about boundaries, on the emulators: held, released, dispatched by hand, once and with a reason."""

from collections.abc import Mapping

from google.cloud import firestore

from tests.support.ops_cli import ops

DAY = "2026-01-17"


def test_boundary_is_held_and_says_by_whom_until_it_is_released(environment: Mapping[str, str]) -> None:
    held = ops(environment, "hold", "3", DAY, "--why", "odds are late", "--yes")
    again = ops(environment, "hold", "3", DAY, "--why", "odds are late", "--yes")
    seen = ops(environment, "phases", DAY, "-o", "json").data["phase3_to_phase4"]
    released = ops(environment, "release", "3", DAY, "--why", "odds are in", "--yes")
    after = ops(environment, "phases", DAY, "-o", "json").data["phase3_to_phase4"]

    assert (held.status, again.status, released.status) == (0, 0, 0)
    assert "Nothing to do." in again.output
    assert (seen["state"], seen["next"]) == ("held", f"./ops/run release 3 {DAY}")
    assert "ann" in seen["verdict"] and "odds are late" in seen["verdict"]
    assert after["state"] == "waiting"


def test_dispatch_by_hand_goes_out_once_and_is_kept(
    environment: Mapping[str, str], firestore_client: firestore.Client
) -> None:
    first = ops(environment, "dispatch", "3", DAY, "--why", "the gate is wrong", "--yes")
    again = ops(environment, "dispatch", "3", DAY, "--why", "the gate is wrong", "--yes")
    seen = ops(environment, "explain", DAY, "-o", "json").data["boundaries"]["phase3_to_phase4"]

    assert (first.status, again.status) == (0, 0)
    assert "Nothing to do." in again.output
    assert seen["state"] == "dispatched"
    assert len(list(firestore_client.collection("operations").stream())) == 1


def test_phase_that_no_boundary_follows_is_wrong_usage(environment: Mapping[str, str]) -> None:
    said = ops(environment, "hold", "9", DAY, "--why", "x", "--yes")

    assert said.status == 2 and "9 has no boundary" in said.problem
