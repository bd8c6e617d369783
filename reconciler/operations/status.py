"""The state of everything, from the database alone: pairs, vendors, pauses, problems, waiting and dead actions."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.model import Action, Kind, Pair, Side, Status
from reconciler.core.product import OPSGENIE, Product, product_of
from reconciler.core.shadow import Comparison
from reconciler.core.text import shortened
from reconciler.observability.naming import STATES, pair_name, span, state_of
from reconciler.operations import pausing
from reconciler.operations.divergence import Apart, apart
from reconciler.operations.paging import WAITING_PAGE_GRACE, objections
from reconciler.store.database import Database, UnitOfWork
from reconciler.store.leader_state import LeaderState
from reconciler.store.overview import Lead, Paging, WaitingPage, lead, oldest_open, paging, since
from reconciler.store.schema import REVISION
from reconciler.store.standbys import Standby, known
from reconciler.store.troubles import KeptTrouble, load

UNLIMITED = 1_000_000_000
"""A limit that is never reached."""
LATE = 60.0
"""Seconds without a poll after which a side is late; or three intervals, if that is longer."""
LATE_INTERVALS = 3
AHEAD = timedelta(minutes=1)
"""How far a stored time may be ahead: the daemon's clock may differ, and a poll may end while this is read."""
SHADOW_SHOWN = timedelta(days=1)
"""How old a comparison may be that is still shown."""
PAGES = (Kind.CREATE_INCIDENT, Kind.PAGERDUTY_UNACKNOWLEDGE)
"""Actions that page somebody: they are listed first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An open or dead action, its pair, and since when it has been in its state."""

    action: Action
    pair: Pair | None
    since: datetime


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Content of the database.

    `polled` is when each side's last complete poll ended. `database` is the database's address without its
    password; `missing` says why it is empty. `lead` is who leads or has led last, `leader` what the leader last
    knew, `standbys` wait for its lock. `pauses` are those in force. `oldest`: when the oldest open action was
    planned. `product` raises the alerts.
    `shadow` is the last comparison with the product that ALERT_SHADOW names.
    """

    now: datetime
    database: str
    missing: str = ""
    open_pairs: int = 0
    polled: Mapping[Side, datetime | None] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    paging: Paging = field(default_factory=Paging)
    troubles: tuple[KeptTrouble, ...] = ()
    oldest: datetime | None = None
    pauses: tuple[pausing.Held, ...] = ()
    lead: Lead | None = None
    leader: LeaderState | None = None
    standbys: tuple[Standby, ...] = ()
    apart: tuple[Apart, ...] = ()
    shadow: Comparison | None = None
    product: Product = OPSGENIE

    @property
    def unpaged(self) -> tuple[Pair, ...]:
        """Pairs whose incident pages nobody."""
        return self.paging.unpaged

    @property
    def waiting_pages(self) -> tuple[WaitingPage, ...]:
        """Pages that wait because of an error, or for longer than a page takes."""
        every = self.paging.waiting
        return tuple(page for page in every if page.error or self.now - page.since > WAITING_PAGE_GRACE)

    @property
    def kind(self) -> str:
        """Which kind of database it is: sqlite or postgresql."""
        return self.database.partition(":")[0].partition("+")[0]

    @property
    def schema(self) -> str | None:
        """The schema's revision, which is this version's: a database with another one is refused."""
        return None if self.missing else REVISION

    @property
    def led_since(self) -> datetime | None:
        """When the present leader began to lead; None while it has not stored that yet."""
        known = self.leader
        return known.since if known and self.lead and known.epoch == self.lead.epoch else None

    def of(self, *states: str) -> tuple[Entry, ...]:
        """The entries in these states."""
        return tuple(entry for entry in self.entries if state_of(entry.action) in states)

    def trouble(self, side: Side) -> KeptTrouble | None:
        """The problem of a whole vendor."""
        return self._of_subject(side.value)

    def problem(self, side: Side) -> KeptTrouble | None:
        """The vendor's problem; if it has none as a whole, that of one kind of call or one alert, or of pages."""
        narrow = next((each for each in self.troubles if each.subject.startswith(f"{side.value} ")), None)
        pages = self._of_subject("pages") if side is Side.PAGERDUTY else None
        return self.trouble(side) or narrow or pages

    def _of_subject(self, subject: str) -> KeptTrouble | None:
        return next((each for each in self.troubles if each.subject == subject), None)


def read(database: Database, address: str, missing: str = "") -> StatusReport:
    """The present content of the database, without any write."""
    now = datetime.now(UTC)
    with database.reading() as unit:
        cursors = unit.cursors.load(now + AHEAD)
        product = product_of(cursors.source)
        open_actions = unit.outbox.open()
        dead = unit.outbox.with_status(Status.DEAD, UNLIMITED)
        total = unit.outbox.counts()
        found = paging(unit, now)
        states = Counter(state_of(action) for action in (*open_actions, *dead))
        states |= Counter({status.value: total[status] for status in (Status.DONE, Status.DROPPED)})
        paused = pausing.held_by(unit, now)
        pages = objections(found, now, are_made=pausing.is_paging(each.pause for each in paused))
        kept = [trouble for trouble in load(unit) if trouble.subject != "pages"]
        return StatusReport(
            now=now,
            database=address,
            missing=missing,
            open_pairs=unit.snapshot.open_pairs(),
            polled={Side.ALERTS: cursors.polled_alerts, Side.PAGERDUTY: cursors.polled_pagerduty},
            counts={state: states[state] for state in STATES},
            entries=tuple(sorted(_entries(unit, (*open_actions, *dead)), key=_urgency)),
            paging=found,
            troubles=(*kept, *(KeptTrouble("pages", _since(unit, now), words) for _, words in pages)),
            oldest=oldest_open(unit),
            pauses=paused,
            lead=lead(unit),
            leader=cursors.leader,
            standbys=known(unit, now),
            shadow=_recent(cursors.shadow, now),
            apart=apart(unit, cursors.leader.user if cursors.leader else "", product),
            product=product,
        )


def _recent(shadow: Comparison | None, now: datetime) -> Comparison | None:
    """The comparison, unless ALERT_SHADOW has probably been taken away since."""
    return shadow if shadow is not None and now - shadow.at <= SHADOW_SHOWN else None


def entries(unit: UnitOfWork, actions: Iterable[Action]) -> tuple[Entry, ...]:
    """These actions with their pairs and times."""
    return _entries(unit, tuple(actions))


def _urgency(entry: Entry) -> tuple[bool, datetime, int]:
    """Pages first, then the oldest."""
    return entry.action.kind not in PAGES, entry.since, entry.action.id


def _entries(unit: UnitOfWork, actions: tuple[Action, ...]) -> tuple[Entry, ...]:
    pairs = _titled(unit, unit.snapshot.pairs({action.alert_id for action in actions}))
    times = since(unit, [action.id for action in actions])
    return tuple(Entry(action, pairs.get(action.alert_id), times.get(action.id, action.at)) for action in actions)


def _titled(unit: UnitOfWork, pairs: dict[str, Pair]) -> dict[str, Pair]:
    """The pairs, each with a title: one from an older database takes that of its page."""
    untitled = unit.outbox.of([alert_id for alert_id, pair in pairs.items() if not pair.title])
    titles = {
        action.alert_id: shortened(action.text)
        for mine in untitled.values()
        for action in mine
        if action.kind is Kind.CREATE_INCIDENT
    }
    return pairs | {alert_id: replace(pairs[alert_id], title=title) for alert_id, title in titles.items()}


def _since(unit: UnitOfWork, now: datetime) -> datetime:
    """Since when pages have not been made, as the daemon has stored it: a problem of its own or of PagerDuty."""
    kept = {trouble.subject: trouble.since for trouble in load(unit)}
    return kept.get("pages") or kept.get(Side.PAGERDUTY.value) or now


def needs_attention(report: StatusReport, interval: float) -> bool:
    """Whether an action is dead, a side is late, a page waits, writes are paused or a problem lasts."""
    is_wrong = report.of("dead") or report.troubles or report.unpaged or report.pauses or report.waiting_pages
    return bool(is_wrong or late(report, interval))


def late(report: StatusReport, interval: float) -> list[Side]:
    """The sides whose last complete poll is too long ago, or that were never polled."""
    longest = max(LATE, LATE_INTERVALS * interval)
    ages = {side: age_of(report, side) for side in Side}
    return [side for side, seconds in ages.items() if seconds is None or seconds > longest]


def age_of(report: StatusReport, side: Side) -> float | None:
    """Seconds since the side's last complete poll; None if it was never polled."""
    at = report.polled.get(side)
    return None if at is None else age(report.now, at)


def age(now: datetime, at: datetime) -> float:
    """Seconds since this time, to the millisecond; 0 if another machine's clock is ahead of ours."""
    return max(0.0, round((now - at) / timedelta(seconds=1), 3))


def entry_data(now: datetime, entry: Entry, product: Product = OPSGENIE) -> dict[str, Any]:
    """One action as data. `alert` is the alert's tiny id, `incident` the incident's number."""
    action, pair = entry.action, entry.pair
    return {
        "id": action.id,
        "kind": product.kind(action.kind),
        "state": state_of(action),
        "alert_id": action.alert_id,
        "alert": pair.tiny_id if pair else None,
        "title": pair.title if pair else "",
        "incident_id": action.incident_id,
        "incident": pair.incident_number if pair else None,
        "reason": action.reason,
        "error": action.error,
        "attempts": action.attempts,
        "since": entry.since.isoformat(),
        "age_seconds": age(now, entry.since),
    }


def entry_text(now: datetime, entry: Entry, product: Product = OPSGENIE) -> str:
    """One action as a line of text: its pair, what it does, since when and why."""
    action = entry.action
    name = pair_name(action.alert_id, entry.pair)
    tries = f", {action.attempts} tries" if action.attempts > 1 else ""
    alert = f" (alert {action.alert_id})" if entry.pair else ""
    why = action.error or action.reason
    return f"{name}: {product.kind(action.kind)} for {span(now - entry.since)}{tries}: {why}{alert}"
