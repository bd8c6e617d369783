"""What is counted: one table, told in Prometheus' own format, from memory alone."""

import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import schemathesis
from prometheus_client.parser import text_string_to_metric_families
from schemathesis.specs.openapi.checks import response_headers_conformance, response_schema_conformance
from web.front import FAST_PATH, Front, a_front, opsgenie_body, pagerduty_body

from reconciler import __version__
from reconciler.core.model import (
    Action,
    AlertBaseline,
    Echo,
    IncidentBaseline,
    Kind,
    Pair,
    Plan,
    Policy,
    Settlement,
    Side,
    Sighting,
    Status,
    World,
)
from reconciler.engine import Report
from reconciler.errors import Misconfigured, Refused, Transient
from reconciler.observability.health import INTERVALS, LONGEST_CALL, PAUSE, SHORTEST_PATIENCE, Meter, Vitals
from reconciler.observability.logs import METRICS, metrics_table
from reconciler.observability.metrics import FRESH, Metrics
from reconciler.sight import Problem
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from reconciler.vendors.http import RequestRecord

ROOT = Path(__file__).parent.parent.parent
OPENAPI = ROOT / "reconciler" / "web" / "openapi.yaml"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Hours:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> bool:
        self.passed += seconds
        return False


class Books:
    """Metrics, their clock, and a database to be counted."""

    def __init__(self, folder: Path) -> None:
        self.hours = Hours()
        self.vitals = Vitals(10.0, self.hours.monotonic)
        self.metrics = Metrics(self.vitals, self.hours)
        self.database: Database = open_database(f"sqlite:///{folder / 'some.db'}")
        upgrade(self.database)

    def cycle(self, *problems: Problem, database: Database | None = None) -> None:
        self.metrics.cycle_began()
        self.metrics.cycle_ended(Report(problems=problems), 0.2, database or self.database)

    def samples(self) -> dict[tuple[str, frozenset[str]], float]:
        families = text_string_to_metric_families(self.metrics.text().decode())
        return {
            (sample.name, frozenset(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }

    def value(self, name: str, *labels: str) -> float | None:
        return self.samples().get((f"reconciler_{name}", frozenset(labels)))


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path)


def pair(alert_id: str, *, acknowledged: bool, status: str, is_open: bool = True) -> Pair:
    return Pair(
        alert_id=alert_id,
        tiny_id="1",
        tracked=True,
        opsgenie=AlertBaseline(is_open, acknowledged, NOW),
        incident_id=f"P{alert_id}",
        incident_number=1,
        pagerduty=IncidentBaseline(status),
        swept_at=NOW,
    )


def action(kind: Kind = Kind.PAGERDUTY_NOTE, number: int = 1) -> Action:
    return Action(key=str(number), kind=kind, alert_id="a", reason="", at=NOW, id=number)


# -- the table --


def test_the_table_follows_prometheus_conventions() -> None:
    names = [row.name for row in METRICS]
    assert len(set(names)) == len(names)
    for row in METRICS:
        assert re.fullmatch(r"reconciler_[a-z_]+", row.name)
        assert row.help.endswith(".")
        assert row.name.endswith("_total") == (row.kind == "counter")
        assert bool(row.buckets) == (row.kind == "histogram")
        assert row.kind != "histogram" or row.name.endswith("_seconds")
        assert list(row.buckets) == sorted(set(row.buckets))
        assert not {"le", "quantile", "id", "alert", "incident", "user", "path"} & set(row.labels)


def test_the_readme_shows_the_table() -> None:
    assert metrics_table() in (ROOT / "README.md").read_text()


def test_whatever_is_counted_is_in_the_table(books: Books) -> None:
    _count_everything(books)
    families = {family.name: family for family in text_string_to_metric_families(books.metrics.text().decode())}
    declared = {row.name.removesuffix("_total"): row for row in METRICS}
    assert set(families) == set(declared)
    for name, family in families.items():
        assert (family.type, family.documentation) == (declared[name].kind, declared[name].help)
        assert family.samples, name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(declared[name].labels)


def test_promtool_finds_nothing_to_say(books: Books) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("NOT CHECKED: promtool is not on the PATH; Debian's package prometheus brings it")
    _count_everything(books)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=books.metrics.text(), capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def _count_everything(books: Books) -> None:
    metrics = books.metrics
    meter = metrics.budget("PagerDuty", books.hours, 960)
    metrics.budget("Opsgenie", books.hours, None)
    meter.settle(meter.take("GET /", write=False, within=1.0), 200, {})
    books.cycle()
    mine = action()
    metrics.committed(
        Plan(
            pairs=(pair("a", acknowledged=True, status="triggered"),),
            settlements=(Settlement(1, Status.DONE),),
            echoes=(Echo(Side.OPSGENIE, "a", "mark"),),
        ),
        World(NOW, Policy(), (Sighting("a", mine=(mine,)),)),
    )
    metrics.request(RequestRecord("Opsgenie", "GET", "/v2/alerts/{id}", 200, "done", 0.01))
    metrics.glanced(well=True)
    metrics.webhook(Side.PAGERDUTY, "accepted")
    metrics.paging(0, 0, "")
    metrics.troubled({"pagerduty": 0})


# -- the figures --

CLOSED = ("actions_total", "echoes_total", "glances_total", "webhooks_total")


def test_what_can_be_counted_is_there_from_the_start(world: Front) -> None:
    """With 0, or the first refusal and the first dead write would be no rise; and nothing else comes to it."""

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
    for body in ({}, opsgenie_body("x"), opsgenie_body("x") | {"integrationId": "other"}):
        world.report(body)
        world.report(body, **{"X-Webhook-Secret": "wrong"})
    world.get("/pd-webhook")
    world.until(lambda: bool(world.metric("reconciler_glances_total")), "a glance")
    assert closed().keys() == before.keys()


def test_a_webhook_that_is_not_configured_is_not_expected(world: Front) -> None:
    world.open(OPSGENIE_INTEGRATION_ID="", OPSGENIE_WEBHOOK_SECRET="")
    assert world.metric("reconciler_webhooks_total", vendor="pagerduty") == 0
    assert world.metric("reconciler_webhooks_total", vendor="opsgenie") is None


def test_requests_are_told_by_vendor_endpoint_and_status(books: Books) -> None:
    for status in (200, 200, 429, None):
        books.metrics.request(RequestRecord("PagerDuty", "GET", "/incidents/{id}", status, "", 0.3))
    where = ("pagerduty", "GET", "/incidents/{id}")
    told = {status: books.value("requests_total", *where, status) for status in ("200", "429", "none")}
    assert told == {"200": 2, "429": 1, "none": 1}
    assert books.value("request_duration_seconds_count", *where) == 4
    assert books.value("request_duration_seconds_bucket", *where, "0.25") == 0
    assert books.value("request_duration_seconds_bucket", *where, "0.5") == 4


def test_cycles_are_told_apart_by_how_they_end(books: Books) -> None:
    assert books.value("last_good_cycle_timestamp_seconds") is None
    books.cycle()
    good = books.hours.now().timestamp()
    books.hours.passed = 50
    books.cycle(Problem(Side.OPSGENIE, Transient("away")))
    assert books.value("cycles_attempted_total") == 2
    assert books.value("cycles_succeeded_total") == 1
    assert books.value("cycle_duration_seconds_count") == 2
    assert books.value("last_good_cycle_timestamp_seconds") == good


def test_a_write_is_told_by_kind_result_and_reason_and_its_lag_when_it_is_done(books: Books) -> None:
    books.hours.passed = 4.0
    kind = Kind.PAGERDUTY_ACKNOWLEDGE
    for status, reason in (
        (Status.PLANNED, "not_executed"),
        (Status.SENT, "unknown"),
        (Status.DONE, "written"),
        (Status.DROPPED, "not_needed"),
        (Status.DEAD, "rejected"),
    ):
        books.metrics.outcome(action(kind), status, reason)
    for result, reason in (
        ("retried", "not_executed"),
        ("unknown", "unknown"),
        ("done", "written"),
        ("dropped", "not_needed"),
        ("dead", "rejected"),
    ):
        assert books.value("actions_total", kind.value, result, reason) == 1
    assert books.value("lag_seconds_count", kind.value) == 1
    assert books.value("lag_seconds_sum", kind.value) == 4


def test_a_vendors_clock_ahead_of_ours_makes_no_negative_lag(books: Books) -> None:
    books.metrics.outcome(replace(action(), at=NOW + timedelta(seconds=9)), Status.DONE, "written")
    assert books.value("lag_seconds_sum", Kind.PAGERDUTY_NOTE.value) == 0


def test_pairs_that_disagree_are_counted_from_when_it_was_seen(books: Books) -> None:
    with books.database.writing() as writing:
        writing.snapshot.save_pairs([pair("old", acknowledged=True, status="triggered")])
    assert books.value("divergence_pairs") is None
    books.cycle()
    assert books.value("divergence_pairs") == 1
    books.hours.passed = 30
    for alert_id, acknowledged, status, is_open in (
        ("new", False, "acknowledged", True),
        ("agree", True, "acknowledged", True),
        ("closed", True, "triggered", False),
        ("resolved", True, "resolved", True),
    ):
        books.metrics.saved(pair(alert_id, acknowledged=acknowledged, status=status, is_open=is_open))
    books.hours.passed = 40
    assert books.value("divergence_pairs") == 2
    assert books.value("divergence_oldest_seconds") == 40
    books.metrics.saved(pair("old", acknowledged=True, status="acknowledged"))
    assert books.value("divergence_oldest_seconds") == 10
    books.metrics.saved(pair("new", acknowledged=False, status="resolved"))
    assert books.value("divergence_pairs") == 0
    assert books.value("divergence_oldest_seconds") is None


def test_what_the_ledger_holds_is_counted_after_a_cycle(books: Books) -> None:
    with books.database.writing() as writing:
        writing.snapshot.save_pairs([pair("a", acknowledged=False, status="triggered")])
        writing.ledger.intend([action(number=number) for number in range(1, 6)], NOW)
        writing.ledger.settle(Settlement(2, Status.DEAD, "refused"), NOW)
        writing.ledger.send(action(number=3), NOW)
        writing.ledger.send(action(number=4), NOW)
        writing.ledger.doubtful(action(number=4), "no answer")
        writing.ledger.settle(Settlement(5, Status.PLANNED, "no connection"), NOW)
    books.hours.passed = 40
    books.cycle()
    names = ("open_pairs", "actions_pending", "actions_in_flight", "actions_unknown", "oldest_pending_seconds")
    assert [books.value(name) for name in names] == [1, 2, 1, 1, 40]
    dead = {kind: books.value("actions_dead", kind.value) for kind in Kind}
    assert dead == dict.fromkeys(Kind, 0) | {Kind.PAGERDUTY_NOTE: 1}
    assert books.vitals.dead == 1


def test_pages_that_are_not_made_are_counted_and_make_it_unready(books: Books) -> None:
    books.cycle()
    books.metrics.paging(2, 1, "nobody is paged for #17")
    assert [books.value(name) for name in ("pages_waiting", "unpaged_pairs")] == [2, 1]
    assert books.vitals.unready() == "nobody is paged for #17"
    books.metrics.paging(0, 0, "")
    assert [books.value(name) for name in ("pages_waiting", "unpaged_pairs")] == [0, 0]
    assert books.vitals.unready() == ""


def test_troubles_are_counted_by_subject(books: Books) -> None:
    books.cycle()
    books.metrics.troubled({"pagerduty": 1, "objects": 3, "opsgenie": 0})
    assert [books.value("troubles", each) for each in ("pagerduty", "objects", "opsgenie")] == [1, 3, 0]


def test_a_text_is_given_again_for_a_moment_while_nothing_is_counted(books: Books) -> None:
    """A flood of scrapes costs one of them; whatever is counted shows at once, and so does time, soon."""
    books.cycle()
    books.metrics.saved(pair("a", acknowledged=True, status="triggered"))
    written = books.metrics.text()
    assert books.metrics.text() is written
    books.hours.passed = FRESH
    assert books.value("divergence_oldest_seconds") == FRESH
    for count in (
        books.cycle,
        books.metrics.stood_by,
        lambda: books.metrics.glanced(well=True),
        lambda: books.metrics.webhook(Side.PAGERDUTY, "accepted"),
        lambda: books.metrics.outcome(action(), Status.DONE, "written"),
        lambda: books.metrics.request(RequestRecord("PagerDuty", "GET", "/incidents", 200, "", 0.3)),
    ):
        written = books.metrics.text()
        count()
        assert books.metrics.text() != written


def test_the_remaining_budget_is_what_the_tightest_limit_leaves(books: Books) -> None:
    meter, free = (
        books.metrics.budget("PagerDuty", books.hours, 960),
        books.metrics.budget("Opsgenie", books.hours, None),
    )
    assert isinstance(meter, Meter)
    books.cycle()
    for _ in range(10):
        meter.settle(meter.take("GET /", write=False, within=1.0), 200, {})
        free.settle(free.take("GET /", write=False, within=1.0), 200, {})
    assert books.value("rate_budget_remaining_requests", "pagerduty") == 950
    assert books.value("rate_budget_remaining_requests", "opsgenie") is None
    told = {"ratelimit-limit": "20", "ratelimit-remaining": "3", "ratelimit-reset": "9"}
    meter.settle(meter.take("GET /", write=False, within=1.0), 200, told)
    assert books.value("rate_budget_remaining_requests", "pagerduty") == 3
    books.hours.passed = 10
    assert books.value("rate_budget_remaining_requests", "pagerduty") == 9
    books.hours.passed = 100
    assert books.value("rate_budget_remaining_requests", "pagerduty") == 20


def test_who_stands_by_tells_nothing_of_what_it_no_longer_knows(books: Books) -> None:
    _count_everything(books)
    assert books.value("lock_held") == 1
    books.metrics.stood_by()
    assert books.value("lock_held") == 0
    there = {name.removeprefix("reconciler_") for name, _ in books.samples()}
    gone = {"open_pairs", "actions_pending", "actions_in_flight", "actions_unknown", "actions_dead"}
    gone |= {"divergence_pairs", "divergence_oldest_seconds", "rate_budget_remaining_requests"}
    gone |= {"pages_waiting", "unpaged_pairs", "oldest_pending_seconds", "troubles"}
    assert not there & gone
    books.cycle()
    assert books.value("divergence_pairs") == 0


# -- health --


def test_cycles_must_keep_finishing() -> None:
    hours = Hours()
    vitals = Vitals(10.0, hours.monotonic)
    hours.passed = 30
    assert vitals.alive()
    hours.passed = 30.1
    assert not vitals.alive()
    vitals.finished(Report())
    assert vitals.alive()
    hours.passed = 60.2
    assert not vitals.alive()


def test_short_intervals_are_not_measured_by_the_moment() -> None:
    hours = Hours()
    vitals = Vitals(0.05, hours.monotonic)
    hours.passed = SHORTEST_PATIENCE
    assert vitals.alive()
    hours.passed += 0.01
    assert not vitals.alive()


def test_the_time_that_a_vendor_takes_does_not_count() -> None:
    hours = Hours()
    vitals = Vitals(1.0, hours.monotonic)
    meter = Meter(hours, None, vitals, "PagerDuty")
    for status, pause in ((200, 0.0), (503, PAUSE), (None, PAUSE)):
        call = meter.take("GET /", write=False, within=1.0)
        hours.passed += LONGEST_CALL
        assert vitals.alive()
        meter.settle(call, status, {})
        hours.passed += 2.9 + pause
        assert vitals.alive()
        hours.passed += 0.2
        assert not vitals.alive()


def test_a_call_that_outlives_its_time_is_no_sign_of_life_however_well_others_answer() -> None:
    hours = Hours()
    vitals = Vitals(10.0, hours.monotonic)
    meter = Meter(hours, None, vitals, "PagerDuty")
    hanging = meter.take("GET /", write=False, within=1.0)
    alive = []
    for _ in range(6):
        hours.passed += 9
        meter.settle(meter.take("GET /", write=False, within=1.0), 200, {})
        vitals.finished(Report())
        alive.append(vitals.alive())
    assert alive == [True] * 5 + [False]
    assert vitals.unready() == "a call to PagerDuty has not ended for more than 45 s: restart if that lasts"
    meter.settle(hanging, None, {})
    assert vitals.alive()
    assert vitals.unready() == ""


def test_cycles_that_fail_one_after_the_other_are_no_sign_of_life() -> None:
    """Each asks the vendors, who answer well, and comes to nothing for want of a database."""
    hours = Hours()
    vitals = Vitals(10.0, hours.monotonic)
    meter = Meter(hours, None, vitals, "PagerDuty")
    vitals.finished(Report())
    alive = []
    for _ in range(4):
        call = meter.take("GET /", write=False, within=1.0)
        hours.passed += 1
        meter.settle(call, 200, {})
        alive.append(vitals.alive())
        vitals.failed("DATABASE_URL: locked")
        hours.passed += 13
    assert alive == [True, True, True, False]
    meter.take("GET /", write=False, within=1.0)
    assert not vitals.alive()
    vitals.finished(Report())
    assert vitals.alive()


@pytest.mark.parametrize(
    ("problems", "reason"),
    [
        ((), ""),
        ((Problem(Side.OPSGENIE, Transient("away")),), "Opsgenie could not be polled yet"),
        (
            (Problem(Side.OPSGENIE, Transient("away")), Problem(Side.PAGERDUTY, Transient("away"))),
            "Opsgenie and PagerDuty could not be polled yet",
        ),
        ((Problem(Side.PAGERDUTY, Refused("PAGERDUTY_API_KEY: 401")),), "PAGERDUTY_API_KEY: 401"),
        (
            (
                Problem(Side.PAGERDUTY, Refused("PAGERDUTY_API_KEY: 401")),
                Problem(Side.OPSGENIE, Refused("OPSGENIE_API_KEY: 401")),
            ),
            "PAGERDUTY_API_KEY: 401; OPSGENIE_API_KEY: 401",
        ),
        ((Problem(Side.OPSGENIE, Refused("OPSGENIE_API_KEY: 402"), "alert-1"),), "OPSGENIE_API_KEY: 402"),
        ((Problem(Side.PAGERDUTY, Transient("one of them"), "alert-1"),), ""),
        ((Problem(Side.PAGERDUTY, Misconfigured("one of them"), "alert-1"),), ""),
    ],
)
def test_readiness_says_why_not(problems: tuple[Problem, ...], reason: str) -> None:
    vitals = Vitals(1.0)
    assert vitals.unready() == "the first poll of Opsgenie and PagerDuty is not over yet"
    vitals.finished(Report(problems=problems))
    assert vitals.unready() == reason


def test_readiness_says_what_the_first_poll_waits_for() -> None:
    hours = Hours()
    vitals = Vitals(10.0, hours.monotonic)
    opsgenie, pagerduty = (Meter(hours, None, vitals, name) for name in ("Opsgenie", "PagerDuty"))
    first, second = (meter.take("GET /", write=False, within=1.0) for meter in (opsgenie, pagerduty))
    begins = "the first poll of Opsgenie and PagerDuty is not over yet"
    assert vitals.unready() == f"{begins}: Opsgenie has not answered yet, PagerDuty has not answered yet"
    opsgenie.settle(first, None, {})
    pagerduty.settle(second, 503, {})
    assert vitals.unready() == f"{begins}: Opsgenie gives no answer, PagerDuty answers 503"
    opsgenie.settle(opsgenie.take("GET /", write=False, within=1.0), 200, {})
    assert vitals.unready() == f"{begins}: PagerDuty answers 503"
    vitals.finished(Report(problems=(Problem(Side.PAGERDUTY, Transient("away")),)))
    assert vitals.unready() == "PagerDuty could not be polled yet"


def test_a_stand_by_is_ready_as_long_as_it_is_alive() -> None:
    hours = Hours()
    vitals = Vitals(10.0, hours.monotonic)
    vitals.pages("of an earlier life")
    vitals.stood_by()
    assert (vitals.unready(), vitals.role()) == ("", "standby")
    hours.passed = 30.1
    assert vitals.unready() == "no look at the lock has ended for three intervals"
    vitals.finished(Report())
    assert (vitals.unready(), vitals.role()) == ("", "leader")


def test_who_is_not_alive_is_not_ready() -> None:
    hours = Hours()
    vitals = Vitals(10.0, hours.monotonic)
    vitals.finished(Report())
    hours.passed = 30
    assert vitals.unready() == ""
    hours.passed = 30.1
    assert vitals.unready() == "no cycle has ended for three intervals"
    vitals.failed("DATABASE_URL: locked")
    assert vitals.unready() == "DATABASE_URL: locked"


def test_a_first_poll_is_done_once_and_for_all_but_a_refused_key_is_told_whenever_it_is() -> None:
    vitals = Vitals(1.0)
    vitals.finished(Report(problems=(Problem(Side.OPSGENIE, Transient("away")),)))
    vitals.finished(Report(problems=(Problem(Side.PAGERDUTY, Transient("away")),)))
    assert vitals.unready() == ""
    vitals.finished(Report(problems=(Problem(Side.OPSGENIE, Refused("OPSGENIE_API_KEY: 401")),)))
    assert vitals.unready() == "OPSGENIE_API_KEY: 401"
    vitals.finished(Report())
    assert vitals.unready() == ""
    vitals.stood_by()
    assert (vitals.unready(), vitals.role()) == ("", "standby")
    vitals.finished(Report())
    vitals.failed("DATABASE_URL: away")
    assert vitals.unready() == "DATABASE_URL: away"


# -- the daemon --


def test_without_http_listen_nothing_listens_and_nothing_is_imported_for_it(world: Front) -> None:
    """What is given for the fast path all the same is told by `run`, and by nothing else."""
    done = world.run("once", **FAST_PATH)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "first start" not in line] == []
    world.start(**(FAST_PATH | {"HTTP_LISTEN": ""}))
    world.until(lambda: world.cycles() > 2, "cycles")
    told = [event["event"].partition(":")[0] for event in world.events() if event["level"] == "warning"]
    assert told == ["PAGERDUTY_WEBHOOK_SECRET", "OPSGENIE_INTEGRATION_ID"]
    pid = world.daemons[-1].pid
    maps = Path(f"/proc/{pid}/net/tcp").read_text()
    inodes = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    listening = [line.split()[9] for line in maps.splitlines()[1:] if line.split()[3] == "0A"]
    assert not {f"socket:[{inode}]" for inode in listening} & inodes
    assert '"listening"' not in world.log()
    assert world.stop() == 0


def test_a_port_that_is_taken_ends_the_program_with_the_mend(world: Front) -> None:
    world.open()
    done = world.run(
        "run", HTTP_LISTEN=f"127.0.0.1:{world.port}", DATABASE_URL=f"sqlite:///{world.folder / 'x.db'}"
    )
    assert done.returncode == 2
    assert done.stderr.startswith("reconciler: HTTP_LISTEN: cannot listen on 127.0.0.1:")
    assert len(done.stderr.splitlines()) == 1


def test_health_is_about_cycles_and_never_about_a_vendor(
    world: Front, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of one out of reach and one that hangs: for longer than a cycle may take, and while a cycle runs."""
    with a_front(tmp_path_factory.mktemp("hanging")) as other:
        world.open(POLL_INTERVAL_SECONDS="0.2", OPSGENIE_API_URL="http://127.0.0.1:9")
        other.control("faults", do="hang", vendor="opsgenie", times=1000, seconds=30)
        other.open(POLL_INTERVAL_SECONDS="0.2")
        for front, vendor in ((world, "Opsgenie"), (other, "Opsgenie has not answered yet")):
            front.until(lambda front=front, vendor=vendor: vendor in front.get("/readyz").json()["reason"], vendor)
        last = time.monotonic() + SHORTEST_PATIENCE + 1
        while time.monotonic() < last:
            for front in (world, other):
                healthy, not_ready = front.get("/healthz", timeout=1), front.get("/readyz", timeout=1)
                assert (healthy.status_code, not_ready.status_code) == (200, 503)
                assert len(not_ready.text.splitlines()) == 1
            time.sleep(0.1)
        assert other.metric("reconciler_cycles_attempted_total") == 1
        assert other.metric("reconciler_cycle_duration_seconds_count") == 0
    world.until(lambda: "Opsgenie could not be polled yet" in world.get("/readyz").text, "the reason")


def test_health_and_metrics_answer_while_the_database_does_not(world: Front) -> None:
    """And say after three intervals, not before, that no cycle ends any more: it is stuck, and not by a vendor."""
    interval = 0.7
    world.open_ready(POLL_INTERVAL_SECONDS=str(interval))
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page")
    world.until(lambda: world.metric("reconciler_open_pairs") == 1, "it is counted")
    with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        world.raise_alert("another")  # a cycle that has something to write
        began = time.monotonic()
        world.until(lambda: world.get("/healthz", timeout=1).status_code == 503, "no cycle ends any more")
        assert (INTERVALS - 1) * interval <= time.monotonic() - began <= (INTERVALS + 2) * interval
        assert world.get("/readyz", timeout=1).status_code == 503
        assert world.get("/metrics", timeout=1).elapsed.total_seconds() < 1
        assert world.report(opsgenie_body(alert)).status_code == 202
        _assert_as_told(world.get("/healthz"))
        other.execute("ROLLBACK")
    world.until(lambda: world.get("/healthz").status_code == 200, "cycles end again")
    world.until(lambda: world.get("/readyz").status_code == 200, "it is ready again")


def test_cycles_that_ask_the_vendors_and_then_fail_are_told_as_well(world: Front) -> None:
    world.open_ready(POLL_INTERVAL_SECONDS="0.2")

    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page")

    def broken() -> bool:
        """What says whose turn it is to be swept cannot be read any more."""
        with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
            other.execute("UPDATE pairs SET swept_at = '0'")
        return "failed unexpectedly" in world.log()

    world.until(broken, "a cycle has failed")
    world.until(lambda: world.get("/healthz").status_code == 503, "no cycle ends any more")
    asked = world.seq()
    last = time.monotonic() + 1
    while time.monotonic() < last:
        assert world.get("/healthz").status_code == 503
        time.sleep(0.05)
    assert world.seq() > asked
    assert world.get("/readyz").json()["reason"] == "a cycle failed unexpectedly, see the log"


def _assert_as_told(unhealthy: requests.Response) -> None:
    """The only answer that test_openapi.py cannot have."""
    case = schemathesis.openapi.from_path(OPENAPI)["/healthz"]["GET"].Case(method="GET")
    case.validate_response(unhealthy, checks=[response_schema_conformance, response_headers_conformance])
    assert unhealthy.json() == {"alive": False}


def test_dead_actions_are_in_the_detail(world: Front) -> None:
    world.open_ready()
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page")
    assert world.get("/readyz").json() == {"ready": True, "role": "leader", "dead_actions": 0}
    sandbox = world.sandbox.sandbox
    machine = sandbox._machine
    refuse_notes(world)
    world.customer(alert, "notes", text="refused for good")
    world.until(lambda: world.get("/readyz").json()["dead_actions"] == 1, "the dead action")
    sandbox._machine = machine  # type: ignore[method-assign]
    assert world.get("/readyz").json()["ready"] is True
    assert world.metric("reconciler_actions_dead") == 1
    kind = "pagerduty.add_note"
    assert world.metric("reconciler_actions_total", kind=kind, result="dead", reason="rejected") == 1


def refuse_notes(world: Front) -> None:
    """PagerDuty takes no note any more."""
    from reconciler.sandbox.wire import Request, Response, json_response  # noqa: PLC0415

    sandbox = world.sandbox.sandbox
    machine = sandbox._machine

    def answer(vendor: str, request: Request) -> Response:
        if vendor == "pagerduty" and request.method == "POST" and request.path.endswith("/notes"):
            return json_response(400, {"error": {"message": "Invalid Input Provided", "code": 2001}})
        return machine(vendor, request)

    sandbox._machine = answer  # type: ignore[method-assign]


def test_the_daemons_own_figures(world: Front) -> None:
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
    assert (world.metric("reconciler_rate_budget_remaining_requests", vendor="pagerduty") or 0) > 0
    assert world.metric("reconciler_requests_total", vendor="pagerduty", endpoint="/incidents", status="201") == 1
    assert world.metric("reconciler_build_info", version=__version__) == 1
    attempted = world.metric("reconciler_cycles_attempted_total") or 0
    assert attempted - (world.metric("reconciler_cycles_succeeded_total") or 0) <= 1
    world.until(lambda: (world.metric("reconciler_echoes_total") or 0) >= 1, "an echo")
    assert alert not in world.get("/metrics").text


def test_between_two_cycles_the_figures_are_right_as_well(world: Front) -> None:
    """The next cycle is a minute away: what the fast path did is counted, and soon proved."""
    world.open_ready(POLL_INTERVAL_SECONDS="60")
    alert, incident = world.paired()
    assert world.metric("reconciler_open_pairs") == 1
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


def test_a_second_daemon_stands_by_and_says_so(world: Front) -> None:
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
def test_who_does_not_listen_does_not_pay_for_it(module: str) -> None:
    heavy = "{'flask', 'waitress', 'prometheus_client', 'werkzeug'}"
    asked = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "[]\n"
