"""Operators' orders: what is read for them, what becomes of them, and that they change nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import orders
from reconciler.core.changes import is_raised
from reconciler.core.journal import Event
from reconciler.core.listings import compare_alerts, compare_incidents, hinted_incidents
from reconciler.core.model import Kind, Observation, Order, Pair, Side, Status
from reconciler.core.plan import decide
from reconciler.core.policy import DecisionInput
from reconciler.core.read_progress import What
from reconciler.core.work import ReadRequest, everything
from tests.support.builders import ANA, JANE, action, alert, at, incident, note, pair, policy
from tests.support.pair_reads import FORBIDDEN, MISSING, NONE, ONLY_PD, UNREAD, Run
from tests.unit.core.test_listings import BOUNDS

RULES = policy(service="PSERV01")
LINK, UNLINK = Order("ops@host", "PNEW"), Order("ops@host")
BASELINE = replace(pair(), tracked=False, incident_id=None, incident_number=None, pagerduty=None)
WAITING = replace(BASELINE, tracked=True)
UNLINKED = replace(BASELINE, incident_number=0)
FOUND = incident(id="PNEW", number=9, service_id="PSERV01")
OLD, OLDER = note("o1", ANA, "old"), note("P1", JANE, "older")


def seen(order: Order | None, known: Pair | None = BASELINE, **changed: Any) -> Observation:
    made = Observation(
        "a-1", known, order=order, alert=alert(), incident=FOUND, alert_notes=(OLD,), incident_notes=(OLDER,)
    )
    return replace(made, **changed)


def decided(given: Observation) -> Any:
    return decide(DecisionInput(at(60), RULES, (given,)))


@pytest.mark.parametrize("known", [BASELINE, UNLINKED, replace(BASELINE, tracked=True)])
def test_a_linked_incident_is_followed_and_everything_so_far_is_history(known: Pair) -> None:
    page = action(Kind.CREATE_INCIDENT, Status.DEAD)
    acked = alert(acknowledged=True, acknowledged_by="Ana Ruiz", updated_at=at(50))
    plan = decided(seen(LINK, known, mine=(page,), alert=acked))
    assert plan.actions == ()
    (followed,) = plan.pairs
    assert (followed.tracked, followed.incident_id, followed.incident_number) == (True, "PNEW", 9)
    assert followed.alerts.acknowledged
    assert {(side, note_id) for _, side, note_id in plan.notes} == {
        (Side.ALERTS, OLD.id),
        (Side.PAGERDUTY, OLDER.id),
    }
    assert [(each.status, each.why) for each in plan.settlements] == [
        (Status.DROPPED, "not needed: linked by ops@host")
    ]


def test_an_unlinked_pair_follows_nothing_and_what_waited_is_dropped() -> None:
    states = (Status.PLANNED, Status.SENT, Status.DEAD, Status.DONE)
    mine = tuple(action(Kind.PAGERDUTY_NOTE, status, id=number) for number, status in enumerate(states))
    plan = decided(seen(UNLINK, replace(pair(), unpaged="why"), mine=mine, incident=None))
    (left,) = plan.pairs
    assert (left.tracked, left.incident_id, left.incident_number, left.unpaged) == (False, None, 4711, "")
    assert left.is_unlinked
    assert left.pagerduty is None
    assert [(each.action_id, each.status, each.why) for each in plan.settlements] == [
        (number, Status.DROPPED, "not needed: unlinked by ops@host") for number in range(3)
    ]
    (unmade,) = decided(seen(UNLINK, replace(BASELINE, tracked=True), incident=None)).pairs
    assert unmade.is_unlinked


@pytest.mark.parametrize(
    ("given", "event", "words"),
    [
        (seen(None), None, ""),
        (seen(LINK, None), Event.REFUSED, "the alert is not known here"),
        (seen(UNLINK), Event.REFUSED, "it is not followed"),
        (seen(UNLINK, WAITING), Event.UNLINKED, "no longer followed: neither the alert nor its page"),
        (seen(UNLINK, pair()), Event.UNLINKED, "no longer followed: neither the alert nor incident #4711"),
        (seen(LINK, pair()), Event.REFUSED, "linked to incident #4711 (PINC1): unlink it first"),
        (seen(Order("x", "4711"), pair()), Event.LINKED, "linked to incident #4711 (PINC1) already"),
        (
            seen(LINK, order_unknown=True),
            Event.REFUSED,
            "PagerDuty does not know incident PNEW, or the key may not see it",
        ),
        (
            seen(LINK, incident=replace(FOUND, service_id="POTHER")),
            Event.REFUSED,
            "incident #9 (PNEW) belongs to another service than PAGERDUTY_SERVICE_ID",
        ),
        (seen(LINK, incident=None), None, ""),
        (seen(LINK, incident_notes=None), None, ""),
        (seen(LINK, alert_notes=None), None, ""),
        (seen(LINK, alert_notes=None, missing=True), Event.LINKED, "linked to incident #9 (PNEW)"),
    ],
)  # fmt: skip
def test_every_order_has_a_verdict_once_it_is_known_enough(
    given: Observation, event: Event | None, words: str
) -> None:
    found = orders.verdict(given, RULES)
    assert (found.event if found else None, found.words if found else "") == (event, words)
    entries = orders.entries(DecisionInput(at(60), RULES, (given,)))
    assert [(each.event, each.words) for each in entries] == ([(event, words)] if event else [])


@pytest.mark.parametrize("changed", [{"alert_notes": None}, {"incident": replace(FOUND, service_id="POTHER")}])
def test_an_incident_is_not_taken_in_by_an_order_that_is_refused_or_undecided(changed: dict[str, Any]) -> None:
    plan = decided(seen(LINK, **changed))
    assert (plan.actions, [each.incident_id for each in plan.pairs]) == ((), [None] * len(plan.pairs))


def test_what_happens_to_a_pair_is_mirrored_although_an_order_for_it_is_refused() -> None:
    followed = pair()
    plan = decided(seen(LINK, followed, incident=None, incident_notes=None))
    assert [each.kind for each in plan.actions] == [Kind.PAGERDUTY_NOTE]


def test_the_journal_names_who_and_which_incident() -> None:
    (entry,) = orders.entries(DecisionInput(at(60), RULES, (seen(Order("ops@host", "9")),)))
    assert (entry.who, entry.incident_id, entry.alert_id) == ("ops@host", "PNEW", "a-1")
    (entry,) = orders.entries(DecisionInput(at(60), RULES, (seen(UNLINK, pair(), incident=None),)))
    assert entry.incident_id == "PINC1"
    (entry,) = orders.entries(DecisionInput(at(60), RULES, (seen(LINK, None, incident=None),)))
    assert entry.incident_id == "PNEW"


# -- what is read --


ASKED = replace(everything(), order=LINK, adopt=incident(), by_key=True)
ANSWERS: dict[Any, Any] = {
    What.ALERT: alert(),
    What.ALERT_NOTES: (),
    (What.INCIDENT, "PNEW"): FOUND,
    (What.INCIDENT_NOTES, "PNEW"): (),
}


def test_an_ordered_incident_is_read_with_its_notes_and_no_other() -> None:
    run = Run(ASKED, Observation("a-1", BASELINE), ANSWERS)
    assert run.whats == [What.ALERT, What.ALERT_NOTES, What.INCIDENT, What.INCIDENT_NOTES]
    assert (run.seen.incident, run.seen.incident_notes, run.unread) == (FOUND, (), NONE)


@pytest.mark.parametrize(("failure", "is_unknown"), [(MISSING, True), (FORBIDDEN, True), (UNREAD, False)])
def test_an_incident_that_pagerduty_does_not_know_is_not_asked_for_again(failure: Any, is_unknown: bool) -> None:
    run = Run(ASKED, Observation("a-1", BASELINE), ANSWERS | {(What.INCIDENT, "PNEW"): failure})
    assert (run.seen.order_unknown, run.unread) == (is_unknown, NONE if is_unknown else ONLY_PD)


def test_a_pair_that_has_an_incident_is_read_as_ever_and_an_unlinked_one_gets_none() -> None:
    run = Run(replace(everything(), order=LINK), Observation("a-1", pair()), {What.INCIDENT: incident()})
    assert run.seen.incident == incident()
    run = Run(replace(everything(), adopt=incident(), by_key=True), Observation("a-1", UNLINKED), ANSWERS)
    assert run.whats == [What.ALERT, What.ALERT_NOTES]
    assert run.seen.incident is None


def test_the_later_of_two_orders_counts() -> None:
    both = ReadRequest(order=LINK).merged(ReadRequest(order=UNLINK))
    assert both.order == UNLINK
    assert both.merged(ReadRequest(alert=True)).order == UNLINK


# -- what no longer finds an unlinked pair --


def test_no_listing_webhook_or_priority_brings_an_unlinked_pair_back() -> None:
    row = incident(key="a-1", id="PNEW")
    assert compare_incidents([row], {}, {"a-1": BASELINE}, at(60)) != []
    assert compare_incidents([row], {}, {"a-1": UNLINKED}, at(60)) == []
    assert hinted_incidents([UNLINKED], at(60)) == []
    low = replace(UNLINKED, alerts=replace(UNLINKED.alerts, priority="P4"))
    urgent = alert(id="a-1", priority="P1", updated_at=at(50))
    assert compare_alerts([urgent], {"a-1": low}, BOUNDS) == []
    assert not is_raised(Observation("a-1", low, alert=urgent), RULES)
    assert is_raised(Observation("a-1", replace(low, incident_number=None), alert=urgent), RULES)
