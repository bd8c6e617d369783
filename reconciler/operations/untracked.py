"""Why an alert is not tracked: the vendors are asked, but only about it. See `Verdict` for the answers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.core.model import Alert, Incident, Side
from reconciler.core.product import Product, product_of
from reconciler.errors import Missing, Permanent
from reconciler.observability.naming import listed
from reconciler.operations.query_terms import terms
from reconciler.operations.story import stamp
from reconciler.settings_texts import volatile_terms
from reconciler.store.cursors import Positions

MOST_ASKED = 5
"""The most alerts of one tiny id that are looked at: these numbers are given again."""
_NO_SUCH_ID = (Missing, Permanent)
"""Answers to an id that is none of this vendor's: it is not there, or has not the form of one."""


class AlertSearch(Protocol):
    """The alert side, as far as this needs it."""

    def alert(self, alert_id: str) -> Alert:
        """The alert itself. Missing if there is none."""

    def find(self, query: str) -> list[Alert]:
        """Alerts that this query finds. Permanent if the query is refused."""


class IncidentSearch(Protocol):
    """PagerDuty, as far as this needs it."""

    def incident(self, given: str) -> Incident:
        """The incident of this id or number. Missing if there is none."""


@dataclass(frozen=True, slots=True)
class Searches:
    """How the vendors can be asked; None: without a key, not at all. `service_id` is PAGERDUTY_SERVICE_ID."""

    alerts: AlertSearch | None = None
    incidents: IncidentSearch | None = None
    service_id: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """What the database says of the reconciler at work. `query` is the one it uses, as far as known.

    `late`: seconds without a whole poll after which it counts as away. `pauses` are described in words.
    """

    positions: Positions
    holder: str = ""
    query: str = ""
    late: float = 60.0
    retention: timedelta = timedelta(days=30)
    pauses: tuple[str, ...] = ()

    @property
    def product(self) -> Product:
        """The product that raises the alerts."""
        return product_of(self.positions.source)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer about an alert or incident that is not tracked.

    `kind` is `unknown`, `not asked`, `outside the query`, `not running`, `not seen yet`, `closed before`,
    `forgotten`, `another service`, `no alert's key` or `not followed`. `is_known`: some vendor has it. `terms` are
    those that keep the alert out.
    """

    kind: str
    words: tuple[str, ...]
    is_known: bool = True
    alert_id: str = ""
    name: str = ""
    url: str = ""
    terms: tuple[str, ...] = field(default=())


def verdicts(given: str, searches: Searches, running: Running, now: datetime) -> tuple[Verdict, ...]:
    """All answers to this id. Raises what the vendors' clients raise."""
    product = running.product
    found = [*_of_alerts(given, searches, running, now), *_of_incident(given, searches, product)]
    if found:
        return tuple(found)
    every = {Side.ALERTS: searches.alerts, Side.PAGERDUTY: searches.incidents}
    asked = [product.name_of(side) for side, search in every.items() if search]
    missing = " and ".join(product.credential_of(side) for side, search in every.items() if search is None)
    words = [f"unknown to {' and '.join(asked)}, as far as their keys can see"] if asked else []
    if missing:
        words.append(f"to look further, set {missing} as the daemon has it")
    words += _at_work(running, now)
    return (Verdict("unknown" if asked else "not asked", tuple(words), is_known=False),)


def _of_alerts(given: str, searches: Searches, running: Running, now: datetime) -> Iterator[Verdict]:
    search = searches.alerts
    if search is None:
        return
    for alert in _alerts(given, search):
        yield _verdict(alert, search, running, now)


def _alerts(given: str, search: AlertSearch) -> list[Alert]:
    number = given.removeprefix("#")
    if number.isascii() and number.isdigit():
        return search.find(f"tinyId: {number}")[:MOST_ASKED]
    try:
        return [search.alert(given)]
    except _NO_SUCH_ID:
        return []


def _verdict(alert: Alert, search: AlertSearch, running: Running, now: datetime) -> Verdict:
    name = f'#{alert.tiny_id} "{alert.message}"'

    def verdict(kind: str, *words: str, keeping_out: tuple[str, ...] = ()) -> Verdict:
        return Verdict(kind, words, True, alert.id, name, alert.url, keeping_out)

    outside, words = _outside(alert, search, running.query, running.product)
    if words:
        return verdict("outside the query", *words, keeping_out=outside)
    positions = running.positions
    if positions.origin is None:
        return verdict("not running", *_at_work(running, now))
    if not alert.open and alert.updated_at < positions.origin.at:
        began = stamp(positions.origin.at)
        return verdict("closed before", f"it was closed before the first start at {began}: nothing is done for it")
    if not alert.open and now - alert.updated_at > running.retention:
        days = running.retention / timedelta(days=1)
        return verdict(
            "forgotten", f"it was finished more than {days:g} days ago (RETENTION_SECONDS), and was forgotten then"
        )
    return verdict(
        "not seen yet", f"raised at {stamp(alert.created_at)}, and not read since", *_at_work(running, now)
    )


def _outside(alert: Alert, search: AlertSearch, query: str, product: Product) -> tuple[tuple[str, ...], list[str]]:
    """The terms of the query that keep the alert out, and the words that say so; no words if it is inside."""
    refused = ""
    try:
        if not query or _matches(alert, search, query):
            return (), []
    except Permanent as error:
        refused = f"{product.name} refuses {product.query}: {error}"
    mine = f'alertId: "{alert.id}"'
    if all(found.id != alert.id for found in search.find(mine)):
        behind = (
            f"{product.name}'s search does not find it under its own id: the search index is behind, or the alert "
            f"is hidden from this key; whether it matches {product.query} is not certain"
        )
        return (), [behind]
    failed: list[str] = []
    words = [refused] if refused else []
    for term in terms(query):
        try:
            if not _matches(alert, search, term):
                failed.append(term)
        except Permanent as error:
            words.append(f"{product.name} refuses the term `{term}`: {error}")
    if failed:
        words.append(f"{product.query} keeps it out: it does not match {listed([f'`{term}`' for term in failed])}")
    elif not words:
        words.append(f"it matches each term of {product.query} by itself, and not all together: not certain why")
    if changing := ", ".join(volatile_terms(query)):
        words.append(f"this is so now; {changing} may have been otherwise when it was raised")
    return tuple(failed), words


def _matches(alert: Alert, search: AlertSearch, term: str) -> bool:
    found = search.find(f'alertId: "{alert.id}" AND ({term})')
    return any(each.id == alert.id for each in found)


def _at_work(running: Running, now: datetime) -> list[str]:
    """Whether the reconciler is at work, by its last whole poll of the alerts."""
    if running.positions.origin is None:
        leads = f"; {running.holder} leads" if running.holder else ""
        return [f"no reconciler has finished a first start on this database{leads}: see `reconciler status`"]
    polled = running.positions.polled_alerts
    if polled is None:
        return [f"{running.product.name} was never polled completely: see `reconciler status`"]
    words = [f"the last whole poll of {running.product.name} ended at {stamp(polled)}"]
    if (now - polled).total_seconds() > running.late:
        leads = f"{running.holder} led last" if running.holder else "nobody leads"
        words.append(f"that is long ago, and {leads}: is `reconciler run` at work?")
    return [*words, *running.pauses]


def _of_incident(given: str, searches: Searches, product: Product) -> Iterator[Verdict]:
    """The incident with this id or number, if there is one that is not followed."""
    if searches.incidents is None:
        return
    try:
        incident = searches.incidents.incident(given.removeprefix("#"))
    except _NO_SUCH_ID:
        return
    name, service = f'incident #{incident.number} "{incident.title}" ({incident.id})', searches.service_id
    if service and incident.service_id != service:
        kind = "another service"
        words = (
            f"it belongs to service {incident.service_id}; PAGERDUTY_SERVICE_ID is {service}, and no other is read"
        )
    elif not incident.key:
        kind = "no alert's key"
        words = f"it has no incident_key: it was not created for an alert of {product.name}"
    else:
        kind = "not followed"
        words = (
            f"its key is {incident.key}, and no tracked pair follows it: `reconciler explain {incident.key}` says "
            "whether that is an alert"
        )
    yield Verdict(kind, (words,), True, name=name, url=incident.url)
