"""Every metric: listed in one table, counted in memory, exposed in the Prometheus format."""

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.core.model import Kind, Plan, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.product import JSM
from reconciler.core.work import Priority, Reason
from reconciler.observability.counts import DatabaseCounts
from reconciler.observability.metrics import REFRESH
from reconciler.observability.metrics_table import ITEM_OUTCOMES, METRICS, PRIORITY_LABELS
from tests.support.counting import NOW, Limiter, MetricsBench, Record, action, count_everything, pair


@pytest.fixture
def counted() -> MetricsBench:
    return MetricsBench()


# -- the table --


def test_every_metric_is_counted_as_the_table_says(counted: MetricsBench) -> None:
    count_everything(counted)
    found = text_string_to_metric_families(counted.metrics.text().decode())
    families = {family.name: family for family in found if not family.name.startswith("process_")}
    declared = {row.name.removesuffix("_total"): row for row in METRICS}
    assert set(families) == set(declared)
    for name, family in families.items():
        assert (family.type, family.documentation) == (declared[name].kind, declared[name].help)
        assert family.samples, name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(declared[name].labels)


# -- the work queue --


def test_items_are_counted_by_reason_and_outcome(counted: MetricsBench) -> None:
    for outcome in ITEM_OUTCOMES:
        assert counted.value("work_items_total", "new_alert", outcome) == 0
    counted.metrics.item({Reason.SWEEP, Reason.NEW_ALERT}, "done", 0.3)
    counted.metrics.item({Reason.SWEEP}, "failed", 0.3)
    counted.metrics.item(frozenset(), "done", 0.3)
    assert counted.value("work_items_total", "new_alert", "done") == 1
    assert counted.value("work_items_total", "sweep", "failed") == 1
    assert counted.value("work_items_total", "sweep", "done") == 0
    assert counted.value("work_items_total", "outbox", "done") == 1
    assert counted.value("reconcile_duration_seconds_count") == 3


def test_pairs_named_by_a_webhook_are_counted(counted: MetricsBench) -> None:
    counted.metrics.item({Reason.NEW_ALERT, Reason.WEBHOOK}, "again", 0.1)
    counted.metrics.item({Reason.WEBHOOK}, "failed", 0.1)
    counted.metrics.item({Reason.FEED}, "done", 0.1)
    assert [counted.value("hint_reconciles_total", result) for result in ("done", "failed")] == [1, 1]


def test_the_queue_size_is_exposed_by_priority(counted: MetricsBench) -> None:
    assert counted.value("work_queue_keys", "page") is None
    counted.metrics.queue({Priority.PAGE: 2, Priority.SWEEP: 30}, 1.5)
    assert [counted.value("work_queue_keys", name) for name in PRIORITY_LABELS] == [2, 0, 0, 30]
    assert counted.value("work_queue_oldest_seconds") == 1.5


def test_polls_are_counted_by_source(counted: MetricsBench) -> None:
    counted.metrics.polled("opsgenie feed", ok=True, side=Side.ALERTS)
    good = counted.clock.now().timestamp()
    counted.clock.passed = 20
    counted.metrics.polled("opsgenie feed", ok=False, side=Side.ALERTS)
    counted.metrics.polled("sweep", ok=False)
    assert [counted.value("source_polls_total", "opsgenie_feed", ending) for ending in ("ok", "failed")] == [1, 1]
    assert counted.value("last_good_poll_timestamp_seconds", "opsgenie_feed") == good
    assert counted.value("last_good_poll_timestamp_seconds", "sweep") is None
    assert "the first poll of PagerDuty is not over yet" in counted.health.unready()


def test_the_state_of_a_circuit_breaker_is_exposed(counted: MetricsBench) -> None:
    assert counted.value("circuit_breaker_open", "pagerduty_reads") is None
    counted.metrics.breakers({"pagerduty reads"})
    assert counted.value("circuit_breaker_open", "pagerduty_reads") == 1
    counted.metrics.breakers(())
    assert counted.value("circuit_breaker_open", "pagerduty_reads") == 0


def test_a_vendor_is_up_while_its_feed_can_be_polled_by_a_leader(counted: MetricsBench) -> None:
    assert counted.value("vendor_up", "opsgenie") is None
    counted.metrics.led()
    for ok in (True, False):
        counted.metrics.polled("opsgenie feed", ok=ok, side=Side.ALERTS)
        counted.metrics.polled("sweep", ok=not ok)
        assert counted.value("vendor_up", "opsgenie") == ok
    counted.metrics.stood_by()
    assert counted.value("vendor_up", "opsgenie") is None


def test_the_last_whole_poll_of_a_vendor_is_known_from_the_database(counted: MetricsBench) -> None:
    counted.metrics.counted(DatabaseCounts(0, {}, None, {Side.PAGERDUTY: NOW}))
    assert counted.value("vendor_last_poll_timestamp_seconds", "pagerduty") == NOW.timestamp()
    assert counted.value("vendor_last_poll_timestamp_seconds", "opsgenie") is None


def test_the_age_of_the_oldest_waiting_page_grows_until_none_waits(counted: MetricsBench) -> None:
    counted.metrics.paging(2, 0, "2 pages wait", NOW)
    counted.clock.passed = 90
    assert counted.value("pages_waiting") == 2
    assert counted.value("oldest_page_waiting_seconds") == 90
    counted.metrics.paging(0, 0, "", None)
    assert counted.value("oldest_page_waiting_seconds") == 0


def test_the_process_itself_is_measured(counted: MetricsBench) -> None:
    """A new start time shows a process that is restarted again and again."""
    text = counted.metrics.text().decode()
    for name in ("process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds"):
        assert f"\n{name} " in text


def test_heartbeats_are_counted_by_name(counted: MetricsBench) -> None:
    counted.metrics.beat("url", ok=True)
    good = counted.clock.now().timestamp()
    counted.clock.passed = 20
    counted.metrics.beat("url", ok=False)
    assert counted.value("heartbeat_last_success_timestamp_seconds", "url") == good
    assert counted.value("heartbeat_failures_total", "url") == 1


def test_a_pause_is_exposed_by_side_and_extent_while_this_process_leads(counted: MetricsBench) -> None:
    pause = Pause(Side.PAGERDUTY, NOW, "maintenance", pages=True)
    counted.metrics.paused([pause], ["PagerDuty: paused"])
    assert counted.value("paused", "pagerduty", "yes") is None
    counted.metrics.led()
    assert counted.value("paused", "pagerduty", "yes") == 1
    assert {counted.value("paused", *labels) for labels in (("pagerduty", "no"), ("opsgenie", "yes"))} == {0}
    assert list(counted.health.paused) == ["PagerDuty: paused"]
    counted.metrics.stood_by()
    assert not counted.health.paused


# -- requests and writes --


def test_requests_are_counted_by_vendor_endpoint_and_status(counted: MetricsBench) -> None:
    for status in (200, 200, 429, None):
        counted.metrics.request(Record("PagerDuty", "GET", "/incidents/{id}", status, 0.3))
    where = ("pagerduty", "GET", "/incidents/{id}")
    found = {status: counted.value("requests_total", *where, status) for status in ("200", "429", "none")}
    assert found == {"200": 2, "429": 1, "none": 1}
    assert counted.value("request_duration_seconds_count", *where) == 4
    assert counted.value("request_duration_seconds_bucket", *where, "0.25") == 0
    assert counted.value("request_duration_seconds_bucket", *where, "0.5") == 4
    assert "PagerDuty gives no answer" in counted.health.unready()


def test_a_write_is_counted_by_kind_result_and_reason_and_its_lag_once_done(counted: MetricsBench) -> None:
    counted.clock.passed = 4.0
    kind = Kind.PAGERDUTY_ACKNOWLEDGE
    rows = (
        (Status.PLANNED, "retried", "not_executed"),
        (Status.SENT, "unknown", "unknown"),
        (Status.DONE, "done", "written"),
        (Status.DROPPED, "dropped", "not_needed"),
        (Status.DEAD, "dead", "rejected"),
    )
    for status, result, reason in rows:
        assert counted.value("actions_total", kind.value, result, reason) == 0
        counted.metrics.outcome(action(kind), status, reason)
        assert counted.value("actions_total", kind.value, result, reason) == 1
    assert counted.value("lag_seconds_count", kind.value) == 1
    assert counted.value("lag_seconds_sum", kind.value) == 4


def test_a_vendors_clock_ahead_of_ours_gives_no_negative_lag(counted: MetricsBench) -> None:
    counted.metrics.outcome(replace(action(), at=NOW + timedelta(seconds=9)), Status.DONE, "written")
    assert counted.value("lag_seconds_sum", Kind.PAGERDUTY_NOTE.value) == 0


def test_a_rate_limiters_remainder_is_exposed_while_this_process_leads(counted: MetricsBench) -> None:
    limiter = Limiter(950)
    counted.metrics.limiter("PagerDuty", limiter)
    counted.metrics.limiter("Opsgenie", Limiter(None))
    assert counted.value("rate_limit_remaining_requests", "pagerduty") is None
    counted.metrics.led()
    assert counted.value("rate_limit_remaining_requests", "pagerduty") == 950
    assert counted.value("rate_limit_remaining_requests", "opsgenie") is None
    limiter.left = 3
    assert counted.value("rate_limit_remaining_requests", "pagerduty") == 3


# -- the state of pairs, pages and the database --


def test_a_disagreement_is_counted_from_the_moment_it_was_observed(counted: MetricsBench) -> None:
    metrics = counted.metrics
    metrics.saved(pair("unknown", acknowledged=True, status="triggered"))
    assert counted.value("divergence_pairs") is None
    assert not metrics.knows_pairs()
    metrics.know_pairs([pair("old", acknowledged=True, status="triggered")])
    assert metrics.knows_pairs()
    assert counted.value("divergence_pairs") == 1
    counted.clock.passed = 30
    for alert_id, acknowledged, status, is_open in (
        ("new", False, "acknowledged", True),
        ("agree", True, "acknowledged", True),
        ("closed", True, "triggered", False),
        ("resolved", True, "resolved", True),
    ):
        metrics.saved(pair(alert_id, acknowledged=acknowledged, status=status, is_open=is_open))
    counted.clock.passed = 40
    assert counted.value("divergence_pairs") == 2
    assert counted.value("divergence_oldest_seconds") == 40
    metrics.saved(pair("old", acknowledged=True, status="acknowledged"))
    assert counted.value("divergence_oldest_seconds") == 10
    metrics.saved(pair("new", acknowledged=False, status="resolved"))
    assert counted.value("divergence_pairs") == 0
    assert counted.value("divergence_oldest_seconds") is None


def test_the_contents_of_the_database_are_exposed(counted: MetricsBench) -> None:
    note, page = Kind.PAGERDUTY_NOTE, Kind.CREATE_INCIDENT
    actions = {
        (Status.PLANNED, False, note): 1,
        (Status.PLANNED, True, note): 1,
        (Status.SENT, False, page): 1,
        (Status.SENT, True, note): 2,
        (Status.DEAD, True, note): 1,
    }
    counted.metrics.counted(DatabaseCounts(7, actions, NOW))
    counted.clock.passed = 40
    names = ("open_pairs", "actions_pending", "actions_in_flight", "actions_unknown", "oldest_pending_seconds")
    assert [counted.value(name) for name in names] == [7, 2, 1, 2, 40]
    dead = {kind: counted.value("actions_dead", kind.value) for kind in Kind}
    assert dead == dict.fromkeys(Kind, 0) | {note: 1}
    assert counted.health.dead == 1


def test_the_gauges_of_the_database_are_refreshed_after_a_change_and_periodically(counted: MetricsBench) -> None:
    metrics = counted.metrics
    assert [metrics.needs_refresh() for _ in range(2)] == [True, False]
    metrics.outcome(action(), Status.DONE, "written")
    assert [metrics.needs_refresh() for _ in range(2)] == [True, False]
    metrics.committed(Plan(), DecisionInput(NOW, Policy(), ()))
    assert not metrics.needs_refresh()
    metrics.committed(
        Plan(pairs=(pair("a", acknowledged=True, status="triggered"),)), DecisionInput(NOW, Policy(), ())
    )
    assert [metrics.needs_refresh() for _ in range(2)] == [True, False]
    counted.clock.passed = REFRESH
    assert metrics.needs_refresh()


def test_overdue_pages_are_exposed_and_make_the_process_unready(counted: MetricsBench) -> None:
    for side in Side:
        counted.metrics.polled(side.value, ok=True, side=side)
    counted.metrics.paging(2, 1, "nobody is paged for #17")
    assert [counted.value(name) for name in ("pages_waiting", "unpaged_pairs")] == [2, 1]
    assert counted.health.unready() == "nobody is paged for #17"
    counted.metrics.paging(0, 0, "")
    assert [counted.value(name) for name in ("pages_waiting", "unpaged_pairs")] == [0, 0]
    assert counted.health.unready() == ""


def test_lasting_problems_are_counted_by_subject(counted: MetricsBench) -> None:
    counted.metrics.led()
    counted.metrics.troubled({"pagerduty": 1, "objects": 3, "opsgenie": 0})
    assert [counted.value("troubles", each) for each in ("pagerduty", "objects", "opsgenie")] == [1, 3, 0]


def test_a_comparison_with_another_product_is_exposed_while_this_process_leads(counted: MetricsBench) -> None:
    counted.metrics.compared({"same": 40, "missing": 0})
    counted.metrics.led()
    assert [counted.value("shadow_alerts", each) for each in ("same", "missing")] == [40, 0]


def test_a_scrape_exposes_what_was_just_counted(counted: MetricsBench) -> None:
    for number in range(3):
        counted.metrics.webhook(Side.PAGERDUTY, "accepted")
        assert counted.value("webhooks_total", "pagerduty", "accepted") == number + 1


def test_a_standby_exposes_no_outdated_gauges(counted: MetricsBench) -> None:
    count_everything(counted)
    assert counted.value("lock_held") == 1
    counted.metrics.stood_by()
    assert counted.value("lock_held") == 0
    there = {name.removeprefix("reconciler_") for name, _ in counted.samples()}
    gone = {"open_pairs", "actions_pending", "actions_in_flight", "actions_unknown", "actions_dead"}
    gone |= {"divergence_pairs", "divergence_oldest_seconds", "rate_limit_remaining_requests"}
    gone |= {"pages_waiting", "unpaged_pairs", "oldest_pending_seconds", "troubles"}
    gone |= {"work_queue_keys", "work_queue_oldest_seconds", "circuit_breaker_open"}
    assert not there & gone
    assert counted.metrics.needs_refresh()
    assert not counted.metrics.knows_pairs()
    assert counted.health.role() == "standby"
    counted.metrics.led()
    assert counted.health.role() == "leader"


def count_alerts_side(counted: MetricsBench, vendor: str) -> list[str]:
    """Count all that concerns the alert side; the samples, except for the heartbeats' help."""
    metrics = counted.metrics
    count_everything(counted)
    metrics.polled("opsgenie feed", ok=True, side=Side.ALERTS)
    metrics.polled("opsgenie listing", ok=False)
    metrics.breakers({"opsgenie reads", "opsgenie writes"})
    metrics.counted(DatabaseCounts(0, {(Status.DEAD, True, Kind.ALERT_NOTE): 1}, NOW, {Side.ALERTS: NOW}))
    metrics.outcome(action(Kind.ALERT_ACKNOWLEDGE), Status.DONE, "written")
    metrics.request(Record(vendor, "POST", "/acknowledge", 202, 0.1))
    metrics.limiter(vendor, Limiter(7))
    metrics.webhook(Side.ALERTS, "bad_secret")
    metrics.paused([Pause(Side.ALERTS, NOW, "why")], [])
    metrics.troubled({"opsgenie": 1})
    text = metrics.text().decode()
    return sorted(line for line in text.splitlines() if "process_" not in line and line[:1] != "#")


def test_every_label_of_the_alert_side_bears_the_products_key() -> None:
    of_jsm = count_alerts_side(MetricsBench(JSM), "JSM")
    bench = MetricsBench()
    of_opsgenie = count_alerts_side(bench, "Opsgenie")
    assert of_jsm == sorted(line.replace("opsgenie", "jsm") for line in of_opsgenie)
    assert not [line for line in of_jsm if "opsgenie" in line]
    assert {'source="jsm_feed"', 'source="jsm_listing"'} <= {
        part for line in of_jsm for part in line.replace("{", ",").replace("}", ",").split(",")
    }
