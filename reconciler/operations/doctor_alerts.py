"""Checks that the products which raise alerts have in common: the query, and what would page now."""

from datetime import timedelta

from reconciler.core.model import Alert, Side
from reconciler.core.product import Product
from reconciler.errors import Misconfigured, ReconcilerError
from reconciler.observability.naming import counted
from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.doctor_vendor import VendorChecks, write_right
from reconciler.operations.findings import Finding, good, warning
from reconciler.settings_texts import volatile_terms
from reconciler.vendors.ports import PAGE, AlertExaminer, AlertReader, Clock, PagerDutyReader

MOST_PAGES = 5
"""Pages of open alerts that are compared with the database; what is beyond is not counted."""
MANY = 20
"""From so many pages at once on, somebody should know before the start."""
UNKNOWN: frozenset[str] = frozenset({""})
"""In place of the open incidents' keys if they cannot be read."""


class AlertChecks(VendorChecks):
    """The checks of one product that raises alerts, as far as they are the same for all.

    `hides_alerts` says when the credential sees none, `whose` what else to look at where the query selects
    nothing, and `write_fix` what to look at where the right to write is not proved.
    """

    hides_alerts = ""
    whose = ""
    write_fix = ""

    def __init__(
        self,
        product: Product,
        alerts: AlertExaminer,
        elsewhere: AlertExaminer | None,
        urls: tuple[str, str],
        query: str,
        pagerduty: PagerDutyReader,
        database: DatabaseChecks,
        lookback: timedelta,
        clock: Clock,
    ) -> None:
        """`urls` are the configured address and that of the other region, empty if there is none."""
        super().__init__(Side.ALERTS, alerts, elsewhere, *urls, clock, product)
        self._alerts = alerts
        self._pagerduty = pagerduty
        self._query = query
        self._lookback = lookback
        self._database = database
        self._is_query_wrong = False

    def reads(self) -> Finding:
        """Whether alerts and their notes may be read. A credential that sees few alerts gets no error."""
        check = self._named("reads")
        if self._is_query_wrong:
            return warning(check, "not checked: the query is wrong")
        listed, _ = self._alerts.open_alerts_page(0)
        if not listed:
            return self.sees_none(check)
        self._alerts.notes(listed[-1].id)
        return good(check, f"allowed: alerts, and the notes of #{listed[-1].tiny_id}")

    def sees_none(self, check: str) -> Finding:
        """What an empty list of open alerts means."""
        return good(check, f"allowed; no open alert is seen, {self.hides_alerts}")

    def writes(self) -> Finding:
        """Whether the credential may acknowledge and add notes."""
        last = self._database.memory.last_written[self.side]
        return write_right(self._named("writes"), last, self._clock.now(), self.write_fix)

    def query(self) -> Finding:
        """Whether the product understands the query, and how many alerts it selects."""
        check = self._named("query")
        try:
            every, still_open = self._alerts.count(is_open=False), self._alerts.count(is_open=True)
        except Misconfigured:
            self._is_query_wrong = True
            raise
        words = f"{self._query or 'none: every alert'} selects {counted(every, 'alert')}, {still_open} open"
        terms = ", ".join(volatile_terms(self._query))
        if terms:
            return warning(check, f"{words}; it asks for {terms}, which changes", "leave that out")
        if self._query and not every:
            fix = f"see {self.product.query} if there should be some, and {self.whose}"
            return warning(check, words, fix)
        return good(check, words)

    def pages(self) -> Finding:
        """How many alerts would page if a reconciler began now."""
        check = self._named("pages")
        lost = "the query is wrong" if self._is_query_wrong else self._database.lost
        if lost:
            return warning(check, f"not checked: {lost}")
        listed, is_all = listed_of(self._alerts)
        known = self._database.pairs([alert.id for alert in listed])
        since = self._database.memory.since or self._clock.now() - self._lookback
        new = [alert for alert in listed if alert.id not in known and alert.created_at >= since]
        adopted = self._adopted(new)
        count = sum(alert.id not in adopted for alert in new)
        words = f"{'' if is_all else 'at least '}{counted(count, 'open alert')} would page now"
        if adopted is UNKNOWN and count:
            words += ", those included that have an incident already, which PagerDuty does not say now"
        return warning(check, words, "see `reconciler once --dry-run`") if count >= MANY else good(check, words)

    def _adopted(self, new: list[Alert]) -> frozenset[str]:
        """Keys of the open incidents, whose alerts page nobody again."""
        if not new:
            return frozenset()
        try:
            incidents, _ = self._pagerduty.open_incidents_page(0)
        except ReconcilerError:
            return UNKNOWN
        return frozenset(incident.key for incident in incidents)


def listed_of(alerts: AlertReader) -> tuple[list[Alert], bool]:
    """Open alerts, and whether these are all."""
    found: list[Alert] = []
    for number in range(MOST_PAGES):
        page, more = alerts.open_alerts_page(number * PAGE)
        found += page
        if not more:
            return found, True
    return found, False
