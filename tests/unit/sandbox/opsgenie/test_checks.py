"""What Opsgenie refuses at once."""

from typing import Any

import pytest

from tests.support.sandbox import OpsgenieBench


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [("/acknowledge", {"user": "x" * 101}, "user"), ("/notes", {"note": "x" * 25_001}, "note"),
     ("/notes", {}, "note"), ("", {"message": "x" * 131}, "message"), ("", {}, "message"),
     ("", {"message": "x", "priority": "P9"}, "priority")],
)  # fmt: skip
def test_a_field_that_is_too_long_or_missing_is_422_and_named(path: str, body: Any, field: str) -> None:
    world = OpsgenieBench()
    alert = world.alert()
    response = world.post(f"/v2/alerts/{alert}{path}" if path else "/v2/alerts", body)
    assert response.status == 422
    assert field in response.json()["errors"]


def test_malformed_json_is_400() -> None:
    assert OpsgenieBench().post("/v2/alerts", b"{").status == 400
