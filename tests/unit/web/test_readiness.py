"""The answer of /readyz for several routes: one bad route is named, and takes nothing out of service."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.core.model import Side
from reconciler.observability.health import Health
from reconciler.observability.metrics import Metrics
from reconciler.observability.route_metrics import RouteMetrics
from reconciler.vendors.http import SystemClock
from reconciler.web.app import Several, create
from tests.support.door import Door

PASSWORD = "open-sesame-of-the-page"


def well(health: Health) -> None:
    health.led()
    for side in Side:
        health.polled(side, ok=True)


def bad(health: Health) -> None:
    well(health)
    health.pages("nobody is paged for #17: PAGERDUTY_SERVICE_ID: Payments (PABC123) is disabled")


def standby(health: Health) -> None:
    health.stood_by()


def new(_health: Health) -> None:
    """Not led yet: the process has just started."""


BAD = "PAGERDUTY_SERVICE_ID: somebody is not paged; `reconciler status` says more"


class Doors:
    """The application over routes with these healths."""

    def __init__(self, **routes: Callable[[Health], None]) -> None:
        door = Door(STATUS_LISTEN="127.0.0.1:0", STATUS_PASSWORD=PASSWORD)
        self.routes = {name: Metrics(Health(10.0), SystemClock()) for name in routes}
        for name, make in routes.items():
            make(self.routes[name].health)
        several = Several(
            lambda: {name: each.health for name, each in self.routes.items()},
            RouteMetrics(lambda: self.routes).text,
        )
        app = create(door.settings, door.metrics, door.hints.append, None, several)
        self.client = app.test_client()

    def ask(self, path: str = "/readyz", **more: Any) -> tuple[int, dict[str, Any]]:
        answer = self.client.get(path, **more)
        assert answer.json is not None
        return answer.status_code, answer.json


def test_one_bad_route_is_named_and_leaves_the_process_ready() -> None:
    status, told = Doors(shop=well, search=bad, mail=standby).ask()
    assert (status, told) == (
        200,
        {
            "ready": True,
            "role": "leader",
            "routes": {"leader": 2, "standby": 1},
            "not_ready": {"search": BAD},
            "dead_actions": 0,
        },
    )


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ({"shop": well}, 200),
        ({"shop": standby, "search": standby}, 200),
        ({"shop": bad, "search": bad}, 503),
        ({"shop": bad, "search": standby}, 503),
        ({"shop": new, "search": new}, 503),
        ({"shop": new, "search": standby}, 503),
        ({"shop": new, "search": well}, 200),
        ({}, 200),
    ],
)
def test_the_process_is_ready_unless_every_route_that_it_works_on_is_not(
    routes: dict[str, Callable[[Health], None]], expected: int
) -> None:
    status, told = Doors(**routes).ask()
    assert (status, told["ready"], "reason" in told) == (expected, expected == 200, expected == 503)


def test_a_process_that_hangs_is_not_ready_even_if_it_only_stands_by(monkeypatch: pytest.MonkeyPatch) -> None:
    doors = Doors(shop=standby, search=standby)
    monkeypatch.setattr(Health, "alive", lambda _health: False)
    status, told = doors.ask()
    assert (status, [*told["not_ready"]]) == (503, ["shop", "search"])


def test_a_route_is_asked_for_by_its_name() -> None:
    doors = Doors(shop=well, search=bad)
    assert doors.ask("/readyz?route=shop") == (200, {"ready": True, "role": "leader", "dead_actions": 0})
    assert doors.ask("/readyz?route=search")[1]["reason"] == BAD
    status, told = doors.ask("/readyz?route=evil%3Cb%3E")
    assert (status, told["reason"]) == (503, "this process has no such route")
    assert "evil" not in str(told)


def test_the_words_of_a_reason_and_of_a_pause_need_the_password() -> None:
    doors = Doors(shop=well, search=bad)
    doors.routes["shop"].health.pauses(["PagerDuty: paused by ops@host since 17:27 UTC: maintenance"])
    assert doors.ask()[1]["paused"] == ["shop: PagerDuty: paused"]
    whole = str(doors.ask(auth=("any", PASSWORD))[1])
    assert "Payments" in whole
    assert "ops@host" in whole


def test_dead_actions_are_those_of_all_routes() -> None:
    doors = Doors(shop=well, search=well)
    doors.routes["shop"].health.dead, doors.routes["search"].health.dead = 2, 3
    assert doors.ask()[1]["dead_actions"] == 5


def test_the_metrics_are_those_of_all_routes() -> None:
    text = Doors(shop=well, search=well).client.get("/metrics").text
    assert 'reconciler_routes{state="standby"}' in text
    assert 'route="shop"' in text


def test_without_several_routes_the_name_of_one_is_ignored(door: Door) -> None:
    well(door.metrics.health)
    answer = door.client.get("/readyz?route=shop")
    assert (answer.status_code, answer.json) == (200, {"ready": True, "role": "leader", "dead_actions": 0})
    assert door.client.get("/metrics").data.startswith(door.metrics.text()[:200])
