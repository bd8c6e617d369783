"""What PagerDuty refuses to create."""

from typing import Any

import pytest

from tests.support.sandbox import NEW, READ, WRITE, PagerDutyBench, error


def test_every_write_needs_a_known_from_and_a_content_type() -> None:
    world = PagerDutyBench()
    nobody = world.send("POST", "/incidents", {"incident": NEW}, READ | {"Content-Type": "application/json"})
    assert nobody.status == 400
    assert nobody.json()["error"]["message"] == (
        'You must specify a user\'s email address in the "From" header to perform this action'
    )
    assert error(world.send("POST", "/incidents", {}, WRITE | {"From": "x@example.com"})) == (400, 1008)
    bare = {name: value for name, value in WRITE.items() if name != "Content-Type"}
    response = world.send("POST", "/incidents", {"incident": NEW}, bare)
    assert response.json()["error"] == {
        "message": "Invalid Input Provided", "code": 2001, "errors": ["params must be a Hash"]
    }  # fmt: skip
    assert error(world.send("POST", "/incidents", NEW)) == (400, 2001)


@pytest.mark.parametrize(
    "wrong", [{"title": " "}, {"title": "x" * 1025}, {"type": "x"}, {"urgency": "huge"}, {"body": {"details": {}}}]
)
def test_an_invalid_new_incident_is_400(wrong: Any) -> None:
    assert error(PagerDutyBench().send("POST", "/incidents", {"incident": NEW | wrong})) == (400, 2001)
