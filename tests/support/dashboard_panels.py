"""The panels of the Grafana dashboard, as a table. Their words are those of `reconciler status`."""

from dataclasses import dataclass
from typing import Literal

_JOB = 'job="$job"'
"""What each series is chosen by: process_… has names that other programs have too."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel. In it `JOB` stands for the choice of the job."""

    expr: str
    legend: str

    @property
    def text(self) -> str:
        """The query with the job in it."""
        return self.expr.replace("JOB", _JOB)


@dataclass(frozen=True, slots=True)
class Panel:
    """A number, or a graph over time. From `bad_from` on a number is red."""

    title: str
    help: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Literal["stat", "timeseries"] = "timeseries"
    bad_from: float | None = None
    texts: tuple[tuple[str, str, str], ...] = ()
    """Values that are shown as words: the value, the text and its colour."""


def _stat(
    title: str, about: str, expr: str, bad_from: float | None, unit: str = "short", *texts: tuple[str, str, str]
) -> Panel:
    return Panel(title, about, (Query(expr, ""),), unit, "stat", bad_from, texts)


def _graph(title: str, about: str, unit: str, *queries: tuple[str, str]) -> Panel:
    return Panel(title, about, tuple(Query(*query) for query in queries), unit)


def _rate(name: str, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (rate({name}{{JOB}}[$__rate_interval]))"


def _or_none(expr: str) -> str:
    """0 where the series is absent and a reconciler answers: then there is none."""
    return f"{expr} or 0 * max(reconciler_build_info{{JOB}})"


def _all(name: str, *labels: str) -> str:
    """The sum over all routes; of several replicas the one that leads has the series."""
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"sum{by} (max by ({', '.join(('route', *labels))}) ({name}{{JOB}}))"


def _age(series: str, label: str) -> str:
    """Of the route that is furthest behind."""
    return f"time() - min by ({label}) (max by (route, {label}) ({series}))"


def _quantile(share: float, name: str, label: str) -> str:
    return f"histogram_quantile({share}, {_rate(f'{name}_bucket', 'le', label)})"


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Now",
        (
            _stat("Pages waiting", "Alerts that page nobody yet.", _all("reconciler_pages_waiting"), 1),
            _stat(
                "Oldest page",
                "For how long the longest of them has waited.",
                "max(reconciler_oldest_page_waiting_seconds{JOB})",
                60,
                "s",
            ),
            _stat(
                "Nobody is paged",
                "Incidents that page nobody although they should.",
                _all("reconciler_unpaged_pairs"),
                1,
            ),
            _stat(
                "Leader",
                "Whether a reconciler leads: one does, the others stand by. Of several routes: each.",
                "min(max by (route) (reconciler_lock_held{JOB}))",
                None,
                "short",
                ("0", "nobody", "red"),
                ("1", "leads", "green"),
            ),
            _stat(
                "Dead",
                "Writes given up, until `reconciler retry`.",
                _or_none("sum(max by (route, kind) (reconciler_actions_dead{JOB}))"),
                1,
            ),
            _stat("Unknown", "Writes whose outcome is unknown.", _all("reconciler_actions_unknown"), None),
            _stat(
                "In trouble",
                "Lasting problems; `reconciler status` says which.",
                _or_none("sum(max by (route, subject) (reconciler_troubles{JOB}))"),
                1,
            ),
            _stat(
                "Paused",
                "Whether `reconciler pause` holds writes back.",
                _or_none("max(reconciler_paused{JOB})"),
                1,
                "short",
                ("0", "no", "green"),
                ("1", "paused", "red"),
            ),
        ),
    ),
    (
        "Pages and lag",
        (
            _graph(
                "Pages waiting",
                "Incidents still to be created, or to page again, and those that page nobody.",
                "short",
                (_all("reconciler_pages_waiting"), "waiting"),
                (_all("reconciler_unpaged_pairs"), "nobody is paged"),
            ),
            _graph(
                "Oldest page",
                "The rule ReconcilerPagesWait fires above 60 s.",
                "s",
                ("max(reconciler_oldest_page_waiting_seconds{JOB})", "oldest page"),
            ),
            _graph(
                "Lag, half of all acts within",
                "From a person's act to the proof that it is mirrored.",
                "s",
                (_quantile(0.5, "reconciler_lag_seconds", "kind"), "{{kind}}"),
            ),
            _graph(
                "Lag, 99 of 100 acts within",
                "From a person's act to the proof that it is mirrored.",
                "s",
                (_quantile(0.99, "reconciler_lag_seconds", "kind"), "{{kind}}"),
            ),
        ),
    ),
    (
        "Vendors",
        (
            _graph(
                "Polled",
                "For how long each change feed has not been polled well.",
                "s",
                (
                    _age('reconciler_last_good_poll_timestamp_seconds{JOB,source=~".*_feed"}', "source"),
                    "{{source}}",
                ),
            ),
            _graph(
                "Requests left",
                "What the tightest known rate limit still allows.",
                "short",
                ("min by (vendor) (reconciler_rate_limit_remaining_requests{JOB})", "{{vendor}}"),
            ),
            _graph(
                "Requests by vendor and outcome",
                "Per second; none: no answer.",
                "reqps",
                (_rate("reconciler_requests_total", "vendor", "status"), "{{vendor}} {{status}}"),
            ),
            _graph(
                "Request time, 99 of 100 within",
                "How long a vendor takes to answer.",
                "s",
                (_quantile(0.99, "reconciler_request_duration_seconds", "vendor"), "{{vendor}}"),
            ),
            _graph(
                "Circuit breakers open",
                "1: nothing is asked or written there.",
                "short",
                ("max by (breaker) (reconciler_circuit_breaker_open{JOB})", "{{breaker}}"),
            ),
            _graph(
                "Webhooks by outcome",
                "Per second; only with the fast path.",
                "reqps",
                (_rate("reconciler_webhooks_total", "vendor", "outcome"), "{{vendor}} {{outcome}}"),
            ),
        ),
    ),
    (
        "Pairs and actions",
        (
            _graph(
                "Actions",
                "Writes that are not done, by state.",
                "short",
                (_all("reconciler_actions_pending"), "planned"),
                (_all("reconciler_actions_in_flight"), "in flight"),
                (_all("reconciler_actions_unknown"), "unknown"),
                ("sum(max by (route, kind) (reconciler_actions_dead{JOB}))", "dead"),
            ),
            _graph(
                "Results of writes",
                "Per second.",
                "ops",
                (_rate("reconciler_actions_total", "result"), "{{result}}"),
            ),
            _graph(
                "Work queue",
                "Pairs that are to be read, by priority.",
                "short",
                (_all("reconciler_work_queue_keys", "priority"), "{{priority}}"),
            ),
            _graph(
                "Oldest due pair",
                "For how long the longest waiting pair has been due.",
                "s",
                ("max(reconciler_work_queue_oldest_seconds{JOB})", "oldest"),
            ),
            _graph(
                "Open pairs",
                "And those apart: one side is acknowledged, the other is not.",
                "short",
                (_all("reconciler_open_pairs"), "open"),
                (_all("reconciler_divergence_pairs"), "apart"),
            ),
            _graph(
                "In trouble",
                "Lasting problems, by what they are about.",
                "short",
                (_all("reconciler_troubles", "subject"), "{{subject}}"),
            ),
        ),
    ),
    (
        "Routes",
        (
            _graph(
                "Routes and processes",
                "Only with ROUTES_FILE. Removed: in the database, and not in the file any more.",
                "short",
                ('sum(reconciler_routes{JOB,state="led"})', "led"),
                ('max(reconciler_routes{JOB,state="removed"})', "removed"),
                ("max(reconciler_pods{JOB})", "processes"),
            ),
            _graph(
                "Pages waiting by route",
                "Incidents still to be created, or to page again.",
                "short",
                ("max by (route) (reconciler_pages_waiting{JOB})", "{{route}}"),
            ),
            _graph(
                "Open pairs by route",
                "Followed alerts and incidents that are still open.",
                "short",
                ("max by (route) (reconciler_open_pairs{JOB})", "{{route}}"),
            ),
            _graph(
                "Oldest write by route",
                "The rule ReconcilerWritesLate fires above half an hour.",
                "s",
                ("max by (route) (reconciler_oldest_pending_seconds{JOB})", "{{route}}"),
            ),
            _graph(
                "Troubles by route",
                "Lasting problems; `reconciler status` says which.",
                "short",
                ("sum by (route) (max by (route, subject) (reconciler_troubles{JOB}))", "{{route}}"),
            ),
            _graph(
                "Dead by route",
                "Writes given up, until `reconciler retry`.",
                "short",
                ("sum by (route) (max by (route, kind) (reconciler_actions_dead{JOB}))", "{{route}}"),
            ),
        ),
    ),
    (
        "The process",
        (
            _graph(
                "Leader",
                "1: this one leads, of several routes at least one; 0: it stands by.",
                "short",
                ("max by (instance) (reconciler_lock_held{JOB})", "{{instance}}"),
            ),
            _graph(
                "Heartbeats",
                "For how long each has not been answered.",
                "s",
                (
                    _age("reconciler_heartbeat_last_success_timestamp_seconds{JOB}", "heartbeat"),
                    "{{heartbeat}}",
                ),
            ),
            _graph("Memory", "Resident.", "bytes", ("process_resident_memory_bytes{JOB}", "{{instance}}")),
            _graph(
                "Processor",
                "Share of one processor.",
                "percentunit",
                ("rate(process_cpu_seconds_total{JOB}[$__rate_interval])", "{{instance}}"),
            ),
        ),
    ),
)
