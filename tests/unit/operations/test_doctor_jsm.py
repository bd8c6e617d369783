"""JSM's checks over an examiner without a network: what each answer of Atlassian's means to an operator."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from pydantic import SecretStr

from reconciler.core.model import Alert, Note, Person
from reconciler.errors import Forbidden, Misconfigured, Missing, ReconcilerError, Refused, Unknown
from reconciler.operations.doctor import examine
from reconciler.operations.doctor_alerts import MANY
from reconciler.operations.doctor_jsm import JsmChecks
from reconciler.operations.findings import Finding, Verdict
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from reconciler.vendors.ports import AlertReader, AtlassianUser, JsmExaminer
from tests.support.builders import alert, pair
from tests.support.clock import NINE
from tests.support.examined import Patient

BOT = AtlassianUser(Person("712020:b07", "Reconciler Bot"), "atlassian")
SITE = {
    "alert_source": "jsm",
    "jsm_site_url": "https://acme.atlassian.net",
    "jsm_email": "bot@example.com",
    "jsm_api_token": SecretStr("t0ken-jsm"),
}
NO_LIST = Refused("JSM: GET /v1/alerts: 401: Unauthorized; check JSM_API_TOKEN")


class Jsm:
    """JSM as an examination reads it. What is an error is raised."""

    def __init__(self) -> None:
        self.cloud_id: str | ReconcilerError = "c-1"
        self.whose: AtlassianUser | ReconcilerError = BOT
        self.listing: list[Alert] | ReconcilerError = []
        self.key: ReconcilerError | None = None
        self.sorted: bool | None = None

    def server_time(self) -> datetime:
        _of(self.listing)
        return NINE

    def count(self, *, is_open: bool) -> int:
        assert is_open in (True, False)
        return len(_of(self.listing))

    def open_alerts_page(self, offset: int) -> tuple[list[Alert], bool]:
        return _of(self.listing)[offset:], False

    def alert(self, alert_id: str) -> Alert:
        for each in _of(self.listing):
            if each.id == alert_id:
                return each
        raise Missing("no such alert")

    def notes(self, _: str) -> list[Note]:
        return []

    def site_cloud_id(self) -> str:
        return _of(self.cloud_id)

    def token_user(self) -> AtlassianUser:
        return _of(self.whose)

    def sorts_by_update(self) -> bool | None:
        return self.sorted

    def check_integration_key(self) -> None:
        if self.key:
            raise self.key


T = TypeVar("T")


def _of(value: T | ReconcilerError) -> T:
    if isinstance(value, ReconcilerError):
        raise value
    return value


class Case:
    """A set-up with JSM; `checks` are JSM's."""

    def __init__(self, folder: Path, **chosen: Any) -> None:
        self.jsm = Jsm()
        self.patient = Patient(folder, **(SITE | chosen))
        self.opsgenie: AlertReader | None = None

    @property
    def checks(self) -> JsmChecks:
        patient = self.patient
        return JsmChecks(
            cast("JsmExaminer", self.jsm),
            self.opsgenie,
            patient.pagerduty,
            patient.settings,
            patient.database(),
            patient.clock,
        )

    def findings(self) -> dict[str, Finding]:
        opsgenie = self.patient.opsgenie if self.patient.settings.alert_shadow else None
        examined = replace(self.patient.examined(), opsgenie=opsgenie, jsm=cast("JsmExaminer", self.jsm))
        return {each.check: each for each in examine(examined, lambda _done, _every: None)}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_with_jsm_as_the_source_no_check_of_opsgenie_is_made(case: Case) -> None:
    found = case.findings()
    assert [name for name in found if name.startswith(("opsgenie", "jsm"))] == [
        "jsm site", "jsm token", "jsm user", "jsm query", "jsm reads", "jsm sort", "jsm integration", "jsm writes",
        "jsm pages", "jsm clock",
    ]  # fmt: skip
    assert {each.verdict for name, each in found.items() if name.startswith("jsm")} == {
        Verdict.GOOD,
        Verdict.WARNING,
    }
    assert found["network"].found.startswith("JSM directly")
    assert not [asked for asked in case.patient.asked if "opsgenie" in asked]


def test_with_jsm_as_the_shadow_both_are_checked_and_nothing_that_only_the_source_does(tmp_path: Path) -> None:
    found = Case(tmp_path, alert_source="opsgenie", alert_shadow="jsm").findings()
    assert found["opsgenie pages"].verdict is Verdict.GOOD
    assert found["jsm reads"].verdict is Verdict.GOOD
    assert not {"jsm pages", "jsm writes", "jsm and opsgenie"} & set(found)
    assert found["network"].found.startswith("Opsgenie directly")
    assert "; JSM directly" in found["network"].found


def test_the_site_is_told_with_its_cloud_id(case: Case) -> None:
    assert case.checks.site().found == "https://acme.atlassian.net has the cloud id c-1"


def test_a_cloud_id_of_another_site_ends_the_checks(tmp_path: Path) -> None:
    checks = Case(tmp_path, jsm_cloud_id="c-2").checks
    assert (checks.site().verdict, checks.site().fix) == (Verdict.BAD, "set JSM_CLOUD_ID=c-1, or leave it out")
    assert checks.lost == "JSM_CLOUD_ID is another site's"


def test_a_site_that_cannot_be_asked_needs_a_cloud_id(tmp_path: Path) -> None:
    for chosen, verdict, lost in (
        ({}, Verdict.BAD, "the site's cloud id is not known"),
        ({"jsm_cloud_id": "c-1"}, Verdict.WARNING, ""),
    ):
        case = Case(tmp_path, **chosen)
        case.jsm.cloud_id = Unknown("JSM: no answer")
        checks = case.checks
        assert (checks.site().verdict, checks.lost) == (verdict, lost)


@pytest.mark.parametrize(
    ("whose", "found", "fix"),
    [
        (Refused("401"), "JSM: GET /v1/alerts: 401: Unauthorized", "check JSM_API_TOKEN"),
        (BOT, "Jira accepts it as Reconciler Bot's, so a scope or a right is missing", "with the scopes to read"),
        (
            replace(BOT, kind="app"),
            "Reconciler Bot, a service account or an app",
            "a user with an agent's licence",
        ),
    ],
)
def test_a_refused_token_is_one_of_three_things(
    case: Case, whose: AtlassianUser | ReconcilerError, found: str, fix: str
) -> None:
    case.jsm.listing, case.jsm.whose = NO_LIST, whose
    finding = case.checks.key()
    assert (finding.check, finding.verdict) == ("jsm token", Verdict.BAD)
    assert finding.found.endswith(found)
    assert fix in finding.fix


def test_a_plan_without_the_api_is_not_taken_for_a_missing_scope(case: Case) -> None:
    case.jsm.listing = Refused("JSM: GET /v1/alerts: 402; see the JSM account")
    finding = case.checks.key()
    assert finding.found == "JSM: GET /v1/alerts: 402; the plan does not include the API of Operations"
    assert finding.fix == "see the JSM account"


def test_an_opsgenie_that_is_off_after_the_move_is_only_a_warning(case: Case) -> None:
    off = Jsm()
    off.listing = Refused("Opsgenie: GET /v2/alerts/{id}: 403: suspended; see the account")
    case.opsgenie = cast("AlertReader", off)
    create: Callable[..., Any] = case.patient.sandbox.pagerduty.create_incident
    create("x", key="an alert")
    finding = case.checks.overlap()
    assert (finding.verdict, finding.fix) == (Verdict.WARNING, "after the move remove OPSGENIE_API_KEY")


def test_a_list_that_is_not_there_is_told_in_the_client_s_words_and_is_not_an_empty_one(case: Case) -> None:
    case.jsm.listing = Misconfigured("JSM: GET /v1/alerts: 404; Operations alerts are not on this site (yet)")
    found = case.findings()
    assert found["jsm token"].verdict is Verdict.BAD
    assert found["jsm token"].fix == "Operations alerts are not on this site (yet)"
    assert found["jsm reads"].found == "not checked: JSM does not list alerts"


def test_an_accepted_token_s_end_is_to_be_noted(case: Case) -> None:
    assert "after a year at most" in case.checks.key().found


@pytest.mark.parametrize(
    ("whose", "verdict", "says"),
    [
        (BOT, Verdict.GOOD, "Reconciler Bot (712020:b07)"),
        (replace(BOT, kind="app"), Verdict.BAD, "Reconciler Bot is a service account or an app"),
        (Forbidden("403"), Verdict.WARNING, "Jira does not say whose token it is"),
        (Refused("401"), Verdict.WARNING, "Jira does not say whose token it is"),
    ],
)
def test_the_token_s_user_is_told(
    case: Case, whose: AtlassianUser | ReconcilerError, verdict: Verdict, says: str
) -> None:
    case.jsm.whose = whose
    finding = case.checks.user()
    assert finding.verdict is verdict
    assert finding.found.startswith(says)


def test_no_alert_at_all_is_suspicious_where_others_know_of_some(case: Case, database: Database) -> None:
    assert case.checks.reads().found == "allowed; no open alert is seen, as with a user who may see no team"
    case.opsgenie = case.patient.opsgenie
    assert case.checks.reads().verdict is Verdict.GOOD
    case.patient.raise_alert()
    finding = case.checks.reads()
    assert (finding.verdict, finding.found) == (
        Verdict.WARNING,
        "no open alert is seen, while Opsgenie lists 1 alert",
    )
    assert "which teams JSM_EMAIL may see" in finding.fix
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(NINE, NINE))
        unit.snapshot.save_pairs([pair(alert_id="a", swept_at=NINE)])
    assert case.checks.reads().found == "no open alert is seen, while this database has 1 open pair"


def test_reads_and_pages_are_those_of_jsm(case: Case) -> None:
    case.jsm.listing = [alert(id=str(number), created_at=NINE) for number in range(MANY)]
    assert case.checks.reads().found.startswith("allowed: alerts, and the notes of #")
    assert (case.checks.pages().check, case.checks.pages().verdict) == ("jsm pages", Verdict.WARNING)
    assert case.checks.query().found == f"none: every alert selects {MANY} alerts, {MANY} open"


def test_a_query_that_changes_or_selects_nothing_is_warned_about(tmp_path: Path) -> None:
    for query, says in (("status: open", "it asks for status"), ("tag: a", "selects 0 alerts")):
        finding = Case(tmp_path, jsm_query=query).checks.query()
        assert finding.verdict is Verdict.WARNING
        assert says in finding.found
    assert finding.fix == "see JSM_QUERY if there should be some, and whether JSM_EMAIL may see the teams' alerts"


@pytest.mark.parametrize(("sorted_", "says"), [(True, "honoured"), (False, "ignored"), (None, "refused")])
def test_the_undocumented_order_is_only_reported(case: Case, sorted_: bool | None, says: str) -> None:
    case.jsm.sorted = sorted_
    assert case.checks.sort().verdict is Verdict.GOOD
    assert says in case.checks.sort().found


def test_in_whose_name_notes_are_written_is_told(case: Case, tmp_path: Path) -> None:
    assert "bear the name of JSM_EMAIL" in case.checks.integration().found
    named = Case(tmp_path, jsm_integration_key=SecretStr("k3y"))
    assert "bear the engineer's name" in named.checks.integration().found
    named.jsm.key = Refused("JSM: 422: Key format is not valid!; check JSM_INTEGRATION_KEY")
    finding = named.findings()["jsm integration"]
    assert (finding.verdict, finding.fix) == (Verdict.BAD, "check JSM_INTEGRATION_KEY")


def test_incidents_whose_alerts_opsgenie_has_too_are_warned_about(case: Case) -> None:
    case.opsgenie = case.patient.opsgenie
    checks = dict(case.checks.checks())
    assert checks["jsm and opsgenie"]().verdict is Verdict.GOOD
    create: Callable[..., Any] = case.patient.sandbox.pagerduty.create_incident
    create("y", key="of nobody")
    assert checks["jsm and opsgenie"]().verdict is Verdict.GOOD
    create("x", key=case.patient.raise_alert(created_at=NINE - timedelta(days=1)))
    finding = checks["jsm and opsgenie"]()
    assert finding.verdict is Verdict.WARNING
    assert finding.found == "Opsgenie has the alerts of 1 of 2 open incidents, too"
