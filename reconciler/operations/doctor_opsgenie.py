"""Checks of Opsgenie: the key and its rights, the query, and what would page now."""

from datetime import timedelta

from reconciler.core.product import OPSGENIE
from reconciler.operations.doctor_alerts import AlertChecks
from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.findings import Check, Finding, good
from reconciler.settings import Settings
from reconciler.vendors.ports import AlertExaminer, Clock, PagerDutyReader


class OpsgenieChecks(AlertChecks):
    """Opsgenie's checks. A team's key sees the alerts of its team alone, as if there were no others."""

    hides_alerts = "as with the key of a team that has none"
    whose = "which team's key it is"
    write_fix = (
        "see in Opsgenie that the key is of an API integration that may create and update, and no account key"
    )

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
        super().__init__(
            OPSGENIE,
            opsgenie,
            elsewhere,
            (settings.opsgenie_api_url, other_url),
            settings.opsgenie_query,
            pagerduty,
            database,
            timedelta(seconds=settings.initial_lookback_seconds),
            clock,
        )

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
