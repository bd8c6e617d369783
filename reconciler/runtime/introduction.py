"""What the daemon logs at its start: the database, both vendors and what will happen, each once it is known.

It makes no request: everything is taken from what the daemon reads anyway, so that no page waits for it.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from reconciler.core.model import Side
from reconciler.core.product import JSM, PRODUCTS
from reconciler.observability.logs import get_logger
from reconciler.reconcile.problems import Problem
from reconciler.runtime import milestones
from reconciler.runtime.account import Account
from reconciler.settings import Settings
from reconciler.store.database import Database
from reconciler.store.overview import shown
from reconciler.store.schema import REVISION
from reconciler.vendors.ports import Clock

log = get_logger(__name__)


class Introduction:
    """Logs each line once; a vendor that does not work has a line of its own before that. For one thread."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        account: Account,
        problems: Callable[[], tuple[Problem, ...]],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._product = PRODUCTS[settings.alert_source]
        self._database = database
        self._account = account
        self._problems = problems
        self._clock = clock
        self._began: datetime | None = None
        self._said: set[str] = set()

    def began(self) -> None:
        """Log which database it is, because this process begins to lead on it."""
        seen = milestones.look(self._database, self._clock.now())
        origin = seen.sources.origin
        log.info(
            "database in use",
            url=shown(self._settings.database_url.get_secret_value()),
            kind=self._database.engine.dialect.name,
            schema=REVISION,
            first_start=origin.at.astimezone(UTC).isoformat(timespec="seconds") if origin else "still to come",
            pairs=seen.census.followed,
        )
        self._began = self._began or self._clock.now()

    def report(self) -> None:
        """Log what has become known since the last report."""
        if self._began is None or len(self._said & {*map(self._product.name_of, Side), "all"}) > len(Side):
            return
        seen = milestones.look(self._database, self._clock.now())
        polled = seen.sources.polled_alerts
        if polled is not None and polled >= self._began:
            self._say_alerts()
        view = self._account.view()
        if view is not None:
            self._once(
                self._product.name_of(Side.PAGERDUTY),
                "PagerDuty in use",
                url=self._settings.pagerduty_api_url,
                service=f'{self._settings.pagerduty_service_id} "{view.service.name}"',
                state=view.service.state,
                user=f"{view.person.name} ({view.person.id})" if view.person.id else view.person.name,
                on_call=", ".join(view.duty.people) or "nobody known",
            )
        for problem in self._problems():
            name = self._product.name_of(problem.side)
            if not problem.alert_id and name not in self._said:
                self._once(f"{name} fails", f"{name} not in use yet", why=str(problem.error))
        if seen.is_begun:
            self._say_all(seen)

    def _say_alerts(self) -> None:
        name, settings = self._product.name, self._settings
        is_jsm = self._product is JSM
        self._once(
            name,
            f"{name} in use",
            url=settings.jsm_site_url if is_jsm else settings.opsgenie_api_url,
            query=(settings.jsm_query if is_jsm else settings.opsgenie_query) or "every alert",
            key="accepted",
        )

    def _say_all(self, seen: milestones.Milestones) -> None:
        """Log what will happen from now on."""
        settings, listen, page = self._settings, self._settings.http_listen, self._settings.status_listen
        self._once(
            "all",
            "at work",
            followed=seen.census.followed,
            baseline=seen.census.baseline,
            poll_interval_seconds=settings.poll_interval_seconds,
            sweep_interval_seconds=settings.sweep_interval_seconds,
            listens_on=str(listen) if listen else "nothing",
            status_page=f"http://{page}/" if page else "none",
        )

    def _once(self, what: str, event: str, **fields: object) -> None:
        if what not in self._said:
            self._said.add(what)
            log.info(event, **fields)
