from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from common.warehouse.parameters import Typed, to_parameters


def _api(name: str, value: Any) -> dict[str, Any]:
    """One parameter as it is sent."""
    [parameter] = to_parameters({name: value})
    return dict(parameter.to_api_repr())


@pytest.mark.parametrize(
    ("value", "type_name", "sent"),
    [
        (True, "BOOL", "true"),
        (7, "INT64", "7"),
        (1.5, "FLOAT64", 1.5),
        ("text", "STRING", "text"),
        (b"\x00\xff", "BYTES", "AP8="),
        (date(2026, 1, 17), "DATE", "2026-01-17"),
        (datetime(2026, 1, 17, 20, tzinfo=UTC), "TIMESTAMP", "2026-01-17 20:00:00+00:00"),
        (time(20, 30), "TIME", "20:30:00"),
        (Decimal("24.5"), "NUMERIC", "24.5"),
        (Decimal("0.0000000001"), "BIGNUMERIC", "1E-10"),
        (Decimal("9" * 30), "BIGNUMERIC", "9" * 30),
        pytest.param(Typed("DATE", None), "DATE", None, id="None with a declared type"),
        pytest.param(Typed("NUMERIC", Decimal(1)), "NUMERIC", "1", id="a declared type wins"),
    ],
)
def test_a_scalar_has_the_type_of_its_value(value: Any, type_name: str, sent: Any) -> None:
    parameter = _api("p", value)

    assert parameter["parameterType"] == {"type": type_name}
    assert parameter["parameterValue"].get("value") == sent


@pytest.mark.parametrize("value", [["a", "b"], ("a", "b")])
def test_a_list_has_the_type_of_its_elements(value: Any) -> None:
    parameter = _api("names", value)

    assert parameter["parameterType"] == {"type": "ARRAY", "arrayType": {"type": "STRING"}}
    assert parameter["parameterValue"]["arrayValues"] == [{"value": "a"}, {"value": "b"}]


def test_an_empty_list_takes_its_declared_type() -> None:
    assert _api("names", Typed("STRING", []))["parameterType"]["arrayType"] == {"type": "STRING"}


def test_a_mapping_is_a_struct_and_nests() -> None:
    parameter = _api("player", {"name": "a", "line": Decimal("24.5"), "team": {"abbr": "LAL"}})

    fields = {one["name"]: one["type"]["type"] for one in parameter["parameterType"]["structTypes"]}
    assert fields == {"name": "STRING", "line": "NUMERIC", "team": "STRUCT"}


def test_a_list_of_mappings_is_an_array_of_structs() -> None:
    parameter = _api("players", [{"name": "a"}, {"name": "b"}])

    assert parameter["parameterType"]["arrayType"]["type"] == "STRUCT"
    assert len(parameter["parameterValue"]["arrayValues"]) == 2


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (None, "None"),
        ([], "empty list"),
        ([1, "a"], "INT64, STRING"),
        ([None], "None"),
        (datetime(2026, 1, 17), "no time zone"),  # noqa: DTZ001
        (2**63, "INT64"),
        (Decimal("NaN"), "NaN"),
        (object(), "object"),
    ],
)
def test_a_value_whose_type_cannot_be_told_is_refused_by_name(value: Any, error: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^p: .*{error}"):
        to_parameters({"p": value})
