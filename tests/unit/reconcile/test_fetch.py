"""Reading one pair: the scope of failures, circuit breakers, and the time limit for new alerts' details."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.core.model import Alert, Kind, Observation, Receipt, Side, Status
from reconciler.core.work import ReadRequest, everything
from reconciler.errors import (
    Blocked,
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    RateLimited,
    ReconcilerError,
    Refused,
    Unknown,
)
from reconciler.reconcile.fetch import Fetched, Fetcher, Stopping
from reconciler.reconcile.read_breakers import FAILURES, ReadBreakers
from reconciler.reconcile.work_queue import Hold, Passage
from reconciler.store.database import DatabaseDown
from reconciler.vendors.call_context import CallPriority, current
from reconciler.vendors.ports import RequestStatus
from tests.support.builders import (
    ALERT_ID,
    INCIDENT_ID,
    OG,
    PD,
    action,
    alert,
    at,
    incident,
    observation,
    pair,
    policy,
)
from tests.support.clock import SimClock

NONE: frozenset[Side] = frozenset()
BOTH, ONLY_OG, ONLY_PD = frozenset(Side), frozenset({OG}), frozenset({PD})
SILENT = Unknown("500")


class Vendors:
    """A reader: a call returns or raises what the test has set for its name; calls are counted."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()
        self.contexts: list[tuple[str, CallPriority, float | None]] = []
        self.takes: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            self.asked[name] += 1
            self.contexts.append((name, current().priority, current().within))
            self.takes()
            answer = self.answers[name]
            answer = answer(*given) if callable(answer) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@dataclass
class Scene:
    """A fetcher with two readers whose answers a test can change. `known` are pairs in the snapshot."""

    opsgenie: Vendors = field(default_factory=lambda: Vendors(alert=alert(), notes=[], acts=[]))
    pagerduty: Vendors = field(default_factory=lambda: Vendors(incident=incident(), notes=[], acts=[]))
    clock: SimClock = field(default_factory=SimClock)
    known: set[str] = field(default_factory=set)
    stopping: bool = False

    def __post_init__(self) -> None:
        self.breakers = ReadBreakers(self.clock)
        self.fetcher = Fetcher(
            cast("Any", self.opsgenie),
            cast("Any", self.pagerduty),
            cast("Any", self),
            self.breakers,
            self.clock,
            lambda: self.stopping,
        )

    @contextmanager
    def reading(self) -> Iterator[Any]:
        pairs = SimpleNamespace(pairs=lambda ids: {each: each for each in ids if each in self.known})
        yield SimpleNamespace(snapshot=pairs)

    def fetch(self, request: ReadRequest, known: Observation | None = None) -> Fetched:
        return self.fetcher.fetch(request, known or observation(pair=pair()), policy())

    @property
    def asked(self) -> int:
        return self.opsgenie.asked.total() + self.pagerduty.asked.total()


def other(number: int, **more: Any) -> Observation:
    return observation(alert_id=f"other-{number}", pair=pair(), **more)


INCIDENT = ReadRequest(incident=True)


def test_the_requested_records_are_read() -> None:
    scene = Scene()
    fetched = scene.fetch(everything())
    assert fetched.observation.alert == alert()
    assert fetched.observation.incident == incident()
    assert (fetched.observation.alert_notes, fetched.observation.incident_notes) == ((), ())
    assert (fetched.unread, fetched.read_at, fetched.problems, fetched.blocked) == (NONE, None, (), frozenset())
    assert scene.asked == 4


# -- failures and their scope --

OWN = (Missing("404"), Forbidden("403"), Permanent("400", 400), Blocked("302"))


@pytest.mark.parametrize("error", OWN, ids=lambda error: type(error).__name__)
def test_a_refused_object_backs_off_without_affecting_others(
    error: ReconcilerError,
) -> None:
    scene = Scene(pagerduty=Vendors(incident=lambda own: error if own == "bad" else incident(id=own)))
    bad = observation(pair=pair(incident_id="bad"))
    for _ in range(2 * FAILURES):
        fetched = scene.fetch(INCIDENT, bad)
        assert (fetched.observation.incident, fetched.unread, fetched.read_at) == (None, ONLY_PD, at(61))
        assert [problem.error for problem in fetched.problems] == [error]
    assert scene.pagerduty.asked["incident"] == 1
    assert scene.fetch(INCIDENT, other(1)).observation.incident is not None


def test_one_side_is_read_while_the_other_backs_off() -> None:
    scene = Scene(pagerduty=Vendors(incident=Forbidden("403"), notes=Forbidden("403")))
    for _ in range(2):
        fetched = scene.fetch(everything())
        assert (fetched.observation.alert, fetched.unread) == (alert(), ONLY_PD)
    assert (scene.pagerduty.asked.total(), scene.opsgenie.asked.total()) == (2, 4)
    assert scene.breakers.back_off_left(PD, ALERT_ID) == 1  # two failures at the same time count once


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


@pytest.mark.parametrize(("error", "read"), [(Forbidden("403"), ((), ())), (SILENT, (None, None))], ids=str)
def test_a_refused_object_leaves_the_rest_of_its_side_readable_and_a_missing_answer_does_not(
    error: ReconcilerError, read: object
) -> None:
    scene = Scene(opsgenie=Vendors(alert=error, notes=[], acts=[]), pagerduty=Vendors(incident=error, notes=[]))
    fetched = scene.fetch(everything())
    assert (fetched.observation.alert_notes, fetched.observation.incident_notes) == read
    assert fetched.unread == {OG, PD}


def test_an_unexpected_exception_affects_one_side_only() -> None:
    scene = Scene(opsgenie=Vendors(alert=KeyError("x")))
    fetched = scene.fetch(replace(everything([OG]), incident=True))
    assert (fetched.observation.incident, fetched.unread) == (incident(), ONLY_OG)
    assert "this is a defect" in str(fetched.problems[0].error)
    assert not scene.breakers.open(frozenset(Side))


def test_an_exception_while_planning_reads_affects_one_pair_and_a_new_alert_pages_from_its_row() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), notes=[None]))  # not a note
    request = ReadRequest(alert_notes=True, incident=True)
    fetched = scene.fetch(request, observation(pair=pair()))
    assert (fetched.observation.alert_notes, fetched.unread, fetched.read_at) == (None, BOTH, at(61))
    row = alert(updated_at=at(1))
    broken = cast("Any", SimpleNamespace(id="x"))
    new = scene.fetch(ReadRequest(alert=True, is_new=True, row=row, twins=(broken, None)), observation())  # type: ignore[arg-type]
    assert (new.observation.alert, new.unread) == (row, BOTH)


def test_a_stopping_program_reads_nothing_more() -> None:
    scene = Scene(stopping=True)
    with pytest.raises(Stopping):
        scene.fetch(everything())
    assert scene.asked == 0


def test_an_unreachable_database_is_not_reported_as_a_defect() -> None:
    scene = Scene(opsgenie=Vendors(alert=DatabaseDown("away")))
    with pytest.raises(DatabaseDown):
        scene.fetch(everything())


def test_a_refused_merge_target_is_reported_as_such() -> None:
    ours = incident("resolved", merged_into="PINC2")
    scene = Scene(pagerduty=Vendors(incident=lambda own: ours if own == INCIDENT_ID else Forbidden("403")))
    (problem,) = scene.fetch(INCIDENT).problems
    assert str(problem.error) == "403; this is the incident PINC2 that the alert's was merged into"
    assert isinstance(problem.error, Forbidden)


def test_an_unanswered_read_of_a_successor_backs_off_like_the_incident_itself() -> None:
    ours = incident("resolved", merged_into="PINC2")
    scene = Scene(pagerduty=Vendors(incident=lambda own: ours if own == INCIDENT_ID else SILENT))
    assert (scene.fetch(INCIDENT).unread, scene.breakers.back_off_left(PD, ALERT_ID)) == (ONLY_PD, 1)


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


def test_the_half_open_probe_is_the_pairs_own_read_and_is_made_once() -> None:
    scene = Scene(pagerduty=Vendors(incident=Refused("401"), notes=[]))
    scene.fetch(INCIDENT)
    scene.clock.passed += 1
    scene.pagerduty.answers["incident"] = incident()
    fetched = scene.fetch(everything())
    assert (fetched.observation.incident, fetched.unread, fetched.blocked) == (incident(), NONE, frozenset())
    assert scene.pagerduty.asked == {"incident": 2, "notes": 1}
    assert scene.breakers.passage(Hold.READ_PAGERDUTY) is Passage.ALL


def test_a_pair_cut_short_by_a_breaker_has_no_back_off_of_its_own() -> None:
    scene = Scene(pagerduty=Vendors(incident=Refused("401")))
    scene.fetch(INCIDENT)
    assert scene.breakers.back_off_left(PD, ALERT_ID) == 0


def test_a_breaker_opened_by_another_pair_stops_the_remaining_reads() -> None:
    scene = Scene()
    scene.opsgenie.takes = lambda: scene.breakers.failed(PD, "a-9", Refused("401"))
    fetched = scene.fetch(everything())
    assert (fetched.blocked, scene.pagerduty.asked.total()) == (frozenset({Hold.READ_PAGERDUTY}), 0)


def test_a_read_found_necessary_later_waits_for_its_breaker_and_the_rest_is_read() -> None:
    scene = Scene()
    scene.breakers.failed(OG, "a-9", Refused("401"))
    mine = action(Kind.OPSGENIE_NOTE, Status.DONE)
    copy = SimpleNamespace(id="PN", text="[Opsgenie · Ana · 2026-11-23 09:00:03.000Z] x", author=mine, at=at(3))
    copy.author = policy().automation.__class__("PX", "X")
    scene.pagerduty.answers["notes"] = [copy]
    fetched = scene.fetch(ReadRequest(incident_notes=True))
    assert (len(fetched.observation.incident_notes or ()), fetched.unread) == (1, ONLY_OG)
    assert (fetched.read_at, scene.opsgenie.asked.total()) == (at(61), 0)


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (RateLimited("no room", 3), 3),
        (RateLimited("no room"), 1),
        (NotExecuted("429", 7), 7),
        (NotExecuted("429", 1e9), 60),
    ],
    ids=str,
)
def test_a_rate_limit_is_waited_for_without_a_back_off_of_the_pair(error: NotExecuted, wait: float) -> None:
    scene = Scene(pagerduty=Vendors(incident=error))
    for _ in range(3):
        fetched = scene.fetch(INCIDENT)
        assert (fetched.unread, fetched.read_at) == (ONLY_PD, scene.clock.now() + timedelta(seconds=wait))
    assert scene.breakers.back_off_left(PD, ALERT_ID) == 0


def test_our_own_rate_limit_opens_no_breaker() -> None:
    scene = Scene(pagerduty=Vendors(incident=RateLimited("no room", 3)))
    for number in range(2 * FAILURES):
        assert not scene.fetch(INCIDENT, other(number)).blocked


# -- new alerts --

ROW = alert(updated_at=at(1))
NEW = replace(everything(), is_new=True, row=ROW)


def new(scene: Scene, alert_id: str = ALERT_ID, request: ReadRequest = NEW) -> Fetched:
    return scene.fetch(request, observation(alert_id=alert_id))


def test_a_new_alerts_details_are_read_at_page_priority_within_a_second_each() -> None:
    scene = Scene()
    assert new(scene).unread == NONE
    assert scene.opsgenie.contexts == [("alert", CallPriority.PAGE, 1.0), ("notes", CallPriority.PAGE, 1.0)]


def test_all_details_of_a_new_alert_together_may_take_two_seconds() -> None:
    scene = Scene()

    def take() -> None:
        scene.clock.passed += 1.5

    scene.opsgenie.takes = take
    fetched = new(scene)
    assert (fetched.observation.alert, fetched.observation.alert_notes) == (alert(), None)
    assert (scene.opsgenie.asked.total(), fetched.unread) == (1, ONLY_OG)


def test_a_new_alert_whose_details_cannot_be_read_pages_from_its_row_and_is_read_again() -> None:
    scene = Scene(opsgenie=Vendors(alert=SILENT, notes=SILENT))
    fetched = new(scene)
    assert (fetched.observation.alert, fetched.unread, fetched.read_at) == (ROW, ONLY_OG, at(61))
    assert scene.opsgenie.asked.total() == 1


def test_a_listed_new_alert_pages_although_it_is_not_found_by_its_id() -> None:
    scene = Scene(opsgenie=Vendors(alert=Missing("404"), notes=Missing("404")))
    fetched = new(scene)
    assert (fetched.observation.alert, fetched.observation.missing, fetched.unread) == (ROW, False, ONLY_OG)


def test_after_late_details_the_next_pages_do_not_wait_for_theirs() -> None:
    scene = Scene(opsgenie=Vendors(alert=NotExecuted("its time was over"), notes=[]))
    for number in range(50):
        fetched = new(scene, f"a-{number}")
        assert (fetched.observation.alert, fetched.unread, fetched.blocked) == (ROW, ONLY_OG, frozenset())
        scene.clock.passed += 0.01
    assert scene.opsgenie.asked.total() == 1
    assert not scene.breakers.open({OG})  # other reads have no short time limit


def test_details_are_tried_again_some_time_after_they_were_late() -> None:
    scene = Scene(opsgenie=Vendors(alert=SILENT, notes=[]))
    new(scene, "a-1")
    scene.clock.passed += 1
    scene.opsgenie.answers["alert"] = alert()
    assert new(scene, "a-2").unread == NONE


def test_an_open_breaker_does_not_keep_a_new_alert_with_a_row_waiting() -> None:
    scene = Scene()
    for side in Side:
        scene.breakers.failed(side, "a-9", Refused("401"))
    fetched = new(scene)
    assert (fetched.observation.alert, fetched.unread, fetched.blocked) == (ROW, ONLY_OG, frozenset())
    assert scene.asked == 0


def test_a_key_refused_for_a_new_alert_opens_the_breaker() -> None:
    scene = Scene(opsgenie=Vendors(alert=Refused("401")))
    assert new(scene).observation.alert == ROW
    assert scene.breakers.open({OG})


def test_a_new_alert_is_read_despite_its_back_off() -> None:
    scene = Scene(opsgenie=Vendors(alert=Missing("404")))
    new(scene)
    new(scene)
    assert scene.opsgenie.asked["alert"] == 2


def test_a_new_alert_without_a_row_has_no_short_time_limit() -> None:
    scene = Scene()
    assert new(scene, request=replace(NEW, row=None)).unread == NONE
    assert scene.opsgenie.contexts[0] == ("alert", CallPriority.PAGE, None)
    scene.breakers.failed(OG, "a-9", Refused("401"))
    assert new(scene, request=replace(NEW, row=None)).blocked == {Hold.READ_OPSGENIE}


def test_a_new_alert_that_may_have_an_incident_waits_for_the_lookup_by_key() -> None:
    scene = Scene(pagerduty=Vendors(incidents_by_key=SILENT))
    fetched = new(scene, request=replace(NEW, by_key=True))
    assert (fetched.observation.alert, fetched.unread) == (None, ONLY_PD)
    assert scene.pagerduty.contexts == [("incidents_by_key", CallPriority.PAGE, None)]


def test_other_reads_keep_the_priority_of_their_work_item() -> None:
    scene = Scene()
    scene.fetch(everything())
    assert scene.opsgenie.contexts[0][1:] == (current().priority, current().within)


# -- requests in Opsgenie's queue --

ACCEPTED = action(Kind.OPSGENIE_ACKNOWLEDGE, Status.SENT, request_id="r-1", person="Bob Ray", sent_at=at(1))


def receipts(scene: Scene, *mine: Any) -> tuple[Receipt, ...]:
    known = observation(pair=pair(), mine=mine or (ACCEPTED,))
    return scene.fetch(ReadRequest(alert=True), known).observation.receipts


@pytest.mark.parametrize(
    ("status", "receipt"),
    [
        (RequestStatus(None), (Receipt(7, None),)),
        (
            RequestStatus(done=False, detail="no such user"),
            (Receipt(7, carried_out=False, detail="no such user"),),
        ),
        (Missing("404"), ()),
        (SILENT, (Receipt(7, None, detail="not asked yet"),)),
    ],
    ids=["waits", "failed", "unknown to Opsgenie", "no answer"],
)
def test_a_request_status_is_turned_into_a_receipt(status: Any, receipt: tuple[Receipt, ...]) -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), acts=[], request_status=status))
    assert receipts(scene) == receipt


def test_an_unreadable_request_status_leaves_nothing_unread() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), acts=[], request_status=SILENT))
    fetched = scene.fetch(ReadRequest(alert=True), observation(pair=pair(), mine=(ACCEPTED,)))
    assert (fetched.unread, [problem.error for problem in fetched.problems]) == (NONE, [SILENT])


def test_a_request_is_checked_once_a_second_and_its_last_status_is_reused_meanwhile() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), request_status=RequestStatus(None)))
    for _ in range(30):
        assert receipts(scene) == (Receipt(7, None),)
        scene.clock.passed += 0.1
    assert scene.opsgenie.asked["request_status"] == 3


def test_a_write_that_is_sent_again_does_not_reuse_the_status_of_its_first_request() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), acts=[], request_status=RequestStatus(done=False)))
    receipts(scene)
    scene.opsgenie.answers["request_status"] = RequestStatus(None)
    assert receipts(scene, replace(ACCEPTED, request_id="r-2")) == (Receipt(7, None),)


@pytest.mark.no_cover
def test_at_most_fifty_requests_are_checked_per_second() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), request_status=RequestStatus(None)))
    sent = [replace(ACCEPTED, id=number, request_id=f"r-{number}") for number in range(120)]
    asked = []
    for _ in range(3):
        before = scene.opsgenie.asked["request_status"]
        assert len(receipts(scene, *sent)) == 120
        asked.append(scene.opsgenie.asked["request_status"] - before)
        scene.clock.passed += 0.5
    assert asked == [50, 0, 50]


# -- missing alerts --


def lost(number: int, **changes: Any) -> Observation:
    base = replace(pair().opsgenie, **changes)
    return observation(alert_id=f"a-{number}", pair=pair(alert_id=f"a-{number}", opsgenie=base))


def gone(*rows: Alert) -> Vendors:
    return Vendors(alert=Missing("404"), recent_alerts=lambda _: list(rows))


ALERT = ReadRequest(alert=True)


@pytest.mark.parametrize(("rows", "sees"), [((alert(id="b-1"),), True), ((), False), ((alert(id="a-1"),), False)])
def test_one_alert_counts_as_missing_only_if_the_list_shows_another(rows: tuple[Alert, ...], sees: bool) -> None:
    fetched = Scene(opsgenie=gone(*rows)).fetch(ALERT, lost(1))
    assert (fetched.observation.missing, fetched.observation.sees_others) == (True, sees)
    assert fetched.problems == ()


def test_an_alert_not_known_to_be_missing_is_read_with_growing_back_off_and_is_no_problem() -> None:
    scene = Scene(opsgenie=gone())
    for wait in (1, 2, 4, 8):
        fetched = scene.fetch(ALERT, lost(1))
        assert (fetched.unread, fetched.read_at) == (ONLY_OG, scene.clock.now() + timedelta(seconds=wait))
        assert scene.fetch(ALERT, lost(1)).problems == ()
        scene.clock.passed += wait
    assert scene.opsgenie.asked["alert"] == 4


def test_without_a_readable_list_no_alert_counts_as_missing() -> None:
    scene = Scene(opsgenie=Vendors(alert=Missing("404"), recent_alerts=Misconfigured("OPSGENIE_QUERY")))
    fetched = scene.fetch(ALERT, lost(1))
    assert (fetched.observation.sees_others, fetched.unread) == (False, ONLY_OG)
    assert [str(problem.error) for problem in fetched.problems] == ["OPSGENIE_QUERY"]


@pytest.mark.parametrize(
    ("known", "rows", "blind", "sees"),
    [
        ({"b-1", "b-2"}, ("b-1", "b-2"), False, True),
        ({"b-1"}, ("b-1", "b-2"), False, False),
        (set(), ("b-1", "b-2"), True, False),
        (set(), (), True, False),
    ],
)
def test_several_alerts_count_as_missing_only_if_as_many_known_ones_are_listed(
    known: set[str], rows: tuple[str, ...], blind: bool, sees: bool
) -> None:
    """Another team's key sees many alerts as well; as long as it sees none of ours, no alert is missing."""
    scene = Scene(opsgenie=gone(*(alert(id=row) for row in rows)), known=known)
    scene.fetch(ALERT, lost(1))
    assert scene.fetch(ALERT, lost(2)).observation.sees_others is sees
    assert (scene.fetcher.blindness() is not None) is blind


def test_an_alert_first_seen_after_the_others_went_missing_proves_nothing() -> None:
    rows = [alert(id="b-1", created_at=at(0)), alert(id="b-2", created_at=at(0))]
    scene = Scene(opsgenie=gone(*rows), known={"b-1", "b-2"})
    scene.fetch(ALERT, lost(1, missing_since=at(50)))
    scene.fetch(ReadRequest(row=rows[0]), observation(alert_id="b-1"))
    scene.fetch(ReadRequest(row=rows[1]), observation(alert_id="b-2"))
    assert not scene.fetch(ALERT, lost(2, missing_since=at(50))).observation.sees_others


def test_an_alert_that_is_seen_again_ends_the_suspicion_against_the_key() -> None:
    scene = Scene(opsgenie=gone())
    scene.fetch(ALERT, lost(1))
    scene.fetch(ALERT, lost(2))
    assert "OPSGENIE_API_KEY sees none of the 2 alerts" in str(scene.fetcher.blindness())
    scene.clock.passed += 5
    scene.opsgenie.answers["alert"] = alert()
    scene.fetch(ALERT, lost(2))
    assert scene.fetcher.blindness() is None


def test_a_deleted_alert_no_longer_counts_as_missing() -> None:
    scene = Scene(opsgenie=gone(alert(id="b-1")))
    assert scene.fetch(ALERT, lost(1, missing_since=at(-600))).observation.sees_others
    scene.clock.passed += 5
    assert scene.fetch(ALERT, lost(2)).observation.sees_others  # no other alert is missing


def test_one_read_of_the_list_serves_all_alerts_missing_at_the_same_time() -> None:
    scene = Scene(opsgenie=gone(alert(id="b-1")))
    for number in range(20):
        scene.fetch(ALERT, lost(number))
    assert scene.opsgenie.asked["recent_alerts"] == 1


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
