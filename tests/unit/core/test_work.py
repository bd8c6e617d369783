"""Items of the work queue: the requests of two sources for one pair are merged."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem, everything
from tests.support.builders import BOB, JANE, OG, PD, act, alert, at, incident

FLAGS = ("alert", "alert_notes", "all_notes", "incident", "incident_notes", "by_key", "swept", "is_new")
OLD_ROW, NEW_ROW = alert(updated_at=at(1)), alert(updated_at=at(2))


@pytest.mark.parametrize("flag", FLAGS)
def test_a_merged_request_reads_what_either_request_reads(flag: str) -> None:
    asked, nothing = ReadRequest(**{flag: True}), ReadRequest()  # type: ignore[arg-type]
    assert getattr(asked.merged(nothing), flag)
    assert getattr(nothing.merged(asked), flag)
    assert nothing.merged(nothing) == nothing


@pytest.mark.parametrize(
    ("first", "later", "merged"),
    [
        ({"row": OLD_ROW}, {"row": NEW_ROW}, {"row": NEW_ROW}),
        ({"row": NEW_ROW}, {"row": OLD_ROW}, {"row": NEW_ROW}),
        ({"row": OLD_ROW}, {}, {"row": OLD_ROW}),
        ({"adopt": incident(id="P1")}, {"adopt": incident(id="P2")}, {"adopt": incident(id="P2")}),
        ({"adopt": incident(id="P1")}, {}, {"adopt": incident(id="P1")}),
        ({"is_baseline": True}, {}, {"is_baseline": True}),
        ({"is_baseline": True}, {"is_new": True}, {"is_new": True}),
        ({"repeated": True}, {"repeated": True}, {"repeated": True}),
        ({"repeated": True}, {}, {"repeated": True}),
        ({}, {"repeated": True}, {"repeated": True}),
        ({"repeated": True}, {"alert": True}, {"alert": True}),
    ],
    ids=str,
)
def test_two_requests_are_merged_field_by_field(
    first: dict[str, Any], later: dict[str, Any], merged: dict[str, Any]
) -> None:
    assert ReadRequest(**first).merged(ReadRequest(**later)) == ReadRequest(**merged)


def test_merged_log_entries_and_twins_are_unique_with_the_newest_entry_first() -> None:
    early, late = act("annotate", BOB, 1), act("resolve", JANE, 2)
    twin = incident(id="P2")
    first, later = ReadRequest(acts=(early,), twins=(twin,)), ReadRequest(acts=(late, early), twins=(twin,))
    merged = first.merged(later)
    assert (merged.acts, merged.twins) == ((late, early), (twin,))


def test_a_request_names_the_sides_that_it_reads() -> None:
    assert ReadRequest().sides == frozenset()
    assert ReadRequest().is_empty
    assert ReadRequest(alert_notes=True).sides == {OG}
    assert ReadRequest(by_key=True).sides == {PD}
    assert everything().sides == {OG, PD}
    assert everything([PD]) == ReadRequest(incident=True, incident_notes=True)
    assert everything([OG]) == ReadRequest(alert=True, alert_notes=True, all_notes=True)


def test_a_merged_item_is_as_urgent_and_as_early_as_either_and_has_all_reasons() -> None:
    first = WorkItem("a-1", at(9), everything([OG]), Priority.SWEEP, frozenset({Reason.SWEEP}), 3, 1)
    later = WorkItem("a-1", at(5), everything([PD]), Priority.PAGE, frozenset({Reason.FEED}), 0, 2)
    merged = WorkItem("a-1", at(5), everything(), Priority.PAGE, frozenset({Reason.SWEEP, Reason.FEED}), 3, 2)
    assert first.merged(later) == merged
    assert later.merged(first) == replace(merged)


@pytest.mark.parametrize("first", [True, False])
def test_an_alert_counts_as_first_seen_when_it_was_first_taken_for_new(first: bool) -> None:
    away = ReadRequest(is_new=True, seen_at=at(60))
    assert ReadRequest(is_new=True).merged(away).seen_at is None
    assert away.merged(ReadRequest(is_new=first)).seen_at == at(60)
    assert ReadRequest(is_baseline=True).merged(away).seen_at == at(60)
