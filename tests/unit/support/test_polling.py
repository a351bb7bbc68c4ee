"""Waiting that ends."""

from datetime import timedelta

import pytest

from tests.support.polling import eventually


def test_the_first_true_answer_is_returned() -> None:
    answers = iter([None, 0, "", "here"])

    assert eventually(lambda: next(answers)) == "here"


def test_a_wait_in_vain_shows_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"the last answer was \[\]"):
        eventually(lambda: [], within=timedelta(milliseconds=50))
