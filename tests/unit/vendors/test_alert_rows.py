"""Log lines of all products: what was done, and by whom, over Opsgenie's client."""

import json
from datetime import timedelta
from typing import Any

import pytest
import responses

from reconciler.core.model import Actor, Person
from tests.support.wire.http import query
from tests.support.wire.opsgenie import (
    A1,
    ALERTS,
    AT,
    client,
    notes_page,
    page,
)


@pytest.mark.parametrize(
    ("log", "verb"),
    [
        ("Alert acknowledged via web", "acknowledge"),
        ("Alert acknowledged via web[Default API-Acknowledge Alert]", "acknowledge"),
        ("Alert unacknowledged", "unacknowledge"),
        ("Alert un-acknowledged via API[Default API-UnAcknowledge Alert]", "unacknowledge"),
        ("Alert Un Acknowledged", "unacknowledge"),
        ("un acknowledged by the customer", "unacknowledge"),
        ("Unacknowledged via mobile", "unacknowledge"),
        ("UnAcknowledged alert", "unacknowledge"),
        ("Alert is no longer acknowledged", "unacknowledge"),
        ("Alert unacknowledgement via web", "unacknowledge"),
        ("ana unacknowledged the alert", "unacknowledge"),
        ("ana acknowledged alert", "acknowledge"),
        ("Bob acknowledged the alert", "other"),
        ("Acknowledgement removed", "unacknowledge"),
        ("Alert acknowledgment was withdrawn", "unacknowledge"),
        ("  Acknowledged via mobile: un-acknowledge it if you are free", "acknowledge"),
        ("Alert has been acknowledged", "acknowledge"),
        ("Acknowledgement reminder sent", "other"),
        ("Escalation [ops] started: notify on-call if the alert is not acknowledged in 5 minutes", "other"),
        ("Assigned it, then acknowledged it", "other"),
        ("Routed by the policy closed-hours", "other"),
        ("Alert closed via JSM", "close"),
        ("Snooze ended", "snooze"),
        ("Note added: I will unacknowledge and close it", "annotate"),
        ("Viewed on [web]", "other"),
        (None, "other"),
    ],
)
def test_all_known_log_texts_are_understood(wire: responses.RequestsMock, log: str | None, verb: str) -> None:
    entry = {"log": log, "type": "system", "owner": "ana", "createdAt": "2026-11-23T09:00:00.86Z", "offset": "1_1"}
    exact = query(identifierType="id", limit="100", order="desc")
    wire.get(f"{ALERTS}/{A1}/logs", json={"data": [entry, {"log": "no offset"}]}, match=[exact])
    (act,) = client().acts(A1)
    assert (act.verb, act.id, act.actor, act.person) == (verb, "1_1", Actor.PERSON, Person("ana", "ana"))


@pytest.mark.parametrize("owner", ["", None, "System", "SYSTEM", "Alert API", "opsgenie"])
def test_automations_are_not_read_as_persons(wire: responses.RequestsMock, owner: str | None) -> None:
    entry = {"log": "Alert unacknowledged", "owner": owner, "createdAt": "2026-11-23T09:00:00Z", "offset": "1"}
    wire.get(f"{ALERTS}/{A1}/logs", json={"data": [entry]})
    (act,) = client().acts(A1)
    assert (act.verb, act.actor, act.person, act.agent) == ("other", Actor.MACHINE, None, owner or "")


def test_an_empty_log_gives_no_acts(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/{A1}/logs", status=404, json={"message": "Not found", "took": 0.1, "requestId": "r"})
    assert client().acts(A1) == []


# -- how far back the log is read --


def line(n: int, log: str, owner: str = "ana") -> dict[str, Any]:
    at = (AT - timedelta(seconds=n)).isoformat().replace("+00:00", "Z")
    return {"log": log, "type": "system", "owner": owner, "createdAt": at, "offset": f"l{n}"}


def test_the_log_is_read_until_it_names_who_acknowledged_and_who_unacknowledged(
    wire: responses.RequestsMock,
) -> None:
    url = f"{ALERTS}/{A1}/logs"
    base = {"identifierType": "id", "limit": "100", "order": "desc"}
    noise = [line(n, "Notification sent, as the alert is not acknowledged", "System") for n in range(1, 100)]
    wire.get(url, json=notes_page(noise, "l99"), match=[query(**base)])
    taken = [line(100, "Alert unacknowledged", "ben"), line(101, "Alert unacknowledged", "System")]
    wire.get(url, json=notes_page(taken, "l101"), match=[query(**base, offset="l99", direction="next")])
    held = [line(102, "Alert acknowledged via web"), line(103, "Alert created")]
    wire.get(url, json=notes_page(held, "l103"), match=[query(**base, offset="l101", direction="next")])
    acts = [act for act in client().acts(A1) if act.verb != "other"]
    assert [(act.verb, act.person) for act in acts] == [
        ("unacknowledge", Person("ben", "ben")),
        ("acknowledge", Person("ana", "ana")),
    ]
    assert len(wire.calls) == 3


def test_the_reading_of_an_endless_log_ends(wire: responses.RequestsMock) -> None:
    numbers = iter(range(1, 1000))

    def reply(_request: Any) -> tuple[int, dict[str, str], str]:
        n = next(numbers)
        return 200, {}, json.dumps(notes_page([line(n, "Alert acknowledged via web")], f"l{n}"))

    wire.add_callback("GET", f"{ALERTS}/{A1}/logs", reply)
    assert len(client().acts(A1)) == 10


def test_the_api_key_is_confirmed_by_reading_the_list(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([]), match=[query(limit="1")])
    client().confirm_key()
