"""docs/metrics.md: its tables, made of the product's table of metrics and of the alert rules.

`make docs-generate` writes them between the marks of the page; the rest of the page is written by hand.
"""

import re
from collections.abc import Iterator

import yaml

from reconciler.core.model import Kind, Side
from reconciler.core.shadow import VERDICTS
from reconciler.observability.metrics_table import METRICS, PRIORITY_LABELS, PROCESS_METRICS, Metric, label_of
from reconciler.observability.route_metrics import LED, REMOVED, STANDBY
from reconciler.reconcile.write_breakers import Lane
from reconciler.runtime.account import Account
from reconciler.runtime.state_log import OPTIONAL, SUBJECTS
from reconciler.sources.alert_feed import AlertFeed
from reconciler.sources.hints import Hints
from reconciler.sources.listings import OpenAlerts, OpenIncidents
from reconciler.sources.pagerduty_feed import PagerDutyFeed
from reconciler.sources.sweep import Sweep
from reconciler.vendors.heartbeat_url import HeartbeatUrl
from reconciler.vendors.opsgenie.heartbeat import OpsgenieHeartbeat
from reconciler.web import app
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "metrics.md"
RULES = ROOT / "examples" / "prometheus" / "rules.yaml"
EVERY = (*METRICS, *PROCESS_METRICS)
_SIDES = tuple(side.value for side in Side)
_SOURCES = (Account, AlertFeed, PagerDutyFeed, Sweep, OpenAlerts, OpenIncidents, Hints)
_BREAKERS = (*(f"{side} reads" for side in _SIDES), *(f"{lane.value} writes" for lane in Lane))
_WEBHOOKS = (*(each for side in app._OUTCOMES.values() for each in side), "malformed", *app._UNREAD.values())

CLOSED: dict[str, tuple[str, ...]] = {
    "source": tuple(label_of(source.name) for source in _SOURCES),
    "vendor": _SIDES,
    "side": _SIDES,
    "priority": PRIORITY_LABELS,
    "breaker": tuple(map(label_of, _BREAKERS)),
    "method": ("GET", "POST", "PUT"),
    "kind": tuple(kind.value for kind in Kind),
    "pages": ("yes", "no"),
    "state": (LED, STANDBY, REMOVED),
    "verdict": VERDICTS,
    "subject": (*SUBJECTS, *OPTIONAL),
    "heartbeat": (HeartbeatUrl.name, OpsgenieHeartbeat.name),
    "reconciler_source_polls_total outcome": ("ok", "failed"),
    "reconciler_webhooks_total outcome": tuple(dict.fromkeys(_WEBHOOKS)),
}
"""Every value of a label, by its name, or by the metric's and its own where it means something else there."""
OPEN = {
    "version": "this version, such as 0.2.0",
    "python": "Python's version",
    "endpoint": "the path of the request, with `{id}` in place of each id",
    "status": "HTTP's status, or `none`: no answer",
}
"""Labels whose values are not listed, and what they are; all of them have few."""


def values_of(metric: Metric, label: str) -> tuple[str, ...]:
    """Every value that the label can have; empty if they are not listed."""
    if metric.known:
        position = metric.labels.index(label)
        return tuple(dict.fromkeys(values[position] for values in metric.known))
    return CLOSED.get(f"{metric.name} {label}") or CLOSED.get(label, ())


def metrics_table() -> str:
    """All metrics: name, type, labels, meaning."""
    rows = (
        f"| `{row.name}` | {row.kind} | {', '.join(f'`{label}`' for label in row.labels)} | {row.help} |"
        for row in EVERY
    )
    return "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows])


def labels_table() -> str:
    """All labels with their values; metrics whose label has the same values share a row."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in EVERY:
        for label in row.labels:
            values = values_of(row, label)
            words = ", ".join(f"`{value}`" for value in values) if values else OPEN[label]
            found.setdefault((label, words), []).append(f"`{row.name}`")
    rows = (f"| `{label}` | {words} | {', '.join(names)} |" for (label, words), names in sorted(found.items()))
    return "\n".join(["| label | values | of |", "|---|---|---|", *rows])


def rules_table() -> str:
    """All alert rules: name, severity, and what has happened; a label's value is set in italics."""
    return "\n".join(["| rule | severity | says |", "|---|---|---|", *_rules()])


def _rules() -> Iterator[str]:
    for rule in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]:
        name, notes = rule["alert"], rule["annotations"]
        says = re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"*\1*", notes["summary"])
        section = notes["runbook"].removeprefix("docs/")
        yield f"| [{name}]({section}) | {rule['labels']['severity']} | {says} |"


TABLES = {"metrics": metrics_table, "labels": labels_table, "rules": rules_table}
"""The tables by the word in their marks."""


def generated(text: str) -> str:
    """The page with its tables made anew."""
    for word, table in TABLES.items():
        begin, end = f"<!-- generated: {word} -->\n", f"<!-- end: {word} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{table()}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(generated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
