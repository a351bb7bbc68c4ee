from pathlib import Path

import pytest

from tests.mutants.catalogue import ROOT, Mutant, all_mutants, chosen

MUTANT = Mutant(promise="one is one", file="one.py", before="ONE = 1", after="ONE = 2", test="tests/unit")


def test_promises_are_told_apart() -> None:
    promises = [mutant.promise for mutant in all_mutants()]

    assert promises and sorted(set(promises)) == sorted(promises)


@pytest.mark.parametrize("mutant", all_mutants(), ids=lambda mutant: mutant.promise)
def test_change_of_the_list_still_has_its_place_and_its_test(mutant: Mutant) -> None:
    """Who changes that line, or moves the test, changes the list as well: else it rots."""
    path, _, name = mutant.test.partition("::")
    test = ROOT / path

    assert mutant.occurrences(ROOT) == 1
    assert mutant.before != mutant.after
    assert test.exists()
    assert name.rpartition("::")[2].partition("[")[0] in (test.read_text("utf-8") if test.is_file() else "")


def test_change_is_made_and_undone(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text("ONE = 1\nTWO = 2\n")

    original = MUTANT.apply(tmp_path)
    changed = source.read_text()
    MUTANT.undo(tmp_path, original)

    assert changed == "ONE = 2\nTWO = 2\n"
    assert source.read_text() == "ONE = 1\nTWO = 2\n"


@pytest.mark.parametrize("text", ["ONE = 1\nONE = 1\n", "ONE = 3\n"], ids=["twice", "not at all"])
def test_change_without_its_one_place_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.py").write_text(text)

    with pytest.raises(ValueError, match=r"occurs \d times in one\.py"):
        MUTANT.apply(tmp_path)


def test_words_choose_by_promise_and_by_file() -> None:
    other = Mutant(promise="two is two", file="two.py", before="2", after="3", test="tests/unit")

    assert chosen([MUTANT, other], ["two is"]) == chosen([MUTANT, other], ["two.py"]) == [other]
    assert chosen([MUTANT, other], []) == [MUTANT, other]
