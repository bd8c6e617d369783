"""What is known while a pair is being read."""

from reconciler.core.model import Kind, Side
from reconciler.core.read_progress import ALERT_STATES, INCIDENT_STATES, Progress, Read, What
from reconciler.core.work import ReadRequest
from tests.support.builders import INCIDENT_ID, at, incident, observation, pair, policy

NOTES = ReadRequest(alert_notes=True)


def test_each_read_asks_one_vendor() -> None:
    assert [what for what in What if what.side is Side.PAGERDUTY] == [
        What.INCIDENTS_BY_KEY,
        What.INCIDENT,
        What.INCIDENT_NOTES,
        What.INCIDENT_LOG,
    ]


def test_two_reads_of_one_object_are_the_same_however_far_back_they_go() -> None:
    assert Read(What.ALERT_NOTES, "a-1", at(0)).key == Read(What.ALERT_NOTES, "a-1").key
    assert Read(What.ALERT_NOTES, "a-1").key != Read(What.ALERT, "a-1").key


def test_the_state_of_each_side_is_that_of_its_own_writes() -> None:
    assert {kind for kind in Kind if kind.is_state} == ALERT_STATES | INCIDENT_STATES
    assert all(kind.side is Side.ALERTS for kind in ALERT_STATES)


def test_the_incident_of_a_pair_is_its_own_before_one_that_it_may_adopt() -> None:
    def followed(**seen: object) -> str | None:
        return Progress(NOTES, observation(**seen), policy(), at(60)).incident_id

    assert followed() is None
    assert followed(incident=incident(id="PX")) == "PX"
    assert followed(pair=pair(), incident=incident(id="PX")) == INCIDENT_ID
    assert followed(pair=pair(None), incident=incident(id="PX")) == "PX"


def test_notes_are_lacking_only_where_they_were_asked_for_and_can_be_read() -> None:
    def lacks(request: ReadRequest = NOTES, **seen: object) -> bool:
        return Progress(request, observation(**seen), policy(), at(60)).lacks_alert_notes

    assert lacks()
    assert not lacks(alert_notes=())
    assert not lacks(missing=True)
    assert not lacks(ReadRequest(alert=True))
