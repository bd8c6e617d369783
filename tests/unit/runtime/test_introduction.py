import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.core.model import Person, Side
from reconciler.errors import Transient
from reconciler.reconcile.identity import AccountView
from reconciler.reconcile.problems import Problem
from reconciler.runtime.introduction import Introduction
from reconciler.settings import Address
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from reconciler.vendors.ports import OnCall, ServiceStatus
from tests.support.builders import pair
from tests.support.clock import NINE, SimClock
from tests.support.database import url
from tests.support.in_process import settings

SERVICE = ServiceStatus("PESC", "", "Ops", "active")
VIEW = AccountView(Person("PBOT", "Bot"), SERVICE, OnCall(people=("Jane Doe", "Omar Haddad")))


@dataclass
class Stage:
    database: Database
    folder: Path
    caplog: pytest.LogCaptureFixture
    seen: AccountView | None = None
    problems: tuple[Problem, ...] = ()
    clock: SimClock = field(default_factory=SimClock)

    def introduction(self, **chosen: Any) -> Introduction:
        configured = settings(database_url=url(self.folder), **chosen)
        return Introduction(configured, self.database, cast("Any", self), lambda: self.problems, self.clock)

    def view(self) -> AccountView | None:
        return self.seen

    def polled(self) -> None:
        self.clock.advance(1)
        with self.database.writing() as unit:
            unit.cursors.save(polled_alerts=self.clock.now())

    def said(self) -> list[dict[str, Any]]:
        found = [cast("dict[str, Any]", record.msg) for record in self.caplog.records]
        self.caplog.clear()
        return found

    def names(self) -> list[str]:
        return [each["event"] for each in self.said()]


@pytest.fixture
def stage(database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Stage:
    caplog.set_level(logging.INFO)
    return Stage(database, tmp_path, caplog)


def test_the_database_is_told_when_the_lead_begins(stage: Stage) -> None:
    mine = stage.introduction()
    mine.report()
    assert stage.names() == []
    mine.began()
    (line,) = stage.said()
    assert (line["event"], line["kind"], line["first_start"]) == ("database in use", "sqlite", "still to come")
    with stage.database.writing() as unit:
        unit.cursors.save(origin=Origin(NINE, NINE))
        unit.snapshot.save_pairs([pair(swept_at=NINE)])
    mine.began()
    (line,) = stage.said()
    assert (line["first_start"], line["pairs"]) == ("2026-11-23T09:00:00+00:00", 1)


def test_each_vendor_is_told_once_as_soon_as_it_has_answered(stage: Stage) -> None:
    with stage.database.writing() as unit:
        unit.cursors.save(polled_alerts=NINE)  # by an earlier process
    mine = stage.introduction(opsgenie_query="tag: a")
    mine.began()
    mine.report()
    assert stage.names() == ["database in use"]
    stage.polled()
    mine.report()
    (line,) = stage.said()
    assert (line["event"], line["query"], line["key"]) == ("Opsgenie in use", "tag: a", "accepted")
    stage.seen = VIEW
    mine.report()
    (line,) = stage.said()
    assert line["event"] == "PagerDuty in use"
    assert (line["service"], line["state"]) == ('PSVC001 "Ops"', "active")
    assert (line["user"], line["on_call"]) == ("Bot (PBOT)", "Jane Doe, Omar Haddad")
    mine.report()
    assert stage.names() == []


def test_a_failing_vendor_has_a_line_and_another_once_it_works(stage: Stage) -> None:
    mine = stage.introduction()
    mine.began()
    stage.problems = (
        Problem(Side.PAGERDUTY, Transient("no connection")),
        Problem(Side.ALERTS, Transient("of one alert"), "a"),
    )
    mine.report()
    mine.report()
    first, line = stage.said()
    assert first["event"] == "database in use"
    assert (line["event"], line["why"]) == ("PagerDuty not in use yet", "no connection")
    stage.problems, stage.seen = (), AccountView(Person("", "Bot"), SERVICE, OnCall())
    mine.report()
    (line,) = stage.said()
    assert (line["event"], line["user"], line["on_call"]) == ("PagerDuty in use", "Bot", "nobody known")
    stage.problems = (Problem(Side.PAGERDUTY, Transient("again")),)
    mine.report()
    assert stage.names() == []


@pytest.mark.parametrize(("listen", "told"), [(None, "nothing"), (Address("::1", 8080), "[::1]:8080")])
def test_what_will_happen_is_told_after_the_first_start(
    stage: Stage, listen: Address | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = stage.introduction(http_listen=listen, status_listen=listen)
    mine.began()
    mine.report()
    with stage.database.writing() as unit:
        unit.cursors.save(origin=Origin(NINE, NINE))
        unit.snapshot.save_pairs([pair(swept_at=NINE), pair(swept_at=NINE, alert_id="old", tracked=False)])
    mine.report()
    _, line = stage.said()
    assert line["event"] == "at work"
    assert (line["followed"], line["baseline"], line["listens_on"]) == (1, 1, told)
    assert line["status_page"] == (f"http://{told}/" if listen else "none")
    stage.polled()
    stage.seen = VIEW
    mine.report()
    assert stage.names() == ["Opsgenie in use", "PagerDuty in use"]
    monkeypatch.setattr("reconciler.runtime.milestones.look", None)
    mine.report()  # all is said: the database is not asked any more


def test_jsm_is_told_with_its_site_and_its_own_query(stage: Stage) -> None:
    given = {"jsm_email": "robot@example.com", "jsm_api_token": "t", "jsm_site_url": "https://acme.atlassian.net"}
    mine = stage.introduction(alert_source="jsm", jsm_query="tag: j", opsgenie_query="tag: o", **given)
    mine.began()
    stage.polled()
    mine.report()
    _, line = stage.said()
    assert (line["event"], line["url"], line["query"]) == ("JSM in use", "https://acme.atlassian.net", "tag: j")
