"""The product that a database names, and that every output which knows only the database speaks of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.cli import status_text
from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.product import JSM, OPSGENIE
from reconciler.operations import explain, pausing, retry, status, status_data
from reconciler.operations.origin import product_in
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from reconciler.store.troubles import KeptTrouble, save
from tests.support.builders import JANE, action, at, pair
from tests.support.desk import Desk

REQUIRED = {
    "JSM_SITE_URL": "https://acme.atlassian.net",
    "JSM_EMAIL": "robot@example.com",
    "JSM_API_TOKEN": "token",
}


@pytest.fixture
def eventful(database: Database) -> Database:
    """Pairs that are apart, closed and deleted; a pause, a trouble of one alert, and actions in every state."""
    base = pair("acknowledged", (JANE,), swept_at=at(0))
    gone = replace(base, alert_id="a-2", tiny_id="18", incident_id="PINC2", incident_number=4712)
    with database.writing() as unit:
        unit.snapshot.save_pairs([base, replace(gone, alerts=replace(gone.alerts, open=False, deleted=True))])
        unit.outbox.add(
            [
                action(Kind.ALERT_ACKNOWLEDGE, Status.DEAD, key="k1", error="422"),
                action(Kind.ALERT_NOTE, Status.PLANNED, key="k2", error="503"),
                action(Kind.ALERT_UNACKNOWLEDGE, Status.SENT, key="k3", request_id="r-1", alert_id="a-2"),
            ],
            at(0),
        )
        unit.journal.append(
            [
                Entry(at(1), Event.SEEN, "a-1", Side.ALERTS, who="Ana Ruiz", words="acknowledged"),
                Entry(at(2), Event.PLANNED, "a-1", Side.ALERTS, Kind.ALERT_NOTE, "k2", words="why"),
            ]
        )
        unit.pauses.save([Pause(Side.ALERTS, at(3), "maintenance", "ana@bastion")])
        save(unit, [KeptTrouble("opsgenie", at(3), "away"), KeptTrouble("opsgenie rate", at(3), "too fast")])
        unit.cursors.save(origin=Origin(at(-9), at(-9)), polled_alerts=at(5), polled_pagerduty=at(5), query="")
    return database


def outputs(database: Database, desk: Desk) -> Iterator[tuple[str, str]]:
    """Everything that is printed or served from the database alone, each by its name."""
    product = product_in(database)
    report = status.read(database, "db")
    yield "status", status_text.plain(status_text.page(report, 10.0))
    yield "status --json", json.dumps(status_data.as_data(report, 10.0))
    with database.reading() as unit:
        held, dead = pausing.held_by(unit, at(60)), unit.outbox.with_status(Status.DEAD, 9)
        entries = status.entries(unit, dead)
    pauses = [each.pause for each in held]
    yield "pause", pausing.begun_text(pauses, product) + pausing.line(held[0], at(60), product)
    yield "resume", pausing.ended_text(held, product)
    yield "retry", retry.as_text(entries, product)
    yield "retry --json", json.dumps(retry.as_data(entries, product))
    found = explain.read_tracked(database, "db", "PINC1")
    both = replace(found, stories=(*found.stories, *explain.read_tracked(database, "db", "18").stories))
    yield "explain", explain.as_text(both, lambda _: "")
    yield "explain --json", json.dumps(explain.as_data(both, lambda _: ""))
    for path in ("/", "/status.json", "/pairs/17", "/pairs/18", "/pairs/99"):
        yield path, desk.ask(path).text.partition("Settings in force")[0]


def of_jsm(words: str) -> str:
    """What is said of Opsgenie, said of JSM. The lane's style and the address of the alert's page stay."""
    said = words.replace("Opsgenie", "JSM").replace("opsgenie", "jsm")
    return said.replace('li class="jsm', 'li class="opsgenie').replace("jsm.example", "opsgenie.example")


def squeezed(words: str) -> str:
    """The words regardless of times and of the width of columns."""
    return " ".join(re.sub(r"[\d.]+", "0", words).split())


def test_a_database_of_jsm_is_told_of_as_one_of_opsgenie_is_but_for_the_name(eventful: Database) -> None:
    assert product_in(eventful) is OPSGENIE
    before = dict(outputs(eventful, Desk(eventful)))
    with eventful.writing() as unit:
        unit.cursors.save(source="jsm")
    assert product_in(eventful) is JSM
    after = dict(outputs(eventful, Desk(eventful, ALERT_SOURCE="jsm", **REQUIRED)))
    for name, words in before.items():
        said = of_jsm(words)
        assert "jsm" in said.lower(), name
        assert squeezed(after[name]) == squeezed(said), name
