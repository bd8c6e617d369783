"""The incident that tells engineers of an outage, and its texts."""

from datetime import timedelta

import pytest

from reconciler.core.outage import Outage, body, incident_of, is_noted, key_of, over_note, recalled, title
from reconciler.core.product import JSM
from tests.support.builders import JANE, at, incident, note

OUTAGE = Outage(at(100))
ASKED = Outage(at(100), asked_at=at(1000))
ERROR = "Opsgenie: GET /v2/alerts: 401: Could not authenticate; check OPSGENIE_API_KEY"
OPEN = incident("acknowledged", created_at=at(50))
EARLIER = incident("resolved", created_at=at(50), id="PEARLIER")
MEANWHILE = incident("resolved", created_at=at(1000), id="PMEANWHILE")


def test_the_key_names_the_route_and_is_no_alerts_id() -> None:
    assert key_of("default") == "reconciler outage default"


@pytest.mark.parametrize(
    ("found", "outage", "expected"),
    [
        ((), OUTAGE, None),
        ((EARLIER, OPEN), OUTAGE, OPEN),
        ((MEANWHILE, OPEN), ASKED, OPEN),
        ((EARLIER, MEANWHILE), OUTAGE, None),
        ((EARLIER, MEANWHILE), ASKED, MEANWHILE),
        ((EARLIER,), ASKED, None),
    ],
    ids=["none", "an open one", "open before resolved", "never asked for", "asked for", "of an earlier outage"],
)
def test_the_incident_of_an_outage_is_an_open_one_or_one_that_was_asked_for(
    found: tuple[object, ...], outage: Outage, expected: object
) -> None:
    assert incident_of(found, outage) == expected  # type: ignore[arg-type]


def test_a_lost_database_recalls_the_outage_from_its_open_incident() -> None:
    assert recalled(None, at(200)) is None
    assert recalled(OPEN, at(200)) == Outage(at(50), incident_id=OPEN.id)
    assert recalled(OPEN, at(40)) == Outage(at(40), incident_id=OPEN.id), "PagerDuty's clock is ahead of ours"


def test_the_title_says_what_since_when_and_why() -> None:
    assert title(OUTAGE, ERROR) == (
        "Opsgenie's alerts cannot be read since 09:01 UTC: GET /v2/alerts: 401: Could not authenticate; "
        "check OPSGENIE_API_KEY; new alerts page nobody until this is over"
    )
    assert len(title(OUTAGE, 1000 * "long ")) < 450


def test_the_details_have_the_whole_error_and_the_day() -> None:
    assert "since 2026-11-23 09:01 UTC" in body(OUTAGE, ERROR)
    assert "check OPSGENIE_API_KEY" in body(OUTAGE, ERROR)
    assert 300 * "long " in body(OUTAGE, 300 * "long ")


def test_the_note_of_the_end_is_recognised_and_no_other_is() -> None:
    words = over_note(OUTAGE, at(100) + timedelta(minutes=35), "35 min")
    assert words == (
        "[reconciler] Opsgenie's alerts can be read again since 09:36 UTC. "
        "They could not be from 09:01 UTC on, for 35 min."
    )
    assert not is_noted([note("N1", JANE, "on it")])
    assert is_noted([note("N1", JANE, "on it"), note("N2", JANE, words)])


def test_an_outage_of_jsm_is_told_as_one_and_its_end_is_recognised_whichever_product_wrote_it() -> None:
    error = "JSM: GET /v1/alerts: 401: expired; check JSM_API_TOKEN"
    assert title(OUTAGE, error, JSM).startswith("JSM's alerts cannot be read since 09:01 UTC: GET /v1/alerts: 401")
    assert "Alerts that are raised in JSM meanwhile page nobody" in body(OUTAGE, error, JSM)
    words = over_note(OUTAGE, at(200), "2 min", JSM)
    assert words.startswith("[reconciler] JSM's alerts can be read again")
    assert is_noted([note("N1", JANE, words)])
