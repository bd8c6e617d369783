"""Clients whose vendor gives one answer to every request, so that they read exactly that answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests
from requests.adapters import BaseAdapter

from reconciler.errors import ReconcilerError
from reconciler.sandbox.wire import Response, json_response
from reconciler.vendors.http import Http
from reconciler.vendors.integration_api import NamedWriting
from reconciler.vendors.jsm.client import JsmClient
from reconciler.vendors.jsm.examination import JsmExamination
from reconciler.vendors.jsm.people import People
from reconciler.vendors.jsm.receipts import Receipts
from reconciler.vendors.jsm.roads import Roads
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.jsm.writes import JsmWriting
from reconciler.vendors.opsgenie.examination import OpsgenieExamination
from reconciler.vendors.pagerduty.client import PagerDutyWriting
from reconciler.vendors.pagerduty.examination import PagerDutyExamination
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.clock import SimClock
from tests.support.in_process import answer_to

OPSGENIE = "https://api.opsgenie.com"
SITE = "https://acme.atlassian.net"
SERVICE = "PIJ90N7"
EMAIL = "125.greenholt.earline@graham.name"
USER = "Earline Greenholt"


@dataclass(frozen=True, slots=True)
class Given:
    """A vendor's answer."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def at(stamp: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(f"{stamp}+00:00")


class Readers:
    """All clients over one answer. `bad` are the rows that they could not read."""

    def __init__(self, given: Given) -> None:
        self.clock = SimClock()
        self._wire = _One(json_response(given.status, given.body, given.headers))
        self.bad: list[str] = []
        self.opsgenie = OpsgenieExamination(self._http("Opsgenie"), "", OPSGENIE, self._report)
        self.to_opsgenie = NamedWriting(self._http("Opsgenie"))
        account, site = self._http("JSM"), Site(self._http("JSM site"), "cloud")
        people = People(self._http("JSM"), site, "robot@customer.example", self.bad.append)
        receipts, roads = Receipts(account, site, None, Roads(), 0.0), Roads()
        self.jsm = JsmClient(account, site, people, receipts, "", SITE, self._report)
        self.to_jsm = JsmWriting(account, site, None, roads, self.bad.append)
        self.jsm_examiner = JsmExamination(
            account, self._http("JSM site"), None, email="", cloud_id="cloud", query="", site_url=SITE
        )
        pagerduty = self._http("PagerDuty")
        self.pagerduty = PagerDutyExamination(pagerduty, SERVICE, EMAIL, USER, self._report)
        self.to_pagerduty = PagerDutyWriting(pagerduty, SERVICE, EMAIL)

    def _report(self, _vendor: str, what: str) -> None:
        self.bad.append(what)

    def _http(self, name: str) -> Http:
        key, limiter = {"Authorization": "GenieKey 5ecret-of-nobody"}, RateLimiter(self.clock)
        return Http(OPSGENIE, key, name=name, clock=self.clock, limiter=limiter, adapter=self._wire, timeout=1.0)


class _One(BaseAdapter):
    def __init__(self, answer: Response) -> None:
        super().__init__()
        self._answer = answer

    def send(self, request: requests.PreparedRequest, *_more: Any, **_named: Any) -> requests.Response:
        return answer_to(request, self._answer)

    def close(self) -> None:
        """Do nothing, as there is no connection."""


Read = Callable[[Readers], Any]
Refusal = tuple[str, Read, tuple[str, str, float | None]]


def outcome(read: Read, given: Given) -> Any:
    """What a reader makes of an answer; an error as its kind, its words and when to try again."""
    readers = Readers(given)
    try:
        found = read(readers)
    except ReconcilerError as error:
        return type(error).__name__, str(error), getattr(error, "retry_after", None)
    return (found, readers.bad) if readers.bad else found
