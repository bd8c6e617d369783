"""Which call each kind of action is, and what goes into it."""

from typing import Any

import pytest

from reconciler.core.model import Incident, Kind, Note
from reconciler.errors import Unknown
from reconciler.reconcile.vendor_calls import CallResult, Vendors, perform
from reconciler.vendors.call_context import answered
from reconciler.vendors.ports import AlertWrite
from tests.support.builders import ALERT_ID, BOT, T0, action, incident

TARGET = incident("acknowledged")


class Vendor:
    """Either vendor: it keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {"add_note": Note("N1", BOT, "", T0), "incident": TARGET}

        def call(*given: Any) -> Any:
            self.told.append((name, *given))
            is_alert = given[0] == ALERT_ID and name != "create_incident"
            return AlertWrite("R1") if is_alert else answers.get(name, incident())

        return call


def performed(
    kind: Kind, seen: Incident | None = None, **changed: Any
) -> tuple[CallResult, list[tuple[Any, ...]]]:
    """The result of the call, and the calls made for it."""
    vendor: Any = Vendor()
    result = perform(Vendors(vendor, vendor, vendor, vendor), action(kind, **changed), seen, BOT)
    return result, vendor.told


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (Kind.CREATE_INCIDENT, ("create_incident", "a-1", "title", "body", "low")),
        (Kind.PAGERDUTY_NOTE, ("add_note", "PINC1", "title")),
        (Kind.PAGERDUTY_ACKNOWLEDGE, ("acknowledge", "PINC1")),
        (Kind.PAGERDUTY_UNACKNOWLEDGE, ("retrigger", TARGET, BOT)),
        (Kind.PAGERDUTY_RESOLVE, ("resolve", "PINC1")),
        (Kind.PAGERDUTY_SET_URGENCY, ("set_urgency", "PINC1", "low")),
        (Kind.ALERT_ACKNOWLEDGE, ("acknowledge", "a-1", "Ana Ruiz")),
        (Kind.ALERT_UNACKNOWLEDGE, ("unacknowledge", "a-1", "Ana Ruiz")),
        (Kind.ALERT_NOTE, ("add_note", "a-1", "Ana Ruiz (PagerDuty)", "title")),
    ],
)
def test_each_kind_is_one_call_and_opsgenies_are_only_accepted(kind: Kind, call: tuple[Any, ...]) -> None:
    more = {"text": "title", "body": "body", "urgency": "low", "person": "Ana Ruiz"}
    result, told = performed(kind, TARGET, **more)
    assert told == [call]
    assert result.accepted is (kind.side.value == "opsgenie")


def test_a_note_that_is_added_at_once_is_done() -> None:
    vendor: Any = Vendor()
    vendor.add_note = lambda *_: AlertWrite(note_id="N7")
    result = perform(Vendors(vendor, vendor, vendor, vendor), action(Kind.ALERT_NOTE, text="x"), None, BOT)
    assert (result.result_id, result.accepted) == ("N7", False)


def test_a_plain_creation_has_neither_details_nor_an_urgency() -> None:
    _, ((_, key, _, body, urgency),) = performed(
        Kind.CREATE_INCIDENT, text="title", body="body", urgency="low", plain=True
    )
    assert (key, body, urgency) == ("a-1", "", "")


def test_an_incident_that_was_not_read_before_is_read_to_be_triggered_again() -> None:
    _, told = performed(Kind.PAGERDUTY_UNACKNOWLEDGE)
    assert told == [("incident", "PINC1"), ("retrigger", TARGET, BOT)]


@pytest.mark.parametrize("kind", [Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE])
def test_the_result_has_the_vendors_id_of_the_request(kind: Kind) -> None:
    vendor: Any = Vendor()
    inner = vendor.add_note

    def add_note(*given: Any) -> Any:
        answered("01ABC")
        return AlertWrite("accepted as R1") if kind is Kind.ALERT_NOTE else inner(*given)

    vendor.add_note = add_note
    result = perform(Vendors(vendor, vendor, vendor, vendor), action(kind, text="x"), None, BOT)
    assert result.request_id == ("accepted as R1" if result.accepted else "01ABC")


@pytest.mark.parametrize("own", ["", "r-2"])
def test_an_error_has_the_vendors_id_of_the_request_even_if_the_client_raised_it(own: str) -> None:
    vendor: Any = Vendor()

    def resolve(*_: Any) -> Any:
        answered("r-1")
        error = Unknown("the answer cannot be read")
        error.request_id = own
        raise error

    vendor.resolve = resolve
    with pytest.raises(Unknown) as caught:
        perform(Vendors(vendor, vendor, vendor, vendor), action(Kind.PAGERDUTY_RESOLVE), None, BOT)
    assert caught.value.request_id == (own or "r-1")


def test_what_was_created_is_known_by_its_id() -> None:
    assert performed(Kind.CREATE_INCIDENT)[0].result_id == "PINC1"
    assert performed(Kind.PAGERDUTY_NOTE)[0].result_id == "N1"
