"""Which rows of a list and which entries of a log cause a pair to be read."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.core import listings
from reconciler.core.listings import Bounds, compare_acts, compare_alerts, compare_incidents
from reconciler.core.model import Act, Actor, Alert, Incident, Pair, Side
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from tests.support.builders import ALERT_ID, BOT, JANE, act, alert, at, incident, pair, policy

NOW = at(3600)
HOUR = timedelta(hours=1)
BOUNDS = Bounds(NOW, first_start=at(0), page_since=at(0) - HOUR, remembered_since=NOW - timedelta(days=30))
TWIN = incident(id="PINC2", number=4712)


def compared(row: Alert, *pairs: Pair, bounds: Bounds = BOUNDS) -> WorkItem | None:
    found = compare_alerts([row], {one.alert_id: one for one in pairs}, bounds)
    return found[0] if found else None


def request(row: Alert, *pairs: Pair) -> ReadRequest:
    item = compared(row, *pairs)
    assert item is not None
    return item.request


def of_incidents(rows: Iterable[Incident], *pairs: Pair) -> list[WorkItem]:
    ours: dict[str, list[Pair]] = {}
    for one in pairs:
        ours.setdefault(one.incident_id or "", []).append(one)
    return compare_incidents(rows, ours, {one.alert_id: one for one in pairs}, NOW)


# -- unknown alerts --


def test_a_new_alert_pages_from_its_row() -> None:
    item = compared(alert(created_at=at(10)))
    assert item is not None
    assert (item.priority, item.reasons, item.due_at) == (Priority.PAGE, frozenset({Reason.NEW_ALERT}), NOW)
    assert item.request.is_new
    assert not item.request.by_key
    assert item.request.row == alert(created_at=at(10))


def test_an_unknown_open_alert_older_than_the_first_start_has_entered_the_query() -> None:
    old = alert(created_at=at(0) - timedelta(days=3))
    assert request(old).is_new
    assert request(old).by_key, "its incident may exist from before a database loss"
    closed = request(replace(old, open=False))
    assert closed == ReadRequest(row=replace(old, open=False), is_baseline=True)


@pytest.mark.parametrize(("created", "closed", "new"), [(-60, 5, True), (-60, -5, False), (-7200, 5, False)])
def test_an_alert_closed_before_it_was_listed_is_new_where_it_was_open_at_the_first_start(
    created: float, closed: float, *, new: bool
) -> None:
    found = request(alert(open=False, created_at=at(created), closed_at=at(closed)))
    assert (found.is_new, found.by_key, not found.is_baseline) == (new, new, new)


def test_a_closed_alert_older_than_the_retention_may_have_been_deleted_from_the_snapshot() -> None:
    bounds = replace(BOUNDS, remembered_since=at(1800))
    old, young = alert(open=False, created_at=at(900)), alert(open=False, created_at=at(1900))
    found = [compared(row, bounds=bounds) for row in (old, young)]
    assert [item is not None and item.request.is_baseline for item in found] == [True, False]


# -- known alerts --


def test_a_row_without_a_readable_state_causes_no_read() -> None:
    assert compared(alert(open=None, acknowledged=None), pair(acknowledged=True)) is None


def test_a_row_older_than_the_last_read_causes_no_read() -> None:
    assert compared(alert(acknowledged=True), pair(updated_at=at(10))) is None


def test_a_baseline_with_a_future_time_hides_no_change() -> None:
    row = alert(acknowledged=True, updated_at=at(3000))
    assert request(row, pair(updated_at=NOW + timedelta(days=300))).alert


def test_an_alert_whose_state_changed_is_read_with_its_notes() -> None:
    row = alert(acknowledged=True, updated_at=at(10))
    item = compared(row, pair())
    assert item is not None
    assert (item.priority, item.reasons) == (Priority.CHANGED, frozenset({Reason.FEED}))
    assert item.request == ReadRequest(alert=True, alert_notes=True, row=row)


def test_an_alert_whose_time_alone_changed_has_its_notes_read() -> None:
    row = alert(updated_at=at(10))
    assert request(row, pair()) == ReadRequest(alert_notes=True, repeated=True, row=row)


@pytest.mark.parametrize("tracked", [True, False])
def test_a_changed_priority_makes_the_pair_be_read(*, tracked: bool) -> None:
    base = replace(pair().alerts, priority="P4")
    found = request(alert(priority="P1"), pair(None, tracked=tracked, alerts=base))
    assert found.row is not None
    assert not found.repeated
    assert (found.by_key, found.is_new) == (not tracked, not tracked)


@pytest.mark.parametrize(("status", "is_read"), [("resolved", True), ("triggered", False), (None, False)])
def test_a_changed_priority_makes_a_resolved_incident_be_read(status: str | None, *, is_read: bool) -> None:
    """It may be reopened, and must then have the urgency of the new priority."""
    known = pair(status)
    known = replace(known, alerts=replace(known.alerts, priority="P4"))
    assert request(alert(priority="P1"), known).incident is is_read


def test_a_first_known_priority_is_no_change() -> None:
    unread = replace(pair().alerts, priority="")
    assert compared(alert(priority="P1"), pair(None, tracked=False, alerts=unread)) is None


def test_the_state_of_an_alert_that_pages_nobody_is_taken_from_its_row() -> None:
    row = alert(open=False, updated_at=at(10))
    assert request(row, pair(None, tracked=False)) == ReadRequest(row=row)


def test_a_missing_alert_that_is_listed_again_is_read() -> None:
    base = replace(pair().alerts, open=False, deleted=True, missing_since=at(1))
    assert request(alert(), pair(alerts=base)).alert


# -- incidents --


def test_an_unchanged_incident_causes_no_read() -> None:
    assert of_incidents([incident()], pair()) == []


@pytest.mark.parametrize("moved", [incident("resolved"), incident(acknowledgers=(JANE,))])
def test_a_changed_incident_is_read(moved: Incident) -> None:
    (item,) = of_incidents([moved], pair())
    assert item.request == ReadRequest(incident=True)


def test_all_pairs_of_a_changed_incident_are_read() -> None:
    found = of_incidents([incident("acknowledged")], pair(), pair(alert_id="a-2"))
    assert {item.alert_id for item in found if item.request.incident} == {ALERT_ID, "a-2"}


def test_an_incident_with_the_key_of_an_alert_without_an_incident_is_adopted() -> None:
    (item,) = of_incidents([incident()], pair(None))
    assert item.request.adopt == incident()
    assert item.request.all_notes


def test_another_open_incident_with_the_alerts_key_is_a_twin() -> None:
    (item,) = of_incidents([incident(), TWIN], pair())
    assert item.request == ReadRequest(twins=(TWIN,))
    assert of_incidents([replace(TWIN, status="resolved")], pair()) == []


def test_an_incident_with_an_unknown_key_is_ignored() -> None:
    assert of_incidents([replace(TWIN, key="other")], pair()) == []


# -- PagerDuty's log --


def of_acts(*acts: Act, seen: Iterable[str] = (), known: Pair | None = None) -> tuple[list[ReadRequest], set[str]]:
    one = known or pair()
    items, noted = compare_acts(acts, {one.incident_id or "": (one,)}, set(seen), policy(), NOW)
    return [item.request for item in items], set(noted)


def test_a_log_entry_names_its_pair_once_and_is_part_of_the_request() -> None:
    done = act("acknowledge", JANE)
    assert of_acts(done) == ([ReadRequest(incident=True, acts=(done,))], {done.id})
    assert of_acts(done, seen=[done.id]) == ([], {done.id})


def test_a_log_entry_about_a_note_makes_the_notes_be_read() -> None:
    done = act("annotate", JANE)
    assert of_acts(done)[0] == [ReadRequest(incident_notes=True, acts=(done,))]


def test_a_log_entry_of_the_automation_user_is_an_echo_unless_that_guard_is_off() -> None:
    done = act("acknowledge", BOT)
    assert of_acts(done) == ([], set())
    pairs = {"PINC1": (pair(),)}
    assert compare_acts([done], pairs, (), policy(guards=frozenset()), NOW)[0] != []


def test_a_log_entry_about_an_unknown_incident_or_no_change_is_ignored() -> None:
    assert of_acts(replace(act("acknowledge", JANE), incident_id="PELSE")) == ([], set())
    assert of_acts(act("notify", None)) == ([], set())
    assert of_acts(act("trigger", None)) == ([], set()), "a new incident has several such entries"
    assert of_acts(act("trigger", None), known=pair("acknowledged"))[0] != []
    assert of_acts(act("trigger", None), known=replace(pair(), pagerduty=None))[0] != []


def test_incidents_created_by_the_automation_user_are_found_in_the_log() -> None:
    raised = Act("L1", "trigger", NOW, Actor.PERSON, BOT, "PINC2")
    others = [replace(raised, incident_id="P3", person=JANE), replace(raised, incident_id="P4", person=None)]
    assert listings.raised_by_us([raised, *others, act("acknowledge", BOT)], policy()) == {"PINC2"}


# -- records missing from a listing, swept or named by a webhook --


def test_a_record_missing_from_the_open_listing_is_read_by_its_id() -> None:
    (gone,) = listings.absent(Side.ALERTS, [pair(), pair(is_open=False)], NOW)
    assert (gone.request, gone.priority) == (ReadRequest(alert=True), Priority.CHANGED)
    pairs = [pair(), pair("resolved"), pair(None)]
    (gone,) = listings.absent(Side.PAGERDUTY, pairs, NOW, Reason.SWEEP)
    assert (gone.request, gone.priority) == (ReadRequest(incident=True), Priority.SWEEP)


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("has_incident", [True, False])
def test_the_sweep_reads_notes_and_the_states_that_no_listing_shows(*, tracked: bool, has_incident: bool) -> None:
    item = listings.swept(ALERT_ID, NOW, tracked=tracked, has_incident=has_incident)
    notes = ReadRequest(swept=True, alert_notes=tracked, incident_notes=has_incident)
    assert (item.request, item.priority) == (notes, Priority.SWEEP)
    item = listings.swept(ALERT_ID, NOW, tracked=tracked, has_incident=has_incident, state_of=tuple(Side))
    assert item.request == replace(notes, alert=tracked, incident=has_incident)


def test_a_record_named_by_a_webhook_is_read_on_its_side() -> None:
    (item,) = listings.hinted_alerts([pair(), pair(None, tracked=False)], NOW)
    assert item.request == ReadRequest(alert=True, alert_notes=True)
    assert (item.priority, item.reasons) == (Priority.CHANGED, frozenset({Reason.WEBHOOK}))
    (item,) = listings.hinted_incidents([pair(), pair(tracked=False)], NOW)
    assert item.request == ReadRequest(incident=True, incident_notes=True)


def test_a_webhook_for_an_alert_without_an_incident_makes_the_incident_be_looked_up_by_key() -> None:
    (item,) = listings.hinted_incidents([pair(None)], NOW)
    assert item.request.by_key
    assert item.request.all_notes


# -- the first start --


def test_the_first_start_pages_adopts_or_remembers_what_is_listed() -> None:
    both = listings.adopted(alert(), incident(), NOW)
    assert both.request.adopt == incident()
    assert both.priority is Priority.UNSETTLED
    assert Reason.FIRST_START in both.reasons
    unlisted = listings.known_by_incident(ALERT_ID, NOW)
    assert unlisted.request.by_key
    assert not unlisted.request.is_new
    old = listings.baseline(alert(), NOW, Reason.FIRST_START)
    assert old.request.sides == frozenset()


@pytest.mark.parametrize(("polled", "seen"), [(None, None), (NOW, None), (NOW - HOUR, NOW)])
def test_a_new_alert_that_was_raised_since_the_last_poll_has_the_time_at_which_it_was_seen(
    polled: datetime | None, seen: datetime | None
) -> None:
    row = alert(created_at=NOW - HOUR / 2)
    (item,) = compare_alerts([row], {}, replace(BOUNDS, polled_at=polled))
    assert (item.request.is_new, item.request.seen_at) == (True, seen)


def test_an_old_alert_that_may_have_been_moved_is_a_baseline_unless_its_notes_name_an_incident() -> None:
    item = listings.looked_up(alert(), NOW)
    assert (item.request.is_baseline, item.request.by_key, item.request.all_notes) == (True, True, True)
    assert item.request.row == alert()
