"""The product that raises the alerts, as this program uses it: its clients, its own user, and its keys.

A writer is made only when it is asked for, so that a dry run has none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.core.model import Person
from reconciler.core.policy import NOBODY
from reconciler.core.product import JSM, OPSGENIE, PRODUCTS
from reconciler.observability.logs import get_logger
from reconciler.runtime.sessions import authorization
from reconciler.settings import Settings
from reconciler.vendors.http import Http
from reconciler.vendors.integration_api import NamedWriting
from reconciler.vendors.jsm.client import JsmClient
from reconciler.vendors.jsm.people import People
from reconciler.vendors.jsm.receipts import Receipts
from reconciler.vendors.jsm.roads import Roads
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.jsm.writes import JsmWriting
from reconciler.vendors.json_fields import OnBadRow
from reconciler.vendors.opsgenie.client import OpsgenieClient, OpsgenieWriting
from reconciler.vendors.ports import AlertReader, AlertWriter
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE

Use = Callable[[Settings], None]
"""Takes settings with a new value of one key."""


class MakeHttp(Protocol):
    """Makes the session with this name; see `vendors.variables`."""

    def __call__(self, name: str) -> Http:
        """The session."""


@dataclass(frozen=True, slots=True)
class AlertSide:
    """The parts. `user` is who our own writes are by, where they bear no other name; `keys` takes new values.

    `session` is the one that reads alerts.
    """

    session: Http
    reader: AlertReader
    writer: Callable[[], AlertWriter]
    user: Callable[[], Person]
    keys: Mapping[str, Use]


def alert_side(settings: Settings, http: MakeHttp, on_bad_row: OnBadRow) -> AlertSide:
    """The configured product."""
    make = _opsgenie if PRODUCTS[settings.alert_source] is OPSGENIE else jsm_side
    return make(settings, http, on_bad_row)


def query_of(settings: Settings) -> str:
    """The query of the configured product."""
    return settings.opsgenie_query if PRODUCTS[settings.alert_source] is OPSGENIE else settings.jsm_query


def names_people(settings: Settings) -> bool:
    """Whether what is written to an alert bears the engineer's name."""
    return PRODUCTS[settings.alert_source] is OPSGENIE or settings.jsm_integration_key is not None


def _opsgenie(settings: Settings, http: MakeHttp, on_bad_row: OnBadRow) -> AlertSide:
    account = http(OPSGENIE.name)
    reader = OpsgenieClient(account, settings.opsgenie_query, settings.opsgenie_api_url, on_bad_row=on_bad_row)

    def use(changed: Settings) -> None:
        account.use_key(authorization(changed, OPSGENIE.name))

    return AlertSide(account, reader, lambda: OpsgenieWriting(account), lambda: NOBODY, {OPSGENIE.credential: use})


def jsm_side(settings: Settings, http: MakeHttp, on_bad_row: OnBadRow) -> AlertSide:
    """The parts for JSM. ALERT_SHADOW and `migrate` use them also while Opsgenie is the alert source."""
    notice = _notices()
    account, roads = http(JSM.name), Roads()
    keyed = http(JSM_KEYED) if settings.jsm_integration_key is not None else None
    site = Site(http(JSM_SITE), settings.jsm_cloud_id)
    people = People(account, site, settings.jsm_email, notice)
    receipts = Receipts(account, site, keyed, roads, settings.staleness_seconds)
    reader = JsmClient(account, site, people, receipts, settings.jsm_query, settings.jsm_site_url, on_bad_row)

    def writer() -> AlertWriter:
        return JsmWriting(account, site, NamedWriting(keyed) if keyed else None, roads, notice)

    def use_token(changed: Settings) -> None:
        account.use_key(authorization(changed, JSM.name))
        people.forget()

    def use_key(changed: Settings) -> None:
        if keyed is not None:
            keyed.use_key(authorization(changed, JSM_KEYED))

    return AlertSide(
        account, reader, writer, reader.user, {JSM.credential: use_token, "JSM_INTEGRATION_KEY": use_key}
    )


def _notices() -> Callable[[str], None]:
    """Log what an operator should know, each text once until another follows: it may come with every write."""
    log = get_logger(__name__)
    last = ""

    def notice(words: str) -> None:
        nonlocal last
        if words != last:
            last = words
            log.warning(words)

    return notice
