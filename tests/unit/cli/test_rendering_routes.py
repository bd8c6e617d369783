"""What `once` prints of several routes: a heading for each, and one JSON document."""

from dataclasses import replace

from reconciler.cli import rendering
from reconciler.cli.rendering_routes import Reports, as_data, as_text, errors, is_misconfigured
from reconciler.core.late_alerts import NOTE as LATE_NOTE
from reconciler.core.model import Kind, Side, Status
from reconciler.core.product import JSM, OPSGENIE
from reconciler.errors import Misconfigured, Transient
from reconciler.reconcile.problems import Problem
from reconciler.runtime.report import Report
from tests.support.builders import action

PAGE = action(Kind.CREATE_INCIDENT, incident_id=None, reason="the alert was raised", urgency="high")
NOTE = action(Kind.PAGERDUTY_NOTE, reason="Ana Ruiz added a note", text="any news?")
AWAY = Report(problems=(Problem(Side.PAGERDUTY, Transient("PagerDuty does not answer"), ""),))
REFUSED = Report(problems=(Problem(Side.PAGERDUTY, Misconfigured("PAGERDUTY_API_KEY: refused"), ""),))
THREE: Reports = (("shop", Report((PAGE,))), ("search", Report()), ("mail", Report((NOTE,))))


def test_each_route_with_something_to_do_has_a_heading_and_the_others_one_line() -> None:
    assert as_text(THREE, dry_run=True).splitlines() == [
        "Route shop",
        "",
        *rendering.body(THREE[0][1], dry_run=True),
        "",
        "Route mail",
        "",
        *rendering.body(THREE[2][1], dry_run=True),
        "",
        "Nothing to do in 1 route: search.",
        "All routes: 1 person will be paged (1 high urgency), 1 note.",
        "",
        rendering.nothing_written(OPSGENIE),
    ]


def test_after_a_run_nothing_is_said_of_a_dry_run() -> None:
    done: Reports = (("shop", Report((replace(PAGE, status=Status.DONE),))), ("search", Report()))
    text = as_text(done, dry_run=False)
    assert text.endswith("Done: 1 done.\n\nNothing to do in 1 route: search.")
    assert as_text((("a", Report()), ("b", Report())), dry_run=False) == "Nothing to do in 2 routes: a, b."


def test_alerts_that_are_late_and_page_all_the_same_are_nothing_to_tell_of() -> None:
    late: Reports = (("shop", Report(late={"page": 1})), ("search", Report(late={LATE_NOTE: 1})))
    text = as_text(late, dry_run=False)
    assert text.startswith("Route search\n\n1 late alert: ")
    assert text.endswith("Nothing to do in 1 route: shop.")


def test_routes_of_both_products_each_say_where_nothing_was_written() -> None:
    text = as_text((("a", Report()), ("b", Report(product=JSM))), dry_run=True)
    assert text.splitlines()[1:] == [rendering.nothing_written(each) for each in (OPSGENIE, JSM)]


def test_of_a_route_that_only_fails_nothing_is_printed_but_its_errors() -> None:
    reports: Reports = (("shop", AWAY), ("search", REFUSED))
    assert as_text(reports, dry_run=False) == ""
    assert errors(reports, dry_run=False) == [
        "shop: PagerDuty does not answer",
        "search: PAGERDUTY_API_KEY: refused",
    ]
    assert is_misconfigured(reports)
    assert not is_misconfigured(reports[:1])


def test_actions_and_pauses_bear_their_route_in_json() -> None:
    late: Reports = (*THREE, ("late", Report(late={LATE_NOTE: 2})), ("later", Report(late={LATE_NOTE: 1})))
    document = as_data((*late, ("away", AWAY)), dry_run=True)
    assert [(row["kind"], row["route"]) for row in document["actions"]] == [
        ("pagerduty.create_incident", "shop"),
        ("pagerduty.add_note", "mail"),
    ]
    assert document["late_alerts"][LATE_NOTE] == 3
    assert document["errors"] == ["away: PagerDuty does not answer"]
    assert [*document] == [*rendering.as_data(Report(), dry_run=True)]


def test_one_route_is_printed_as_where_there_is_no_other() -> None:
    for report in (THREE[0][1], AWAY, Report()):
        one = (("shop", report),)
        assert as_data(one, dry_run=True) == rendering.as_data(report, dry_run=True)
        assert errors(one, dry_run=True) == rendering.errors(report, dry_run=True)
    assert as_text((THREE[0],), dry_run=True) == rendering.as_text(THREE[0][1], dry_run=True)
    assert as_text((("shop", AWAY),), dry_run=True) == "", "what fails goes to stderr"
