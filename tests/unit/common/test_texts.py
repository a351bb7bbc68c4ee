import pytest

from common.texts import MAX_NAMED, counted, cut, cut_bytes, details_of, first_of


def test_text_that_fits_is_kept() -> None:
    assert cut("x" * 50, 50) == "x" * 50


@pytest.mark.parametrize("length", [51, 1_000_000])
def test_text_that_is_too_long_says_how_long_it_was(length: int) -> None:
    told = cut("x" * length, 50)

    assert len(told) == 50
    assert told.endswith(f"… (cut: {length:,} characters)")
    assert cut(told, 50) == told


def test_first_problems_are_named_and_the_others_counted() -> None:
    assert first_of(["a", "b"]) == "a; b"
    assert first_of(["p"] * (MAX_NAMED + 3)) == "; ".join(["p"] * MAX_NAMED) + "; and 3 more"
    assert first_of(["p"] * (MAX_NAMED + 3), separator=", ") == ", ".join(["p"] * MAX_NAMED) + ", and 3 more"


def test_details_hold_the_first_problems_and_count_all() -> None:
    assert details_of(["a", "b"]) == {"problems": ["a", "b"], "problem_count": 2}
    assert details_of(range(MAX_NAMED + 3)) == {
        "problems": list(range(MAX_NAMED)),
        "problem_count": MAX_NAMED + 3,
    }


@pytest.mark.parametrize(
    ("max_bytes", "kept"), [(5, "Dončić"[:4]), (4, "Don"), (3, "Don"), (8, "Dončić"), (0, "")]
)
def test_cut_to_bytes_leaves_no_half_characters(max_bytes: int, kept: str) -> None:
    assert cut_bytes("Dončić", max_bytes) == kept


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (counted(0, "player"), "0 players"),
        (counted(1, "player"), "1 player"),
        (counted(20_000, "player"), "20,000 players"),
        (counted(3, "batch"), "3 batches"),
        (counted(2, "boundary"), "2 boundaries"),
        (counted(2, "key"), "2 keys"),
        (counted(1, "player", "have"), "1 player has"),
        (counted(2, "player", "have"), "2 players have"),
        (counted(1, "row", "break"), "1 row breaks"),
        (counted(1, "message", "are"), "1 message is"),
    ],
)
def test_number_meets_its_noun_and_its_verb(told: str, said: str) -> None:
    assert told == said
