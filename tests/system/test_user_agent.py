"""Every request names the program and its version in User-Agent, so that the vendors' support can identify it."""

import pytest

from reconciler import __version__
from reconciler.sandbox.app import Reply, Sandbox
from reconciler.sandbox.wire import Request
from tests.support.harness import World
from tests.support.harness.beats import a_switch


def test_every_request_bears_the_version(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agents: dict[str, set[str | None]] = {}

    def handle(sandbox: Sandbox, request: Request) -> Reply:
        agents.setdefault(request.path.split("/")[1], set()).add(request.headers.get("user-agent"))
        return answered(sandbox, request)

    answered = Sandbox.handle
    alert = world.raise_alert()
    monkeypatch.setattr(Sandbox, "handle", handle)
    with a_switch() as switch:
        world.once(HEARTBEAT_URL=switch.url, OPSGENIE_HEARTBEAT="reconciler prod")
        world.run("doctor")
    monkeypatch.undo()
    assert world.is_paged(alert)
    agents["switch"] = set(switch.agents)
    assert agents == {one: {f"reconciler/{__version__}"} for one in ("opsgenie", "pagerduty", "switch")}
