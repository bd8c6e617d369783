"""The simulated Opsgenie as a whole: its API, and what its users do in the web interface.

Users' acts take effect at once, accepted writes of the API `write_lag` seconds later. What is due is applied when
the next call comes in, stamped with its due time.
"""

from reconciler.sandbox.journal import Journal
from reconciler.sandbox.opsgenie import shapes
from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.people import People
from reconciler.sandbox.opsgenie.routes import OpsgenieRoutes
from reconciler.sandbox.opsgenie.rules import Rules
from reconciler.sandbox.opsgenie.write_queue import WriteQueue
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Json, Request, Response, iso_short


class OpsgenieApi(People):
    """`handle` answers calls of the API; the methods of `People` act as a user; `state` reads everything.

    Not thread-safe: the caller locks.
    """

    def __init__(self, clock: Clock, settings: SandboxSettings, journal: Journal | None = None) -> None:
        account = Account(clock, settings, journal or Journal(), is_jsm=settings.jsm_only)
        self._queue = WriteQueue(account)
        super().__init__(account, Rules(account), self._queue.settle)
        self._routes = OpsgenieRoutes(account, self._rules, self._queue)
        self.clock = clock
        self.journal = account.journal

    @property
    def machine(self) -> tuple[Account, Rules, WriteQueue]:
        """What another product that shows these alerts works on."""
        return self._account, self._rules, self._queue

    @property
    def settings(self) -> SandboxSettings:
        """The settings, which may be replaced at any time."""
        return self._account.settings

    @settings.setter
    def settings(self, settings: SandboxSettings) -> None:
        self._account.settings = settings

    def handle(self, request: Request) -> Response:
        """Answer one API call; paths begin with /v2."""
        self.settle()
        return self._routes.handle(request)

    def state(self) -> Json:
        """Everything: `{"alerts": [alert + notes + logs, …], "heartbeats": {name: [ping, …]}}`, oldest first."""
        self.settle()
        pings = {name: list(map(iso_short, times)) for name, times in self._account.pings.items()}
        return {"alerts": [shapes.whole(stored) for stored in self.alerts.entries()], "heartbeats": pings}
