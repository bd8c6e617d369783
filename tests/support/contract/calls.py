"""Everything that the program can ask of its vendors: each method of each protocol, and what it sends.

The clients are wired as the program wires them, over the sandbox without a socket. A method may have several
calls, where what it sends depends on its arguments or on what it is answered.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.core.model import Incident, Person, Side
from reconciler.errors import Misconfigured
from reconciler.runtime.alert_side import alert_side
from reconciler.runtime.sessions import session
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.pagerduty.directory import BOT, POLICY_ID, PRIORITIES, SERVICE_ID
from reconciler.sandbox.settings import SandboxSettings
from reconciler.vendors import ports
from reconciler.vendors.http import Http
from reconciler.vendors.jsm.examination import JsmExamination
from reconciler.vendors.json_fields import ignore
from reconciler.vendors.opsgenie.examination import OpsgenieExamination
from reconciler.vendors.opsgenie.heartbeat import OpsgenieHeartbeat
from reconciler.vendors.pagerduty.client import PagerDutyWriting
from reconciler.vendors.pagerduty.examination import PagerDutyExamination
from reconciler.vendors.rate_limiter import RateLimiter
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE
from tests.support.clock import SimClock
from tests.support.contract.exchange import Recorder
from tests.support.in_process import settings

PAGE = ports.PAGE
BOT_USER = Person(BOT.id, BOT.name)
PRIORITY_ID = next(iter(PRIORITIES))


class Scene:
    """The clients of one source of alerts over a sandbox with something to read on every page.

    `query` selects alerts; `knobs` are the sandbox's settings.
    """

    def __init__(self, source: str, query: str = "", **knobs: Any) -> None:
        self.clock = SimClock()
        is_jsm = source != "opsgenie"
        self.sandbox = Sandbox(self.clock, SandboxSettings(jsm_only=is_jsm, noise=False, **knobs))
        self.recorder = Recorder(self.sandbox)
        self.settings = settings(source, opsgenie_query=query, jsm_query=query)
        customers = self.sandbox.jsm.people if is_jsm else self.sandbox.opsgenie
        self.alert = str(customers.create_alert("disk full", user="Ana Ruiz", tags=("ops",))["id"])
        for number in range(PAGE):
            customers.create_alert(f"disk {number}", user="Ana Ruiz", tags=("ops",))
            customers.add_note(self.alert, "Ana Ruiz", f"note {number}")
            customers.snooze(self.alert, "Ana Ruiz", 60)
        customers.add_note(self.alert, "Ana Ruiz", "one more than a page has")
        customers.acknowledge(self.alert, "Ana Ruiz")
        side = alert_side(self.settings, self.http, ignore)
        self.reader: Any = (
            self._examiner(source)
            if is_jsm
            else OpsgenieExamination(self.http("Opsgenie"), query, self.settings.opsgenie_api_url)
        )
        self.client, self.writer = side.reader, side.writer()
        self.heartbeat = OpsgenieHeartbeat(self.http("Opsgenie"), "prod")
        pagerduty = self.http("PagerDuty")
        self.pagerduty = PagerDutyExamination(pagerduty, SERVICE_ID, BOT.email, BOT.id)
        self.to_pagerduty = PagerDutyWriting(pagerduty, SERVICE_ID, BOT.email)

    def http(self, name: str) -> Http:
        """A session as the program makes it, whose requests stay here."""
        side = Side.PAGERDUTY if name == "PagerDuty" else Side.ALERTS
        made = session(self.settings, side, self.clock, RateLimiter(self.clock), name=name)
        made._session.requests.mount("https://", self.recorder)
        return made

    def incident(self, **more: Any) -> Incident:
        """An open incident, as PagerDuty's users have made it."""
        made = self.sandbox.pagerduty.create_incident("disk full", **more)
        return self.pagerduty.incident(str(made["id"]))

    @property
    def since(self) -> datetime:
        """Before everything."""
        return self.clock.now() - timedelta(days=1)

    def with_user(self, user: str, email: str) -> PagerDutyExamination:
        """PagerDuty's client where that is the configured automation user."""
        return PagerDutyExamination(self.http("PagerDuty"), SERVICE_ID, email, user)

    def _examiner(self, source: str) -> JsmExamination:
        return JsmExamination(
            self.http("JSM"),
            self.http(JSM_SITE),
            self.http(JSM_KEYED) if source == "jsm named" else None,
            email=self.settings.jsm_email,
            cloud_id="",
            query=self.settings.jsm_query,
            site_url=self.settings.jsm_site_url,
        )


Call = Callable[[Scene], Any]


def _accepted(scene: Scene) -> str:
    return str(scene.writer.acknowledge(scene.alert, "Jane Doe").request_id)


def _held(scene: Scene) -> Incident:
    return scene.to_pagerduty.acknowledge(scene.incident().id)


def _token_of_a_user(scene: Scene) -> None:
    scene.sandbox.change({"user_token": BOT.id})
    scene.pagerduty.check_key()
    scene.sandbox.change({"user_token": ""})


def _merged(scene: Scene) -> None:
    """An incident whose alert has the key that is asked for."""
    twin = scene.incident(key="twin", alert_keys=("merged",))
    scene.sandbox.pagerduty.merge(twin.id, BOT.id, scene.incident().id)
    scene.pagerduty.incidents_by_key("merged")


def _in_every_way(scene: Scene) -> None:
    """The automation user is on call on the first level, so that the second is tried as the last way."""
    scene.sandbox.change({"bot_on_call": True})
    scene.to_pagerduty.retrigger(_held(scene), BOT_USER)
    scene.sandbox.change({"bot_on_call": False})


def _unlisted_user(scene: Scene) -> None:
    """The key may not list users: the user is read by id."""
    scene.sandbox.faults.add(Fault("403", path="/users"))
    scene.with_user(BOT.id, BOT.email).automation_user()


def _by_account_id(scene: Scene) -> None:
    """Users are shown by account id where the product is JSM."""
    scene.sandbox.change({"jsm_owner_form": "account_id"})
    scene.client.notes(scene.alert)
    scene.sandbox.change({"jsm_owner_form": "name"})


def _unknown_user(scene: Scene) -> None:
    """Neither the address nor the id is found by search: the user is read by id."""
    with pytest.raises(Misconfigured):
        scene.with_user("PNOBODY", "nobody@example.com").automation_user()


CALLS: Mapping[type, Mapping[str, tuple[Call, ...]]] = {
    ports.AlertReader: {
        "changes": (lambda s: s.reader.changes(s.since, None),),
        "recent_alerts": (lambda s: s.reader.recent_alerts(None), lambda s: s.reader.recent_alerts(s.since)),
        "open_alerts": (lambda s: list(s.reader.open_alerts()),),
        "open_alerts_page": (lambda s: s.reader.open_alerts_page(PAGE),),
        "alert": (lambda s: s.reader.alert(s.alert),),
        "notes": (lambda s: s.reader.notes(s.alert), lambda s: s.reader.notes(s.alert, s.since), _by_account_id),
        "acts": (lambda s: s.reader.acts(s.alert),),
        "request_status": (lambda s: s.reader.request_status(_accepted(s)),),
        "confirm_key": (lambda s: s.reader.confirm_key(),),
    },
    ports.AlertExaminer: {
        "server_time": (lambda s: s.reader.server_time(),),
        "count": (lambda s: s.reader.count(is_open=True), lambda s: s.reader.count(is_open=False)),
    },
    ports.JsmExaminer: {
        "site_cloud_id": (lambda s: s.reader.site_cloud_id(),),
        "token_user": (lambda s: s.reader.token_user(),),
        "sorts_by_update": (lambda s: s.reader.sorts_by_update(),),
        "check_integration_key": (lambda s: s.reader.check_integration_key(),),
    },
    ports.AlertWriter: {
        "acknowledge": (lambda s: s.writer.acknowledge(s.alert, "Jane Doe"),),
        "unacknowledge": (lambda s: s.writer.unacknowledge(s.alert, "Jane Doe"),),
        "add_note": (lambda s: s.writer.add_note(s.alert, "Jane Doe", "on it"),),
    },
    ports.Heartbeat: {"ping": (lambda s: s.heartbeat.ping(),)},
    ports.LogReader: {
        "log_entries": (lambda s: s.pagerduty.log_entries(s.since, lambda _: False),),
    },
    ports.PagerDutyReader: {
        "automation_user": (lambda s: s.pagerduty.automation_user(), _unknown_user, _unlisted_user),
        "check_key": (lambda s: s.pagerduty.check_key(), _token_of_a_user),
        "check_service": (lambda s: s.pagerduty.check_service(),),
        "on_call": (lambda s: s.pagerduty.on_call(BOT_USER, POLICY_ID),),
        "priorities": (lambda s: s.pagerduty.priorities(),),
        "confirm_key": (lambda s: s.pagerduty.confirm_key(),),
        "open_incidents": (lambda s: s.pagerduty.open_incidents(),),
        "open_incidents_page": (lambda s: s.pagerduty.open_incidents_page(PAGE),),
        "incidents_by_key": (lambda s: s.pagerduty.incidents_by_key(s.alert), _merged),
        "keys_between": (lambda s: s.pagerduty.keys_between(s.since, s.clock.now(), 9),),
        "incident": (lambda s: s.pagerduty.incident(s.incident().id),),
        "notes": (lambda s: s.pagerduty.notes(s.incident().id),),
        "acts": (lambda s: s.pagerduty.acts(s.incident().id),),
    },
    ports.PagerDutyExaminer: {
        "server_time": (lambda s: s.pagerduty.server_time(),),
        "key_owner": (lambda s: s.pagerduty.key_owner(),),
        "service_facts": (lambda s: s.pagerduty.service_facts(),),
        "maintenance_windows": (lambda s: s.pagerduty.maintenance_windows(),),
        "people_on_call": (lambda s: s.pagerduty.people_on_call(POLICY_ID),),
        "duties": (lambda s: s.pagerduty.duties(BOT.id, s.since, s.clock.now()),),
        "newest_incidents": (lambda s: s.pagerduty.newest_incidents(5),),
    },
    ports.PagerDutyWriter: {
        "create_incident": (
            lambda s: s.to_pagerduty.create_incident("k1", "Disk", "details", "high"),
            lambda s: s.to_pagerduty.create_incident("k2", "Disk", "", ""),
            lambda s: s.to_pagerduty.create_incident("k3", "Disk", "", "", PRIORITY_ID),
        ),
        "acknowledge": (lambda s: s.to_pagerduty.acknowledge(s.incident().id),),
        "retrigger": (lambda s: s.to_pagerduty.retrigger(_held(s), BOT_USER), _in_every_way),
        "set_urgency": (
            lambda s: s.to_pagerduty.set_urgency(s.incident(urgency="low").id, "high"),
            lambda s: s.to_pagerduty.set_urgency(s.incident(urgency="low").id, "high", PRIORITY_ID),
            lambda s: s.to_pagerduty.set_urgency(s.incident().id, "", PRIORITY_ID),
        ),
        "resolve": (lambda s: s.to_pagerduty.resolve(s.incident().id),),
        "add_note": (lambda s: s.to_pagerduty.add_note(s.incident().id, "on it"),),
    },
}
"""By protocol and method."""
_OF_ALERTS = (ports.AlertReader, ports.AlertExaminer, ports.AlertWriter)
_OF_PAGERDUTY = (ports.LogReader, ports.PagerDutyReader, ports.PagerDutyExaminer, ports.PagerDutyWriter)
SCENES: tuple[tuple[str, str, tuple[type, ...]], ...] = (
    ("opsgenie", "", (*_OF_ALERTS, ports.Heartbeat, *_OF_PAGERDUTY)),
    ("opsgenie", "tag:ops", _OF_ALERTS),
    ("jsm", "", (*_OF_ALERTS, ports.JsmExaminer)),
    ("jsm named", "tag:ops", (*_OF_ALERTS, ports.JsmExaminer)),
)
"""Where the alerts are and the query, and the protocols whose methods are called there."""
