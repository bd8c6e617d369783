"""From input to plan: order, superseded actions, stored baselines, and no action planned twice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import text
from reconciler.core.model import (
    Actor,
    AlertBaseline,
    Incident,
    IncidentBaseline,
    Kind,
    Observation,
    Pair,
    Person,
    Plan,
    Policy,
    Settlement,
    Side,
    Status,
)
from reconciler.core.plan import decide, in_order, settled
from tests.support.builders import (
    ANA,
    BOB,
    BOT,
    JANE,
    OG,
    PD,
    Bench,
    act,
    action,
    after,
    alert,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
    policy,
)
from tests.support.mapping_rows import ROWS, Row

ACKED = alert(acknowledged=True, acknowledged_by="Ana Ruiz", acknowledged_at=at(10), updated_at=at(10))
UNACKED = alert(updated_at=at(20))
CLOSED = alert(open=False, closed_by="Ana Ruiz", closed_at=at(30), updated_at=at(30))
HELD = incident("acknowledged", acknowledgers=(JANE,), changed_by=JANE, changed_at=at(12))
RESOLVED = incident("resolved", changed_by=JANE, changed_at=at(40))
LOST = pair(opsgenie=replace(pair().opsgenie, missing_since=at(-60)))

EVERY_ROW = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])


# -- repeated inputs --


@EVERY_ROW
def test_the_same_input_gives_the_same_plan(row: Row) -> None:
    assert decide(inputs(row.seen, rules=row.rules)) == decide(inputs(row.seen, rules=row.rules))


@EVERY_ROW
@pytest.mark.parametrize("status", [Status.PLANNED, Status.SENT], ids=["still queued", "on the wire"])
def test_a_planned_action_is_not_planned_again(row: Row, status: Status) -> None:
    seen = row.seen
    for _ in range(2):
        plan = decide(inputs(seen, rules=row.rules))
        seen = after(seen, plan, status)
    assert plan.actions == ()
    assert plan.notes == ()
    assert plan.pairs == ()
    assert plan.settlements == ()


@EVERY_ROW
def test_a_repeated_observation_changes_only_the_times_of_the_sweep(row: Row) -> None:
    seen = after(row.seen, decide(inputs(row.seen, rules=row.rules)))
    plan = decide(inputs(replace(seen, swept=True), now=at(100), rules=row.rules))
    if seen.pair is None:
        assert plan == Plan()
        return
    swept_at = at(100) if seen.pair.is_open else seen.pair.swept_at
    is_swept_again = seen.pair.is_open or seen.pair.tracked
    due = (swept_at or at(100)) + policy().sweep_interval if is_swept_again else None
    swept = replace(seen.pair, swept_at=swept_at, next_look_at=due)
    assert plan == Plan(pairs=(swept,) if swept != seen.pair else (), echoes=plan.echoes)


# -- order --


def other(alert_id: str, **changed: object) -> Observation:
    return replace(observation(**changed), alert_id=alert_id)


def test_pages_come_first_and_the_rest_in_the_order_in_which_people_acted() -> None:
    told = other(
        "b", pair=pair(alert_id="b"), alert_notes=(note("o1", ANA, "early", 1), note("o2", ANA, "late", 90))
    )
    raised = other("c", alert=alert(id="c", created_at=at(80)))
    raised_earlier = other(
        "d", alert=alert(id="d", created_at=at(70)), alert_notes=(note("o1", ANA, "middle", 75),)
    )
    plan = decide(inputs(told, raised, raised_earlier))
    assert [(planned.alert_id, planned.kind) for planned in plan.actions] == [
        ("d", Kind.CREATE_INCIDENT),
        ("c", Kind.CREATE_INCIDENT),
        ("b", Kind.PAGERDUTY_NOTE),
        ("d", Kind.PAGERDUTY_NOTE),
        ("b", Kind.PAGERDUTY_NOTE),
    ]


def test_actions_of_one_act_keep_the_order_of_the_mapping_table() -> None:
    kinds = [planned.kind for planned in decide(inputs(observation(pair=pair(), alert=ACKED))).actions]
    assert kinds == [Kind.PAGERDUTY_NOTE, Kind.PAGERDUTY_ACKNOWLEDGE]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([(Kind.PAGERDUTY_NOTE, 1, 1), (Kind.CREATE_INCIDENT, 9, 2)], [2, 1], id="creations first"),
        pytest.param([(Kind.PAGERDUTY_NOTE, 9, 1), (Kind.OPSGENIE_NOTE, 1, 2)], [2, 1], id="then by time"),
        pytest.param([(Kind.OPSGENIE_NOTE, 5, 2), (Kind.PAGERDUTY_NOTE, 5, 1)], [1, 2], id="then by id"),
        pytest.param(
            [(Kind.CREATE_INCIDENT, 9, 1), (Kind.CREATE_INCIDENT, 1, 2)], [2, 1], id="creations by time too"
        ),
        pytest.param([], [], id="nothing"),
    ],
)
def test_actions_are_ordered_by_page_time_and_id(
    given: list[tuple[Kind, float, int]], expected: list[int]
) -> None:
    actions = [action(kind, at=at(seconds), id=number) for kind, seconds, number in given]
    assert [each.id for each in in_order(actions)] == expected


def test_the_plan_of_one_pair_does_not_depend_on_another_pair() -> None:
    mine, others = (
        observation(pair=pair(), alert=ACKED),
        other("b", alert=alert(id="b"), missing=True, sees_others=True),
    )
    alone = decide(inputs(mine)).actions
    together = decide(inputs(others, mine)).actions
    assert tuple(each for each in together if each.alert_id == "a-1") == alone


# -- actions superseded by a later act --

DROP = "not needed: {} has chosen otherwise since ({})"


@pytest.mark.parametrize(
    ("seen", "waiting", "who", "verb", "says"),
    [
        pytest.param(
            observation(pair=pair(acknowledged=True), alert=UNACKED, alert_acts=(act("unacknowledge", ANA),)),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            "Ana Ruiz",
            "unacknowledge",
            ["pagerduty.add_note"],
            id="a developer unacknowledges before the acknowledgement was mirrored",
        ),
        pytest.param(
            observation(pair=pair("acknowledged", (BOT,)), alert=ACKED),
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            "Ana Ruiz",
            "acknowledge",
            ["pagerduty.add_note"],
            id="a developer acknowledges again before the incident was triggered",
        ),
        pytest.param(
            observation(pair=pair(acknowledged=True), alert=CLOSED),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            "Ana Ruiz",
            "close",
            ["pagerduty.add_note"],
            id="a developer closes what was not acknowledged yet",
        ),
        pytest.param(
            observation(pair=pair("acknowledged", (BOT,)), alert=CLOSED),
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            "Ana Ruiz",
            "close",
            ["pagerduty.add_note"],
            id="a developer closes what was not triggered again yet",
        ),
        pytest.param(
            observation(
                pair=pair("acknowledged", (JANE,)),
                incident=incident(),
                incident_acts=(act("unacknowledge", JANE),),
            ),
            Kind.OPSGENIE_ACKNOWLEDGE,
            "Jane Doe",
            "unacknowledge",
            [],
            id="an engineer unacknowledges before the acknowledgement was mirrored",
        ),
        pytest.param(
            observation(
                pair=pair("acknowledged", (JANE,)),
                incident=incident(),
                incident_acts=(act("unacknowledge", JANE),),
            ),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            "Jane Doe",
            "unacknowledge",
            [],
            id="an engineer unacknowledges before a developer's acknowledgement was mirrored",
        ),
        pytest.param(
            observation(pair=pair(), alert=ACKED),
            Kind.OPSGENIE_UNACKNOWLEDGE,
            "Ana Ruiz",
            "acknowledge",
            ["pagerduty.add_note", "pagerduty.acknowledge"],
            id="a developer acknowledges before an engineer's unacknowledgement was mirrored",
        ),
        pytest.param(
            observation(pair=pair(acknowledged=True), incident=HELD),
            Kind.OPSGENIE_UNACKNOWLEDGE,
            "Jane Doe",
            "acknowledge",
            [],
            id="an engineer acknowledges again before the alert was unacknowledged",
        ),
        pytest.param(
            observation(pair=pair("acknowledged", (JANE,)), incident=RESOLVED),
            Kind.OPSGENIE_ACKNOWLEDGE,
            "Jane Doe",
            "resolve",
            ["opsgenie.add_note"],
            id="an engineer resolves what was not acknowledged yet",
        ),
        pytest.param(
            observation(pair=pair(acknowledged=True), incident=RESOLVED),
            Kind.OPSGENIE_UNACKNOWLEDGE,
            "Jane Doe",
            "resolve",
            ["opsgenie.add_note"],
            id="an engineer resolves what was not unacknowledged yet",
        ),
    ],
)
def test_a_waiting_state_is_dropped_when_a_later_act_supersedes_it(
    seen: Observation, waiting: Kind, who: str, verb: str, says: list[str]
) -> None:
    plan = decide(inputs(replace(seen, mine=(action(waiting),))))
    assert plan.settlements == (Settlement(7, Status.DROPPED, DROP.format(who, verb)),)
    assert [planned.kind.value for planned in plan.actions] == says
    sent = decide(inputs(replace(seen, mine=(action(waiting, Status.SENT),))))
    assert sent.settlements == (), "an action that may be in flight is never dropped"


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        pytest.param(20.25, "opsgenie.unacknowledge", id="within one second: it may page, and both sides agree"),
        pytest.param(19.25, "opsgenie.unacknowledge", id="before an engineer unacknowledges"),
        pytest.param(21, "pagerduty.acknowledge", id="after an engineer has unacknowledged"),
    ],
)
def test_the_later_act_counts_where_a_developers_acknowledgement_crosses_an_engineers_act(
    seconds: float, state: str
) -> None:
    seen = observation(
        pair=pair("acknowledged", (JANE,)),
        alert=replace(ACKED, acknowledged_at=at(seconds), updated_at=at(seconds)),
        incident=incident(),
        incident_acts=(act("unacknowledge", JANE, 20),),
    )
    assert {planned.kind.value for planned in decide(inputs(seen)).actions} == {"pagerduty.add_note", state}


def test_an_expired_acknowledgement_does_not_revert_a_developers() -> None:
    seen = observation(
        pair=pair("acknowledged", (JANE,)),
        alert=ACKED,
        incident=incident(),
        incident_acts=(act("unacknowledge", None, 20, Actor.TIMEOUT),),
        mine=(action(Kind.PAGERDUTY_ACKNOWLEDGE),),
    )
    plan = decide(inputs(seen, rules=policy(on_pagerduty_ack_timeout="ignore")))
    assert {planned.kind.value for planned in plan.actions} == {"pagerduty.add_note", "pagerduty.acknowledge"}
    assert plan.settlements == ()


@pytest.mark.parametrize(("seconds", "states"), [(20, {"opsgenie.acknowledge"}), (30, set[str]())])
def test_the_later_act_counts_where_a_developers_unacknowledgement_crosses_an_engineers_act(
    seconds: float, states: set[str]
) -> None:
    seen = observation(
        pair=pair(acknowledged=True),
        alert=replace(UNACKED, updated_at=at(seconds)),
        alert_acts=(act("unacknowledge", ANA, seconds),),
        incident=incident("acknowledged", acknowledgers=(JANE,), changed_at=at(20)),
    )
    assert {planned.kind.value for planned in decide(inputs(seen)).actions} == {"pagerduty.add_note"} | states


@pytest.mark.parametrize("kind", [Kind.PAGERDUTY_NOTE, Kind.OPSGENIE_NOTE, Kind.CREATE_INCIDENT])
@pytest.mark.parametrize(
    "seen",
    [observation(alert=CLOSED), observation(incident=RESOLVED), observation(missing=True, sees_others=True)],
)
def test_waiting_notes_and_pages_are_never_dropped(kind: Kind, seen: Observation) -> None:
    plan = decide(inputs(replace(seen, pair=pair("acknowledged", (BOT,)), mine=(action(kind),))))
    assert [each for each in plan.settlements if each.status is Status.DROPPED] == []


@pytest.mark.parametrize("status", [Status.DONE, Status.DROPPED, Status.DEAD])
def test_a_settled_action_is_not_dropped(status: Status) -> None:
    seen = observation(
        pair=pair(acknowledged=True), alert=UNACKED, mine=(action(Kind.PAGERDUTY_ACKNOWLEDGE, status),)
    )
    assert decide(inputs(seen)).settlements == ()


def test_a_write_proved_not_to_have_happened_can_be_dropped_in_the_same_plan() -> None:
    mine = action(Kind.PAGERDUTY_ACKNOWLEDGE, Status.SENT)
    seen = observation(
        pair=pair(acknowledged=True),
        alert=UNACKED,
        alert_acts=(act("unacknowledge", ANA),),
        incident=incident(),
        looked=frozenset({mine.kind}),
        mine=(mine,),
    )
    plan = decide(inputs(seen, now=at(500)))
    assert [each.status for each in plan.settlements] == [Status.PLANNED, Status.DROPPED]
    assert [planned.kind.value for planned in plan.actions] == ["pagerduty.add_note"]


# -- settling open actions --


def test_a_visible_creation_is_done_and_later_changes_are_mirrored() -> None:
    waiting = action(Kind.CREATE_INCIDENT, Status.SENT, incident_id=None, mark="a-1")
    plan = decide(inputs(observation(pair=pair(None), alert=alert(), incident=HELD, mine=(waiting,))))
    assert plan.settlements == (Settlement(7, Status.DONE, result_id="PINC1"),)
    assert [planned.kind for planned in plan.actions] == [Kind.OPSGENIE_ACKNOWLEDGE]
    assert plan.actions[0].incident_id == "PINC1"
    (remembered,) = plan.pairs
    assert remembered.incident_number == 4711
    assert remembered.pagerduty == IncidentBaseline("acknowledged", (JANE,), "Jane Doe", at(12))


def test_our_visible_acknowledgement_is_done_and_is_no_change() -> None:
    mine = action(Kind.OPSGENIE_ACKNOWLEDGE, Status.SENT, person="Jane Doe")
    seen = observation(
        pair=pair("acknowledged", (JANE,)),
        alert=replace(ACKED, acknowledged_by="someone@example.com"),
        looked=frozenset({mine.kind}),
        mine=(mine,),
    )
    plan = decide(inputs(seen))
    assert plan.settlements == (Settlement(7, Status.DONE),)
    assert plan.actions == ()
    assert plan.pairs[0].opsgenie.acknowledged


@pytest.mark.parametrize("verb", ["acknowledge", "unacknowledge"])
def test_a_developer_who_did_the_same_before_our_write_took_effect_is_named(verb: str) -> None:
    bench = Bench(policy(), incident=incident(), pair=pair())
    if verb == "unacknowledge":
        bench.jane("acknowledge").cycles(2)
    bench.jane(verb).cycle()
    bench.ana("acknowledge" if verb == "unacknowledge" else "unacknowledge").ana(verb)  # as if ours had not been
    told = [planned.text.partition("] ")[2] for planned in bench.cycle().actions]
    assert told == [f"{verb}d the alert"]
    assert [mine.status for mine in bench.ledger.values()][-2:] == [Status.DROPPED, Status.DONE]
    written = len(bench.written)
    bench.cycles(3)
    assert len(bench.written) == written


def test_an_unacknowledgement_that_overtook_our_acknowledgement_is_mirrored_once_ours_is_done() -> None:
    bench = Bench(policy(), incident=incident(), pair=pair())
    bench.jane("acknowledge").cycle()
    bench.ana("unacknowledge")
    assert bench.observation().alert is not None
    mine = next(iter(bench.ledger.values()))
    plan = decide(inputs(replace(bench.observation(), looked=frozenset()), now=at(200)))
    assert (plan.actions, plan.settlements) == ((), ()), "a state in doubt causes no action"
    plan = decide(inputs(replace(bench.observation(), mine=(replace(mine, status=Status.DONE),)), now=at(200)))
    assert plan.actions == (), "a write settled by its answer has updated the baseline"
    moved = settled(bench.pair or pair(), mine, policy())
    plan = decide(inputs(replace(bench.observation(), pair=moved, mine=()), now=at(200)))
    assert [planned.reason for planned in plan.actions] == ["Ana Ruiz unacknowledged the alert in Opsgenie"]


def test_nothing_is_stored_without_a_pair_and_an_alert() -> None:
    assert decide(inputs(observation(incident=incident(), incident_notes=(note("PN1", JANE, "on it"),)))) == Plan()


@pytest.mark.parametrize("old", [pytest.param(pair(), id="a known pair"), pytest.param(None, id="an adopted one")])
@pytest.mark.parametrize("verb", ["note", "acknowledge", "unacknowledge", "close", "resolve"])
def test_a_note_that_its_target_already_has_is_not_planned(old: Pair | None, verb: str) -> None:
    """The copy was written before the database was lost. All other actions are planned."""
    side = PD if verb == "resolve" else OG
    bench = Bench(policy(), incident=incident(), pair=pair())
    if verb == "unacknowledge":
        bench.ana("acknowledge").cycles(3)
    getattr(bench, "jane" if side is PD else "ana")(verb)
    before = replace(bench.observation(), pair=old and bench.pair)
    first = decide(inputs(before, now=at(300)))
    told = [planned for planned in first.actions if planned.kind.is_note]
    if old is not None:
        assert told
    copies = tuple(note(f"C{n}", BOT, planned.text) for n, planned in enumerate(told))
    where = "alert_notes" if side is PD else "incident_notes"
    copied: dict[str, Any] = {where: (*(getattr(before, where) or ()), *copies)}
    again = decide(inputs(replace(before, **copied), now=at(300)))
    assert again.actions == tuple(planned for planned in first.actions if planned not in told)


@pytest.mark.parametrize("side", [OG, PD])
def test_a_note_planned_by_an_adoption_is_looked_for_before_it_is_sent(side: Side) -> None:
    """It may have been sent before the database was lost, and not be visible yet."""
    news = (
        {"alert_notes": (note("o1", ANA, "any news?"),)}
        if side is OG
        else {"incident_notes": (note("PN1", JANE, "on it"),)}
    )
    for old, status in ((None, Status.SENT), (pair(None), Status.SENT), (pair(), Status.PLANNED)):
        (planned,) = decide(inputs(observation(pair=old, alert=alert(), incident=incident(), **news))).actions
        assert (planned.status, planned.sent_at) == (status, at(60) if status is Status.SENT else None)


def test_a_waiting_note_is_done_when_the_adopted_incident_shows_it() -> None:
    creation = action(Kind.CREATE_INCIDENT, Status.SENT, incident_id=None, mark="a-1", id=1)
    shows, new = (
        action(Kind.PAGERDUTY_NOTE, incident_id=None, mark=mark, text=f"{mark} hello", id=n)
        for n, mark in ((2, "[Opsgenie · Ana Ruiz · one]"), (3, "[Opsgenie · Ana Ruiz · two]"))
    )
    seen = observation(
        pair=pair(None),
        incident=incident(),
        incident_notes=(note("PN1", BOT, shows.text),),
        mine=(creation, shows, new),
        looked=frozenset({Kind.CREATE_INCIDENT, Kind.PAGERDUTY_NOTE}),
    )
    assert decide(inputs(seen)).settlements == (
        Settlement(1, Status.DONE, result_id="PINC1"),
        Settlement(2, Status.DONE, result_id="PN1"),
    )


# -- what is stored --


def test_observed_notes_become_known_on_their_side() -> None:
    seen = observation(
        pair=pair(),
        alert_notes=(note("o1", ANA, "any news?"), note("o2", ANA, "hello?")),
        incident_notes=(note("PN1", JANE, "on it"), note("PN2", BOT, "an echo")),
        known_notes=frozenset({(OG, "o1")}),
    )
    assert decide(inputs(seen)).notes == (("a-1", OG, "o2"), ("a-1", PD, "PN1"), ("a-1", PD, "PN2"))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(
            observation(alert=replace(ACKED, snoozed_until=at(900))),
            Pair(
                "a-1",
                "17",
                True,
                AlertBaseline(True, True, at(10), at(900), "P3"),
                swept_at=at(60),
                next_look_at=at(360),
                title="Disk full",
            ),
            id="a new alert: its state, and swept now",
        ),
        pytest.param(
            observation(alert=alert(), tracked=False),
            Pair(
                "a-1",
                "17",
                False,
                AlertBaseline(True, False, at(0), priority="P3"),
                swept_at=at(60),
                next_look_at=at(360),
                title="Disk full",
            ),
            id="a baseline: its state, not tracked",
        ),
        pytest.param(
            observation(alert=alert(), tracked=False, incident=HELD),
            Pair(
                "a-1",
                "17",
                True,
                AlertBaseline(True, False, at(0), priority="P3"),
                "PINC1",
                4711,
                IncidentBaseline("acknowledged", (JANE,), as_of=at(12)),
                at(60),
                at(360),
                "Disk full",
            ),
            id="an adopted incident makes it tracked",
        ),
        pytest.param(
            observation(pair=pair(), alert=ACKED, incident=HELD, swept=True),
            pair(
                "acknowledged",
                (JANE,),
                True,
                actor="Jane Doe",
                updated_at=at(10),
                as_of=at(12),
                swept_at=at(60),
                next_look_at=at(360),
            ),
            id="both sides changed, swept",
        ),
        pytest.param(
            observation(
                pair=pair("acknowledged", (JANE,), actor="Jane Doe"), incident=replace(RESOLVED, changed_by=BOB)
            ),
            pair("resolved", actor="Bob Ray", as_of=at(40)),
            id="the last person to change the incident is stored",
        ),
        pytest.param(
            observation(
                pair=pair(actor="Jane Doe"),
                incident=replace(HELD, acknowledgers=(BOT,)),
                alert=alert(updated_at=at(3)),
            ),
            pair("acknowledged", (BOT,), actor="Jane Doe", updated_at=at(3), as_of=at(12)),
            id="our own act does not change the last person",
        ),
        pytest.param(
            observation(pair=pair(), incident=replace(RESOLVED, acknowledgers=(JANE,))),
            pair("resolved", actor="Jane Doe", as_of=at(40)),
            id="nobody holds a resolved incident",
        ),
        pytest.param(
            observation(pair=LOST, missing=True, sees_others=True),
            replace(LOST, opsgenie=replace(LOST.opsgenie, open=False, deleted=True)),
            id="a deleted alert is closed",
        ),
        pytest.param(
            observation(pair=pair(), incident=HELD, incident_notes=(note("PN1", BOB, "mine?", 99),)),
            pair("acknowledged", (JANE,), actor="Jane Doe", as_of=at(12)),
            id="a note does not change the incident",
        ),
        pytest.param(
            observation(
                pair=pair(as_of=at(2)),
                incident=incident("resolved", changed_at=at(20)),
                mine=(action(Kind.PAGERDUTY_ACKNOWLEDGE, Status.SENT),),
            ),
            pair("resolved", actor="somebody", as_of=at(2)),
            id="the baseline that a write in doubt was based on is kept until it is settled",
        ),
        pytest.param(
            observation(pair=pair(), alert=replace(alert(), updated_at=at(700))),
            pair(updated_at=at(700)),
            id="the watermark moves although nothing else changes",
        ),
    ],
)
def test_an_observation_updates_the_stored_pair(seen: Observation, expected: Pair) -> None:
    assert decide(inputs(seen)).pairs == (expected,)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(observation(pair=pair()), id="nothing was read"),
        pytest.param(observation(pair=pair(), alert=alert(), incident=incident()), id="nothing changed"),
    ],
)
def test_an_unchanged_pair_is_not_stored_again(seen: Observation) -> None:
    assert decide(inputs(seen)) == Plan()


# -- the baselines after a finished write of our own --

LEDGER_OFF = policy(guards=frozenset({"author", "mark"}))


@pytest.mark.parametrize(
    ("before", "kind", "found", "expected"),
    [
        pytest.param(pair(None), Kind.CREATE_INCIDENT, incident(), pair(), id="a creation starts from triggered"),
        pytest.param(
            pair(None),
            Kind.CREATE_INCIDENT,
            HELD,
            pair(as_of=at(12)),
            id="a creation always starts from triggered",
        ),
        pytest.param(
            pair(None), Kind.CREATE_INCIDENT, None, pair(None), id="a creation whose incident was not read"
        ),
        pytest.param(pair(), Kind.PAGERDUTY_NOTE, None, pair(), id="a note changes no baseline"),
        pytest.param(pair(), Kind.OPSGENIE_NOTE, None, pair(), id="a note in Opsgenie changes no baseline"),
        pytest.param(
            pair(), Kind.OPSGENIE_ACKNOWLEDGE, None, pair(acknowledged=True), id="the alert acknowledged"
        ),
        pytest.param(
            pair(acknowledged=True), Kind.OPSGENIE_UNACKNOWLEDGE, None, pair(), id="the alert unacknowledged"
        ),
        pytest.param(
            pair(),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            None,
            pair("acknowledged", (BOT,)),
            id="the incident acknowledged by us",
        ),
        pytest.param(
            pair("acknowledged", (BOT,)),
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            None,
            pair(),
            id="the incident triggered again",
        ),
        pytest.param(
            pair("acknowledged", (JANE,), actor="Jane Doe"),
            Kind.PAGERDUTY_RESOLVE,
            None,
            pair("resolved"),
            id="the incident resolved by us",
        ),
        pytest.param(
            pair(None), Kind.PAGERDUTY_ACKNOWLEDGE, None, pair(None), id="no incident, no baseline to change"
        ),
        pytest.param(
            pair(as_of=at(2)),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            HELD,
            pair("acknowledged", (BOT,), as_of=at(12)),
            id="the incident's own time of our write is stored",
        ),
        pytest.param(
            pair(as_of=at(2)),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            None,
            pair("acknowledged", (BOT,), as_of=at(2)),
            id="without an answer the earlier time is kept",
        ),
    ],
)
def test_a_finished_write_of_ours_updates_the_baselines(
    before: Pair, kind: Kind, found: Incident | None, expected: Pair
) -> None:
    assert settled(before, action(kind), policy(), found) == expected
    unguarded = settled(before, action(kind), LEDGER_OFF, found)
    assert unguarded == (expected if kind is Kind.CREATE_INCIDENT else before)


# -- small properties of the values --


@pytest.mark.parametrize(
    ("remembered", "is_open"),
    [
        pytest.param(pair(None), True, id="an alert that waits for its incident"),
        pytest.param(pair(), True, id="both open"),
        pytest.param(pair("resolved"), True, id="the alert still open"),
        pytest.param(pair(is_open=False), True, id="the incident still open"),
        pytest.param(pair("resolved", is_open=False), False, id="both ended"),
        pytest.param(pair(None, is_open=False), False, id="closed without an incident"),
        pytest.param(pair(is_open=False, pagerduty=None), True, id="the incident not read yet"),
    ],
)
def test_a_pair_is_open_until_both_sides_have_ended(remembered: Pair, is_open: bool) -> None:
    assert remembered.is_open is is_open


def test_every_kind_of_action_is_a_page_a_note_or_a_state() -> None:
    assert {kind for kind in Kind if kind.is_note} == {Kind.PAGERDUTY_NOTE, Kind.OPSGENIE_NOTE}
    assert {kind for kind in Kind if not kind.is_note and not kind.is_state} == {Kind.CREATE_INCIDENT}
    assert [kind for kind in Kind if kind.is_note and kind.is_state] == []
    assert {kind.side for kind in Kind if kind.value.startswith("opsgenie.")} == {OG}
    assert {kind.side for kind in Kind if kind.value.startswith("pagerduty.")} == {PD}


def test_planned_and_sent_actions_are_open() -> None:
    assert [status for status in Status if status.is_open] == [Status.PLANNED, Status.SENT]


# -- keys: one per cause --


def keys(seen: Observation, rules: Policy | None = None) -> list[str]:
    return [planned.key for planned in decide(inputs(seen, rules=rules)).actions]


def test_the_same_act_has_the_same_key_whenever_it_is_seen() -> None:
    seen = observation(pair=pair(), alert=ACKED, incident=HELD)
    assert keys(seen) == [planned.key for planned in decide(inputs(seen, now=at(9_999))).actions]


def test_two_acknowledgements_have_different_keys() -> None:
    later = replace(ACKED, acknowledged_at=at(50), updated_at=at(50))
    assert not set(keys(observation(pair=pair(), alert=ACKED))) & set(keys(observation(pair=pair(), alert=later)))


def test_a_reassignment_after_an_older_unacknowledgement_has_a_key_of_its_own() -> None:
    """Un-acknowledged at 20 s, acknowledged again at 30 s, reassigned at 40 s: the log holds it all."""
    first = observation(
        pair=pair("acknowledged", (JANE,), acknowledged=True),
        incident=incident(changed_at=at(20)),
        incident_acts=(act("unacknowledge", JANE, 20), act("acknowledge", JANE, 10)),
    )
    acts = (act("assign", BOB, 40), act("acknowledge", JANE, 30), *first.incident_acts)
    second = replace(first, incident=incident(changed_at=at(40)), incident_acts=acts)
    assert len(keys(first)) == len(keys(second)) == 1
    assert keys(first) != keys(second), "with the same key the second unacknowledgement would be lost"
    assert decide(inputs(second)).actions[0].person == "Bob Ray"


def test_an_older_unacknowledgement_in_the_alerts_log_is_not_the_end_of_a_snooze() -> None:
    """Un-acknowledged by Ana at 5 s, acknowledged again at 10 s, snoozed until 18 s; no log of the end."""
    seen = observation(
        pair=pair("acknowledged", (BOT,), acknowledged=True, updated_at=at(10), snoozed_until=at(18)),
        alert=UNACKED,
        alert_acts=(act("acknowledge", ANA, 10), act("unacknowledge", ANA, 5)),
    )
    told = decide(inputs(seen)).actions[0]
    assert told.person == "Opsgenie (snooze ended)"
    assert told.at == at(18)


def test_an_unacknowledgement_in_the_second_of_an_acknowledgement_counts() -> None:
    seen = observation(
        pair=pair("acknowledged", (JANE,), acknowledged=True),
        incident=incident(),
        incident_acts=(act("acknowledge", JANE, 20), act("unacknowledge", BOB, 20)),
    )
    assert [planned.person for planned in decide(inputs(seen)).actions] == ["Bob Ray"]


def test_a_person_without_a_name_is_called_somebody() -> None:
    seen = observation(pair=pair(), incident=replace(RESOLVED, changed_by=Person("PX", "")))
    (told,) = decide(inputs(seen)).actions
    assert told.person == "somebody"
    assert told.reason == "somebody resolved the incident in PagerDuty"
    assert told.mark == "[PagerDuty · somebody · 2026-11-23 09:00:40Z] resolved the incident"


def test_a_reopening_in_the_second_of_the_resolution_gets_a_note_of_its_own() -> None:
    """PagerDuty's times are whole seconds, so that both marks are equal."""
    reopening = replace(act("reopen", JANE, 40), at=RESOLVED.changed_at or at(40))
    copy = note("ON1", BOT, "[PagerDuty · Jane Doe · 2026-11-23 09:00:40Z] resolved the incident")
    seen = observation(
        pair=pair(pagerduty=IncidentBaseline("resolved")),
        incident=incident("triggered"),
        incident_acts=(reopening,),
        alert_notes=(copy,),
        looked=frozenset({Kind.OPSGENIE_NOTE}),
    )
    (told,) = decide(inputs(seen)).actions
    assert told.text == "[PagerDuty · Jane Doe · 2026-11-23 09:00:40Z] reopened the incident"


def test_a_reopening_while_our_retrigger_is_in_doubt_is_noted_once() -> None:
    doubt = action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.SENT, sent_at=at(0))
    resolved = pair(pagerduty=IncidentBaseline("resolved"))
    resolved = replace(resolved, unexplained_since=at(-60))
    first = observation(pair=resolved, incident=incident("triggered"), mine=(doubt,))
    told = decide(inputs(first))
    assert [planned.kind for planned in told.actions] == [Kind.OPSGENIE_NOTE]
    (moved,) = told.pairs
    assert moved.pagerduty is not None
    assert moved.pagerduty.status == "triggered"


# -- notes that are long, many, or listed under a changing token --


def test_a_long_note_is_sent_in_ordered_parts_without_loss() -> None:
    words = " ".join(str(n) for n in range(12_000))
    long, short = note("o1", ANA, words, 5), note("o2", ANA, "short", 6)
    seen = observation(pair=pair(), incident=incident(), alert_notes=(short, long))
    plan = decide(inputs(seen))
    *parts, last = plan.actions
    assert last.text.endswith("] short")
    assert [part.mark[-6:] for part in parts] == ["(1/3)]", "(2/3)]", "(3/3)]"]
    first = parts[0].key
    assert [part.key for part in parts] == [first, f"{first} 2/3", f"{first} 3/3"]
    assert "".join(part.text.removeprefix(f"{part.mark} ") for part in parts) == words
    assert decide(inputs(after(seen, plan))).actions == ()


def test_a_part_that_its_target_already_has_is_not_planned() -> None:
    long = note("o1", ANA, "x" * 60_000, 5)
    seen = observation(pair=pair(), incident=incident(), alert_notes=(long,))
    first, *rest = decide(inputs(seen)).actions
    shows = replace(seen, incident_notes=(note("PN1", BOT, first.text),))
    assert decide(inputs(shows)).actions == tuple(rest)


@pytest.mark.parametrize("status", list(Status))
def test_a_note_whose_token_differs_from_call_to_call_is_copied_once(status: Status) -> None:
    first = observation(pair=pair(), incident=incident(), alert_notes=(note("1689-0", ANA, "any news?"),))
    seen = after(first, decide(inputs(first)), status)
    again = replace(seen, alert_notes=(note("1689-7", ANA, "any news?"),))
    assert decide(inputs(again)).actions == ()
    other = replace(seen, alert_notes=(note("1689-7", ANA, "any news at all?"),))
    assert len(decide(inputs(other)).actions) == 1


@pytest.mark.parametrize("side", [OG, PD])
def test_the_cost_of_a_decision_is_linear_in_the_number_of_notes(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes written by one customer's script must not delay the pages of others."""
    calls = dict.fromkeys(("act_mark", "carries", "head", "is_copy_from"), 0)
    for name in calls:
        monkeypatch.setattr(text, name, _counted(calls, name, getattr(text, name)))

    def work(count: int) -> int:
        notes = tuple(note(f"n{n}", ANA, f"line {n}", n / 1_000) for n in range(count))
        copies = tuple(
            note(f"c{n}", BOT, f"{text.note_mark(side, one)} {one.text}") for n, one in enumerate(notes)
        )
        old = [
            action(
                Kind.PAGERDUTY_NOTE if side is OG else Kind.OPSGENIE_NOTE,
                Status.SENT,
                id=n,
                mark=text.note_mark(side, one),
                text=copy.text,
            )
            for n, (one, copy) in enumerate(zip(notes, copies, strict=True))
        ]
        names = ("alert_notes", "incident_notes") if side is OG else ("incident_notes", "alert_notes")
        seen = observation(pair=pair(), incident=incident(), looked=frozenset(Kind), **{names[0]: notes})
        copied: dict[str, Any] = {names[1]: copies}
        answered = replace(seen, mine=tuple(old), **copied)
        calls.update(dict.fromkeys(calls, 0))
        assert len(decide(inputs(seen)).actions) == count
        assert len(decide(inputs(answered)).settlements) == count
        return sum(calls.values())

    assert work(400) <= 2.1 * work(200)


def _counted(calls: dict[str, int], name: str, real: Callable[..., object]) -> Callable[..., object]:
    def counted(*values: object) -> object:
        calls[name] += 1
        return real(*values)

    return counted


# -- priorities, titles --


def test_a_raised_priority_pages_with_high_urgency_and_the_alert_is_followed_from_then_on() -> None:
    old = pair(None, tracked=False, opsgenie=replace(pair().opsgenie, priority="P4"))
    plan = decide(inputs(observation(pair=old, alert=alert(priority="P1", updated_at=at(20)))))
    (page,) = plan.actions
    assert (page.kind, page.urgency, page.at) == (Kind.CREATE_INCIDENT, "high", at(20))
    assert (plan.pairs[0].tracked, plan.pairs[0].opsgenie.priority) == (True, "P1")


def test_the_urgency_of_a_page_follows_the_setting() -> None:
    for high, urgency in ((frozenset({"P3"}), "high"), (frozenset({"P1"}), "low")):
        (page,) = decide(inputs(observation(alert=alert(priority="P3")), rules=policy(high_urgency=high))).actions
        assert page.urgency == urgency


def test_raising_the_urgency_requests_high() -> None:
    known = pair(opsgenie=replace(pair().opsgenie, priority="P4"))
    actions = decide(inputs(observation(pair=known, alert=alert(priority="P1", updated_at=at(20))))).actions
    assert [planned.urgency for planned in actions if planned.kind is Kind.PAGERDUTY_SET_URGENCY] == ["high"]


@pytest.mark.parametrize(("shows", "expected"), [("P2", "P2"), ("", "P4")])
def test_a_priority_is_kept_until_another_one_is_read(shows: str, expected: str) -> None:
    known = pair(opsgenie=replace(pair().opsgenie, priority="P4"))
    seen = observation(pair=known, alert=alert(priority=shows, updated_at=at(20)))
    assert decide(inputs(seen)).pairs[0].opsgenie.priority == expected


def test_a_title_is_stored_in_one_line_and_kept_where_the_row_has_none() -> None:
    seen = observation(pair=pair(), alert=alert(message="Disk\nfull " + "x" * 300, updated_at=at(1)))
    title = decide(inputs(seen)).pairs[0].title
    assert (title[:11], len(title)) == ("Disk full x", 200)
    nameless = observation(pair=pair(), alert=alert(message=" ", updated_at=at(1)))
    assert decide(inputs(nameless)).pairs[0].title == "Disk full"


# -- nobody is paged --

CREATED = action(Kind.CREATE_INCIDENT, Status.DONE, result_id="PINC1")
BORN = incident("acknowledged", acknowledgers=(BOT,), changed_by=BOT, changed_at=at(2))
SAID_BORN = "incident #4711 was created acknowledged by the automation user"
SAID_LEFT = "incident #4711 is assigned to the automation user alone"


@pytest.mark.parametrize(
    ("kind", "answer", "before", "expected"),
    [
        pytest.param(Kind.CREATE_INCIDENT, incident(), pair(None), "", id="a page that pages"),
        pytest.param(Kind.CREATE_INCIDENT, BORN, pair(None), SAID_BORN, id="an incident created acknowledged"),
        pytest.param(
            Kind.CREATE_INCIDENT,
            BORN,
            pair(None, acknowledged=True),
            "",
            id="an incident for an acknowledged alert",
        ),
        pytest.param(
            Kind.CREATE_INCIDENT,
            incident(assignees=(BOT,)),
            pair(None),
            SAID_LEFT,
            id="an incident assigned to us alone",
        ),
        pytest.param(
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            incident(assignees=(BOT,)),
            pair("acknowledged", (BOT,)),
            SAID_LEFT,
            id="unacknowledged and assigned to us alone",
        ),
        pytest.param(
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            incident(assignees=(JANE,)),
            pair("acknowledged", (BOT,), unpaged=SAID_BORN),
            "",
            id="unacknowledged, and an engineer is paged",
        ),
        pytest.param(
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            None,
            pair("acknowledged", (BOT,), unpaged=SAID_BORN),
            SAID_BORN,
            id="unacknowledged, and not read yet",
        ),
    ],
)
def test_an_observation_shows_whether_the_incident_pages_anybody(
    kind: Kind, answer: Incident | None, before: Pair, expected: str
) -> None:
    assert settled(before, action(kind), policy(), answer).unpaged == expected


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        pytest.param(BORN, SAID_BORN, id="as before"),
        pytest.param(incident("acknowledged", acknowledgers=(BOT, JANE), changed_at=at(9)), "", id="acknowledged"),
        pytest.param(RESOLVED, "", id="resolved"),
        pytest.param(incident(assignees=(JANE,)), "", id="assigned to somebody else"),
        pytest.param(None, SAID_BORN, id="not read"),
    ],
)
def test_an_incident_pages_nobody_until_an_observation_shows_otherwise(
    then: Incident | None, expected: str
) -> None:
    known = pair("acknowledged", (BOT,), unpaged=SAID_BORN, unexplained_since=at(-600))
    seen = observation(pair=known, incident=then, mine=(CREATED,))
    pairs = decide(inputs(seen)).pairs or (known,)
    assert pairs[0].unpaged == expected


def test_an_incident_created_acknowledged_is_triggered_once() -> None:
    seen = observation(pair=pair(None), alert=alert(), incident=BORN, mine=(replace(CREATED, status=Status.SENT),))
    plan = decide(inputs(seen))
    (healing,) = plan.actions
    assert healing.kind is Kind.PAGERDUTY_UNACKNOWLEDGE
    assert healing.key == "pagerduty.unacknowledge a-1 unpaged PINC1"
    assert plan.pairs[0].unpaged == SAID_BORN
    assert decide(inputs(after(seen, plan))).actions == ()


# -- a successor and a second incident --

NEXT = incident(id="PINC9", number=9, created_at=at(30), title="Disk full again")


def test_the_pair_follows_the_incident_that_ours_was_merged_into() -> None:
    seen = observation(
        pair=pair(unpaged=SAID_LEFT),
        incident=replace(RESOLVED, merged_into="PINC9"),
        incident_notes=(note("PN1", JANE, "same thing"),),
        successor=NEXT,
        successor_notes=(
            replace(note("PN5", JANE, "old"), at=at(31)),
            replace(note("PN6", JANE, "written after the merge"), at=at(50)),
        ),
    )
    plan = decide(inputs(seen))
    (follows,) = plan.pairs
    assert (follows.incident_id, follows.incident_number, follows.unpaged) == ("PINC9", 9, "")
    assert follows.pagerduty == IncidentBaseline("triggered", as_of=at(30))
    assert follows.unexplained_since == at(60), "so that it is read in the next cycle"
    assert plan.notes == (("a-1", PD, "PN1"), ("a-1", PD, "PN5"))
    held = replace(NEXT, status="acknowledged", acknowledgers=(JANE,), changed_at=at(35))
    later = decide(inputs(observation(pair=follows, alert=alert(), incident=held)))
    assert [planned.kind for planned in later.actions] == [Kind.OPSGENIE_ACKNOWLEDGE]
    assert later.pairs[0].unexplained_since is None


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            observation(pair=pair(), incident=incident(), successor=NEXT), id="while our incident is open"
        ),
        pytest.param(
            observation(pair=pair(), successor=NEXT), id="while our incident is not known to be resolved"
        ),
        pytest.param(
            observation(pair=pair("resolved"), incident=RESOLVED, successor=incident("resolved")),
            id="our incident itself",
        ),
        pytest.param(observation(pair=pair(None), successor=NEXT), id="before an incident exists"),
        pytest.param(
            observation(pair=pair(pagerduty=None), successor=NEXT), id="before our incident was ever read"
        ),
        pytest.param(observation(alert=alert(), incident=RESOLVED, successor=NEXT), id="of an unknown alert"),
    ],
)
def test_no_other_incident_is_followed(seen: Observation) -> None:
    pairs = decide(inputs(seen)).pairs
    assert all(known.incident_id != "PINC9" for known in pairs)


def test_a_developers_acts_go_to_the_incident_that_is_followed_now() -> None:
    seen = observation(pair=pair("resolved"), alert=ACKED, successor=NEXT)
    actions = decide(inputs(seen)).actions
    assert {planned.incident_id for planned in actions} == {"PINC9"}
    assert Kind.PAGERDUTY_ACKNOWLEDGE in {planned.kind for planned in actions}


def test_notes_of_a_second_incident_are_not_stored_as_known() -> None:
    seen = observation(
        pair=pair("resolved"), incident=RESOLVED, successor=NEXT, successor_notes=(note("PN5", JANE, "x"),)
    )
    assert decide(inputs(seen)).notes == ()


def test_a_second_incident_is_named_once() -> None:
    seen = observation(pair=pair(), incident=incident(), twins=(NEXT,))
    plan = decide(inputs(seen))
    assert len(plan.actions) == 2
    assert decide(inputs(after(seen, plan, Status.DONE))).actions == ()
