from datetime import datetime, timedelta

import pytest

from reconciler.core.model import Side
from reconciler.errors import Misconfigured, Missing, ReconcilerError, Refused, Unknown
from reconciler.operations.doctor_vendor import VendorChecks, phrase, write_right
from reconciler.operations.findings import Finding, Verdict
from reconciler.vendors.call_context import current
from tests.support.clock import NINE, SimClock

REFUSED = Refused("Opsgenie: GET /v2/alerts: 401: no; check OPSGENIE_API_KEY")
EU, US = "https://api.eu.opsgenie.com", "https://api.opsgenie.com"


class Vendor:
    def __init__(self, answer: datetime | ReconcilerError | None) -> None:
        self.answer = answer

    def server_time(self) -> datetime | None:
        assert current().within == 8
        if isinstance(self.answer, ReconcilerError):
            raise self.answer
        return self.answer


def checks(
    answer: datetime | ReconcilerError | None, elsewhere: datetime | ReconcilerError | None = NINE
) -> VendorChecks:
    return VendorChecks(Side.ALERTS, Vendor(answer), Vendor(elsewhere), US, EU, SimClock(0.0))


def test_an_accepted_key_tells_the_region() -> None:
    found = checks(NINE)
    assert found.key().verdict is Verdict.GOOD
    assert found.region().found == f"US: {US} accepts the key"
    own = VendorChecks(Side.ALERTS, Vendor(NINE), None, "http://gateway", "", SimClock(0.0))
    assert own.region().found == "http://gateway accepts the key"


@pytest.mark.parametrize("elsewhere", [NINE, Missing("no such service")])
def test_a_key_of_the_other_region_is_told_with_its_address(elsewhere: datetime | ReconcilerError) -> None:
    found = checks(REFUSED, elsewhere)
    finding = found.key()
    assert finding.verdict is Verdict.BAD
    assert finding.found == f"refused at {US}, accepted at {EU}: the account is in the other region"
    assert finding.fix == f"set OPSGENIE_API_URL={EU}"
    assert found.lost == "Opsgenie refuses the key"


@pytest.mark.parametrize("elsewhere", [REFUSED, Unknown("no answer"), Misconfigured("no request can be made")])
def test_a_key_that_no_region_accepts_is_told_in_the_vendor_s_words(elsewhere: ReconcilerError) -> None:
    finding = checks(REFUSED, elsewhere).key()
    assert finding.found == f"Opsgenie: GET /v2/alerts: 401: no; it is not accepted at {EU} either"
    assert finding.fix == "check OPSGENIE_API_KEY"
    own = VendorChecks(Side.ALERTS, Vendor(REFUSED), None, "http://gateway", "", SimClock(0.0)).key()
    assert own.found == "Opsgenie: GET /v2/alerts: 401: no"


@pytest.mark.parametrize("error", [Unknown("no answer"), Misconfigured("no request can be made")])
def test_a_vendor_out_of_reach_is_asked_nothing_else(error: ReconcilerError) -> None:
    found = checks(error)
    assert found.key() == Finding("opsgenie key", Verdict.BAD, str(error))
    assert found.lost == "Opsgenie cannot be reached"


def test_an_object_that_is_not_there_does_not_speak_against_the_key() -> None:
    found = checks(Missing("no such service"))
    assert (found.key().verdict, found.lost) == (Verdict.GOOD, "")
    assert found.clock().verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("ahead", "verdict", "says"),
    [
        (timedelta(0), Verdict.GOOD, "agrees with ours"),
        (timedelta(seconds=-30), Verdict.GOOD, "agrees with ours"),
        (timedelta(seconds=31), Verdict.WARNING, "ours is 31 s behind"),
        (timedelta(minutes=-5), Verdict.WARNING, "ours is 5 min ahead"),
        (timedelta(hours=1), Verdict.BAD, "ours is 60 min behind"),
        (timedelta(hours=-2), Verdict.BAD, "ours is 2 h ahead"),
    ],
)
def test_a_clock_that_is_wrong_is_told(ahead: timedelta, verdict: Verdict, says: str) -> None:
    found = checks(NINE + ahead)
    found.key()
    finding = found.clock()
    assert (finding.verdict, finding.found) == (verdict, says)
    assert bool(finding.fix) == (verdict is not Verdict.GOOD)


def test_only_a_write_proves_the_right_to_write() -> None:
    proven = write_right("pagerduty writes", NINE, NINE + timedelta(minutes=3), "look")
    assert (proven.verdict, proven.found) == (Verdict.GOOD, "allowed: the last one was carried out 3 min ago")
    unproven = write_right("pagerduty writes", None, NINE, "look")
    assert (unproven.verdict, unproven.fix) == (Verdict.WARNING, "look")
    assert unproven.found.startswith("not provable without a write")


def test_long_lists_are_shortened() -> None:
    assert phrase("ab") == "a, b"
    assert phrase("abcdefg") == "a, b, c, d, e and 2 more"
