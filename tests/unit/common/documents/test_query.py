import pytest

from common.documents.query import Query, at_least, equal


def test_what_is_compared_is_what_orders() -> None:
    with pytest.raises(ValueError, match=r"order_by has to be \['at'\]"):
        Query(where=(at_least("at", 1), equal("n", 1)), order_by="n")

    assert Query(where=(at_least("at", 1), equal("n", 1)), order_by="at").where
