"""JSON objects as the text they are kept as."""

import pytest

from parlour.store.kept_json import KeptJson, compact_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ({"a": [1, {"ü": None}]}, '{"a":[1,{"ü":null}]}'),
        ({"large": 10**40, "small": 1e-7}, '{"large":' + "1" + "0" * 40 + ',"small":1e-07}'),
    ],
)
def test_text_and_value_are_the_same(value: dict[str, object], text: str) -> None:
    kept = KeptJson(text)
    assert compact_json(value) == compact_json(kept) == text
    assert kept == value
    assert dict(kept) == value
    assert (len(kept), bool(kept)) == (len(value), bool(value))
    assert {key: kept[key] for key in kept} == value
