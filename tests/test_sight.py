"""What is read of a pair: no more than is needed, and what fails stays unread without hurting anything else."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from worlds import (
    ALERT_ID,
    ANA,
    BOB,
    BOT,
    INCIDENT_ID,
    JANE,
    act,
    action,
    alert,
    at,
    incident,
    note,
    pair,
    policy,
    sighting,
)

from reconciler.core import model, text
from reconciler.core.model import Actor, Kind, Receipt, Side, Status
from reconciler.errors import (
    Blocked,
    Forbidden,
    Missing,
    NotExecuted,
    Permanent,
    ReconcilerError,
    Refused,
    Unknown,
)
from reconciler.looks import Look
from reconciler.memory import Memory
from reconciler.sight import STRIKES, Eyes
from reconciler.vendors.ports import RequestStatus


class Opsgenie:
    """It shows our acknowledgement; its list does not yet."""

    def __init__(self) -> None:
        self.asked = 0

    def alert(self, alert_id: str) -> model.Alert:
        self.asked += 1
        return alert(id=alert_id, acknowledged=True, updated_at=at(30))


def see(row: model.Alert, *mine: model.Action) -> tuple[model.Sighting, int]:
    """What is seen of a pair whose row this is, and how often the alert itself was read for it."""
    opsgenie = Opsgenie()
    eyes = Eyes(cast("Any", opsgenie), cast("Any", None), lambda: False, policy(), at(60))
    seen = eyes.see(sighting(pair=pair(), mine=mine), Look(alert=True, row=row))
    return seen, opsgenie.asked


IN_DOUBT = action(Kind.OPSGENIE_ACKNOWLEDGE, Status.SENT)


def test_a_later_row_stands_in_for_the_alert() -> None:
    seen, asked = see(row := alert(updated_at=at(20)))
    assert (seen.alert, asked) == (row, 0)


def test_a_stale_row_that_is_stamped_later_is_not_believed_while_our_acknowledgement_is_in_doubt() -> None:
    """A note has moved the row's stamp; the list has the note and not yet what we wrote just before it."""
    seen, asked = see(alert(updated_at=at(20)), IN_DOUBT)
    assert asked == 1
    assert seen.alert is not None
    assert seen.alert.acknowledged


def test_a_row_that_shows_what_we_wrote_is_enough() -> None:
    seen, asked = see(row := alert(updated_at=at(20), acknowledged=True), IN_DOUBT)
    assert (seen.alert, asked) == (row, 0)


@pytest.mark.parametrize("seconds", [0, -5])
def test_a_row_that_is_not_later_than_what_we_know_says_nothing(seconds: float) -> None:
    _, asked = see(alert(updated_at=at(seconds)))
    assert asked == 1


def test_a_write_that_is_settled_asks_for_no_more_than_the_row() -> None:
    _, asked = see(alert(updated_at=at(20)), replace(IN_DOUBT, status=Status.DONE))
    assert asked == 0


class Vendors:
    """Both readers: each call answers what was given for it by name, or raises it; what was asked is counted."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            self.asked[name] += 1
            answer = self.answers[name]
            answer = answer(*given) if callable(answer) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def eyes(opsgenie: Vendors, pagerduty: Vendors | None = None, **more: Any) -> Eyes:
    return Eyes(
        cast("Any", opsgenie), cast("Any", pagerduty), lambda: False, policy(), more.pop("now", at(60)), **more
    )


# -- failures and whom they concern --


OWN = (Missing("404"), Forbidden("403"), Permanent("400", 400), Blocked("302"))


@pytest.mark.parametrize("error", OWN, ids=lambda error: type(error).__name__)
def test_one_object_that_is_refused_counts_against_no_other(error: Exception) -> None:
    pagerduty = Vendors(incident=lambda own: error if own == "bad" else incident(id=own))
    seeing = eyes(Vendors(), pagerduty)
    for _ in range(2 * STRIKES):
        look = Look(incident=True)
        seen = seeing.see(sighting(pair=pair(incident_id="bad")), look)
        assert (seen.incident, look.again) == (None, {Side.PAGERDUTY})
    assert pagerduty.asked["incident"] == 1  # and it is left alone for a while
    assert seeing.see(sighting(alert_id="good", pair=pair()), Look(incident=True)).incident is not None


def test_what_cannot_be_read_is_left_alone_for_one_two_four_seconds_up_to_a_minute() -> None:
    memory, moments = Memory(), []
    pagerduty = Vendors(incident=Forbidden("403"))
    for second in range(400):
        before = pagerduty.asked["incident"]
        eyes(Vendors(), pagerduty, memory=memory, now=at(second)).see(sighting(pair=pair()), Look(incident=True))
        if pagerduty.asked["incident"] > before:
            moments.append(second)
    assert [later - sooner for sooner, later in pairwise(moments)][:8] == [
        1,
        2,
        4,
        8,
        16,
        32,
        60,
        60,
    ]
    pagerduty.answers["incident"] = incident()
    eyes(Vendors(), pagerduty, memory=memory, now=at(1000)).see(sighting(pair=pair()), Look(incident=True))
    assert memory.holds == {}


def test_a_clock_that_was_set_back_holds_nothing_for_long() -> None:
    memory = Memory()
    memory.failed(ALERT_ID, Side.PAGERDUTY, Forbidden("403"), at(100_000))
    assert not memory.is_held(ALERT_ID, Side.PAGERDUTY, at(0))


@pytest.mark.parametrize("error", [Refused("401"), NotExecuted("no connection")], ids=["refused", "unreachable"])
def test_a_vendor_that_turns_us_away_or_is_out_of_reach_is_spared_for_the_rest_of_the_cycle(
    error: Exception,
) -> None:
    pagerduty = Vendors(incident=error)
    seeing = eyes(Vendors(), pagerduty)
    for number in range(5):
        look = Look(incident=True)
        seeing.see(sighting(alert_id=f"a-{number}", pair=pair()), look)
        assert look.again == {Side.PAGERDUTY}
    assert pagerduty.asked["incident"] == 1
    assert len(seeing.take_problems()) == 1


def test_a_vendor_that_does_not_answer_single_reads_is_still_asked_for_its_lists() -> None:
    pagerduty = Vendors(incident=Unknown("500"))
    seeing = eyes(Vendors(), pagerduty)
    for number in range(5):
        seeing.see(sighting(alert_id=f"a-{number}", pair=pair()), Look(incident=True))
    assert pagerduty.asked["incident"] == STRIKES
    assert seeing.attempt(Side.PAGERDUTY, lambda: None)


@pytest.mark.parametrize(
    "error", [Permanent("400", 400), Unknown("500"), Refused("403"), Blocked("302"), KeyError("x")]
)
def test_a_feed_that_fails_stops_no_other_of_that_vendor(error: Exception) -> None:
    seeing = eyes(Vendors(), Vendors(incident=incident()))

    def failing() -> None:
        raise error

    assert not seeing.attempt(Side.PAGERDUTY, failing)
    assert seeing.attempt(Side.PAGERDUTY, lambda: None)
    assert seeing.see(sighting(pair=pair()), Look(incident=True)).incident is not None
    assert len(seeing.take_problems()) == 1


def test_an_unexpected_exception_is_one_pairs_alone_and_a_new_alert_is_paged_from_its_row() -> None:
    opsgenie = Vendors(alert=KeyError("x"), notes=KeyError("x"))
    row, look = alert(), Look.whole(news=True)
    look.row = row
    seen = eyes(opsgenie).see(sighting(), look)
    assert (seen.alert, look.again) == (row, set(Side))


def test_a_new_alert_that_the_list_shows_is_paged_though_it_is_not_found_by_its_id() -> None:
    row, look = alert(), Look(alert=True, alert_notes=True, news=True)
    look.row = row
    seen = eyes(Vendors(alert=Missing("404"), notes=Missing("404"))).see(sighting(), look)
    assert (seen.alert, seen.missing) == (row, False)


@pytest.mark.parametrize("stamp", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_no_stored_stamp_stops_the_reading_of_notes(stamp: datetime) -> None:
    known = frozenset({(Side.OPSGENIE, "N1")})
    seen = eyes(Vendors(notes=[note("N2", ANA, "hello")])).see(
        sighting(pair=pair(updated_at=stamp), known_notes=known), Look(alert_notes=True)
    )
    assert seen.alert_notes is not None


# -- absence --


def test_a_404_of_the_alert_itself_is_missing_and_one_of_its_notes_is_not() -> None:
    gone = eyes(Vendors(alert=Missing("404"))).see(sighting(pair=pair()), Look(alert=True))
    assert gone.missing
    look = Look(alert_notes=True)
    seen = eyes(Vendors(notes=Missing("404"))).see(sighting(pair=pair()), look)
    assert (seen.missing, seen.alert_notes, look.again) == (False, None, {Side.OPSGENIE})


# -- requests in Opsgenie's queue --


ACCEPTED = action(Kind.OPSGENIE_ACKNOWLEDGE, Status.SENT, request_id="r-1", person="Bob Ray", sent_at=at(1))


def receipts(
    status: RequestStatus | Exception, row: model.Alert, *mine: model.Action, **more: Any
) -> model.Sighting:
    opsgenie = Vendors(alert=row, request_status=status, acts=[])
    return eyes(opsgenie, **more).see(sighting(pair=pair(), mine=mine), Look(alert=True))


def test_a_request_that_waits_in_the_queue_is_told_apart_from_one_that_failed() -> None:
    waiting = receipts(RequestStatus(None), alert(), ACCEPTED)
    assert waiting.receipts == (Receipt(7, None),)
    failed = receipts(RequestStatus(False, "no such user"), alert(), ACCEPTED)
    assert failed.receipts == (Receipt(7, False, detail="no such user"),)


@pytest.mark.parametrize(("shown", "asked"), [("Bob Ray", 0), ("Alert API", 1), ("Ana Ruiz", 1)])
def test_an_acknowledgement_that_shows_another_name_than_ours_is_asked_about(shown: str, asked: int) -> None:
    seen = receipts(RequestStatus(True, at=at(5)), alert(acknowledged=True, acknowledged_by=shown), ACCEPTED)
    assert len(seen.receipts) == asked


@pytest.mark.parametrize(("updated", "read"), [(20, 1), (0, 0)])
def test_the_alerts_log_is_read_where_somebody_may_have_reversed_a_write_of_which_nothing_is_said(
    updated: float, read: int
) -> None:
    mine = action(Kind.OPSGENIE_UNACKNOWLEDGE, Status.SENT, person="Jane Doe")
    shown = alert(acknowledged=True, updated_at=at(updated))
    opsgenie = Vendors(alert=shown, acts=[act("acknowledge", ANA, 15), act("unacknowledge", JANE, 12)])
    seen = eyes(opsgenie).see(sighting(pair=pair(acknowledged=True), mine=(mine,)), Look(alert=True))
    assert opsgenie.asked["acts"] == read
    assert len(seen.alert_acts) == 2 * read


def test_a_pending_request_is_asked_about_once_a_second_and_its_last_answer_serves_meanwhile() -> None:
    memory = Memory()
    opsgenie = Vendors(alert=alert(), request_status=RequestStatus(None))
    for tenth in range(30):
        now = at(60 + tenth / 10)
        may_ask = memory.to_ask([ACCEPTED], now)
        seen = eyes(opsgenie, memory=memory, may_ask=may_ask, now=now).see(
            sighting(pair=pair(), mine=(ACCEPTED,)), Look(alert=True)
        )
        assert seen.receipts == (Receipt(7, None),)
    assert opsgenie.asked["request_status"] == 3


def test_of_many_requests_the_oldest_are_asked_about_first_and_each_has_its_turn() -> None:
    memory = Memory()
    sent = [replace(ACCEPTED, id=number, request_id=f"r-{number}", sent_at=at(number)) for number in range(120)]
    turns = []
    for second in range(3):
        turn = memory.to_ask(sent, at(200 + 2 * second))
        turns.append(turn)
        for number in turn:
            memory.asked(number, Receipt(number, None), at(200 + 2 * second))
    assert turns[0] == frozenset(range(50))
    assert frozenset.union(*turns) == frozenset(range(120))
    assert Memory().last_answer(1) == Receipt(1, None, detail="not asked yet")


# -- who did it --


MACHINES = replace(act("unacknowledge", None), actor=Actor.MACHINE, agent="Auto-remediate")


@pytest.mark.parametrize(("told", "read"), [(act("unacknowledge", BOB), 0), (MACHINES, 1)])
def test_the_incidents_own_log_is_read_unless_the_feed_names_a_person(told: model.Act, read: int) -> None:
    pagerduty = Vendors(incident=incident(), acts=[told])
    look = Look(incident=True, acts=[told])
    eyes(Vendors(), pagerduty).see(sighting(pair=pair("acknowledged", (BOB,))), look)
    assert pagerduty.asked["acts"] == read


# -- marks --


def test_a_note_with_a_mark_of_the_other_side_makes_its_source_be_looked_for() -> None:
    marked = note("N1", ANA, f"{text.note_mark(Side.PAGERDUTY, note('PN1', JANE, 'x'))} x")
    pagerduty = Vendors(notes=[note("PN1", JANE, "x")])
    seen = eyes(Vendors(notes=[marked]), pagerduty).see(sighting(pair=pair()), Look(alert_notes=True))
    assert seen.incident_notes is not None
    ours = action(Kind.OPSGENIE_NOTE, Status.DONE, text=marked.text)
    seen = eyes(Vendors(notes=[marked]), pagerduty).see(
        sighting(pair=pair(), mine=(ours,)), Look(alert_notes=True)
    )
    assert seen.incident_notes is None
    assert pagerduty.asked["notes"] == 1


def test_a_copy_by_the_automation_user_costs_no_look_for_its_source() -> None:
    marked = note("PN1", BOT, f"{text.act_mark(Side.OPSGENIE, 'Ana Ruiz', at(3))} x")
    pagerduty = Vendors(notes=[marked])
    seen = eyes(Vendors(), pagerduty).see(sighting(pair=pair()), Look(incident_notes=True))
    assert seen.alert_notes is None


# -- which incident to follow --


OURS = incident("resolved", merged_into="PINC2")
TARGET = incident("triggered", id="PINC2", number=4712, key="another")


def _one_of(*incidents: model.Incident) -> Callable[[str], model.Incident | Exception]:
    by_id = {one.id: one for one in incidents}
    return lambda own: by_id.get(own, Unknown("500"))


def test_what_ours_was_merged_into_is_read_to_the_end_with_its_notes() -> None:
    between = replace(TARGET, status="resolved", merged_into="PINC3")
    last = replace(TARGET, id="PINC3")
    pagerduty = Vendors(incident=_one_of(OURS, between, last), notes=[note("PN1", JANE, "x")])
    seen = eyes(Vendors(), pagerduty).see(sighting(pair=pair()), Look(incident=True))
    assert (seen.incident, seen.successor) == (OURS, last)
    assert [one.id for one in seen.successor_notes] == ["PN1"]


@pytest.mark.parametrize("missing", ["target", "notes"])
def test_while_that_cannot_be_read_ours_is_not_over(missing: str) -> None:
    known = (OURS,) if missing == "target" else (OURS, TARGET)
    look = Look(incident=True)
    seen = eyes(Vendors(), Vendors(incident=_one_of(*known), notes=Unknown("500"))).see(
        sighting(pair=pair()), look
    )
    assert (seen.incident, seen.successor, look.again) == (None, None, {Side.PAGERDUTY})


LATE = action(
    Kind.PAGERDUTY_NOTE, Status.SENT, mark="[Opsgenie · Ana Ruiz · x]", text="[Opsgenie · Ana Ruiz · x] y"
)


@pytest.mark.parametrize(("landed", "seconds"), [(True, 60), (False, 60), (False, 600)])
def test_while_a_note_of_ours_may_still_land_on_ours_the_target_is_not_followed(
    landed: bool, seconds: float
) -> None:
    """On the target it would not be found, and would be written there once more."""
    pagerduty = Vendors(incident=_one_of(OURS, TARGET), notes=[note("PN1", BOT, LATE.text)] if landed else [])
    look = Look(incident=True)
    seen = eyes(Vendors(), pagerduty, now=at(seconds)).see(
        sighting(pair=pair(), mine=(replace(LATE, sent_at=at(50)),)), look
    )
    waits = not landed and seconds < policy().staleness.total_seconds()
    assert (seen.successor is None, seen.incident is None) == (waits, waits)
    assert Kind.PAGERDUTY_NOTE in seen.looked
    assert look.again == {Side.PAGERDUTY}


def test_a_target_that_is_not_for_us_to_see_leaves_ours_resolved() -> None:
    pagerduty = Vendors(incident=lambda own: OURS if own == INCIDENT_ID else Forbidden("403"))
    seen = eyes(Vendors(), pagerduty).see(sighting(pair=pair()), Look(incident=True))
    assert (seen.incident, seen.successor) == (OURS, None)


def test_a_target_that_is_not_for_us_to_see_is_named_as_what_it_is() -> None:
    pagerduty = Vendors(incident=lambda own: OURS if own == INCIDENT_ID else Forbidden("403"))
    seeing = eyes(Vendors(), pagerduty)
    seeing.see(sighting(pair=pair()), Look(incident=True))
    (problem,) = seeing.take_problems()
    assert str(problem.error) == "403; this is the incident PINC2 that the alert's was merged into"
    assert isinstance(problem.error, Forbidden)


def test_an_open_twin_is_named_while_ours_is_open_and_followed_once_it_is_resolved() -> None:
    twin = incident(id="PINC2", number=4712)
    pagerduty = Vendors(incident=_one_of(twin), notes=[])
    named = eyes(Vendors(), pagerduty).see(sighting(pair=pair()), Look(twins=[twin]))
    assert (named.twins, named.successor) == ((twin,), None)
    followed = eyes(Vendors(), pagerduty).see(sighting(pair=pair("resolved")), Look(twins=[twin]))
    assert (followed.twins, followed.successor) == ((), twin)


@pytest.mark.parametrize("error", [Unknown("500"), Forbidden("403"), Missing("404")])
def test_while_the_incidents_own_log_cannot_be_read_only_a_persons_act_explains_anything(
    error: ReconcilerError,
) -> None:
    """The incident is seen nevertheless: what stays unexplained for too long is somebody's."""
    pagerduty = Vendors(incident=incident(), acts=error)
    look = Look(incident=True, acts=[MACHINES])
    seen = eyes(Vendors(), pagerduty).see(sighting(pair=pair("acknowledged", (BOB,))), look)
    assert (seen.incident, seen.incident_acts) == (incident(), ())


# -- alerts that occur again and again --


def test_notes_of_an_alert_that_only_occurs_again_are_read_ever_more_seldom_until_one_is_new() -> None:
    memory, read = Memory(), 0
    for second in range(30):
        if memory.may_repeat(ALERT_ID, at(second)):
            memory.repeated(ALERT_ID, at(second), fruitful=False)
            read += 1
    assert read <= 7
    memory.repeated(ALERT_ID, at(30), fruitful=True)
    assert memory.may_repeat(ALERT_ID, at(31))
    memory.repeated(ALERT_ID, at(200), fruitful=False)
    assert memory.may_repeat(ALERT_ID, at(200) + timedelta(seconds=1))


# -- what waits for the other side --


def test_an_incidents_notes_wait_for_the_alerts_and_then_are_read_with_them() -> None:
    """What the incident has may stand in the alert already."""
    pagerduty = Vendors(incident=incident(), notes=[])
    look = Look(alert_notes=True, incident_notes=True)
    eyes(Vendors(notes=Unknown("500")), pagerduty).see(sighting(pair=pair()), look)
    assert (look.again, pagerduty.asked.total()) == (set(Side), 0)


def test_the_healthy_side_is_not_read_again_and_again_for_what_the_other_does_not_answer() -> None:
    pagerduty = Vendors(incident=incident(), notes=[])
    look = Look.whole(together=True)
    eyes(Vendors(alert=Unknown("500"), notes=Unknown("500")), pagerduty).see(sighting(pair=pair()), look)
    assert (look.again, pagerduty.asked.total()) == (set(Side), 0)


def test_once_a_new_alerts_details_were_slow_the_next_is_paged_from_its_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconciler.reading.PATIENCE", -1.0)
    opsgenie = Vendors(alert=alert(description="all of it"), notes=[])
    seeing = eyes(opsgenie)
    for number in range(3):
        look = Look(alert=True, news=True, row=alert())
        seen = seeing.see(sighting(alert_id=f"a-{number}"), look)
        assert seen.alert is not None
        assert look.again == (set() if number == 0 else {Side.OPSGENIE})
    assert opsgenie.asked["alert"] == 1
