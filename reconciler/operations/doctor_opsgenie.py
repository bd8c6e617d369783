"""Checks of Opsgenie: the key and its rights, the query, and what would page now."""

from datetime import timedelta

from reconciler.core.model import Alert, Side
from reconciler.errors import Misconfigured, ReconcilerError
from reconciler.observability.naming import counted
from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.doctor_vendor import VendorChecks, write_right
from reconciler.operations.findings import Check, Finding, good, warning
from reconciler.settings import Settings
from reconciler.settings_texts import volatile_terms
from reconciler.vendors.ports import PAGE, AlertExaminer, Clock, PagerDutyReader

MOST_PAGES = 5
"""Pages of open alerts that are compared with the database; what is beyond is not counted."""
MANY = 20
"""From so many pages at once on, somebody should know before the start."""


class OpsgenieChecks(VendorChecks):
    """Opsgenie's checks."""

    def __init__(
        self,
        opsgenie: AlertExaminer,
        pagerduty: PagerDutyReader,
        elsewhere: AlertExaminer | None,
        other_url: str,
        settings: Settings,
        database: DatabaseChecks,
        clock: Clock,
    ) -> None:
        super().__init__(Side.ALERTS, opsgenie, elsewhere, settings.opsgenie_api_url, other_url, clock)
        self._opsgenie = opsgenie
        self._pagerduty = pagerduty
        self._query = settings.opsgenie_query
        self._lookback = timedelta(seconds=settings.initial_lookback_seconds)
        self._database = database
        self._is_query_wrong = False

    def checks(self) -> tuple[Check, ...]:
        """The checks, in order."""
        return (
            ("opsgenie key", self.key),
            ("opsgenie region", self.region),
            ("opsgenie query", self.asked(self.query)),
            ("opsgenie reads", self.asked(self.reads)),
            ("opsgenie writes", self.writes),
            ("opsgenie pages", self.asked(self.pages)),
            ("opsgenie clock", self.clock),
        )

    def accepted(self, check: str) -> Finding:
        """Opsgenie says of a key only that it is accepted."""
        return good(
            check, "accepted; no read tells an API integration's key, which is needed, from an account's key"
        )

    def reads(self) -> Finding:
        """Whether the key sees alerts: a team's key sees those of its team alone, as if there were no others."""
        if self._is_query_wrong:
            return warning("opsgenie reads", "not checked: the query is wrong")
        listed, _ = self._opsgenie.open_alerts_page(0)
        if not listed:
            return good(
                "opsgenie reads", "allowed; no open alert is seen, as with the key of a team that has none"
            )
        self._opsgenie.notes(listed[-1].id)
        return good("opsgenie reads", f"allowed: alerts, and the notes of #{listed[-1].tiny_id}")

    def writes(self) -> Finding:
        """Whether the key may acknowledge and add notes."""
        fix = (
            "see in Opsgenie that the key is of an API integration that may create and update, and no account key"
        )
        return write_right(self.side, self._database.memory.last_written[self.side], self._clock.now(), fix)

    def query(self) -> Finding:
        """Whether Opsgenie understands the query, and how many alerts it selects."""
        try:
            every, still_open = self._opsgenie.count(is_open=False), self._opsgenie.count(is_open=True)
        except Misconfigured:
            self._is_query_wrong = True
            raise
        words = f"{self._query or 'none: every alert'} selects {counted(every, 'alert')}, {still_open} open"
        terms = ", ".join(volatile_terms(self._query))
        if terms:
            return warning("opsgenie query", f"{words}; it asks for {terms}, which changes", "leave that out")
        if self._query and not every:
            fix = "see OPSGENIE_QUERY if there should be some, and which team's key it is"
            return warning("opsgenie query", words, fix)
        return good("opsgenie query", words)

    def pages(self) -> Finding:
        """How many alerts would page if a reconciler began now."""
        lost = "the query is wrong" if self._is_query_wrong else self._database.lost
        if lost:
            return warning("opsgenie pages", f"not checked: {lost}")
        listed, is_all = self._listed()
        known = self._database.pairs([alert.id for alert in listed])
        since = self._database.memory.since or self._clock.now() - self._lookback
        new = [alert for alert in listed if alert.id not in known and alert.created_at >= since]
        adopted = self._adopted(new)
        count = sum(alert.id not in adopted for alert in new)
        words = f"{'' if is_all else 'at least '}{counted(count, 'open alert')} would page now"
        if adopted is UNKNOWN and count:
            words += ", those included that have an incident already, which PagerDuty does not say now"
        return (
            warning("opsgenie pages", words, "see `reconciler once --dry-run`")
            if count >= MANY
            else good("opsgenie pages", words)
        )

    def _listed(self) -> tuple[list[Alert], bool]:
        """Open alerts, and whether these are all."""
        found: list[Alert] = []
        for number in range(MOST_PAGES):
            page, more = self._opsgenie.open_alerts_page(number * PAGE)
            found += page
            if not more:
                return found, True
        return found, False

    def _adopted(self, new: list[Alert]) -> frozenset[str]:
        """Keys of the open incidents, whose alerts page nobody again."""
        if not new:
            return frozenset()
        try:
            incidents, _ = self._pagerduty.open_incidents_page(0)
        except ReconcilerError:
            return UNKNOWN
        return frozenset(incident.key for incident in incidents)


UNKNOWN: frozenset[str] = frozenset({""})
"""In place of the open incidents' keys if they cannot be read."""
