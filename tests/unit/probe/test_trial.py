import pytest

from reconciler.probe.trial import IMPATIENCE, PATIENCE, AlertUser, is_acknowledged
from reconciler.probe.wire import NotSettled, Stopped
from tests.support.probing import bench


def test_a_wait_ends_as_soon_as_something_is_shown_or_in_time() -> None:
    made = bench()
    began = made.clock.monotonic()
    assert made.probe.trial.until(lambda: made.clock.monotonic() >= began + 2.5)[1] == pytest.approx(3.0)
    found, took = made.probe.trial.until(lambda: "", within=10.0)
    assert found == ""
    assert took == pytest.approx(10.0, abs=0.1)


def test_what_two_copies_show_in_turn_is_not_steady() -> None:
    made, turns = bench(), iter(["old", "new", "old", "new", "new", "new"])
    assert made.probe.trial.steady(lambda: next(turns)) == "new"


def test_a_wait_ends_when_the_operator_wants_to_stop() -> None:
    made = bench()
    made.stop.set()
    with pytest.raises(Stopped):
        made.probe.trial.pause(1.0)


def test_an_alert_or_an_incident_that_does_not_appear_ends_the_step() -> None:
    made = bench(detail_lag=60.0)
    with pytest.raises(NotSettled, match="a new alert is not found"):
        made.probe.trial.new_alert()
    with pytest.raises(NotSettled, match="a new incident is not found"):
        made.probe.trial.new_incident()


def test_an_alert_whose_request_fails_is_forgotten() -> None:
    made = bench(writes_fail=True)
    with pytest.raises(NotSettled, match="Something went wrong"):
        made.probe.trial.new_alert()
    assert made.probe.objects.left() == ()


def test_once_a_requests_status_has_not_come_the_next_ones_are_not_waited_for_as_long() -> None:
    made = bench(receipts_stay_pending=True)
    took = []
    for _ in range(2):
        began = made.clock.monotonic()
        made.probe.trial.requested_alert()
        took.append(made.clock.monotonic() - began)
    assert took == [pytest.approx(PATIENCE, abs=0.1), pytest.approx(IMPATIENCE, abs=0.1)]


@pytest.mark.parametrize(
    ("owner", "form"),
    [
        ("", "nobody"),
        ("id-1", "the account id"),
        ("Alert API", "nobody in particular (Alert API)"),
        ("Ana", "another name"),
    ],
)
def test_a_name_is_told_by_its_form(owner: str, form: str) -> None:
    assert AlertUser(forms={"id-1": "the account id"}).form(owner) == form


def test_an_alert_is_acknowledged_by_its_flag_or_by_its_status() -> None:
    assert is_acknowledged({"acknowledged": True, "status": "open"})
    assert is_acknowledged({"status": "acked"})
    assert not is_acknowledged({"acknowledged": None, "status": "open"})
