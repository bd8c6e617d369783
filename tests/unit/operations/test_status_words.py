"""The cells of `status` in words."""

from typing import Any

import pytest

from reconciler.core.model import Side
from reconciler.operations.status import StatusReport
from reconciler.operations.status_words import VendorWords, leader, vendors
from reconciler.store.leader_state import LeaderState
from reconciler.store.overview import Lead
from reconciler.store.troubles import KeptTrouble
from tests.support.builders import at

LEADS = LeaderState(at(90), 3, at(40), "PBOT", {Side.PAGERDUTY: 950}, frozenset({Side.OPSGENIE}))


def report(**given: Any) -> StatusReport:
    return StatusReport(at(100), "sqlite:///r.db", **({"polled": dict.fromkeys(Side, at(97))} | given))


def test_a_vendor_is_told_in_words() -> None:
    opsgenie, pagerduty = vendors(report(leader=LEADS), 10)
    assert opsgenie == VendorWords("Opsgenie", "3 s ago", "no limit known", "no", "", is_late=False)
    assert pagerduty == VendorWords("PagerDuty", "3 s ago", "950 (10 s ago)", "yes", "", is_late=False)


def test_a_vendor_may_be_late_or_in_trouble_or_never_polled() -> None:
    trouble = KeptTrouble("opsgenie", at(40), "OPSGENIE_API_KEY: refused")
    opsgenie, pagerduty = vendors(report(polled={Side.OPSGENIE: at(20)}, troubles=(trouble,)), 10)
    assert (opsgenie.polled, opsgenie.is_late, opsgenie.may_write) == ("80 s ago, late", True, "not known")
    assert opsgenie.problem == "OPSGENIE_API_KEY: refused, since 09:00 UTC (60 s)"
    assert (pagerduty.polled, pagerduty.is_late) == ("never", True)


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
