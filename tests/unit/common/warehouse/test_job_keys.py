import re

from common.warehouse.job_keys import job_key


def test_the_same_work_has_the_same_key_and_other_work_another() -> None:
    assert job_key("merge", "d", "b", 1) == job_key("merge", "d", "b", 1)
    assert job_key("merge", [{"a": 1, "b": 2}]) == job_key("merge", [{"b": 2, "a": 1}])
    others = {
        job_key("merge", "ab", "c"),
        job_key("merge", "a", "bc"),
        job_key("merge", "abc"),
        job_key("m", "abc"),
    }
    assert len(others) == 4


def test_a_key_is_one_that_bigquery_takes_as_the_id_of_a_job() -> None:
    assert re.fullmatch(r"[a-z0-9-]{1,100}", job_key("gather-7-0", "näme", None, 1.5))
