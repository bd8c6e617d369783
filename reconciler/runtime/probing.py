"""Wires the probe: sessions with both sides, who the automation user is, and whether this is a trial set-up."""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from reconciler.core.model import Act, Person, Side
from reconciler.core.product import JSM
from reconciler.errors import Misconfigured, ReconcilerError
from reconciler.probe import alerts as alert_side
from reconciler.probe.alerts import Alerts, Dialect
from reconciler.probe.incidents import Incidents
from reconciler.probe.objects import Objects
from reconciler.probe.redaction import Redaction
from reconciler.probe.run import OnStep, Result, run
from reconciler.probe.steps import Step
from reconciler.probe.trial import AlertUser, Trial
from reconciler.probe.wire import Api, Halt
from reconciler.runtime.request_log import log_request
from reconciler.runtime.sessions import PAGERDUTY_PER_MINUTE, session
from reconciler.settings import Settings
from reconciler.store.address import exists, file_of
from reconciler.store.database import DEFAULT_ROUTE, Database, current_revision, open_database
from reconciler.store.lock import lock_for
from reconciler.store.overview import shown
from reconciler.store.pods import known
from reconciler.store.read_only import open_read_only
from reconciler.store.routes import stored_routes
from reconciler.store.schema import REVISION
from reconciler.vendors.http import Http, RequestRecord, SystemClock
from reconciler.vendors.jsm import rows as jsm_rows
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.json_fields import text
from reconciler.vendors.opsgenie import rows as opsgenie_rows
from reconciler.vendors.pagerduty.writes import PagerDutyWriting
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import RateLimiter
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE

MakeHttp = Callable[[Side, str, Callable[[RequestRecord], None]], Http]
"""Makes a session by its side and name; the last argument is to be called after each request."""


@dataclass(frozen=True, slots=True)
class Probe:
    """All that a run needs. `objects` has what is not removed yet, also while it runs."""

    trial: Trial
    objects: Objects
    redaction: Redaction
    requests: Counter[str]

    def run(self, steps: tuple[Step, ...], on_step: OnStep) -> Result:
        """Make the steps, and remove everything."""
        return run(self.trial, self.objects, steps, self.redaction, lambda: dict(self.requests), on_step)


def assemble_probe(
    settings: Settings, stop: threading.Event, clock: Clock | None = None, make: MakeHttp | None = None
) -> Probe:
    """The probe for this configuration. It asks each side who we are: ReconcilerError if that fails.

    `stop` ends the waits of steps, and none of those by which everything is removed. `clock` and `make` replace
    the machine's clock and the sessions.
    """
    requests: Counter[str] = Counter()

    def count(record: RequestRecord) -> None:
        log_request(record)
        requests[record.vendor] += 1

    limits = {
        Side.ALERTS: RateLimiter(SystemClock()),
        Side.PAGERDUTY: RateLimiter(SystemClock(), PAGERDUTY_PER_MINUTE),
    }

    def http(side: Side, name: str = "") -> Http:
        if make is not None:
            return make(side, name, count)
        return session(settings, side, SystemClock(), limits[side], count, name=name)

    objects = Objects(secrets.token_hex(4))
    name = f"Reconciler Probe {objects.nonce}"
    known = {
        settings.pagerduty_email: "(the login e-mail)",
        settings.jsm_email: "(the e-mail address of JSM's user)",
    }
    redaction = Redaction(settings.secret_values(), known, (name,))
    waits = clock or SystemClock(stop)
    halt = Halt(stop.is_set, waits)

    def api(side: Side, name: str = "", headers: Mapping[str, str] | None = None) -> Api:
        return Api(http(side, name), redaction.learn, halt, headers)

    pagerduty = api(Side.PAGERDUTY, headers={"From": settings.pagerduty_email})
    incidents = Incidents(pagerduty, settings.pagerduty_service_id, objects)
    writing = PagerDutyWriting(pagerduty.http, settings.pagerduty_service_id, settings.pagerduty_email)
    service = incidents.service()
    if not service.ok:
        raise Misconfigured(f"PAGERDUTY_SERVICE_ID: the service cannot be read: {service.words}")
    is_jsm = settings.alert_source == JSM.key
    account = api(Side.ALERTS)
    if is_jsm:
        site = Site(http(Side.ALERTS, JSM_SITE), settings.jsm_cloud_id)
        alerts, user = _jsm(settings, account, site, objects, name)
    else:
        alerts, user = _opsgenie(settings, account, objects, name)
    return Probe(
        Trial(
            incidents=incidents,
            alerts=alerts,
            clock=waits,
            halt=halt,
            email=settings.pagerduty_email,
            person=_automation_user(incidents, settings),
            alert_user=user,
            ways=writing.unacknowledging_ways,
            staleness=settings.staleness_seconds,
            keyed=api(Side.ALERTS, JSM_KEYED) if is_jsm and settings.jsm_integration_key else None,
        ),
        objects,
        redaction,
        requests,
    )


def _opsgenie(settings: Settings, api: Api, objects: Objects, name: str) -> tuple[Alerts, AlertUser]:
    alerts = Alerts(
        api,
        alert_side.OPSGENIE,
        objects,
        name,
        opsgenie_rows.parse_act,
        partial(opsgenie_rows.page_of, settings.opsgenie_api_url),
    )
    return alerts, AlertUser(forms={name: "the name that was sent"})


def _jsm(settings: Settings, api: Api, site: Site, objects: Objects, name: str) -> tuple[Alerts, AlertUser]:
    dialect: Dialect = alert_side.jsm(site.cloud_id())

    def parse(row: Any, now: datetime) -> Act:
        return jsm_rows.parse_act(row, now, lambda owner: Person(owner, owner))

    alerts = Alerts(api, dialect, objects, name, parse, partial(jsm_rows.page_of, settings.jsm_site_url))
    reply = api.get(site.users("myself"))
    forms = {
        text(reply.body.get("accountId")): "the account id",
        text(reply.body.get("displayName")): "the display name",
        (text(reply.body.get("emailAddress")) or settings.jsm_email): "the e-mail address",
    }
    forms.pop("", None)
    refusal = "" if reply.ok else f"Jira does not say whose token it is: {reply.words}"
    return alerts, AlertUser(forms=forms, kind=text(reply.body.get("accountType")), refusal=refusal)


def _automation_user(incidents: Incidents, settings: Settings) -> Person:
    """The automation user: searched by address, then by name, and read by id; without an id if unknown."""
    email, user = settings.pagerduty_email, settings.pagerduty_user
    found = [*incidents.users(email), *incidents.users(user)]
    ours = [row for row in found if text(row.get("email")).lower() == email.lower()]
    row = ours[0] if ours else incidents.user(user)
    return Person(text(row.get("id")), user)


@contextmanager
def on_trial(url: str, route: str = DEFAULT_ROUTE, *, in_production: bool) -> Iterator[None]:
    """Hold the route's lock meanwhile, so that no daemon mirrors what the probe does.

    Misconfigured if a reconciler works on it, or has ever begun there, unless that is allowed.
    """
    if not exists(url):
        yield
        return
    lock = lock_for(url, route)
    if _is_worked_on(url) or not lock.acquire():
        raise Misconfigured(
            f"DATABASE_URL: a reconciler works on {shown(url)}: it would mirror what the probe does; stop it first"
        )
    try:
        if not in_production:
            _check_unused(url)
        yield
    finally:
        lock.release()


def _is_worked_on(url: str) -> bool:
    """Whether a daemon shares the routes of this database: another route's query may select the probe's alerts."""
    if file_of(url) is not None:  # there the lock is that of all routes
        return False
    database = open_database(url)
    try:
        if current_revision(database) != REVISION:
            return False
        with database.connected(immediate=False) as connection:
            return any(pod.lives for pod in known(connection))
    finally:
        database.close()


def _check_unused(url: str) -> None:
    """Misconfigured if a reconciler has ever begun on this database."""
    if _has_begun(url):
        raise Misconfigured(
            f"DATABASE_URL: a reconciler has begun on {shown(url)}: this is no trial set-up, and people on call "
            "may be paged; use a trial account, or a test service with a database of its own; or add "
            "--even-in-production"
        )


def _has_begun(url: str) -> bool:
    """Whether a reconciler has ever followed anything there; so it counts also where that cannot be read."""
    opened = open_database(url)
    revision = current_revision(opened)
    opened.close()
    if revision is None:
        return False
    if revision != REVISION:
        return True
    database = open_read_only(url)
    try:
        return any(map(_is_followed, stored_routes(database).each()))
    except ReconcilerError:
        return True
    finally:
        database.close()


def _is_followed(database: Database) -> bool:
    """Whether a reconciler has ever followed anything for this route."""
    with database.reading() as unit:
        return unit.cursors.load(SystemClock().now()).origin is not None or unit.snapshot.open_pairs() > 0
