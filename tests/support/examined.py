"""What `doctor` examines, over the sandbox without a socket: both vendors, the settings and the database."""

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter

from reconciler.core.model import Side
from reconciler.core.product import OPSGENIE
from reconciler.operations.doctor import Elsewhere, Examined, examine
from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.findings import Finding
from reconciler.runtime.sessions import session
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import ManualClock, Response
from reconciler.settings import Settings
from reconciler.vendors.http import Http
from reconciler.vendors.opsgenie.examination import OpsgenieExamination
from reconciler.vendors.pagerduty.examination import PagerDutyExamination
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.clock import NINE, SimClock
from tests.support.database import url
from tests.support.in_process import answer_to, asked_of, settings


class Patient:
    """A set-up to be examined. `ahead` is how far the vendors' clocks are ahead of ours."""

    def __init__(self, folder: Path, **chosen: Any) -> None:
        self.clock = SimClock(0.0)
        self.sandbox = Sandbox(ManualClock(NINE), SandboxSettings(noise=False))
        self.settings: Settings = settings(**({"database_url": url(folder)} | chosen))
        self.ahead = timedelta(0)
        self.asked: list[str] = []
        self.opsgenie = OpsgenieExamination(self._http(Side.ALERTS), self.settings.opsgenie_query, "")
        self.pagerduty = PagerDutyExamination(
            self._http(Side.PAGERDUTY),
            self.settings.pagerduty_service_id,
            self.settings.pagerduty_email,
            self.settings.pagerduty_user,
        )
        self.elsewhere = Elsewhere()

    def set(self, **changes: Any) -> None:
        """Change settings of the sandbox."""
        self.sandbox.change(changes)

    def raise_alert(self, message: str = "disk full", **more: Any) -> str:
        """An alert; its id."""
        return str(self.sandbox.opsgenie.create_alert(message, user="Ana Ruiz", **more)["id"])

    def database(self) -> DatabaseChecks:
        """The database's checks, with what the first of them reads."""
        checks = DatabaseChecks(self.settings.database_url.get_secret_value(), timedelta(hours=1), self.clock)
        checks.which()
        return checks

    def examined(self) -> Examined:
        """All that is examined."""
        return Examined(self.settings, self.clock, self.opsgenie, self.pagerduty, self.elsewhere)

    def findings(self) -> dict[str, Finding]:
        """Every finding by its check."""
        return {each.check: each for each in examine(self.examined(), lambda _done, _every: None)}

    def _http(self, side: Side) -> Http:
        name = OPSGENIE.name_of(side)
        http = session(self.settings, side, self.clock, RateLimiter(self.clock), name=name)
        for scheme in ("https://", "http://"):
            http._session.requests.mount(scheme, _Wire(self))
        return http


class _Wire(BaseAdapter):
    """Passes requests to the sandbox."""

    def __init__(self, patient: Patient) -> None:
        super().__init__()
        self._patient = patient

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One call."""
        patient, asked = self._patient, asked_of(request)
        patient.asked.append(f"{asked.method} {asked.path}")
        reply = patient.sandbox.handle(asked)
        assert isinstance(reply, Response)
        date = format_datetime(patient.clock.now() + patient.ahead, usegmt=True)
        return answer_to(request, Response(reply.status, reply.body, {"Date": date, **reply.headers}))

    def close(self) -> None:
        """Nothing to close."""
