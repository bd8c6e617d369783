"""The cells of `status` in words."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Side
from reconciler.core.pause import Pause
from reconciler.core.shadow import Comparison
from reconciler.operations.pausing import Held
from reconciler.operations.status import StatusReport
from reconciler.operations.status_words import VendorWords, leader, shadow, vendors
from reconciler.store.leader_state import LeaderState
from reconciler.store.overview import Lead
from reconciler.store.troubles import KeptTrouble
from tests.support.builders import at

LEADS = LeaderState(at(90), 3, at(40), "PBOT", {Side.PAGERDUTY: 950}, frozenset({Side.ALERTS}))


def report(**given: Any) -> StatusReport:
    return StatusReport(at(100), "sqlite:///r.db", **({"polled": dict.fromkeys(Side, at(97))} | given))


def test_a_vendor_is_told_in_words() -> None:
    opsgenie, pagerduty = vendors(report(leader=LEADS), 10)
    assert opsgenie == VendorWords("Opsgenie", "3 s ago", "no limit known", "no", "", is_late=False)
    assert pagerduty == VendorWords("PagerDuty", "3 s ago", "950 (10 s ago)", "yes", "", is_late=False)


def test_a_vendor_may_be_late_or_in_trouble_or_never_polled() -> None:
    trouble = KeptTrouble("opsgenie", at(40), "OPSGENIE_API_KEY: refused")
    opsgenie, pagerduty = vendors(report(polled={Side.ALERTS: at(20)}, troubles=(trouble,)), 10)
    assert (opsgenie.polled, opsgenie.is_late, opsgenie.may_write) == ("80 s ago, late", True, "not known")
    assert opsgenie.problem == "OPSGENIE_API_KEY: refused, since 09:00 UTC (60 s)"
    assert (pagerduty.polled, pagerduty.is_late) == ("never", True)


def test_the_problem_of_one_alert_or_of_pages_is_told_where_the_whole_vendor_has_none() -> None:
    one, pages = KeptTrouble("pagerduty a-1 Refused", at(40), "400"), KeptTrouble("pages", at(40), "1 page waits")
    whole = KeptTrouble("pagerduty", at(40), "away")
    for troubles, expected in (((pages, one, whole), "away"), ((pages, one), "400"), ((pages,), "1 page waits")):
        opsgenie, pagerduty = vendors(report(troubles=troubles), 10)
        assert (opsgenie.problem, pagerduty.problem.partition(",")[0]) == ("", expected)


@pytest.mark.parametrize(
    ("side", "pages", "told"),
    [
        (Side.PAGERDUTY, False, "paused, except pages"),
        (Side.PAGERDUTY, True, "paused, pages too"),
        (Side.ALERTS, True, "paused"),
    ],
)
def test_a_paused_side_may_not_be_written_to(side: Side, pages: bool, told: str) -> None:
    held = Held(Pause(side, at(40), "maintenance", pages=pages))
    known = LeaderState(at(90), 3, at(40))
    found = {each.name: each.may_write for each in vendors(report(pauses=(held,), leader=known), 10)}
    assert sorted(found.values()) == sorted([told, "yes"])
    refused = replace(known, refused=frozenset(Side))
    found = {each.name: each.may_write for each in vendors(report(pauses=(held,), leader=refused), 10)}
    assert set(found.values()) == {"no"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "nobody yet"),
        ({"lead": Lead("pod-1:1:ab", 2)}, "pod-1:1:ab, epoch 2"),
        ({"lead": Lead("pod-1:1:ab", 3), "leader": LEADS}, "pod-1:1:ab, epoch 3, since 09:00 UTC (60 s)"),
    ],
)
def test_the_leader_is_told_with_since_when_as_far_as_known(given: dict[str, Any], told: str) -> None:
    assert leader(report(**given)) == told


def test_a_comparison_with_another_product_is_told_with_its_age() -> None:
    seen = Comparison(at(0), {"same": 40, "differs": 1, "missing": 0})
    assert shadow(at(120), seen) == "40 same, 1 differs, looked at 2 min ago"
