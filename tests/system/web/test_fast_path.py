"""A webhook triggers an immediate read, and never a write that the APIs do not confirm."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import requests

from tests.support.harness import World
from tests.support.harness.listener import NEW, OLD, RARELY, opsgenie_body, pagerduty_body, signature
from tests.support.honest import honest_meanwhile


def looks_at(front: World, thing: str, since: int) -> int:
    """How often that incident or alert itself was read."""
    return sum(
        call["method"] == "GET" and call["path"].rstrip("/").endswith(f"/{thing}") for call in front.calls(since)
    )


def _is_looked_at(front: World, thing: str, since: int) -> bool:
    return looks_at(front, thing, since) > 0


def test_a_pagerduty_webhook_mirrors_an_engineers_act_at_once(front: World) -> None:
    alert, incident = front.paired()
    front.engineer(alert, "acknowledge")
    assert front.deliver(incident).status_code == 202
    front.until(lambda: front.alert(alert)["acknowledged"], "the acknowledgement")
    front.engineer(alert, "notes", text="failing over")
    assert front.deliver(incident).status_code == 202
    front.until(lambda: front.is_noted(alert, "] failing over"), "the note")
    front.engineer(alert, "resolve")
    assert front.deliver(incident).status_code == 202
    front.until(lambda: front.is_noted(alert, "] resolved the incident"), "the resolution")


def test_an_opsgenie_webhook_mirrors_a_customers_act_at_once(front: World) -> None:
    alert = front.raise_alert()
    assert front.report(opsgenie_body(alert, "Create")).status_code == 202
    front.until(lambda: front.is_paged(alert), "the page")
    front.customer(alert, "notes", text="since the deploy")
    assert front.report(opsgenie_body(alert, "AddNote")).status_code == 202
    front.until(lambda: front.is_told(alert, "] since the deploy"), "the note")
    front.customer(alert, "acknowledge")
    assert front.report(opsgenie_body(alert)).status_code == 202
    front.until(lambda: front.incident(alert)["status"] == "acknowledged", "the acknowledgement")


def test_a_delivery_signed_with_either_of_two_secrets_is_accepted(front: World) -> None:
    alert, incident = front.paired()
    for number, secret in enumerate((OLD, NEW)):
        front.engineer(alert, "notes", text=f"note {number}")
        body = pagerduty_body(incident)
        headers = {"X-PagerDuty-Signature": f"v1={'0' * 64},{signature(body, secret)}"}
        assert requests.post(f"{front.url}/pd-webhook", data=body, headers=headers, timeout=10).status_code == 202
        front.until(partial(front.is_noted, alert, f"] note {number}"), "the note")


def test_a_thousand_webhooks_for_one_incident_cost_at_most_three_reads_of_it(front: World) -> None:
    """The first read is held until all have been delivered, however long a busy machine takes for that."""
    alert, incident = front.paired()
    since = front.seq()
    local = threading.local()

    def deliver(number: int) -> int:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        body = pagerduty_body(incident, number=number)
        headers = {"X-PagerDuty-Signature": signature(body), "X-Webhook-Id": f"burst-{number}"}
        answer: requests.Response = local.session.post(
            f"{front.url}/pd-webhook", data=body, headers=headers, timeout=10
        )
        return answer.status_code

    with front.held(f"/pagerduty/incidents/{incident}") as asked, ThreadPoolExecutor(4) as pool:
        assert deliver(0) == 202
        assert asked.wait(10)
        assert set(pool.map(deliver, range(1, 999))) == {202}
        front.engineer(alert, "notes", text="just before the last")
        assert deliver(999) == 202
    front.until(lambda: front.is_noted(alert, "] just before the last"), "what came last")
    front.until(lambda: looks_at(front, incident, since) >= 2, "the look after the last")
    front.rest()
    assert looks_at(front, incident, since) in (
        2,
        3,
    )  # the last deliveries may arrive after the second read has begun


def test_a_webhook_costs_two_reads_of_the_side_it_names(front: World) -> None:
    alert, incident = front.paired()
    front.until(lambda: front.metric("reconciler_actions_in_flight") in (0, None), "nothing is in doubt")
    deliveries: tuple[tuple[Callable[[], requests.Response], str, list[str]], ...] = (
        (lambda: front.deliver(incident), incident, []),
        (lambda: front.deliver("", body=pagerduty_body(incident, incident_key=alert)), incident, []),
        # An unknown incident with the alert's key may be a second one, so it is read as well.
        (
            lambda: front.deliver("", body=pagerduty_body("PDI123", incident_key=alert)),
            incident,
            ["/incidents/PDI123"],
        ),
        (lambda: front.report(opsgenie_body(alert)), alert, []),
    )
    for deliver, thing, more in deliveries:
        since = front.seq()
        assert deliver().status_code == 202
        front.until(partial(_is_looked_at, front, thing, since), "a look")
        front.rest()
        read = [call["path"].rpartition(thing)[2] for call in front.calls(since)]
        assert sorted(read) == sorted(["", "/notes", *more])


def test_an_unknown_incident_is_adopted_when_its_key_is_an_alerts_id(world: World) -> None:
    """The alert is older than the lookback and pages nobody; then a person creates an incident with its key."""
    alert = world.raise_alert()
    world.open_ready(POLL_INTERVAL_SECONDS=RARELY, INITIAL_LOOKBACK_SECONDS="0")
    writes = len(world.writes())
    told = pagerduty_body("PMADEUP", incident_key=alert)
    assert world.deliver("", body=told).status_code == 202
    world.until(lambda: world.metric("reconciler_hint_reconciles_total") == 1, "it is looked for and not there")
    incident = world.control("pagerduty/incidents", title="by hand", user="Jane Doe", key=alert)["id"]
    assert world.deliver("", body=pagerduty_body(incident, incident_key=alert)).status_code == 202
    world.until(lambda: world.metric("reconciler_hint_reconciles_total") == 2, "it is looked for and adopted")
    assert len(world.writes()) == writes
    world.engineer(alert, "notes", text="on it")
    assert world.deliver(incident).status_code == 202
    world.until(lambda: world.is_noted(alert, "] on it"), "the note")


def test_a_pagerduty_test_webhook_is_accepted_and_logged_and_causes_no_request(front: World) -> None:
    since = front.seq()
    assert (
        front.deliver("", body=b'{"event": {"event_type": "pagey.ping", "data": {"type": "ping"}}}').status_code
        == 202
    )
    assert front.calls(since) == []
    assert any(event["event"] == "PagerDuty's test webhook has arrived" for event in front.events())


def test_an_event_that_the_apis_do_not_confirm_causes_no_write(front: World) -> None:
    """Webhooks about acts that never happened, validly signed or not, cause at most a read."""
    alert, incident = front.paired()
    writes = len(front.writes())
    with honest_meanwhile(front, "false deliveries, rightly signed or not") as attack:
        for answer, status in _false_deliveries(front, alert, incident):
            attack.came_back(answer)
            assert answer == status
    seen = front.seq()
    front.deliver(incident)
    front.until(lambda: looks_at(front, incident, seen) > 0, "a last look")
    assert len(front.writes()) == writes
    assert front.audit() == {}


def _false_deliveries(front: World, alert: str, incident: str) -> Iterator[tuple[int, int]]:
    """The status of each answer, and the expected one."""
    for kind, status in (
        ("incident.acknowledged", "acknowledged"),
        ("incident.resolved", "resolved"),
        ("incident.unacknowledged", "triggered"),
        ("incident.reopened", "triggered"),
    ):
        yield front.deliver("", body=pagerduty_body(incident, kind, status=status)).status_code, 202
    note = {"type": "incident_note", "id": "PNOTE", "content": "never written", "incident": {"id": incident}}
    body = json.dumps({"event": {"event_type": "incident.annotated", "data": note}}).encode()
    yield front.deliver("", body=body).status_code, 202
    for action in ("Acknowledge", "UnAcknowledge", "Close", "Delete", "AddNote", "Create"):
        told = opsgenie_body(alert, action, note="never written", message="never raised", username="nobody")
        yield front.report(told).status_code, 202
    for made_up in ("PMADEUP", alert):
        yield front.deliver(made_up).status_code, 202
        named = pagerduty_body(made_up, "incident.resolved", incident_key=made_up, status="resolved")
        yield front.deliver("", body=named).status_code, 202
    yield front.report(opsgenie_body("6f1d0c52-made-up-1795472880471", "Create")).status_code, 202
    unsigned = {"X-PagerDuty-Signature": "v1=0"}
    yield front.deliver("", body=pagerduty_body(incident), **unsigned).status_code, 401


def test_forged_replayed_reordered_and_duplicated_deliveries_change_nothing(front: World) -> None:
    alert, incident = front.paired()
    bodies = {}
    for verb, kind in (
        ("acknowledge", "acknowledged"),
        ("unacknowledge", "unacknowledged"),
        ("resolve", "resolved"),
    ):
        front.engineer(alert, verb)
        bodies[verb] = pagerduty_body(incident, f"incident.{kind}")
        assert front.deliver(incident, f"{incident}-{verb}", body=bodies[verb]).status_code == 202
        front.until(partial(_is_mirrored, front, alert, verb), verb)
    before, writes = front.alert(alert), len(front.writes())
    with honest_meanwhile(front, "deliveries duplicated, replayed, reordered and forged") as attack:
        for verb in ("resolve", "unacknowledge", "acknowledge", "acknowledge"):
            duplicated = front.deliver(incident, f"{incident}-{verb}", body=bodies[verb])
            replayed = front.deliver(incident, body=bodies[verb])
            other = {"X-PagerDuty-Signature": signature(bodies[verb], "another secret")}
            forged = front.deliver(incident, body=bodies[verb], **other)
            answers = [answer.status_code for answer in (duplicated, replayed, forged)]
            attack.came_back(*answers)
            assert answers == [202, 202, 401]
    last = front.seq()
    front.deliver(incident)
    front.until(lambda: looks_at(front, incident, last) > 0, "a last look")
    assert len(front.writes()) == writes
    assert front.alert(alert) == before
    assert front.audit() == {}


def _is_mirrored(front: World, alert: str, verb: str) -> bool:
    if verb == "resolve":
        return front.is_noted(alert, "] resolved the incident")
    return bool(front.alert(alert)["acknowledged"]) == (verb == "acknowledge")


def test_a_delivery_with_a_known_id_is_counted_as_repeated(front: World) -> None:
    _, incident = front.paired()
    assert front.deliver(incident, "known").status_code == 202
    front.until(lambda: bool(front.metric("reconciler_webhooks_total", outcome="accepted")), "counted")
    repeated = front.metric("reconciler_webhooks_total", outcome="repeated") or 0
    for _ in range(3):
        assert front.deliver(incident, "known").status_code == 202
    assert front.metric("reconciler_webhooks_total", vendor="pagerduty", outcome="repeated") == repeated + 3


def test_a_wrong_secret_is_logged_once_per_vendor_until_a_genuine_webhook_arrives(world: World) -> None:
    world.open_ready(POLL_INTERVAL_SECONDS=RARELY)
    body, wrong = pagerduty_body("PX"), {"X-PagerDuty-Signature": "v1=" + "0" * 64}

    def told(words: str) -> list[str]:
        return [event.get("vendor", "") for event in world.events() if event["event"] == words]

    for _ in range(5):
        assert world.deliver("", body=body, **wrong).status_code == 401
        assert world.report(opsgenie_body("a-1"), **{"X-Webhook-Secret": "x"}).status_code == 401
    assert told("a webhook is turned away") == ["PagerDuty", "Opsgenie"]
    assert world.deliver("", body=body).status_code == 202
    assert told("webhooks are genuine again") == ["PagerDuty"]
    assert world.report({"integrationId": "other", "alert": {"alertId": "a-1"}}).status_code == 403
    assert world.deliver("", body=body, **wrong).status_code == 401
    assert told("a webhook is turned away") == ["PagerDuty", "Opsgenie", "Opsgenie", "PagerDuty"]
    assert world.metric("reconciler_webhooks_total", vendor="pagerduty", outcome="bad_signature") == 6
    assert world.metric("reconciler_webhooks_total", vendor="opsgenie", outcome="bad_secret") == 5
    assert world.metric("reconciler_webhooks_total", vendor="opsgenie", outcome="other_integration") == 1


def test_polling_mirrors_everything_when_every_webhook_is_lost(world: World) -> None:
    """For the reconciler, lost deliveries are the same as none."""
    world.open_ready()
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page")
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged", "the acknowledgement")
    world.engineer(alert, "notes", text="on it")
    world.until(lambda: world.is_noted(alert, "] on it"), "the note")
    assert world.audit() == {}
    assert world.metric("reconciler_webhooks_total") == 0


def test_webhooks_beside_rapid_polling_cause_no_duplicate(world: World) -> None:
    world.open_ready(POLL_INTERVAL_SECONDS="0.05")
    alerts = [world.raise_alert(f"alert {number}") for number in range(5)]
    for alert in alerts:
        world.report(opsgenie_body(alert, "Create"))
    world.until(lambda: all(world.is_paged(alert) for alert in alerts), "all are paged")
    for alert in alerts:
        world.engineer(alert, "notes", text="looking")
        world.deliver(world.incident(alert)["id"])
        world.customer(alert, "notes", text="thanks")
        world.report(opsgenie_body(alert, "AddNote"))
    world.until(lambda: all(world.is_noted(alert, "] looking") for alert in alerts), "the engineers' notes")
    world.until(lambda: all(world.is_told(alert, "] thanks") for alert in alerts), "the customers' notes")
    world.until(lambda: world.metric("reconciler_actions_in_flight") == 0, "all is settled")
    assert world.audit() == {}
    assert world.stop() == 0
