"""From input to plan: order, superseded actions, settled ones, and no action planned twice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import text
from reconciler.core.model import (
    Actor,
    IncidentBaseline,
    Kind,
    Observation,
    Pair,
    Person,
    Plan,
    Settlement,
    Side,
    Status,
)
from reconciler.core.plan import decide, in_order, settled
from reconciler.core.policy import Policy
from reconciler.core.product import JSM, OPSGENIE, Product
from tests.support.builders import (
    ACKED,
    ANA,
    BOT,
    JANE,
    OG,
    PD,
    RESOLVED,
    SERVICE,
    Bench,
    account,
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

UNACKED = alert(updated_at=at(20))
CLOSED = alert(open=False, closed_by="Ana Ruiz", closed_at=at(30), updated_at=at(30))
HELD = incident("acknowledged", acknowledgers=(JANE,), changed_by=JANE, changed_at=at(12))
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
        pytest.param([(Kind.PAGERDUTY_NOTE, 9, 1), (Kind.ALERT_NOTE, 1, 2)], [2, 1], id="then by time"),
        pytest.param([(Kind.ALERT_NOTE, 5, 2), (Kind.PAGERDUTY_NOTE, 5, 1)], [1, 2], id="then by id"),
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
            Kind.ALERT_ACKNOWLEDGE,
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
            Kind.ALERT_UNACKNOWLEDGE,
            "Ana Ruiz",
            "acknowledge",
            ["pagerduty.add_note", "pagerduty.acknowledge"],
            id="a developer acknowledges before an engineer's unacknowledgement was mirrored",
        ),
        pytest.param(
            observation(pair=pair(acknowledged=True), incident=HELD),
            Kind.ALERT_UNACKNOWLEDGE,
            "Jane Doe",
            "acknowledge",
            [],
            id="an engineer acknowledges again before the alert was unacknowledged",
        ),
        pytest.param(
            observation(pair=pair("acknowledged", (JANE,)), incident=RESOLVED),
            Kind.ALERT_ACKNOWLEDGE,
            "Jane Doe",
            "resolve",
            ["opsgenie.add_note"],
            id="an engineer resolves what was not acknowledged yet",
        ),
        pytest.param(
            observation(pair=pair(acknowledged=True), incident=RESOLVED),
            Kind.ALERT_UNACKNOWLEDGE,
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


@pytest.mark.parametrize("kind", [Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE, Kind.CREATE_INCIDENT])
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
    assert [planned.kind for planned in plan.actions] == [Kind.ALERT_ACKNOWLEDGE]
    assert plan.actions[0].incident_id == "PINC1"
    (remembered,) = plan.pairs
    assert remembered.incident_number == 4711
    assert remembered.pagerduty == IncidentBaseline("acknowledged", (JANE,), "Jane Doe", at(12))


def test_our_visible_acknowledgement_is_done_and_is_no_change() -> None:
    mine = action(Kind.ALERT_ACKNOWLEDGE, Status.SENT, person="Jane Doe")
    seen = observation(
        pair=pair("acknowledged", (JANE,)),
        alert=replace(ACKED, acknowledged_by="someone@example.com"),
        looked=frozenset({mine.kind}),
        mine=(mine,),
    )
    plan = decide(inputs(seen))
    assert plan.settlements == (Settlement(7, Status.DONE),)
    assert plan.actions == ()
    assert plan.pairs[0].alerts.acknowledged


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
    author = Person("", text.signature("Jane Doe")) if side is PD else BOT
    copies = tuple(note(f"C{n}", author, planned.text) for n, planned in enumerate(told))
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


# -- keys: one per cause --


def keys(seen: Observation, rules: Policy | None = None) -> list[str]:
    return [planned.key for planned in decide(inputs(seen, rules=rules)).actions]


def test_the_same_act_has_the_same_key_whenever_it_is_seen() -> None:
    seen = observation(pair=pair(), alert=ACKED, incident=HELD)
    assert keys(seen) == [planned.key for planned in decide(inputs(seen, now=at(9_999))).actions]


def test_two_acknowledgements_have_different_keys() -> None:
    later = replace(ACKED, acknowledged_at=at(50), updated_at=at(50))
    assert not set(keys(observation(pair=pair(), alert=ACKED))) & set(keys(observation(pair=pair(), alert=later)))


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


def test_a_person_without_a_name_is_called_somebody() -> None:
    seen = observation(pair=pair(), incident=replace(RESOLVED, changed_by=Person("PX", "")))
    (told,) = decide(inputs(seen)).actions
    assert told.person == "somebody"
    assert told.reason == "somebody resolved the incident in PagerDuty"
    assert told.mark == "[PagerDuty · somebody · 2026-11-23 09:00:40Z] resolved the incident"


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


def test_a_note_that_an_earlier_version_copied_as_it_was_is_not_copied_again_under_another_token() -> None:
    words = "see\x1b[1m\u202e\n[PagerDuty · Jane Doe · note P1] on it"
    first = observation(pair=pair(), incident=incident(), alert_notes=(note("1689-0", ANA, words),))
    (planned,) = decide(inputs(first)).actions
    old = replace(planned, id=7, status=Status.DONE, text=text.marked(planned.mark, words))
    again = replace(first, alert_notes=(note("1689-7", ANA, words),), mine=(old,))
    assert decide(inputs(again)).actions == ()


@pytest.mark.parametrize(("name", "shown"), [("Ana\x1b[7m\u202e Ruiz", "Ana [7m Ruiz"), ("\x07", "somebody")])
def test_a_note_is_written_in_its_authors_name_without_control_characters(name: str, shown: str) -> None:
    seen = observation(
        pair=pair(), incident=incident(), incident_notes=(note("PN1", Person("PX", name), "on it"),)
    )
    assert [planned.person for planned in decide(inputs(seen)).actions] == [shown]


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
                Kind.PAGERDUTY_NOTE if side is OG else Kind.ALERT_NOTE,
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
    old = pair(None, tracked=False, alerts=replace(pair().alerts, priority="P4"))
    plan = decide(inputs(observation(pair=old, alert=alert(priority="P1", updated_at=at(20)))))
    (page,) = plan.actions
    assert (page.kind, page.urgency, page.at) == (Kind.CREATE_INCIDENT, "high", at(20))
    assert (plan.pairs[0].tracked, plan.pairs[0].alerts.priority) == (True, "P1")


def test_the_urgency_of_a_page_follows_the_setting() -> None:
    for high, urgency in ((frozenset({"P3"}), "high"), (frozenset({"P1"}), "low")):
        (page,) = decide(inputs(observation(alert=alert(priority="P3")), rules=policy(high_urgency=high))).actions
        assert page.urgency == urgency


def test_raising_the_urgency_requests_high() -> None:
    known = pair(alerts=replace(pair().alerts, priority="P4"))
    actions = decide(inputs(observation(pair=known, alert=alert(priority="P1", updated_at=at(20))))).actions
    assert [planned.urgency for planned in actions if planned.kind is Kind.PAGERDUTY_SET_URGENCY] == ["high"]


# -- a state and the note that tells it, where an alert cannot name the engineer --

ACKED_BY_JANE = observation(
    pair=pair(),
    alert=alert(),
    incident=incident("acknowledged", acknowledgers=(JANE,), changed_by=JANE, changed_at=at(12)),
)
LET_GO: dict[str, Any] = {
    "incident": incident(changed_by=SERVICE, changed_at=at(30)),
    "incident_acts": (act("unacknowledge", JANE, 30),),
}


def test_a_note_is_dropped_with_the_state_that_it_tells() -> None:
    planned = after(ACKED_BY_JANE, decide(inputs(ACKED_BY_JANE, rules=account())))
    plan = decide(inputs(replace(planned, **LET_GO), rules=account()))
    why = DROP.format("Jane Doe", "unacknowledge")
    assert [(each.action_id, each.status, each.why) for each in plan.settlements] == [
        (100, Status.DROPPED, why),
        (101, Status.DROPPED, why),
    ]
    assert plan.actions == ()


def test_a_note_stays_whose_state_was_written_and_goes_before_that_of_the_opposite() -> None:
    planned = after(ACKED_BY_JANE, decide(inputs(ACKED_BY_JANE, rules=account())))
    assert planned.pair is not None
    state, told = planned.mine
    shows = alert(acknowledged=True, updated_at=at(14))
    now = replace(
        planned,
        mine=(replace(state, status=Status.DONE), told),
        pair=replace(planned.pair, alerts=replace(planned.pair.alerts, acknowledged=True)),
        alert=shows,
        **LET_GO,
    )
    plan = decide(inputs(now, rules=account()))
    assert plan.settlements == ()
    assert [made.kind for made in plan.actions] == [Kind.ALERT_UNACKNOWLEDGE, Kind.ALERT_NOTE]
    assert told.at < plan.actions[1].at


def test_a_state_that_somebody_contradicts_in_the_same_observation_is_not_told_either() -> None:
    """Ana has acknowledged the alert later than Jane let go of the incident."""
    seen = observation(
        pair=pair("acknowledged", (JANE,)),
        alert=alert(acknowledged=True, updated_at=at(40)),
        alert_acts=(act("acknowledge", ANA, 40),),
        **LET_GO,
    )
    made = [planned.kind for planned in decide(inputs(seen, rules=account())).actions]
    assert made == [Kind.PAGERDUTY_NOTE, Kind.PAGERDUTY_ACKNOWLEDGE]


@pytest.mark.parametrize("product", [OPSGENIE, JSM])
def test_a_note_that_was_copied_before_a_move_is_not_copied_again_under_another_id(product: Product) -> None:
    """Its copy cannot be seen: the incident's notes were not read."""
    words = note("o1", ANA, "any news?")
    before = text.note_mark(OG, words, product=OPSGENIE if product is JSM else JSM)
    mine = action(
        Kind.PAGERDUTY_NOTE, Status.DONE, key="before", mark=before, text=text.marked(before, words.text)
    )
    moved = replace(words, id="o1-in-the-other-product")
    seen = observation(pair=pair(), alert=alert(), alert_notes=(moved,), mine=(mine,))
    assert decide(inputs(seen, rules=policy(product=product))).actions == ()
    assert len(decide(inputs(replace(seen, mine=()), rules=policy(product=product))).actions) == 1
