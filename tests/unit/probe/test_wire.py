from typing import Any

import pytest

from reconciler.errors import Blocked, NotExecuted, Refused
from reconciler.probe.wire import TIME_OVER, Api, Halt, NotSettled, Stopped, shortened
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.clock import SimClock
from tests.support.probing import bench


def api_with(*answers: Response) -> tuple[Api, list[Request]]:
    """PagerDuty's API in a bench that then gives these answers, the last one again and again; the requests."""
    left, seen = list(answers), list[Request]()
    begun = False

    def vendor(request: Request, sandbox: Sandbox) -> Any:
        if not begun:
            return sandbox.handle(request)
        seen.append(request)
        return left.pop(0) if len(left) > 1 else left[0]

    api = bench(vendor=vendor).probe.trial.incidents.api
    begun = True
    return api, seen


def test_a_refusal_is_an_answer_with_the_vendors_words() -> None:
    refusal = {"error": {"message": "Arguments Caused Error", "code": 2002, "errors": ["no"]}}
    api, _ = api_with(json_response(400, refusal))
    reply = api.send("POST", "/incidents", {})
    assert (reply.ok, reply.words) == (False, "400: Arguments Caused Error; no (code 2002)")
    with pytest.raises(NotSettled, match="a new incident: 400: Arguments"):
        reply.needed("a new incident")
    assert api.get("/incidents/1").status == 400


def test_a_refused_key_is_an_error() -> None:
    api, _ = api_with(json_response(401, {"error": {"message": "Authentication failed", "code": 2006}}))
    with pytest.raises(Refused):
        api.get("/incidents")


def test_a_page_of_a_proxy_is_no_answer_of_the_vendor() -> None:
    api, _ = api_with(Response(403, b"<html>no</html>", {"Content-Type": "text/html"}))
    with pytest.raises(Blocked):
        api.get("/incidents/1")
    with pytest.raises(Blocked):
        api.send("PUT", "/incidents/1", {})


def test_a_write_that_a_rate_limit_turned_away_is_sent_again_and_not_for_ever() -> None:
    limited = json_response(
        429, {"error": {"message": "Rate Limit Exceeded", "code": 2020}}, {"ratelimit-reset": "2"}
    )
    api, seen = api_with(limited, limited, json_response(201, {"incident": {}}))
    assert api.send("POST", "/incidents", {}).status == 201
    assert len(seen) == 3
    api, seen = api_with(limited)
    with pytest.raises(NotExecuted):
        api.send("POST", "/incidents", {})
    assert len(seen) == 3


def test_nothing_is_sent_once_the_operator_wants_to_stop_or_the_time_is_over() -> None:
    clock, wanted = SimClock(), list[bool]()
    halt = Halt(lambda: bool(wanted), clock)
    halt.check()
    wanted.append(True)
    with pytest.raises(Stopped):
        halt.check()
    with halt.ignored():
        halt.check()
    wanted.clear()
    halt.last = clock.monotonic()
    with pytest.raises(NotSettled, match=TIME_OVER):
        halt.check()


def test_a_stopped_api_sends_nothing() -> None:
    made = bench()
    before = len(made.wire.calls)
    made.stop.set()
    with pytest.raises(Stopped):
        made.probe.trial.incidents.open()
    with pytest.raises(Stopped):
        made.probe.trial.incidents.create()
    assert len(made.wire.calls) == before
    assert made.probe.objects.left() == ()


def test_a_long_text_is_cut() -> None:
    assert shortened("x" * 200) == "x" * 159 + "…"
    assert shortened("short") == "short"
