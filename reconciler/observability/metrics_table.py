"""The table of all metrics: name, kind, labels and meaning of each, as docs/metrics.md shows them."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

from reconciler.core.model import Kind, Side
from reconciler.core.work import Priority, Reason


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    `known` are label values that exist with 0 from the start, so that the first event is seen as an increase.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()


WRITE_OUTCOMES = (
    *(("done", "written"), ("done", "seen"), ("dropped", "not_needed")),
    *(("retried", "not_executed"), ("retried", "not_seen"), ("retried", "plainer"), ("retried", "refused")),
    *(("unknown", "unknown"), ("unknown", "was_there")),
    *(("dead", "missing"), ("dead", "not_seen"), ("dead", "rejected")),
)
"""Results of writes, each with its possible reasons."""
ITEM_OUTCOMES = ("done", "again", "blocked", "failed")
"""Outcomes of a queue item: `again` is due again later, `blocked` waits for a circuit breaker."""
_CALL = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ITEM = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_LAG = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


def label_of(word: str) -> str:
    """The label value for one of the program's words: lower case, with underscores."""
    return word.lower().replace(" ", "_")


METRICS = (
    Metric("reconciler_build_info", "gauge", "Always 1; which version this is.", ("version", "python")),
    Metric("reconciler_lock_held", "gauge", "1 while this process leads, 0 while it stands by."),
    Metric(
        "reconciler_source_polls_total", "counter", "Polls of each source: ok or failed.", ("source", "outcome")
    ),
    Metric(
        "reconciler_last_good_poll_timestamp_seconds", "gauge", "When each source last succeeded.", ("source",)
    ),
    Metric(
        "reconciler_vendor_up",
        "gauge",
        "1 if the last poll of the vendor's change feed succeeded, 0 if it failed.",
        ("vendor",),
    ),
    Metric(
        "reconciler_vendor_last_poll_timestamp_seconds",
        "gauge",
        "When a whole poll of the vendor last succeeded, also in an earlier process.",
        ("vendor",),
    ),
    Metric(
        "reconciler_work_queue_keys",
        "gauge",
        "Pairs in the work queue, those that wait for a later time included.",
        ("priority",),
    ),
    Metric(
        "reconciler_work_queue_oldest_seconds",
        "gauge",
        "For how long the longest waiting pair has been due; 0 when none is.",
    ),
    Metric(
        "reconciler_work_items_total",
        "counter",
        "Pairs taken from the work queue, by why and with what outcome: done, again, blocked or failed.",
        ("reason", "outcome"),
        known=tuple((label_of(reason), outcome) for reason, outcome in product(Reason, ITEM_OUTCOMES)),
    ),
    Metric("reconciler_reconcile_duration_seconds", "histogram", "Time to reconcile one pair.", (), _ITEM),
    Metric(
        "reconciler_hint_reconciles_total",
        "counter",
        "Pairs reconciled because of a webhook.",
        ("result",),
        known=(("done",), ("failed",)),
    ),
    Metric(
        "reconciler_circuit_breaker_open",
        "gauge",
        "1 while a circuit breaker is open: nothing is asked or written there.",
        ("breaker",),
    ),
    Metric(
        "reconciler_requests_total",
        "counter",
        "Requests to the vendors; status none: no answer.",
        ("vendor", "method", "endpoint", "status"),
    ),
    Metric(
        "reconciler_request_duration_seconds",
        "histogram",
        "Time that a request to a vendor took.",
        ("vendor", "method", "endpoint"),
        _CALL,
    ),
    Metric(
        "reconciler_rate_limit_remaining_requests",
        "gauge",
        "Requests that the tightest known rate limit still allows now.",
        ("vendor",),
    ),
    Metric(
        "reconciler_actions_total",
        "counter",
        "Results of writes: done, dropped, dead, retried or unknown; and the class of the reason.",
        ("kind", "result", "reason"),
        known=tuple((kind.value, *outcome) for kind, outcome in product(Kind, WRITE_OUTCOMES)),
    ),
    Metric("reconciler_actions_pending", "gauge", "Writes that are planned and not sent yet."),
    Metric("reconciler_actions_in_flight", "gauge", "Writes sent or accepted whose effect is not confirmed yet."),
    Metric(
        "reconciler_actions_unknown", "gauge", "Writes whose outcome is unknown until their target has been read."
    ),
    Metric(
        "reconciler_actions_dead",
        "gauge",
        "Writes given up, until `reconciler retry` puts them back.",
        ("kind",),
    ),
    Metric(
        "reconciler_oldest_pending_seconds",
        "gauge",
        "Age of the oldest write that is not done; 0 when there is none.",
    ),
    Metric(
        "reconciler_pages_waiting",
        "gauge",
        "Incidents still to be created, or to page again, that have met an error, or are a minute old.",
    ),
    Metric(
        "reconciler_oldest_page_waiting_seconds",
        "gauge",
        "For how long the longest waiting of them has waited; 0 when none does.",
    ),
    Metric("reconciler_unpaged_pairs", "gauge", "Incidents that page nobody although they should."),
    Metric(
        "reconciler_paused",
        "gauge",
        "1 while `reconciler pause` holds writes to this side back; pages yes: what pages somebody, too.",
        ("side", "pages"),
    ),
    Metric("reconciler_troubles", "gauge", "Lasting problems, as the log reports them.", ("subject",)),
    Metric(
        "reconciler_shadow_alerts",
        "gauge",
        "With ALERT_SHADOW: open pairs by what the last comparison with the other product found; "
        "unknown: alerts open there that no pair matches.",
        ("verdict",),
    ),
    Metric(
        "reconciler_heartbeat_last_success_timestamp_seconds",
        "gauge",
        "When each configured heartbeat was last answered: url or opsgenie.",
        ("heartbeat",),
    ),
    Metric("reconciler_heartbeat_failures_total", "counter", "Heartbeats that were not answered.", ("heartbeat",)),
    Metric("reconciler_open_pairs", "gauge", "Followed alerts and incidents that are still open."),
    Metric(
        "reconciler_divergence_pairs",
        "gauge",
        "Pairs open on both sides of which one side is acknowledged and the other is not.",
    ),
    Metric(
        "reconciler_divergence_oldest_seconds", "gauge", "For how long the longest of them has been seen to be so."
    ),
    Metric(
        "reconciler_lag_seconds",
        "histogram",
        "From a person's act to the confirmation that it is mirrored, by the kind of write.",
        ("kind",),
        _LAG,
    ),
    Metric(
        "reconciler_echoes_total",
        "counter",
        "Changes recognised as the reconciler's own, by the guard that recognised them.",
        ("side", "guard"),
        known=tuple((side.value, guard) for side, guard in product(Side, ("outbox", "author", "mark"))),
    ),
    Metric("reconciler_webhooks_total", "counter", "Webhooks received, by outcome.", ("vendor", "outcome")),
)
"""The metrics of one route. Labels have few values: never an id, a name or a text."""
ROUTE = "route"
"""The label that each of them has where there are several routes."""
PROCESS_METRICS = (
    Metric(
        "reconciler_routes",
        "gauge",
        "With ROUTES_FILE: routes of this process; removed: not in the file any more, and still in the database.",
        ("state",),
    ),
    Metric("reconciler_pods", "gauge", "With ROUTES_FILE and PostgreSQL: processes that share the routes."),
)
"""The metrics of a process with several routes, which have no label for the route."""
PRIORITY_LABELS = tuple(label_of(priority.name) for priority in Priority)
