from typing import Any

import pytest

from common.batches.player_manifest import CHUNK_PLAYERS, MAX_PLAYERS, chunks, digest, freeze, join
from common.result import ErrorType


def test_frozen_set_is_sorted_and_normalised() -> None:
    frozen = freeze(["Luka Dončić", "John Doe Jr."]).unwrap()

    assert frozen == ("johndoejr", "lukadoncic")


def test_digest_tells_sets_apart_and_not_orders() -> None:
    assert digest(freeze(["b", "a"]).unwrap()) == digest(freeze(["a", "b"]).unwrap())
    assert digest(("ab",)) != digest(("a", "b"))


@pytest.mark.parametrize("number", [0, 1, CHUNK_PLAYERS, CHUNK_PLAYERS + 1, MAX_PLAYERS])
def test_chunks_join_to_the_set(number: int) -> None:
    players = freeze([f"player{index:05}" for index in range(number)]).unwrap()

    documents = chunks(players)

    written = [document["players"] for document in documents.values()]
    assert join(written, digest(players)).unwrap() == frozenset(players)
    assert all(len(document["players"]) <= CHUNK_PLAYERS for document in documents.values())
    assert list(documents) == [f"manifest/{index}" for index in range(-(-number // CHUNK_PLAYERS))]


def test_damaged_manifest_is_an_error_and_not_a_smaller_set() -> None:
    players = freeze(["ann", "ben"]).unwrap()

    assert join([["ann"]], digest(players)).is_failure


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["ann", ".-"], "'.-' holds no letter and no digit"),
        (["x" * 201], "is longer than 200 characters"),
        (["Max Muncy", "Max Muncy"], "'Max Muncy' and 'Max Muncy' are both 'maxmuncy'"),
        ([f"p{index}" for index in range(MAX_PLAYERS + 1)], "20001 players, at most 20000"),
    ],
    ids=["no name", "too long", "namesakes", "too many"],
)
def test_what_cannot_be_frozen_is_named(names: list[str], why: str) -> None:
    error = freeze(names).error

    assert error is not None and error.message.startswith("expected_players:") and why in error.message


def test_every_bad_name_is_told_at_once_and_namesakes_are_told_apart() -> None:
    names: list[Any] = ["Max Muncy", "LeBron James", "max muncy", "\ufffd", None]

    error = freeze(names).error

    assert error is not None and error.type is ErrorType.PERMANENT
    assert error.details is not None and error.details["problem_count"] == 3
    for told in ("'\ufffd' was decoded wrongly", "None is not text", "'Max Muncy' and 'max muncy' are both"):
        assert told in error.message


def test_namesakes_with_a_lookup_each_are_two_players() -> None:
    assert freeze(["Max Muncy", "maxmuncyathletics"]).unwrap() == ("maxmuncy", "maxmuncyathletics")
