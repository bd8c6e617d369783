"""Which changes an observation contains: baselines, writes in doubt, echoes, adoption."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.core.changes import changes, is_followed
from reconciler.core.model import Act, Alert, Echo, Incident, Kind, Observation, Person, Side, Status
from reconciler.core.plan import decide
from reconciler.core.policy import Policy
from reconciler.core.readings import is_adoption
from tests.support.builders import (
    ACKED,
    ANA,
    BOB,
    BOT,
    JANE,
    OG,
    PD,
    ROBOT,
    Bench,
    account,
    act,
    action,
    alert,
    at,
    incident,
    inputs,
    named,
    note,
    observation,
    pair,
    policy,
)

NOW = at(60)
GUARDS = ("outbox", "author", "mark")
ALONE = [pytest.param(policy(guards=frozenset({guard})), id=f"{guard} alone") for guard in GUARDS]
NONE = policy(guards=frozenset())


def verbs(seen: Observation, rules: Policy | None = None) -> list[tuple[Side, str]]:
    return [(change.side, change.verb) for change in changes(seen, rules or policy(), NOW).changes]


# -- one baseline per side --

HELD = incident("acknowledged", acknowledgers=(JANE,))


@pytest.mark.parametrize("there", ["triggered", "acknowledged", "resolved"])
def test_an_alert_is_compared_with_the_opsgenie_baseline_alone(there: str) -> None:
    assert verbs(observation(pair=pair(there, (JANE,)), alert=ACKED)) == [(OG, "acknowledge")]
    assert verbs(observation(pair=pair(there, (JANE,), acknowledged=True), alert=ACKED)) == []


@pytest.mark.parametrize("there", [True, False])
def test_an_incident_is_compared_with_the_pagerduty_baseline_alone(there: bool) -> None:
    assert verbs(observation(pair=pair(acknowledged=there), incident=HELD)) == [(PD, "acknowledge")]
    assert verbs(observation(pair=pair("acknowledged", (JANE,), acknowledged=there), incident=HELD)) == []


def test_our_late_write_does_not_revert_what_a_person_did() -> None:
    """Opsgenie shows our accepted acknowledgement only after the engineer has taken hers back."""
    bench = Bench(policy(), incident=incident(), pair=pair())
    bench.jane("acknowledge").cycle()
    late, bench.alert = bench.alert, alert()
    bench.cycle()
    bench.jane("unacknowledge").cycle()
    bench.alert = late
    bench.cycles(3)
    assert [kind for kind, _ in bench.written] == [Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE]
    assert not bench.alert.acknowledged


@pytest.mark.parametrize("seconds", [9, 10])
def test_an_alert_stays_closed_until_a_later_read_shows_it_open(seconds: float) -> None:
    seen = observation(pair=pair(is_open=False, updated_at=at(10)), alert=replace(ACKED, updated_at=at(seconds)))
    assert verbs(seen) == []
    plan = decide(inputs(seen))
    assert all(not remembered.alerts.open for remembered in plan.pairs)


def test_a_closed_alert_is_reopened_by_a_later_read_that_shows_it_open() -> None:
    seen = observation(pair=pair(is_open=False, updated_at=at(9)), alert=ACKED)
    assert verbs(seen) == [(OG, "acknowledge")]
    (remembered,) = decide(inputs(seen)).pairs
    assert remembered.alerts.open


def test_changes_are_in_the_order_in_which_people_acted() -> None:
    seen = observation(
        pair=pair(),
        alert=replace(ACKED, acknowledged_at=at(30), updated_at=at(30)),
        incident=incident("resolved", changed_by=JANE, changed_at=at(20)),
        alert_notes=(note("o2", ANA, "later", 40), note("o1", ANA, "first", 10)),
        incident_notes=(note("PN1", JANE, "on it", 25),),
    )
    assert verbs(seen) == [(OG, "note"), (PD, "resolve"), (PD, "note"), (OG, "acknowledge"), (OG, "note")]


def test_an_engineer_who_joins_another_acknowledges_at_a_time_of_her_own() -> None:
    """The incident's status changed with the first acknowledgement, which a customer has taken back since."""
    both = incident(
        "acknowledged",
        acknowledgers=(BOB, JANE),
        acknowledged_at=((BOB, at(10)), (JANE, at(30))),
        changed_at=at(10),
    )
    seen = observation(pair=pair("acknowledged", (BOB,), acknowledged=True), alert=UNACKED, incident=both)
    assert [(change.verb, change.at) for change in changes(seen, policy(), NOW).changes] == [
        ("unacknowledge", at(20)),
        ("acknowledge", at(30)),
    ]
    assert Kind.ALERT_ACKNOWLEDGE in [planned.kind for planned in decide(inputs(seen)).actions]


# -- a write in doubt hides changes of its own field --

UNACKED = alert(updated_at=at(20))


@pytest.mark.parametrize(
    ("seen", "kind", "silent"),
    [
        pytest.param(
            observation(pair=pair(), alert=ACKED),
            Kind.ALERT_ACKNOWLEDGE,
            True,
            id="an acknowledged alert while we acknowledge it",
        ),
        pytest.param(
            observation(pair=pair(), alert=ACKED),
            Kind.ALERT_UNACKNOWLEDGE,
            True,
            id="an acknowledged alert while we unacknowledge it",
        ),
        pytest.param(
            observation(pair=pair(acknowledged=True), alert=UNACKED),
            Kind.ALERT_UNACKNOWLEDGE,
            True,
            id="an unacknowledged alert while we unacknowledge it",
        ),
        pytest.param(
            observation(
                pair=pair("acknowledged", (BOT,)),
                incident=incident(),
                incident_acts=(act("unacknowledge", JANE),),
            ),
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            True,
            id="a triggered incident while we trigger it again",
        ),
        pytest.param(
            observation(pair=pair(), alert=ACKED),
            Kind.ALERT_NOTE,
            False,
            id="an acknowledged alert while we add a note",
        ),
        pytest.param(
            observation(pair=pair(), alert=ACKED),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            False,
            id="an acknowledged alert while we acknowledge the incident",
        ),
        pytest.param(
            observation(pair=pair(), alert=alert(open=False)),
            Kind.ALERT_ACKNOWLEDGE,
            False,
            id="a closed alert while we acknowledge it",
        ),
        pytest.param(
            observation(pair=pair("acknowledged", (BOT,)), incident=incident("resolved")),
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            False,
            id="a resolved incident while we trigger it again",
        ),
        pytest.param(
            observation(pair=pair(), incident=HELD),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            False,
            id="an engineer's acknowledgement while we acknowledge",
        ),
    ],
)
def test_a_write_in_doubt_hides_changes_of_its_own_field_only(seen: Observation, kind: Kind, silent: bool) -> None:
    assert verbs(seen), "without a write in doubt there is a change"
    assert verbs(replace(seen, mine=(action(kind),))), "a write that was not sent hides no change"
    in_doubt = replace(seen, mine=(action(kind, Status.SENT),))
    assert bool(verbs(in_doubt)) is not silent
    if silent:
        assert seen.pair is not None
        (remembered,) = decide(inputs(in_doubt)).pairs or (seen.pair,)
        assert remembered.alerts.acknowledged == seen.pair.alerts.acknowledged
        assert remembered.pagerduty == seen.pair.pagerduty


# -- echoes --


@pytest.mark.parametrize("rules", ALONE)
@pytest.mark.parametrize("asynchronous", [True, False], ids=["seen late", "settled at once"])
def test_a_developers_note_is_copied_once(rules: Policy, asynchronous: bool) -> None:
    bench = Bench(rules, incident=incident(), pair=pair(), asynchronous=asynchronous)
    bench.ana("note").cycles(6)
    assert [kind for kind, _ in bench.written] == [Kind.PAGERDUTY_NOTE]


@pytest.mark.parametrize("rules", ALONE)
@pytest.mark.parametrize("asynchronous", [True, False], ids=["seen late", "settled at once"])
def test_an_engineers_note_is_copied_once(rules: Policy, asynchronous: bool) -> None:
    bench = Bench(rules, incident=incident(), pair=pair(), asynchronous=asynchronous)
    bench.jane("note").cycles(6)
    assert [kind for kind, _ in bench.written] == [Kind.ALERT_NOTE]


@pytest.mark.parametrize("starts", ["ana", "jane"])
def test_without_guards_a_note_is_copied_again_and_again(starts: str) -> None:
    """Shows that the guards cause the result of the two tests above."""
    bench = Bench(NONE, incident=incident(), pair=pair())
    getattr(bench, starts)("note").cycles(6)
    assert len(bench.written) == 6


STORIES = [
    pytest.param(
        ("ana acknowledge",), ["pagerduty.add_note", "pagerduty.acknowledge"], id="a developer acknowledges"
    ),
    pytest.param(
        ("ana acknowledge", "ana unacknowledge"),
        ["pagerduty.add_note", "pagerduty.acknowledge", "pagerduty.add_note", "pagerduty.unacknowledge"],
        id="a developer acknowledges and unacknowledges",
    ),
    pytest.param(("jane acknowledge",), ["opsgenie.acknowledge"], id="an engineer acknowledges"),
    pytest.param(
        ("jane acknowledge", "jane unacknowledge"),
        ["opsgenie.acknowledge", "opsgenie.unacknowledge"],
        id="an engineer acknowledges and unacknowledges",
    ),
    pytest.param(
        ("ana acknowledge", "jane unacknowledge"),
        ["pagerduty.add_note", "pagerduty.acknowledge", "opsgenie.unacknowledge"],
        id="an engineer unacknowledges a mirrored acknowledgement",
    ),
    pytest.param(
        ("jane acknowledge", "ana unacknowledge"),
        ["opsgenie.acknowledge", "pagerduty.add_note"],
        id="a developer unacknowledges an engineer's acknowledgement",
    ),
    pytest.param(
        ("jane acknowledge", "ana unacknowledge", "jane unacknowledge"),
        ["opsgenie.acknowledge", "pagerduty.add_note"],
        id="both unacknowledge",
    ),
    pytest.param(
        ("jane resolve", "jane acknowledge"),
        ["opsgenie.add_note", "opsgenie.add_note", "opsgenie.acknowledge"],
        id="an engineer resolves and reopens",
    ),
    pytest.param(
        ("ana acknowledge", "ana close"),
        ["pagerduty.add_note", "pagerduty.acknowledge", "pagerduty.add_note", "pagerduty.resolve"],
        id="a developer acknowledges and closes",
    ),
    pytest.param(("jane resolve", "ana acknowledge"), ["opsgenie.add_note", "pagerduty.add_note"], id="too late"),
]


@pytest.mark.parametrize(("story", "expected"), STORIES)
@pytest.mark.parametrize("rules", [*ALONE[:2], pytest.param(policy(), id="all three")])
@pytest.mark.parametrize("asynchronous", [True, False], ids=["seen late", "settled at once"])
def test_a_state_is_mirrored_once(
    rules: Policy, story: tuple[str, ...], expected: list[str], asynchronous: bool
) -> None:
    rules = replace(rules, on_alert_close="resolve")
    bench = Bench(rules, incident=incident(), pair=pair(), asynchronous=asynchronous)
    for step in story:
        person, verb = step.split()
        getattr(bench, person)(verb).cycles(4)
    assert [kind.value for kind, _ in bench.written] == expected


def told(kinds: list[str], rules: Policy) -> list[str]:
    """These writes, with a note after each state of an alert that does not bear the engineer's name in JSM."""
    states = (
        {"opsgenie.unacknowledge"} if rules.acts_are_named else {"opsgenie.acknowledge", "opsgenie.unacknowledge"}
    )
    return [each for kind in kinds for each in (kind, *(["opsgenie.add_note"] if kind in states else []))]


JSM_MODES = [pytest.param(account, id="account"), pytest.param(named, id="named")]


@pytest.mark.parametrize(("story", "expected"), STORIES)
@pytest.mark.parametrize("guards", [{"outbox"}, {"author"}, set(GUARDS)], ids=sorted)
@pytest.mark.parametrize("asynchronous", [True, False], ids=["seen late", "settled at once"])
@pytest.mark.parametrize("mode", JSM_MODES)
def test_in_jsm_a_state_is_mirrored_once(
    mode: Callable[..., Policy], guards: set[str], story: tuple[str, ...], expected: list[str], asynchronous: bool
) -> None:
    rules = mode(guards=frozenset(guards), on_alert_close="resolve")
    bench = Bench(rules, incident=incident(), pair=pair(), asynchronous=asynchronous)
    for step in story:
        person, verb = step.split()
        getattr(bench, person)(verb).cycles(4)
    assert [kind.value for kind, _ in bench.written] == told(expected, rules)
    names = {words.split(" · ")[1] for _, words in bench.written if words.startswith("[JSM")}
    assert names <= {"Ana Ruiz"}, "the log names who did it"


@pytest.mark.parametrize("mode", JSM_MODES)
@pytest.mark.parametrize("guard", GUARDS)
def test_in_jsm_any_guard_alone_keeps_notes_from_coming_back(mode: Callable[..., Policy], guard: str) -> None:
    bench = Bench(mode(guards=frozenset({guard})), incident=incident(), pair=pair())
    bench.jane("note").cycles(4).ana("note").cycles(4)
    assert [kind for kind, _ in bench.written] == [Kind.ALERT_NOTE, Kind.PAGERDUTY_NOTE]


def test_in_account_mode_a_state_needs_outbox_or_author() -> None:
    """Shows that one of these two causes the result of the tests above: a mark is no help for a state."""
    bench = Bench(account(guards=frozenset({"mark"})), incident=incident(), pair=pair())
    bench.jane("acknowledge").cycles(4)
    ours = "[JSM · Bridge Robot · 2026-11-23 09:01:56.000Z] acknowledged the alert"
    assert (Kind.PAGERDUTY_NOTE, ours) in bench.written


def test_in_account_mode_a_namesake_of_the_engineer_is_somebody_else() -> None:
    seen = observation(
        pair=pair("acknowledged", (JANE,), actor="Jane Doe"),
        alert=alert(acknowledged=True, updated_at=at(20)),
        alert_acts=(act("acknowledge", Person("712020:jane", "Jane Doe"), 15),),
    )
    assert [change.person.name for change in changes(seen, account(), NOW).changes] == ["Jane Doe"]
    assert changes(seen, named(), NOW).changes == ()


@pytest.mark.parametrize(
    ("shown", "acts", "who"),
    [
        pytest.param("Owner", (act("acknowledge", ANA, 15),), "Ana Ruiz", id="the log goes before the owner"),
        pytest.param("Owner", (), "Owner", id="without the log, what the alert says"),
        pytest.param("", (), "somebody", id="nobody is named"),
        pytest.param(
            "Owner",
            (act("acknowledge", ROBOT, 16), act("acknowledge", ANA, 15), act("unacknowledge", JANE, 14)),
            "Ana Ruiz",
            id="a developer before us",
        ),
        pytest.param(
            "", (act("acknowledge", ANA, 16), act("acknowledge", ROBOT, 15)), "Ana Ruiz", id="a developer after us"
        ),
        pytest.param(
            "", (act("acknowledge", BOB, 16), act("acknowledge", ANA, 15)), "Ana Ruiz", id="the first of several"
        ),
        pytest.param(
            "", (act("unacknowledge", JANE, 16), act("acknowledge", ANA, 15)), "somebody", id="not from before"
        ),
    ],
)
def test_in_jsm_the_log_names_who_acknowledged(shown: str, acts: tuple[Act, ...], who: str) -> None:
    acked = alert(acknowledged=True, acknowledged_by=shown, acknowledged_at=at(15), updated_at=at(15))
    seen = observation(pair=pair(), alert=acked, alert_acts=acts)
    assert [change.person.name for change in changes(seen, account(), NOW).changes] == [who]


@pytest.mark.parametrize(("acts", "who"), [((act("close", ANA, 15),), "Ana Ruiz"), ((), "somebody")])
def test_in_jsm_the_log_names_who_closed(acts: tuple[Act, ...], who: str) -> None:
    seen = observation(pair=pair(), alert=alert(open=False, updated_at=at(15)), alert_acts=acts)
    (change,) = changes(seen, account(), NOW).changes
    assert (change.verb, change.person.name) == ("close", who)


@pytest.mark.parametrize(("story", "expected"), STORIES)
@pytest.mark.parametrize("rules", [ALONE[2], pytest.param(NONE, id="none")])
def test_a_mirrored_state_causes_no_loop_although_it_carries_no_mark(
    rules: Policy, story: tuple[str, ...], expected: list[str]
) -> None:
    """A state that already holds is not written again. Without a mark only our own `resolve` is noted, once."""
    bench = Bench(replace(rules, on_alert_close="resolve"), incident=incident(), pair=pair())
    states = [kind for kind in expected if not kind.endswith("note")]
    for step in story:
        person, verb = step.split()
        getattr(bench, person)(verb).cycles(4)
    assert [kind.value for kind, _ in bench.written if kind.is_state] == states
    if "pagerduty.resolve" in expected:
        assert bench.written[-1][1].startswith("[PagerDuty · Opsgenie Bridge · ")
    elif "mark" in rules.guards:
        assert [kind.value for kind, _ in bench.written] == expected


@pytest.mark.parametrize("rules", [*ALONE, pytest.param(policy(), id="all three")])
def test_a_life_cycle_from_page_to_close_is_mirrored_completely(rules: Policy) -> None:
    bench = Bench(rules)
    bench.cycles(3).ana("note").cycles(3).jane("acknowledge").cycles(3)
    bench.jane("note").cycles(3).jane("resolve").cycles(3).ana("close").cycles(3)
    assert [kind.value for kind, _ in bench.written] == [
        "pagerduty.create_incident",
        "pagerduty.add_note",
        "opsgenie.acknowledge",
        "opsgenie.add_note",
        "opsgenie.add_note",
        "pagerduty.add_note",
    ]


MARKED_BY_US = "[PagerDuty · Jane Doe · note PN1] on it"
MARKED_THERE = "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z] any news?"
SENT_NOTE = action(Kind.ALERT_NOTE, Status.SENT, text="on it")
OUR_NOTE = action(Kind.PAGERDUTY_NOTE, Status.DONE, result_id="PN9")


@pytest.mark.parametrize(
    ("seen", "echo"),
    [
        pytest.param(
            observation(alert_notes=(note("o1", ANA, "on it"),), mine=(SENT_NOTE,)),
            Echo(OG, "a-1", "outbox"),
            id="a text that we sent to Opsgenie",
        ),
        pytest.param(
            observation(
                alert_notes=(note("o1", ANA, "on it"),), mine=(replace(SENT_NOTE, text="on\nit", plain=True),)
            ),
            Echo(OG, "a-1", "outbox"),
            id="a text that we sent to Opsgenie in its plain form",
        ),
        pytest.param(
            observation(
                alert_notes=(note("o1", ANA, MARKED_BY_US),), incident_notes=(note("PN1", JANE, "on it"),)
            ),
            Echo(OG, "a-1", "mark"),
            id="our mark in Opsgenie",
        ),
        pytest.param(
            observation(incident_notes=(note("PN9", JANE, "any news?"),), mine=(OUR_NOTE,)),
            Echo(PD, "a-1", "outbox"),
            id="a note id that PagerDuty gave us",
        ),
        pytest.param(
            observation(incident_notes=(note("PN9", BOT, "any news?"),)),
            Echo(PD, "a-1", "author"),
            id="the automation user in PagerDuty",
        ),
        pytest.param(
            observation(
                incident_notes=(note("PN9", JANE, MARKED_THERE),), alert_notes=(note("o1", ANA, "any news?"),)
            ),
            Echo(PD, "a-1", "mark"),
            id="our mark in PagerDuty",
        ),
    ],
)
def test_each_guard_recognises_its_kind_of_echo(seen: Observation, echo: Echo) -> None:
    sources = frozenset({(OG, "o1"), (PD, "PN1")})
    known = sources - {(OG, "o1") if echo.side is OG else (PD, "PN1")}
    seen = replace(seen, pair=pair(), known_notes=known)
    assert changes(seen, policy(), NOW).echoes == (echo,)
    assert changes(seen, policy(), NOW).changes == ()
    assert decide(inputs(seen)).echoes == (echo,)
    for guard in GUARDS:
        alone = policy(guards=frozenset({guard}))
        assert bool(changes(seen, alone, NOW).changes) is (guard != echo.guard)


@pytest.mark.parametrize(
    ("status", "actor", "base_acked", "name", "echo"),
    [
        pytest.param(
            "acknowledged", "Jane Doe", False, "Jane Doe", True, id="her own acknowledgement, mirrored back"
        ),
        pytest.param("acknowledged", "Jane Doe", False, "Ana Ruiz", False, id="another person's acknowledgement"),
        pytest.param("triggered", "Jane Doe", False, "Jane Doe", False, id="her name with another state"),
        pytest.param("acknowledged", "", False, "", False, id="no name"),
        pytest.param(
            "triggered", "Jane Doe", True, "Jane Doe", True, id="her own unacknowledgement, mirrored back"
        ),
        pytest.param("triggered", "Jane Doe", True, "Ana Ruiz", False, id="another person's unacknowledgement"),
        pytest.param(
            "acknowledged", "Jane Doe", True, "Jane Doe", False, id="her name with the state that holds already"
        ),
    ],
)
def test_only_the_same_state_under_the_same_name_is_an_engineers_echo(
    status: str, actor: str, base_acked: bool, name: str, echo: bool
) -> None:
    shows = alert(acknowledged=not base_acked, acknowledged_by=name, updated_at=at(20))
    seen = observation(
        pair=pair(status, (JANE,), base_acked, actor=actor),
        alert=shows,
        alert_acts=(act("unacknowledge", Person("", name)),),
    )
    found = changes(seen, policy(), NOW)
    assert [each.guard for each in found.echoes] == (["author"] if echo else [])
    assert len(found.changes) == (0 if echo else 1)


# -- followed pairs and adoption --


@pytest.mark.parametrize(
    ("seen", "followed", "adoption"),
    [
        pytest.param(observation(), True, False, id="a new alert that is to be paged"),
        pytest.param(observation(tracked=False), False, False, id="a new alert that is a baseline"),
        pytest.param(
            observation(tracked=False, incident=incident()), True, True, id="a new alert with an incident"
        ),
        pytest.param(observation(pair=pair(None)), True, False, id="a pair whose incident is to be created"),
        pytest.param(observation(pair=pair(None, tracked=False)), False, False, id="a pair that is a baseline"),
        pytest.param(
            observation(pair=pair(None, tracked=False), incident=incident()),
            True,
            True,
            id="a baseline's incident",
        ),
        pytest.param(
            observation(pair=pair(None), incident=incident()), True, True, id="an incident that is not known"
        ),
        pytest.param(observation(pair=pair(tracked=False)), True, False, id="a pair with an incident"),
        pytest.param(observation(pair=pair(), incident=incident()), True, False, id="a pair with its incident"),
    ],
)
def test_an_alert_is_followed_and_its_incident_adopted_by_what_is_known_of_them(
    seen: Observation, followed: bool, adoption: bool
) -> None:
    assert is_followed(seen) is followed
    assert is_adoption(seen) is adoption


@pytest.mark.parametrize(
    "shows",
    [
        pytest.param(alert(), id="open"),
        pytest.param(ACKED, id="acknowledged"),
        pytest.param(alert(open=False), id="closed"),
    ],
)
def test_an_untracked_baseline_causes_no_page_and_no_note(shows: Alert) -> None:
    seen = observation(alert=shows, tracked=False, alert_notes=(note("o1", ANA, "any news?"),))
    plan = decide(inputs(seen))
    assert plan.actions == ()
    (remembered,) = plan.pairs
    assert (remembered.tracked, remembered.incident_id) == (False, None)
    assert plan.notes == (("a-1", OG, "o1"),)
    later = replace(seen, pair=remembered, alert=alert(open=not shows.open), known_notes=frozenset({(OG, "o1")}))
    assert decide(inputs(later)).actions == ()


@pytest.mark.parametrize(
    "known", [None, pair(None), pair(None, tracked=False)], ids=["unknown", "paged", "baseline"]
)
@pytest.mark.parametrize(
    "found", [incident(), HELD, incident("resolved", changed_by=JANE)], ids=lambda i: i.status
)
def test_the_state_of_an_incident_that_is_adopted_is_a_baseline(known: object, found: Incident) -> None:
    plan = decide(inputs(observation(pair=known, alert=alert(), incident=found)))
    assert plan.actions == ()
    (remembered,) = plan.pairs
    assert (remembered.tracked, remembered.incident_id, remembered.incident_number) == (True, "PINC1", 4711)
    assert remembered.pagerduty is not None
    assert remembered.pagerduty.status == found.status


def test_the_state_of_an_unknown_alert_whose_incident_is_adopted_is_a_baseline() -> None:
    plan = decide(inputs(observation(alert=ACKED, incident=incident())))
    assert plan.actions == ()
    assert plan.pairs[0].alerts.acknowledged


def test_adopting_an_incident_for_a_known_pair_keeps_the_alerts_changes() -> None:
    assert verbs(observation(pair=pair(None), alert=ACKED, incident=incident())) == [(OG, "acknowledge")]


def test_after_a_database_loss_everything_is_recognised_and_nothing_is_written_again() -> None:
    bench = Bench(policy())
    bench.cycle()
    for step in ("ana note", "jane note", "jane acknowledge", "jane resolve", "ana close"):
        person, verb = step.split()
        getattr(bench, person)(verb).cycles(3)
    written = len(bench.written)
    assert written == 6
    bench.pair, bench.known, bench.ledger = None, set(), {}
    bench.cycles(4)
    assert len(bench.written) == written
    assert bench.pair is not None
    assert bench.pair.incident_id == "PINC1"


# -- the log names people and causes no changes --


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param((act("acknowledge", JANE), act("unacknowledge", JANE), act("resolve", BOB)), id="everything"),
        pytest.param((act("annotate", JANE),), id="a note"),
    ],
)
def test_log_entries_alone_cause_no_change(acts: tuple[object, ...]) -> None:
    seen = observation(pair=pair(), alert=alert(), incident=incident(), alert_acts=acts, incident_acts=acts)
    assert verbs(seen) == []
