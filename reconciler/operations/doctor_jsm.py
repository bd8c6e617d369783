"""Checks of Jira Service Management: the site, the token and its user, the query, and what would page now."""

from datetime import timedelta

from reconciler.core.product import JSM
from reconciler.errors import Misconfigured, Missing, ObjectError, ReconcilerError, Refused
from reconciler.observability.naming import counted
from reconciler.operations.doctor_alerts import AlertChecks
from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.doctor_vendor import CALL_SECONDS
from reconciler.operations.findings import Check, Finding, bad, good, warning
from reconciler.settings import Settings
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import AlertReader, Clock, JsmExaminer, PagerDutyReader

SAMPLE = 5
"""Open incidents whose alerts are looked for in Opsgenie, too."""
SERVICE_ACCOUNT = "app"
_SORTED = {True: "is honoured", False: "is ignored", None: "is refused, or the alerts do not show it"}
_NO_SERVICE_ACCOUNT = (
    "give JSM_EMAIL and JSM_API_TOKEN of a user with an agent's licence: Atlassian turns service accounts and "
    "apps away from Operations"
)


class JsmChecks(AlertChecks):
    """JSM's checks. `opsgenie` is there if its key is given as well."""

    credential = "token"
    unreached = "does not list alerts"
    hides_alerts = "as with a user who may see no team"
    whose = "whether JSM_EMAIL may see the teams' alerts"
    write_fix = (
        "see that JSM_EMAIL has an agent's licence, and a token with scopes "
        "write:ops-alert:jira-service-management"
    )

    def __init__(
        self,
        jsm: JsmExaminer,
        opsgenie: AlertReader | None,
        pagerduty: PagerDutyReader,
        settings: Settings,
        database: DatabaseChecks,
        clock: Clock,
    ) -> None:
        super().__init__(
            JSM,
            jsm,
            None,
            (settings.jsm_api_url, ""),
            settings.jsm_query,
            pagerduty,
            database,
            timedelta(seconds=settings.initial_lookback_seconds),
            clock,
        )
        self._jsm = jsm
        self._opsgenie = opsgenie
        self._settings = settings
        self._is_shadow = settings.alert_source != JSM.key

    def checks(self) -> tuple[Check, ...]:
        """The checks, in order. Pages, writes and the overlap are those of the source that is at work."""
        at_work: tuple[Check, ...] = (("jsm writes", self.writes), ("jsm pages", self.asked(self.pages)))
        if self._opsgenie:
            at_work += (("jsm and opsgenie", self.asked(self.overlap)),)
        return (
            ("jsm site", self.asked(self.site)),
            ("jsm token", self.key),
            ("jsm user", self.asked(self.user)),
            ("jsm query", self.asked(self.query)),
            ("jsm reads", self.asked(self.reads)),
            ("jsm sort", self.asked(self.sort)),
            ("jsm integration", self.asked(self.integration)),
            *(() if self._is_shadow else at_work),
            ("jsm clock", self.clock),
        )

    def site(self) -> Finding:
        """Whether the site is there, and its cloud id the configured one, if one is configured."""
        given, url = self._settings.jsm_cloud_id, self._settings.jsm_site_url
        try:
            stated = self._jsm.site_cloud_id()
        except ReconcilerError as error:
            if given:
                return warning("jsm site", f"JSM_CLOUD_ID is taken as it is: {error}")
            self.lost = "the site's cloud id is not known"
            return bad("jsm site", str(error))
        if given not in ("", stated):
            self.lost = "JSM_CLOUD_ID is another site's"
            fix = f"set JSM_CLOUD_ID={stated}, or leave it out"
            return bad("jsm site", f"{url} has the cloud id {stated}, and JSM_CLOUD_ID is another", fix)
        return good("jsm site", f"{url} has the cloud id {stated}")

    def accepted(self, check: str) -> Finding:
        """The API does not show when a token ends."""
        return good(
            check, "accepted; a token ends after a year at most, and the API does not show the date: note it"
        )

    def refused(self, check: str, error: Misconfigured) -> Finding:
        """The cause of a refused token: it is invalid, a service account's, or lacks a scope."""
        found, _, fix = str(error).partition("; ")
        if ": 402" in found:
            return bad(check, f"{found}; the plan does not include the API of Operations", fix)
        try:
            with calling(CallPriority.CHANGED, CALL_SECONDS):
                user = self._jsm.token_user()
        except ReconcilerError:
            return bad(check, found, fix)
        if user.kind == SERVICE_ACCOUNT:
            words = f"{found}; it is the token of {user.person.name}, a service account or an app"
            return bad(check, words, _NO_SERVICE_ACCOUNT)
        words = f"{found}; Jira accepts it as {user.person.name}'s, so a scope or a right is missing"
        return bad(check, words, "give a token without scopes, or one with the scopes to read and write ops-alert")

    def user(self) -> Finding:
        """Whose token it is: what this user does is ours."""
        try:
            user = self._jsm.token_user()
        except (Refused, ObjectError):
            words = "Jira does not say whose token it is; JSM_EMAIL alone tells what we wrote ourselves"
            return warning("jsm user", words, "give a token with the scope read:jira-user, too")
        if user.kind == SERVICE_ACCOUNT:
            return bad("jsm user", f"{user.person.name} is a service account or an app", _NO_SERVICE_ACCOUNT)
        who = f"{user.person.name} ({user.person.id})"
        return good("jsm user", f"{who}: what this user does is never mirrored back")

    def sees_none(self, check: str) -> Finding:
        """An empty list is no error: it is what a user without a team's rights gets."""
        there = self._open_elsewhere()
        if not there:
            return super().sees_none(check)
        fix = "see which teams JSM_EMAIL may see, whether the alerts have been moved, and JSM_QUERY"
        return warning(check, f"no open alert is seen, while {there}", fix)

    def _open_elsewhere(self) -> str:
        """Where open alerts are known all the same; empty if nowhere."""
        if self._database.memory.open_pairs:
            return f"this database has {counted(self._database.memory.open_pairs, 'open pair')}"
        listed = self._opsgenie.open_alerts_page(0)[0] if self._opsgenie else []
        return f"Opsgenie lists {counted(len(listed), 'alert')}" if listed else ""

    def sort(self) -> Finding:
        """Whether an undocumented order works, which would find changes with fewer requests. It is not used."""
        return good("jsm sort", f"sort=updatedAt {_SORTED[self._jsm.sorts_by_update()]}; it is not used")

    def integration(self) -> Finding:
        """In whose name acknowledgements and notes are written."""
        if not self._settings.jsm_integration_key:
            words = "none: acknowledgements and notes bear the name of JSM_EMAIL, and a note says who acknowledged"
            return good("jsm integration", words)
        self._jsm.check_integration_key()
        words = "its key is accepted: acknowledgements and notes bear the engineer's name"
        return good("jsm integration", f"{words}; only a write tells whether it is switched on")

    def overlap(self) -> Finding:
        """Whether a reconciler with ALERT_SOURCE=opsgenie may follow the same incidents."""
        incidents, _ = self._pagerduty.open_incidents_page(0)
        keys = [incident.key for incident in incidents if incident.key][:SAMPLE]
        try:
            both = sum(map(self._is_in_opsgenie, keys))
        except Refused as error:
            return warning(
                "jsm and opsgenie", str(error).partition("; ")[0], "after the move remove OPSGENIE_API_KEY"
            )
        if not both:
            return good("jsm and opsgenie", f"Opsgenie has no alert of {len(keys)} open incidents")
        words = f"Opsgenie has the alerts of {both} of {len(keys)} open incidents, too"
        fix = "see that no reconciler still follows them in Opsgenie; after the move remove OPSGENIE_API_KEY"
        return warning("jsm and opsgenie", words, fix)

    def _is_in_opsgenie(self, key: str) -> bool:
        try:
            return self._opsgenie is not None and bool(self._opsgenie.alert(key))
        except Missing:
            return False
