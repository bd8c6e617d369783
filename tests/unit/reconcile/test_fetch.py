"""Reading one pair: the scope of failures, open circuit breakers, and several pairs at the same time."""

import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.core.work import ReadRequest, everything
from reconciler.errors import Forbidden, NotExecuted, ReconcilerError, Refused
from reconciler.reconcile.fetch import Fetched
from reconciler.reconcile.read_breakers import FAILURES
from reconciler.reconcile.work_queue import Hold
from reconciler.store.database import DatabaseDown
from tests.support.builders import ALERT_ID, OG, alert, at, incident, observation, pair
from tests.support.reading import BOTH, INCIDENT, NONE, SILENT, Scene, Vendors, other


def test_the_requested_records_are_read() -> None:
    scene = Scene()
    fetched = scene.fetch(everything())
    assert fetched.observation.alert == alert()
    assert fetched.observation.incident == incident()
    assert (fetched.observation.alert_notes, fetched.observation.incident_notes) == ((), ())
    assert (fetched.unread, fetched.read_at, fetched.problems, fetched.blocked) == (NONE, None, (), frozenset())
    assert scene.asked == 4


def test_a_successful_read_ends_the_back_off_of_its_side() -> None:
    scene = Scene(pagerduty=Vendors(incident=Forbidden("403")))
    scene.fetch(INCIDENT)
    scene.clock.passed += 1
    scene.pagerduty.answers["incident"] = incident()
    assert scene.fetch(INCIDENT).unread == NONE
    scene.pagerduty.answers["incident"] = Forbidden("403")
    assert scene.fetch(INCIDENT).read_at == at(62)


def test_incident_notes_that_wait_for_the_alert_follow_the_alerts_back_off() -> None:
    """The healthy side is not read again and again while the other side refuses."""
    scene = Scene(opsgenie=Vendors(alert=alert(), notes=Forbidden("403"), acts=[]))
    for wait in (1, 2, 4, 8):
        fetched = scene.fetch(everything())
        assert (fetched.unread, fetched.read_at) == (BOTH, scene.clock.now() + timedelta(seconds=wait))
        scene.clock.passed += wait
    assert scene.pagerduty.asked == {"incident": 4}


def test_an_exception_while_planning_reads_affects_one_pair_and_a_new_alert_pages_from_its_row() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), notes=[None]))  # not a note
    request = ReadRequest(alert_notes=True, incident=True)
    fetched = scene.fetch(request, observation(pair=pair()))
    assert (fetched.observation.alert_notes, fetched.unread, fetched.read_at) == (None, BOTH, at(61))
    row = alert(updated_at=at(1))
    broken = cast("Any", SimpleNamespace(id="x"))
    new = scene.fetch(ReadRequest(alert=True, is_new=True, row=row, twins=(broken, None)), observation())  # type: ignore[arg-type]
    assert (new.observation.alert, new.unread) == (row, BOTH)


def test_an_unreachable_database_is_not_reported_as_a_defect() -> None:
    scene = Scene(opsgenie=Vendors(alert=DatabaseDown("away")))
    with pytest.raises(DatabaseDown):
        scene.fetch(everything())


# -- circuit breakers --


@pytest.mark.parametrize("error", [Refused("401"), NotExecuted("no connection")], ids=["refused", "unreachable"])
def test_pairs_that_need_an_unreachable_vendor_are_not_read(error: ReconcilerError) -> None:
    scene = Scene(pagerduty=Vendors(incident=error))
    first = scene.fetch(everything())
    assert first.blocked == {Hold.READ_PAGERDUTY}
    assert [problem.error for problem in first.problems] == [error]
    known, before = other(1), scene.asked
    for number in range(1, 100):
        fetched = scene.fetch(everything(), known := other(number))
        assert fetched == Fetched(known, blocked=frozenset({Hold.READ_PAGERDUTY}))
    assert scene.asked == before
    assert scene.fetch(everything([OG]), known).blocked == frozenset()


def test_three_pairs_without_an_answer_open_the_breaker_for_all() -> None:
    scene = Scene(pagerduty=Vendors(incident=SILENT))
    found = [scene.fetch(INCIDENT, other(number)) for number in range(5)]
    assert [bool(fetched.blocked) for fetched in found] == [False, False, True, True, True]
    assert scene.pagerduty.asked["incident"] == FAILURES


def test_failed_probes_of_one_vendor_cause_no_reads_of_the_other() -> None:
    scene = Scene(pagerduty=Vendors(incident=Refused("401"), incidents_by_key=Refused("401")))
    scene.fetch(INCIDENT)
    for number in range(10):
        scene.clock.passed += 31
        known = other(number) if number % 2 else replace(other(number), pair=pair(None))
        assert scene.fetch(replace(everything(), by_key=True), known).blocked
    assert (scene.opsgenie.asked.total(), scene.pagerduty.asked.total()) == (0, 11)


ROW = alert(updated_at=at(1))
NEW = replace(everything(), is_new=True, row=ROW)


def new(scene: Scene, alert_id: str = ALERT_ID, request: ReadRequest = NEW) -> Fetched:
    return scene.fetch(request, observation(alert_id=alert_id))


# -- several threads --


def test_pairs_are_read_concurrently() -> None:
    both = threading.Barrier(2, timeout=5)
    scene = Scene(pagerduty=Vendors(incident=lambda own: (both.wait(), incident(id=own))[1]))
    found: list[Fetched] = []
    threads = [
        threading.Thread(target=lambda number=number: found.append(scene.fetch(INCIDENT, other(number))))
        for number in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [fetched.unread for fetched in found] == [NONE, NONE]
