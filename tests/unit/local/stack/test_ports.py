"""Ports of this machine: no two servers on one."""

import pytest

from local.stack.ports import SharedPort, free_port, require_different


def test_two_servers_with_one_port_are_both_named() -> None:
    with pytest.raises(SharedPort, match=r"^firestore and bigquery: port 8080 can serve only one"):
        require_different({"firestore": 8080, "pubsub": 8081, "bigquery": 8080})


def test_different_ports_are_handed_back() -> None:
    assert require_different({"firestore": 8080, "pubsub": 8081}) == {"firestore": 8080, "pubsub": 8081}


def test_port_that_is_promised_already_is_not_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    promised = {free_port() for _ in range(20)}

    assert not {free_port(besides=promised) for _ in range(20)} & promised
