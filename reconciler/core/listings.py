"""Comparison of listed or logged rows with the snapshot: which pairs to reconcile, and what to read of each.

A row only says where to look. Lists lag, so that state is read from the alert or the incident itself, by its id.
Each function returns one item for each finding; the work queue merges those of one pair.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.model import Act, Alert, AlertBaseline, Incident, IncidentBaseline, Pair, Side
from reconciler.core.policy import Policy
from reconciler.core.readings import AHEAD
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem, everything

CHANGES_NOTHING = frozenset(
    {"notify", "reach_ack_limit", "reach_trigger_limit", "repeat_escalation_path", "link", "unlink"}
)
"""Log entries that report no change to an incident."""
STAYS_TRIGGERED = frozenset(
    {"trigger", "assign", "escalate", "delegate", "exhaust_escalation_path", "link", "unlink"}
)
"""Log entries that change nothing about an incident that nobody has acknowledged; a new one has several."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The times that decide which unknown alerts are new.

    `first_start` is when this program first started. Alerts that were open then are paged if created after
    `page_since`. Pairs that were finished before `remembered_since` may have been forgotten. `polled_at` is when
    Opsgenie last answered a whole poll: what was raised since could not be seen before.
    """

    now: datetime
    first_start: datetime
    page_since: datetime
    remembered_since: datetime
    polled_at: datetime | None = None


def compare_alerts(
    rows: Iterable[Alert], pairs: Mapping[str, Pair], bounds: Bounds, reason: Reason = Reason.FEED
) -> list[WorkItem]:
    """Items for alerts that are new, or whose listed state differs from the snapshot. `pairs` are by alert id.

    An unknown alert is new unless it was closed before the first start. An open one that is older than the first
    start has entered the query since, and is new, too.
    """
    found = []
    for row in rows:
        pair = pairs.get(row.id)
        item = _unknown(row, bounds, reason) if pair is None else _known(row, pair, bounds.now, reason)
        if item is not None:
            found.append(item)
    return found


def new_alert(row: Alert, now: datetime, *, by_key: bool = True, seen_at: datetime | None = None) -> WorkItem:
    """The item for an alert that may have to page.

    `by_key`: look for an incident with its key first, which an earlier database may have created. `seen_at`: when
    it was first seen, if it was raised while nobody polled.
    """
    request = replace(everything(), row=row, is_new=True, by_key=by_key, seen_at=seen_at)
    return WorkItem(row.id, now, request, Priority.PAGE, frozenset({Reason.NEW_ALERT}))


def baseline(row: Alert, now: datetime, reason: Reason) -> WorkItem:
    """The item for an alert older than this program, which pages nobody: its row is stored, nothing is read."""
    return _changed(row.id, ReadRequest(row=row, is_baseline=True), now, reason)


def looked_up(row: Alert, now: datetime) -> WorkItem:
    """The item for an old alert that may have an incident under another key, which the alert's notes name."""
    request = replace(everything(), row=row, is_baseline=True, by_key=True)
    return WorkItem(row.id, now, request, Priority.UNSETTLED, frozenset({Reason.FIRST_START}))


def adopted(alert: Alert, incident: Incident, now: datetime) -> WorkItem:
    """The item for an alert that the first start finds together with its incident."""
    request = replace(everything(), row=alert, adopt=incident)
    return WorkItem(alert.id, now, request, Priority.UNSETTLED, frozenset({Reason.FIRST_START}))


def known_by_incident(alert_id: str, now: datetime) -> WorkItem:
    """The item for an alert that no list shows, but whose id is the key of an open incident at the first start."""
    request = replace(everything(), by_key=True)
    return WorkItem(alert_id, now, request, Priority.UNSETTLED, frozenset({Reason.FIRST_START}))


def compare_incidents(
    rows: Iterable[Incident],
    ours: Mapping[str, Iterable[Pair]],
    keyed: Mapping[str, Pair],
    now: datetime,
    reason: Reason = Reason.FEED,
) -> list[WorkItem]:
    """Items for incidents whose listed state differs, and for those with a known alert's id as their key.

    `ours` are the pairs by incident id, `keyed` by alert id. An incident with the key of an alert that has none is
    adopted; if the alert has another incident, it is noted as a twin.
    """
    found = []
    for row in rows:
        moved = [pair for pair in ours.get(row.id, ()) if _has_moved(row, pair.pagerduty)]
        found += [_changed(pair.alert_id, ReadRequest(incident=True), now, reason) for pair in moved]
        known = keyed.get(row.key)
        if known is None or known.is_unlinked or known.incident_id == row.id:
            continue
        if known.incident_id is None:
            found.append(_changed(known.alert_id, replace(everything(), adopt=row), now, reason))
        elif row.status != "resolved":
            found.append(_changed(known.alert_id, ReadRequest(twins=(row,)), now, reason))
    return found


def compare_acts(
    acts: Iterable[Act],
    pairs: Mapping[str, Iterable[Pair]],
    seen: Collection[str],
    policy: Policy,
    now: datetime,
) -> tuple[list[WorkItem], frozenset[str]]:
    """Pairs whose incident a log entry names, and the ids of the entries that did so.

    `pairs` are by incident id; entries in `seen` were acted upon before. The automation user's own entries, and
    those that report no change, name nothing. The entries go into the request, so that the incident's own log
    need not be read for them.
    """
    found, noted = [], set()
    for act in acts:
        if act.person is not None and policy.is_echo_of_us(act.person):
            continue
        for pair in pairs.get(act.incident_id, ()):
            if _reports_no_change(act, pair):
                continue
            noted.add(act.id)
            if act.id not in seen:
                is_note = act.verb == "annotate"
                request = ReadRequest(incident=not is_note, incident_notes=is_note, acts=(act,))
                found.append(_changed(pair.alert_id, request, now, Reason.FEED))
    return found, frozenset(noted)


def raised_by_us(acts: Iterable[Act], policy: Policy, service_id: str = "") -> set[str]:
    """Incidents that the automation user raised, by their ids; not those of another service, if one is given."""
    return {
        act.incident_id
        for act in acts
        if act.verb == "trigger"
        and act.person is not None
        and policy.is_automation(act.person)
        and (not (service_id and act.service_id) or act.service_id == service_id)
    }


def absent(side: Side, pairs: Iterable[Pair], now: datetime, reason: Reason = Reason.FEED) -> list[WorkItem]:
    """Items for pairs that a listing of everything open should have shown and did not: absence is not closure.

    A pair absent from a feed has probably been resolved a moment ago; one absent from the sweep can wait.
    """
    priority = Priority.SWEEP if reason is Reason.SWEEP else Priority.CHANGED
    found = []
    for pair in pairs:
        incident = pair.pagerduty
        if side is Side.ALERTS and pair.alerts.open:
            request = ReadRequest(alert=True)
        elif side is Side.PAGERDUTY and incident is not None and incident.status != "resolved":
            request = ReadRequest(incident=True)
        else:
            continue
        found.append(WorkItem(pair.alert_id, now, request, priority, frozenset({reason})))
    return found


def swept(
    alert_id: str, now: datetime, *, tracked: bool, has_incident: bool, state_of: Collection[Side] = ()
) -> WorkItem:
    """The item for a pair that is due in the sweep: its notes are read, which no listing shows.

    `state_of` are the sides whose listing is not available: there the alert or the incident is read by its id.
    """
    request = ReadRequest(
        swept=True,
        alert_notes=tracked,
        incident_notes=has_incident,
        alert=tracked and Side.ALERTS in state_of,
        incident=has_incident and Side.PAGERDUTY in state_of,
    )
    return WorkItem(alert_id, now, request, Priority.SWEEP, frozenset({Reason.SWEEP}))


def hinted_alerts(pairs: Iterable[Pair], now: datetime) -> list[WorkItem]:
    """Items for known alerts that a webhook names. Alerts that page nobody are left to the feed."""
    request = ReadRequest(alert=True, alert_notes=True)
    return [_changed(pair.alert_id, request, now, Reason.WEBHOOK) for pair in pairs if pair.tracked]


def hinted_incidents(pairs: Iterable[Pair], now: datetime) -> list[WorkItem]:
    """Items for pairs whose incident a webhook names, by its id or by its key, which may be a new incident."""
    found = []
    for pair in pairs:
        if pair.is_unlinked:
            continue
        if pair.incident_id is None:
            found.append(_changed(pair.alert_id, replace(everything(), by_key=True), now, Reason.WEBHOOK))
        elif pair.tracked:
            request = ReadRequest(incident=True, incident_notes=True)
            found.append(_changed(pair.alert_id, request, now, Reason.WEBHOOK))
    return found


def _changed(alert_id: str, request: ReadRequest, now: datetime, reason: Reason) -> WorkItem:
    return WorkItem(alert_id, now, request, Priority.CHANGED, frozenset({reason}))


def _unknown(row: Alert, bounds: Bounds, reason: Reason) -> WorkItem:
    entered_the_query = row.open is not False and row.created_at < bounds.page_since
    if entered_the_query or _was_open_at_first(row, bounds):
        return new_alert(row, bounds.now)
    if row.created_at >= _oldest_new(row, bounds):
        was_away = bounds.polled_at is not None and row.created_at > bounds.polled_at
        return new_alert(row, bounds.now, by_key=False, seen_at=bounds.now if was_away else None)
    return baseline(row, bounds.now, reason)


def _was_open_at_first(row: Alert, bounds: Bounds) -> bool:
    """Whether a closed alert was open at the first start, and would have been paged if a list had shown it."""
    closed = row.open is False and row.closed_at is not None and row.closed_at > bounds.first_start
    return closed and bounds.page_since <= row.created_at < bounds.first_start


def _oldest_new(row: Alert, bounds: Bounds) -> datetime:
    """The earliest creation time of a new alert. A closed one may belong to a pair that was forgotten."""
    if row.open is not False:
        return bounds.page_since
    return max(bounds.first_start, bounds.remembered_since)


def _known(row: Alert, pair: Pair, now: datetime, reason: Reason) -> WorkItem | None:
    base = pair.alerts
    if row.updated_at < base.updated_at <= now + AHEAD:
        return None  # the search index lags behind what was read from the alert itself
    raised = bool(row.priority and base.priority and row.priority != base.priority)
    if pair.tracked:
        return _tracked(row, pair, now, reason, raised=raised)
    if raised and not pair.is_unlinked:
        return new_alert(row, now)  # the core decides whether the new priority pages anybody
    if row.open is not None and row.open != base.open:
        return _changed(row.id, ReadRequest(row=row), now, reason)
    return None


def _tracked(row: Alert, pair: Pair, now: datetime, reason: Reason, *, raised: bool) -> WorkItem | None:
    """The item for an alert in the snapshot whose row differs; None if nothing has to be read.

    A changed priority pages nobody if the incident is resolved; the incident is read, because it may be open
    again.
    """
    base = pair.alerts
    is_over = pair.pagerduty is not None and pair.pagerduty.status == "resolved"
    moved = base.open and _differs(row, base)
    back = base.deleted or base.missing_since is not None
    repeated = not (moved or back or raised)
    if repeated and row.updated_at <= min(base.updated_at, now):
        return None
    incident = raised and is_over
    request = ReadRequest(alert=moved or back, alert_notes=True, incident=incident, repeated=repeated, row=row)
    return _changed(row.id, request, now, reason)


def _differs(row: Alert, base: AlertBaseline) -> bool:
    """Whether the row shows another state. An unreadable field shows nothing."""
    return (row.open is not None and row.open != base.open) or (
        row.acknowledged is not None and row.acknowledged != base.acknowledged
    )


def _has_moved(row: Incident, base: IncidentBaseline | None) -> bool:
    if base is None or row.status != base.status:
        return True
    return {person.id for person in row.acknowledgers} != {person.id for person in base.acknowledgers}


def _reports_no_change(act: Act, pair: Pair) -> bool:
    triggered = pair.pagerduty is not None and pair.pagerduty.status == "triggered"
    return act.verb in CHANGES_NOTHING or (triggered and act.verb in STAYS_TRIGGERED)
