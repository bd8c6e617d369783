"""Steps about time: how far each kind of read is behind a write, and whether reads step back."""

import math
from collections.abc import Callable, Iterator, Mapping

from reconciler.probe.findings import Finding, as_assumed, differs, judged, not_settled
from reconciler.probe.incidents import just_before, kind_of
from reconciler.probe.trial import Trial, is_acknowledged
from reconciler.vendors.json_fields import mapping, text

LONGEST = 45.0
"""Seconds within which a read must show a write."""
STEADY = 10
"""Further reads after a write is shown: none of them may show the state before it."""
EVERY = 0.5
ROUND_TO = 30
"""Seconds to which a proposal is rounded up."""
View = Callable[[], bool]


def incidents_behind(trial: Trial) -> Iterator[Finding]:
    """An acknowledgement, as PagerDuty's reads show it: by id, in the list, in both logs."""
    incidents, incident = trial.incidents, trial.new_incident()
    incident_id, began = text(incident.get("id")), just_before(incident)

    def listed() -> bool:
        row = next((row for row in incidents.open() if row.get("id") == incident_id), {})
        return text(row.get("status")) == "acknowledged"

    trial.until(lambda: any(row.get("id") == incident_id for row in incidents.open()), LONGEST)
    incidents.acknowledged(incident_id)
    views: dict[str, View] = {
        "by id": lambda: incidents.status(incident_id) == "acknowledged",
        "list": listed,
        "own log": lambda: "acknowledge" in map(kind_of, incidents.own_log(incident_id)),
        "account's log": lambda: "acknowledge" in map(kind_of, incidents.in_account_log(incident_id, began)),
    }
    yield from _delays(trial, "PagerDuty", views)


def alerts_behind(trial: Trial) -> Iterator[Finding]:
    """An acknowledgement, as the alert product's reads show it: by id, in lists by state and by creation."""
    alerts = trial.alerts
    one = trial.new_alert()
    of_probe = f'alias:"{one.key}"'
    trial.until(lambda: one.id in alerts.ids(of_probe), LONGEST)
    trial.acted(one.id, "acknowledge")

    def listed() -> bool:
        rows = alerts.rows_of(alerts.listed(of_probe))
        return any(row.get("id") == one.id and is_acknowledged(row) for row in rows)

    views: dict[str, View] = {
        "by id": lambda: is_acknowledged(alerts.alert(one.id)),
        "list": listed,
        "search by state": lambda: one.id in alerts.ids(f"{of_probe} AND acknowledged:true"),
        "log": lambda: any("ack" in text(row.get("log")).lower() for row in alerts.newest_log(one.id)),
    }
    yield from _delays(trial, trial.alerts.product, views)


def _delays(trial: Trial, vendor: str, views: Mapping[str, View]) -> Iterator[Finding]:
    """How long until each view shows what has just been written, and whether one shows an older state later."""
    began = trial.clock.monotonic()
    shown: dict[str, float] = {}
    older: dict[str, float] = {}
    further = 0
    while further < STEADY:
        for name, view in views.items():
            sees, at = view(), trial.clock.monotonic() - began
            if sees:
                shown.setdefault(name, at)
            elif name in shown:
                older[name] = at
        further += len(shown) == len(views) or trial.clock.monotonic() - began >= LONGEST
        trial.pause(EVERY)
    seen = ", ".join(f"{name} {shown[name]:.1f} s" if name in shown else f"{name} never" for name in views)
    longest = max(shown.values(), default=0.0)
    missing = [name for name in views if name not in shown]
    yield _staleness(trial, vendor, seen, longest, missing)
    yield judged(
        f"{vendor}'s reads never show an older state than the read before",
        f"{STEADY} reads of each: "
        + (", ".join(f"{n} went back at {at:.0f} s" for n, at in older.items()) or "none"),
        "reads come from copies: an older state is ignored by its time of change, where it has one",
        holds=not older,
    )


def _staleness(trial: Trial, vendor: str, seen: str, longest: float, missing: list[str]) -> Finding:
    question = f"{vendor}'s reads are at most STALENESS_SECONDS ({trial.staleness:g}) behind"
    if missing:
        return differs(
            question,
            f"{seen} (within {LONGEST:g} s)",
            f"{', '.join(missing)}: it takes longer than this step waits; set STALENESS_SECONDS to a few minutes",
        )
    proposal = math.ceil(max(2 * longest, 1) / ROUND_TO) * ROUND_TO
    if proposal > trial.staleness:
        return differs(question, seen, f"set STALENESS_SECONDS={proposal}")
    return as_assumed(question, f"{seen}; STALENESS_SECONDS={proposal} would be enough")


def fresh_incident(trial: Trial) -> Iterator[Finding]:
    """A new incident, read by its id at once."""
    incidents = trial.incidents
    incident_id = text(incidents.created().get("id"))
    found, took = trial.until(lambda: incidents.read(incident_id).ok, LONGEST)
    yield _fresh(trial, "PagerDuty: a new incident is found by its id", took, found=found)


def fresh_alert(trial: Trial) -> Iterator[Finding]:
    """A new alert, read by its id as soon as the request's status names it."""
    alerts = trial.alerts
    began = trial.clock.monotonic()
    one, outcome = trial.requested_alert()
    row, _ = trial.until(lambda: alerts.by_alias(one.key))
    alert_id = text(outcome.get("alertId")) or text(mapping(row).get("id"))
    if not alert_id:
        yield not_settled(
            f"{alerts.product}: a new alert is found by its id", "the alert has not appeared in time"
        )
        return
    alerts.known(one, {"id": alert_id})
    found, _ = trial.until(lambda: alerts.read(alert_id).ok, LONGEST)
    took = trial.clock.monotonic() - began
    yield _fresh(trial, f"{alerts.product}: a new alert is found by its id", took, found=found)


def _fresh(trial: Trial, question: str, took: float, *, found: bool) -> Finding:
    return judged(
        f"{question} within STALENESS_SECONDS ({trial.staleness:g})",
        f"found after {took:.1f} s" if found else f"not found within {took:.0f} s",
        "a 404 of a new object is taken for a deletion too early: set STALENESS_SECONDS higher",
        holds=found and took <= trial.staleness,
    )


def request_life(trial: Trial) -> Iterator[Finding]:
    """The status of this run's first accepted request, asked for again at the end."""
    known = {request: at for request, at in trial.receipts.items() if request}
    question = f"{trial.alerts.product} knows an accepted request for STALENESS_SECONDS ({trial.staleness:g})"
    if not known:
        trial.new_alert()
        known = {request: at for request, at in trial.receipts.items() if request}
    if not known:
        yield not_settled(question, "no accepted request of this run has an id")
        return
    request, at = min(known.items(), key=lambda item: item[1])
    reply = trial.alerts.receipt(request)
    age = trial.clock.monotonic() - at
    yield judged(
        question,
        f"after {age:.0f} s: {'known' if reply.ok else reply.words}",
        "what became of a write is read from the alert instead",
        holds=reply.ok,
    )
