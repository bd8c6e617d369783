"""The incident about an outage of the alert side: created once an outage, resolved when it is over.

What is known of the outage is stored, so that a restart or a takeover neither forgets nor repeats it. The incident
is looked for by its key before it is created, and what was asked for is stored before the call.
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from reconciler.core import outage as texts
from reconciler.core import text
from reconciler.core.model import Incident, Side
from reconciler.core.outage import Outage
from reconciler.core.pause import Pause
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import Duplicate, Missing, ObjectError, Permanent, ReconcilerError
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import span
from reconciler.reconcile.write_breakers import Lane, WriteBreakers
from reconciler.runtime.rounds import Feed, Rounds
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import Clock, PagerDutyReader, PagerDutyWriter

log = get_logger(__name__)

BETWEEN_CHECKS = 10.0
"""Seconds between two checks at most."""
LONGEST_CALL = 10.0
"""Seconds that one call to PagerDuty may take."""


class OutageWatch:
    """A source that is polled by the leader alone. For one thread.

    `after` is the number of seconds after which engineers are told, `staleness` the longest delay with which
    PagerDuty shows an incident. `say` is called with why nobody can be told; an empty text ends that.
    """

    name = "outage"
    side: Side | None = None

    def __init__(
        self,
        reader: PagerDutyReader,
        writer: PagerDutyWriter,
        database: Database,
        rounds: Rounds,
        breakers: WriteBreakers,
        clock: Clock,
        after: float,
        staleness: timedelta,
        say: Callable[[str], None],
        product: Product = OPSGENIE,
    ) -> None:
        self._product = product
        self._reader = reader
        self._writer = writer
        self._database = database
        self._rounds = rounds
        self._breakers = breakers
        self._clock = clock
        self._after = after
        self._staleness = staleness
        self._say = say
        self._key = texts.key_of(database.route)
        self._earlier: tuple[float, float] = (0.0, 0.0)
        self._none_in: int | None = None

    def poll(self) -> bool:
        """Create or resolve the incident if that is due. Returns whether PagerDuty was called and answered.

        What is stored is read only while an outage lasts, or may be stored: once none is, only this process stores
        one for as long as it leads.
        """
        feed, lead = self._rounds.feed(Side.ALERTS), self._rounds.leads
        if feed.error is None and self._none_in == lead:
            return False
        with self._database.reading() as unit:
            outage = unit.cursors.load(self._clock.now()).outage
            pauses = unit.pauses.all()
        self._none_in = lead if outage is None and feed.error is None else None
        try:
            with calling(CallPriority.PAGE, within=LONGEST_CALL):
                called = self._follow(feed, outage, pauses)
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            name = self._product.name
            self._say(f"the incident about {name}'s outage can be neither created nor resolved: {error}")
            return False
        self._say("")
        return called

    def _follow(self, feed: Feed, outage: Outage | None, pauses: list[Pause]) -> bool:
        if feed.error is not None:
            return self._lasts(feed, feed.error, outage, pauses)
        if outage is not None and feed.is_good:
            return self._over(outage, pauses)
        return False

    # -- it lasts --

    def _lasts(self, feed: Feed, error: ReconcilerError, outage: Outage | None, pauses: list[Pause]) -> bool:
        elapsed = self._clock.monotonic() - feed.since
        began = self._clock.now() - timedelta(seconds=elapsed)
        if outage is None:
            outage = Outage(began)
            self._store(outage)
        lasts = elapsed + self._before(feed, (began - outage.since).total_seconds())
        if outage.incident_id or lasts < self._after or self._waits(Lane.PAGES, pauses):
            return False
        self._tell(outage, error)
        return True

    def _before(self, feed: Feed, seconds: float) -> float:
        """Seconds of the outage before the feed's reference time, as they were first seen: clocks may be set."""
        if self._earlier[0] != feed.since:
            self._earlier = (feed.since, seconds)
        return self._earlier[1]

    def _tell(self, outage: Outage, error: ReconcilerError) -> None:
        """Find or create the incident. Without a clear answer, it is looked for at the next check."""
        incident = texts.incident_of(self._reader.incidents_by_key(self._key), outage)
        if incident is None:
            outage = replace(outage, asked_at=self._clock.now())
            self._store(outage)
            try:
                incident = self._created(outage, str(error))
            except Duplicate:
                return  # lists show it later
        self._store(replace(outage, incident_id=incident.id))
        words = f"incident #{incident.number} says that {self._product.name}'s alerts cannot be read"
        log.info(words, incident=incident.id)

    def _created(self, outage: Outage, error: str) -> Incident:
        """A new incident, in its plainest form if PagerDuty refuses the usual one."""
        title, body = texts.title(outage, error, self._product), texts.body(outage, error, self._product)
        try:
            return self._writer.create_incident(self._key, title, body, texts.URGENCY)
        except Duplicate:
            raise
        except Permanent:
            return self._writer.create_incident(self._key, text.plain_title(title, self._product), "", "")

    # -- it is over --

    def _over(self, outage: Outage, pauses: list[Pause]) -> bool:
        if not outage.incident_id and outage.asked_at is None:
            self._store(None)
            return False
        if self._waits(Lane.PAGERDUTY, pauses):
            return False
        incident, now = self._incident(outage), self._clock.now()
        may_come = outage.asked_at is not None and now - outage.asked_at < self._staleness
        if incident is None and not outage.incident_id and may_come:
            return True
        if incident is not None and incident.status != "resolved":
            lasted, name = span(now - outage.since), self._product.name
            self._resolve(incident.id, texts.over_note(outage, now, lasted, self._product))
            words = f"incident #{incident.number} is resolved: {name}'s alerts can be read again"
            log.info(words, incident=incident.id)
        self._store(None)
        return True

    def _incident(self, outage: Outage) -> Incident | None:
        """The incident of the outage; None if there is none, or if it was deleted."""
        if not outage.incident_id:
            return texts.incident_of(self._reader.incidents_by_key(self._key), outage)
        try:
            return self._reader.incident(outage.incident_id)
        except Missing:
            return None

    def _resolve(self, incident_id: str, note: str) -> None:
        # An incident that takes no note is resolved all the same.
        with contextlib.suppress(Permanent, ObjectError):
            if not texts.is_noted(self._reader.notes(incident_id)):
                self._writer.add_note(incident_id, note)
        self._writer.resolve(incident_id)

    # -- both --

    def _waits(self, lane: Lane, pauses: list[Pause]) -> bool:
        """Whether nothing may be written there now: the account is wrong, or an operator has paused PagerDuty."""
        now = self._clock.now()
        paused = [pause for pause in pauses if pause.side is Side.PAGERDUTY and not pause.is_over(now)]
        return self._breakers.is_barred(lane) or any(pause.pages or lane is not Lane.PAGES for pause in paused)

    def _store(self, outage: Outage | None) -> None:
        with self._database.writing() as unit:
            unit.cursors.save(outage=outage)
