"""Who is on call on a policy, each with the level of the policy."""

from typing import Any

import pytest
import responses

from reconciler.core.model import SOMEBODY, Person
from reconciler.vendors.json_fields import ignore
from reconciler.vendors.pagerduty.duty import on_duty
from reconciler.vendors.pagerduty.pages import Pages
from tests.support.wire.http import PAGERDUTY, http
from tests.support.wire.pagerduty import page, user

OTHERS = {"escalation_policy": {"id": "POTHER"}}


def row(level: Any, who: Any, **more: Any) -> dict[str, Any]:
    return {"user": who, "escalation_level": level, "escalation_policy": {"id": "PESC"}} | more


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        (
            [row(2, user("POMAR", "Omar")), row(1, user("PJANE", "Jane"))],
            [(2, Person("POMAR", "Omar")), (1, Person("PJANE", "Jane"))],
        ),
        ([row(1, user("PJANE", "Jane"), **OTHERS)], []),
        ([row(1, user("PJANE", "Jane"), escalation_policy=None)], [(1, Person("PJANE", "Jane"))]),
        ([row(None, None), "odd"], [(0, SOMEBODY), (0, SOMEBODY)]),
    ],
)  # fmt: skip
def test_the_people_of_this_policy_are_on_duty(
    wire: responses.RequestsMock, rows: list[Any], expected: list[tuple[int, Person]]
) -> None:
    wire.get(f"{PAGERDUTY}/oncalls", json=page("oncalls", rows))
    assert on_duty(Pages(http("PagerDuty"), ignore), "PESC") == expected
