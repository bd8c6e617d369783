"""The simulated JSM as a whole: its APIs, what its users do, and the move of Opsgenie's alerts to it.

With `jsm_only` it shows the alerts of Opsgenie's machine from the beginning. Otherwise it shows none until
`migrate` has copied them; from then on each product has alerts of its own, kept in agreement as `jsm_sync` has it.
"""

from datetime import datetime

from reconciler.sandbox.jsm.people import JsmPeople
from reconciler.sandbox.jsm.routes import JsmRoutes
from reconciler.sandbox.jsm.site import Site
from reconciler.sandbox.jsm.sync import Side, Sync
from reconciler.sandbox.opsgenie import shapes
from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.api import OpsgenieApi
from reconciler.sandbox.opsgenie.rules import Rules
from reconciler.sandbox.opsgenie.state import Alerts
from reconciler.sandbox.opsgenie.write_queue import WriteQueue
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Json, Refused, Request, Response

_FIRST_TOKEN = 500_000
"""Where the tokens of JSM's own records begin, so that none equals one of Opsgenie's."""


class JsmApi:
    """`handle` answers calls of the APIs. Not thread-safe: the caller locks."""

    def __init__(self, opsgenie: OpsgenieApi) -> None:
        account, rules, queue = opsgenie.machine
        self._opsgenie = opsgenie
        self._sync: Sync | None = None
        self._is_alone = account.is_jsm
        if not self._is_alone:
            alerts = Alerts(account.settings.seed + 1, account.alerts.numbers, _FIRST_TOKEN)
            account = Account(
                account.clock, account.settings, account.journal, side="jsm", is_jsm=True, alerts=alerts,
                due=account.due,
            )  # fmt: skip
            account.people = opsgenie.machine[0].people
            rules, queue = Rules(account), WriteQueue(account)
        self._account, self._rules, self._queue = account, rules, queue
        self._routes = JsmRoutes(Site(account, rules, queue))
        self._people = JsmPeople(account, rules, self.settle)

    def use(self, settings: SandboxSettings) -> None:
        """Replace the settings, which may be done at any time."""
        self._account.settings = settings

    @property
    def people(self) -> JsmPeople:
        """Users who act in JSM. Refused (409) while it has no alerts."""
        if not self._is_alone and self._sync is None:
            raise Refused("JSM has no alerts before POST /control/migrate")
        return self._people

    def settle(self) -> datetime:
        """Bring both products up to date; returns the time."""
        self._opsgenie.settle()
        return self._queue.settle()

    def handle(self, request: Request) -> Response:
        """Answer one API call; paths begin with /_edge, /ex/jira or /jsm/ops."""
        self.settle()
        return self._routes.handle(request)

    def migrate(self) -> None:
        """Move Opsgenie's alerts here. Refused (409) a second time, and where there is no Opsgenie."""
        if self._is_alone or self._sync is not None:
            raise Refused("the alerts are in JSM already")
        now = self.settle()
        account, rules, _ = self._opsgenie.machine
        self._sync = Sync(Side(account, rules), Side(self._account, self._rules))
        self._sync.move(now)
        account.has_moved = True

    def state(self) -> Json:
        """The alerts that JSM has of its own, each with its id in Opsgenie; nothing before the move."""
        sync = self._sync
        if sync is None:
            return {}
        self.settle()
        stored = self._account.alerts.entries()
        alerts = [shapes.whole(each) | {"opsgenie_id": sync.opsgenie_id(each.now.id)} for each in stored]
        return {"jsm": {"alerts": alerts}}
