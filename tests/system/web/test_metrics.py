"""Metrics and health of the installed daemon, over HTTP."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from reconciler import __version__
from reconciler.observability.health import SHORTEST_GRACE
from tests.support.harness import World, a_world
from tests.support.harness.listener import FAST_PATH, opsgenie_body, pagerduty_body

CLOSED = ("actions_total", "echoes_total", "hint_reconciles_total", "webhooks_total")


def test_every_counter_exists_from_the_start_with_0(world: World) -> None:
    """Without the 0, the first refusal would not count as an increase; no label set is added later."""

    def closed() -> dict[str, float]:
        names = tuple(f"reconciler_{name}" for name in CLOSED)
        return {sample: value for sample, value in world.metrics().items() if sample.startswith(names)}

    world.open_ready()
    before = closed()
    assert set(before.values()) == {0}
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page")
    refuse_notes(world)
    world.customer(alert, "notes", text="refused for good")
    world.engineer(alert, "notes", text="on it")
    world.until(lambda: bool(world.metric("reconciler_actions_dead", kind="pagerduty.add_note")), "it is dead")
    world.until(lambda: bool(world.metric("reconciler_actions_total", reason="seen")), "the note is proved")
    world.until(lambda: bool(world.metric("reconciler_echoes_total")), "an echo")
    for body in (b"{", pagerduty_body("PX"), pagerduty_body("PX", data=7)):
        world.deliver("PX", "one", body=body)
        world.deliver("PX", body=body, **{"X-PagerDuty-Signature": "v1=0"})
    for report in ({}, opsgenie_body("x"), opsgenie_body("x") | {"integrationId": "other"}):
        world.report(report)
        world.report(report, **{"X-Webhook-Secret": "wrong"})
    world.get("/pd-webhook")
    world.deliver(world.incident(alert)["id"])
    world.until(lambda: bool(world.metric("reconciler_hint_reconciles_total")), "a pair that a webhook named")
    assert closed().keys() == before.keys()


def test_webhook_counters_exist_only_for_configured_endpoints(world: World) -> None:
    world.open(OPSGENIE_INTEGRATION_ID="", OPSGENIE_WEBHOOK_SECRET="")
    assert world.metric("reconciler_webhooks_total", vendor="pagerduty") == 0
    assert world.metric("reconciler_webhooks_total", vendor="opsgenie") is None


# -- the daemon --


def test_without_http_listen_no_port_is_opened_and_webhook_settings_cause_a_warning(world: World) -> None:
    """Webhook settings without HTTP_LISTEN cause a warning of `run` only."""
    done = world.run("once", **FAST_PATH)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "first start" not in line] == []
    world.start(**(FAST_PATH | {"HTTP_LISTEN": ""}))
    world.until(lambda: world.polls() > 2, "cycles")
    told = [event["event"].partition(":")[0] for event in world.events() if event["level"] == "warning"]
    assert told == ["PAGERDUTY_WEBHOOK_SECRET", "OPSGENIE_INTEGRATION_ID"]
    pid = world.daemons[-1].pid
    maps = Path(f"/proc/{pid}/net/tcp").read_text()
    inodes = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    listening = [line.split()[9] for line in maps.splitlines()[1:] if line.split()[3] == "0A"]
    assert not {f"socket:[{inode}]" for inode in listening} & inodes
    assert '"listening"' not in world.log()
    assert world.stop() == 0


def test_a_port_in_use_exits_with_2_and_one_line_that_names_http_listen(world: World) -> None:
    world.open()
    done = world.run(
        "run", HTTP_LISTEN=f"127.0.0.1:{world.port}", DATABASE_URL=f"sqlite:///{world.folder / 'x.db'}"
    )
    assert done.returncode == 2
    assert done.stderr.startswith("reconciler: HTTP_LISTEN: cannot listen on 127.0.0.1:")
    assert len(done.stderr.splitlines()) == 1


def _is_not_ready_for(front: World, reason: str) -> bool:
    return reason in front.get("/readyz").json()["reason"]


def test_a_vendor_outage_fails_readiness_but_not_health(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With an unreachable vendor and one that hangs, for longer than a cycle may take and during a cycle."""
    with a_world(tmp_path_factory.mktemp("hanging")) as other:
        world.open(POLL_INTERVAL_SECONDS="0.2", OPSGENIE_API_URL="http://127.0.0.1:9")
        other.control("faults", do="hang", vendor="opsgenie", times=1000, seconds=30)
        other.open(POLL_INTERVAL_SECONDS="0.2")
        for front, vendor in ((world, "Opsgenie"), (other, "Opsgenie has not answered yet")):
            front.until(partial(_is_not_ready_for, front, vendor), vendor)
        last = time.monotonic() + SHORTEST_GRACE + 1
        while time.monotonic() < last:
            for front in (world, other):
                healthy, not_ready = front.get("/healthz", timeout=1), front.get("/readyz", timeout=1)
                assert (healthy.status_code, not_ready.status_code) == (200, 503)
                assert len(not_ready.text.splitlines()) == 1
            time.sleep(0.1)
    world.until(lambda: "Opsgenie could not be polled yet" in world.get("/readyz").text, "the reason")


def test_a_database_outage_fails_readiness_but_not_health_metrics_or_webhooks(world: World) -> None:
    """Health, metrics and webhooks are served from memory, for longer than three intervals."""
    world.open_ready(POLL_INTERVAL_SECONDS="0.2")
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page")
    world.until(lambda: world.metric("reconciler_open_pairs") == 1, "it is counted")
    with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        world.raise_alert("another")  # causes a database write
        world.until(lambda: world.get("/readyz", timeout=1).status_code == 503, "it is not ready")
        assert world.get("/readyz", timeout=1).json()["role"] == "none"
        last = time.monotonic() + SHORTEST_GRACE + 1
        while time.monotonic() < last:
            assert world.get("/healthz", timeout=1).status_code == 200
            assert world.get("/metrics", timeout=1).status_code == 200
            assert world.report(opsgenie_body(alert)).status_code == 202
            time.sleep(0.1)
        other.execute("ROLLBACK")
    world.until(lambda: world.get("/readyz").status_code == 200, "it is ready again")


def test_readiness_counts_dead_actions_and_does_not_fail_because_of_them(world: World) -> None:
    world.open_ready()
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page")
    assert world.get("/readyz").json() == {"ready": True, "role": "leader", "dead_actions": 0}
    sandbox = world.sandbox
    machine = sandbox.answer
    refuse_notes(world)
    world.customer(alert, "notes", text="refused for good")
    world.until(lambda: world.get("/readyz").json()["dead_actions"] == 1, "the dead action")
    sandbox.answer = machine  # type: ignore[method-assign]
    assert world.get("/readyz").json()["ready"] is True
    assert world.metric("reconciler_actions_dead") == 1
    kind = "pagerduty.add_note"
    assert world.metric("reconciler_actions_total", kind=kind, result="dead", reason="rejected") == 1


def refuse_notes(world: World) -> None:
    """From now on PagerDuty refuses every note."""
    from reconciler.sandbox.wire import Request, Response, json_response  # noqa: PLC0415

    sandbox = world.sandbox
    machine = sandbox.answer

    def answer(vendor: str, request: Request) -> Response:
        if vendor == "pagerduty" and request.method == "POST" and request.path.endswith("/notes"):
            return json_response(400, {"error": {"message": "Invalid Input Provided", "code": 2001}})
        return machine(vendor, request)

    sandbox.answer = answer  # type: ignore[method-assign]


def test_metrics_count_every_action_with_its_lag_and_its_requests(world: World) -> None:
    world.open_ready()
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page")
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged", "the acknowledgement")
    world.engineer(alert, "notes", text="on it")
    world.until(lambda: world.metric("reconciler_lag_seconds_count", kind="opsgenie.add_note") == 1, "its lag")
    kinds = ("pagerduty.create_incident", "pagerduty.acknowledge", "pagerduty.add_note", "opsgenie.add_note")
    done = {kind: world.metric("reconciler_actions_total", kind=kind, result="done") for kind in kinds}
    assert set(done.values()) == {1}
    assert world.metric("reconciler_lag_seconds_count") == 4
    assert world.metric("reconciler_divergence_pairs") == 0
    assert (world.metric("reconciler_rate_limit_remaining_requests", vendor="pagerduty") or 0) > 0
    assert world.metric("reconciler_requests_total", vendor="pagerduty", endpoint="/incidents", status="201") == 1
    assert world.metric("reconciler_build_info", version=__version__) == 1
    assert (world.metric("reconciler_source_polls_total", outcome="ok") or 0) >= 2
    assert (world.metric("reconciler_work_items_total", reason="new_alert", outcome="failed") or 0) == 0
    world.until(lambda: (world.metric("reconciler_echoes_total") or 0) >= 1, "an echo")
    assert alert not in world.get("/metrics").text


def test_metrics_are_correct_between_two_cycles(world: World) -> None:
    """The next cycle is a minute away: writes of the fast path are counted, and soon confirmed."""
    world.open_ready(POLL_INTERVAL_SECONDS="60")
    alert, incident = world.paired()
    world.until(lambda: world.metric("reconciler_open_pairs") == 1, "the next report, a second later")
    world.engineer(alert, "acknowledge")
    acted = time.monotonic()
    world.deliver(incident)
    kind = "opsgenie.acknowledge"
    world.until(lambda: world.metric("reconciler_lag_seconds_count", kind=kind) == 1, "its lag")
    assert (
        world.metric("reconciler_lag_seconds_sum", kind=kind) or 0
    ) <= time.monotonic() - acted + 1  # whole seconds
    world.until(lambda: world.metric("reconciler_actions_in_flight") == 0, "nothing is in doubt")
    assert world.metric("reconciler_divergence_pairs") == 0
    assert time.monotonic() - acted < 5
    world.settings(write_lag=3.0)
    world.engineer(alert, "unacknowledge")
    since = world.seq()
    world.deliver(incident)
    world.until(lambda: world.metric("reconciler_actions_in_flight") == 1, "it is in doubt")
    assert world.metric("reconciler_divergence_pairs") == 1
    world.until(lambda: world.metric("reconciler_actions_in_flight") == 0, "nothing is in doubt")
    assert world.metric("reconciler_divergence_pairs") == 0
    asked = [call for call in world.calls(since) if call["path"].endswith(alert) and not call["write"]]
    assert len(asked) <= 5, "before the write, and after 1, 2 and 4 seconds"
    settled = world.seq()
    time.sleep(1.5)
    assert world.seq() == settled, "and then there is nothing left to ask"


def test_a_second_daemon_reports_the_standby_role_until_it_takes_over(world: World) -> None:
    world.open_ready()
    first = world.port
    world.open(POLL_INTERVAL_SECONDS="0.2")
    assert world.port != first
    world.until(lambda: "standby" in world.get("/readyz").text, "its role")
    assert world.get("/readyz").json() == {"ready": True, "role": "standby", "dead_actions": 0}
    assert world.get("/readyz").status_code == 200
    assert world.get("/healthz").status_code == 200
    assert world.metric("reconciler_lock_held") == 0
    assert world.metric("reconciler_open_pairs") is None
    assert world.deliver("PX").status_code == 202
    world.daemons[0].terminate()
    assert world.daemons[0].wait(timeout=20) == 0
    world.until(lambda: world.get("/readyz").json()["role"] == "leader", "the second takes over")
    assert world.metric("reconciler_lock_held") == 1


@pytest.mark.parametrize(
    "module", ["reconciler.cli.commands", "reconciler.runtime.daemon", "reconciler.runtime.bootstrap"]
)
def test_without_a_listener_no_web_library_is_imported(module: str) -> None:
    heavy = "{'flask', 'waitress', 'prometheus_client', 'werkzeug'}"
    asked = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "[]\n"
