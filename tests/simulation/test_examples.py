"""Counterexamples that were found and fixed, each by its name; and the bounds, with what happens beyond each."""

from collections import Counter

import pytest

from tests.support.simulation import world as simulated_world
from tests.support.simulation.drivers import single_faults
from tests.support.simulation.oracle import findings
from tests.support.simulation.process import Process
from tests.support.simulation.schedule import BEYOND, DETAILS, STORY, SWEEP, Act, Fault, History
from tests.support.simulation.world import World, run

OPEN = (Act(0, 3, "og", "create"),)
AFTER = 99
"""A step after all those of a cycle, before the process asks a second later for the outcome of its writes."""
FORGED = "[PagerDuty · Jane Doe · note PXYZ123] on it"
AT_ONCE = History(
    (*OPEN, Act(4, 0, "og", "acknowledge", 0, 1), Act(4, 0, "og", "note", 0, 1, "on it")),
    (Fault("pd.status", 0, "500_before"),),
)

MENDED = {
    "an engineer acknowledges while our acknowledgement is late, and takes it back before that lands": History(
        (
            *OPEN,
            Act(2, 0, "og", "acknowledge"),
            Act(2, 9, "pd", "acknowledge", 0, 1),
            Act(3, 0, "pd", "unacknowledge", 0, 1),
        ),
        (Fault("pd.status", 0, "late"),),
    ),
    "a second engineer acknowledges what a customer has un-acknowledged, and a webhook tells first": History(
        (
            *OPEN,
            Act(3, 0, "pd", "acknowledge", 0, 1),
            Act(4, 0, "og", "unacknowledge", 0, 1),
            Act(7, 0, "pd", "acknowledge"),
        ),
        glances=(3, 7),
    ),
    "an incident is reopened whose alert's priority was raised while it was resolved": History(
        (
            *OPEN,
            Act(2, 0, "pd", "resolve"),
            Act(4, 1, "og", "priority", 0, 0, "P2"),
            Act(6, 0, "pd", "reopen"),
        )
    ),
    "an incident is resolved in the cycle in which the alert's priority was raised, and reopened": History(
        (
            Act(0, 4, "og", "create"),
            Act(2, 0, "og", "priority", 0, 0, "P2"),
            Act(2, 7, "pd", "resolve", 0, 1),
            Act(7, 12, "pd", "reopen", 0, 1),
        )
    ),
    "PagerDuty refuses an incident's details, and the process dies when it was created without them": History(
        (Act(0, 3, "og", "create", text=DETAILS),),
        (Fault("pd.create", 0, "400"), Fault("db.settled", 0, "crash_after")),
    ),
    "an engineer snoozes in the second in which we raise the urgency, which ends our acknowledgement": History(
        (
            Act(0, 11, "og", "create"),
            Act(3, 12, "og", "acknowledge"),
            Act(7, 0, "og", "priority", 0, 0, "P1"),
            Act(7, 3, "pd", "snooze", 0, 0, "20"),
        )
    ),
    "we raise the urgency, which ends an engineer's acknowledgement, and another assigns before we look": History(
        (
            *OPEN,
            Act(2, 0, "pd", "acknowledge"),
            Act(2, 6, "og", "priority", 0, 1, "P1"),
            Act(3, 0, "pd", "reassign", 0, 1),
        )
    ),
    "the clock is set back and a list that is behind shows the priority from before": History(
        (Act(0, 9, "og", "create"), Act(2, 0, "og", "priority", 0, 1, "P4")),
        (Fault("cycle", 1, "back"),),
        "slow",
        126,
    ),
    "an acknowledgement of ours is taken back before we have seen it land": History(
        (*OPEN, Act(3, 0, "pd", "acknowledge"), Act(6, 0, "og", "unacknowledge", 0, 1)),
        (Fault("og.ack", 0, "queued"),),
    ),
    "the database is busy when a note of ours is settled": History(
        (Act(0, 5, "og", "create"), Act(2, 6, "og", "create"), Act(3, 0, "og", "acknowledge", 1, 1)),
        (Fault("db.settled", 2, "busy"),),
    ),
    "a note is in doubt when the next is written": History(
        (*OPEN, Act(2, 0, "og", "note", 0, 0, "any news?"), Act(2, 1, "og", "note", 0, 0, "still there?")),
        (Fault("pd.note", 0, "500_before"),),
    ),
    "the disk is full when a note is marked as sent, and another note waits": History(
        (Act(2, 6, "og", "create"), Act(7, 0, "og", "close"), Act(7, 0, "pd", "note", 0, 1, "on it")),
        (Fault("db.sent", 2, "full"),),
    ),
    "who acknowledges adds a note in the same millisecond, and the acknowledgement is in doubt": AT_ONCE,
    "who acknowledges adds a note in the same millisecond, and the database is lost before both are told": (
        AT_ONCE.but(*AT_ONCE.faults, Fault("db.intake", 9, "lost"))
    ),
    "an alert is closed between the listing and its creation in doubt": History(
        (*OPEN, Act(0, 12, "og", "close", 0, 1)), (Fault("db.settled", 0, "crash_before"),)
    ),
    "an engineer acknowledges, resolves and reopens between two looks": History(
        (
            Act(0, 6, "og", "create"),
            Act(2, 14, "pd", "acknowledge"),
            Act(3, 10, "pd", "resolve"),
            Act(4, 0, "pd", "reopen"),
        )
    ),
    "twins are written in doubt": STORY.but(Fault("pd.note", 1, "hang_after"), Fault("og.note", 2, "late")),
    "the database is lost while everything is open": History(
        (*OPEN, Act(1, 1, "og", "note", 0, 0, "any news?"), Act(2, 1, "pd", "note", 0, 0, "on it")),
        (Fault("cycle", 5, "db_lost"),),
    ),
    "the database is lost while a note of ours is on its way": History(
        (*OPEN, Act(2, 0, "og", "note", 0, 0, "any news?"), Act(2, 0, "pd", "note", 0, 0, "on it")),
        (Fault("cycle", 3, "db_lost"), Fault("og.note", 0, "queued"), Fault("pd.note", 0, "late")),
    ),
    "the database is lost, and what was merged meanwhile cannot be asked for by its key at once": History(
        (Act(0, 7, "og", "create"), Act(4, 0, "pd", "merge")),
        (Fault("cycle", 4, "db_lost"), Fault("pd.by_key", 1, "401")),
    ),
    "the database is lost after a customer's note was written to the incident that ours was merged into": History(
        (*OPEN, Act(2, 0, "og", "note", 0, 0, "any news?"), Act(2, 0, "pd", "merge")),
        (Fault("cycle", 4, "db_lost"),),
        glances=(2,),
    ),
    "a customer un-acknowledges while our un-acknowledgement is on its way": History(
        (
            Act(0, 0, "og", "create"),
            Act(1, 0, "pd", "acknowledge", 0, 1),
            Act(5, 0, "pd", "unacknowledge", 0, 1),
            Act(5, 8, "og", "unacknowledge", 0, 1),
        )
    ),
    "a customer acknowledges while our acknowledgement is on its way": History(
        (*OPEN, Act(3, 0, "pd", "acknowledge", 0, 1), Act(3, 8, "og", "acknowledge", 0, 1))
    ),
    "Opsgenie's log cannot be read when a customer has un-acknowledged": History(
        (*OPEN, Act(2, 0, "og", "acknowledge"), Act(5, 0, "og", "unacknowledge")), (Fault("og.logs", 0, "down"),)
    ),
    "PagerDuty's log cannot be read when a webhook names an incident un-acknowledged by hand": History(
        (*OPEN, Act(2, 0, "og", "acknowledge"), Act(5, 0, "pd", "unacknowledge")),
        (Fault("pd.acts", 0, "down"),),
        glances=(5,),
    ),
    "PagerDuty's log cannot be read when a webhook names an incident reopened": History(
        (*OPEN, Act(2, 0, "pd", "resolve"), Act(5, 0, "pd", "reopen")),
        (Fault("pd.acts", 0, "down"),),
        glances=(5,),
    ),
    "a customer acknowledges just when an engineer does, who takes it back at once": History(
        (
            Act(0, 9, "og", "create"),
            Act(0, 10, "og", "create"),
            Act(3, 6, "og", "acknowledge", 1),
            Act(3, 6, "pd", "acknowledge", 1, 1),
            Act(3, 10, "pd", "unacknowledge", 1, 1),
        ),
        glances=(3,),
    ),
    "an engineer assigns and another merges in one second, and the latter reopens": History(
        (
            Act(0, 2, "og", "create"),
            Act(2, 4, "pd", "reassign", 0, 1),
            Act(2, 8, "pd", "merge"),
            Act(4, 1, "pd", "reopen"),
        )
    ),
    "a customer acknowledges again just after our un-acknowledgement, whose answer was lost": History(
        (
            *OPEN,
            Act(2, 0, "og", "acknowledge", 0, 1),
            Act(5, 0, "pd", "unacknowledge"),
            Act(5, AFTER, "og", "acknowledge", 0, 0),
        ),
        (Fault("og.unack", 0, "hang_after"),),
    ),
    "a customer un-acknowledges just after our acknowledgement, whose answer was lost": History(
        (*OPEN, Act(3, 0, "pd", "acknowledge"), Act(3, AFTER, "og", "unacknowledge", 0, 1)),
        (Fault("og.ack", 0, "hang_after"),),
    ),
    "a note of ours is on its way to an incident that is merged into another": STORY.but(
        Fault("pd.note", 6, "late")
    ),
    "an incident is merged away that a customer's acknowledgement holds": History(
        (*OPEN, Act(3, 0, "og", "acknowledge"), Act(5, 0, "pd", "merge")), glances=(3, 5)
    ),
    "an incident that was merged away is opened again much later": History(
        (*OPEN, Act(2, 0, "pd", "merge"), Act(20, 1, "pd", "reopen"))
    ),
    "a priority is raised on an incident that an engineer holds": History(
        (*OPEN, Act(3, 0, "pd", "acknowledge"), Act(5, 1, "og", "priority", 0, 1, "P1"))
    ),
    "an alert is closed before the reading of its incident, which failed at the first start, succeeds": History(
        (Act(0, 0, "og", "create"), Act(0, AFTER, "og", "close", 0, 1)), (Fault("pd.by_key", 0, "down"),)
    ),
    "an alert of the first start is closed before any list shows it": History(
        (Act(0, 0, "og", "create"), Act(1, 0, "og", "close", 0, 1)), (Fault("og.list", 2, "down"),), "slow"
    ),
    "a snooze is over before we see it, and our acknowledgement with it": History(
        (*OPEN, Act(5, 9, "og", "acknowledge", 0, 1), Act(7, 5, "pd", "snooze", 0, 1, "7"))
    ),
    "Opsgenie fails what it accepted, and will not say so": STORY.but(
        Fault("og.note", 0, "forgotten_failure"), Fault("og.ack", 0, "forgotten_failure")
    ),
}


@pytest.mark.parametrize("name", MENDED)
def test_nothing_is_lost_or_done_twice_when(name: str) -> None:
    outcome = run(MENDED[name])
    assert findings(outcome) == []
    assert set(outcome.fired) == set(MENDED[name].faults)
    assert len(outcome.acted) == len(MENDED[name].acts)


def test_an_engineer_who_takes_back_our_unconfirmed_acknowledgement_is_not_overruled() -> None:
    acts = (*OPEN, Act(2, 0, "og", "acknowledge"), Act(2, AFTER, "pd", "unacknowledge", 0, 1))
    landed = Fault("pd.status", 0, "drop_after")
    assert findings(run(History(acts, (landed,)))) == []
    assert findings(run(History(acts, (landed, Fault("pd.acts", 0, "down"), Fault("pd.acts", 5, "down"))))) == []


def test_an_engineer_who_acknowledges_after_our_unconfirmed_trigger_is_not_overruled() -> None:
    acts = (
        *OPEN,
        Act(1, 0, "og", "acknowledge"),
        Act(3, 0, "og", "unacknowledge"),
        Act(3, AFTER, "pd", "acknowledge"),
    )
    for nth in (1, 2):
        assert findings(run(History(acts, (Fault("pd.status", nth, "drop_after"),)))) == []


def test_a_database_that_is_lost_before_the_lists_show_the_incident_repeats_no_note() -> None:
    acts = (Act(0, 8, "og", "create"), Act(1, 0, "og", "note", 0, 0, "any news?"))
    assert findings(run(History(acts, (Fault("cycle", 3, "db_lost"),), "slow"))) == []


def test_a_customers_note_reaches_a_resolved_incident_when_notes_do_not_move_the_alert() -> None:
    acts = (*OPEN, Act(2, 0, "og", "close"), Act(4, 0, "pd", "resolve"), Act(7, 0, "og", "note", 0, 0, "thanks"))
    state = run(History(acts, (), "silent_notes")).state
    assert any("thanks" in note["content"] for i in state["pagerduty"]["incidents"] for note in i["notes"])


def test_a_closed_alert_whose_incident_is_open_is_followed_after_the_database_was_lost() -> None:
    acts = (*OPEN, Act(1, 0, "pd", "note", 0, 0, "on it"), Act(2, 0, "og", "close"))
    later = (Act(5, 0, "pd", "note", 0, 0, "still on it"), Act(6, 0, "og", "note", 0, 0, "thanks"))
    outcome = run(History((*acts, *later, Act(7, 0, "pd", "resolve")), (Fault("cycle", 5, "db_lost"),)))
    assert findings(outcome) == []
    notes = [note["note"] for note in outcome.state["opsgenie"]["alerts"][1]["notes"]]
    told = sorted(note.partition("] ")[2] for note in notes if note.startswith("["))
    assert told == ["on it", "resolved the incident", "still on it"]


def test_a_finished_pair_is_read_at_growing_intervals() -> None:
    acts = (*OPEN, Act(2, 0, "og", "close"), Act(3, 0, "pd", "resolve"))
    world = World(History(acts))
    world.run()
    before = Counter(world.counts)
    for _ in range(200):
        world.clock.advance(SWEEP)
        world._cycle()
    assert {kind: world.counts[kind] - before[kind] for kind in ("og.notes", "pd.notes")} == {
        "og.notes": 4,
        "pd.notes": 4,
    }
    assert world.counts["og.alert"] == before["og.alert"]


def _first_words(history: History) -> set[str]:
    return {line.split()[0] for line in findings(run(history))}


# -- bounds: beyond them a fault has its documented effect --


@pytest.mark.parametrize("kind", ["og.note", "pd.note"])
def test_a_note_that_lands_after_the_staleness_bound_appears_twice_rather_than_never(kind: str) -> None:
    assert _first_words(STORY.but(Fault(kind, 1, "late_beyond"))) == {"TWICE"}


def test_a_note_that_opsgenie_queues_beyond_the_bound_appears_once_and_after_later_ones() -> None:
    """Opsgenie carries out what is in its queue; later notes do not wait for that."""
    assert _first_words(STORY.but(Fault("og.note", 1, "queued_beyond"))) == {"ORDER"}


@pytest.mark.parametrize("kind", ["og.ack", "pd.status"])
def test_an_acknowledgement_that_lands_beyond_the_bound_is_made_twice(kind: str) -> None:
    acts = (*OPEN, *OPEN, Act(2, 1, "og", "acknowledge"), Act(2, 2, "pd", "acknowledge", 1))
    assert _first_words(History(acts, (Fault(kind, 0, "late_beyond"),))) == {"TWICE"}


def test_a_creation_that_lands_beyond_the_bound_is_refused_while_its_twin_is_open() -> None:
    assert findings(run(History(OPEN, (Fault("pd.create", 0, "late_beyond"),)))) == []


def test_an_acknowledgement_that_lands_beyond_the_bound_reopens_what_was_resolved_meanwhile() -> None:
    assert "FORBIDDEN" in _first_words(STORY.but(Fault("pd.status", 0, "late_beyond")))


def test_a_creation_that_lands_after_its_twin_was_resolved_pages_twice() -> None:
    """An unconfirmed creation is retried at once, as PagerDuty refuses a second open incident with its key."""
    history = History((*OPEN, Act(2, 9, "pd", "resolve")), (Fault("pd.create", 0, "late_beyond"),))
    state = run(history).state
    assert len([i for i in state["pagerduty"]["incidents"] if i["incident_key"]]) == 2


@pytest.mark.parametrize("verb", ["acknowledge", "unacknowledge"])
def test_an_incident_resolved_between_our_read_and_our_write_is_reopened(verb: str) -> None:
    """PagerDuty has no conditional update, so the duration of one request remains as a race."""
    before = (*OPEN, Act(2, 0, "og", "acknowledge")) if verb == "unacknowledge" else OPEN
    for step in range(1, 25):
        outcome = run(History((*before, Act(4, 0, "og", verb), Act(4, step, "pd", "resolve"))))
        assert findings(outcome) == []
        if any(
            line["type"] == "reopen_log_entry"
            for line in outcome.state["pagerduty"]["incidents"][0]["log_entries"]
        ):
            return
    pytest.fail("no step lies between the look and the write")


def test_an_incident_resolved_before_our_late_acknowledgement_lands_is_reopened() -> None:
    outcome = run(
        History(
            (*OPEN, Act(1, 0, "og", "acknowledge"), Act(3, 0, "pd", "resolve")), (Fault("pd.status", 0, "late"),)
        )
    )
    assert findings(outcome) == []
    (incident,) = outcome.state["pagerduty"]["incidents"]
    assert "reopen_log_entry" in [line["type"] for line in incident["log_entries"]]


@pytest.mark.parametrize("what", ["og_gone_for_hours", "pd_gone_for_hours", "far_ahead"])
def test_an_alert_older_than_the_lookback_when_the_first_start_succeeds_does_not_page(what: str) -> None:
    """INITIAL_LOOKBACK_SECONDS counts back from the first start that reaches both sides, by the local clock."""
    outcome = run(History(OPEN, (Fault("cycle", 0, what),)))
    assert [i for i in outcome.state["pagerduty"]["incidents"] if i["incident_key"]] == []


def test_a_persons_note_that_begins_with_a_mark_is_mirrored() -> None:
    assert findings(run(History((*OPEN, Act(2, 1, "og", "note", 0, 0, FORGED))))) == []
    assert findings(run(History((*OPEN, Act(2, 1, "pd", "note", 0, 0, FORGED))))) == []


@pytest.mark.parametrize(("more", "expected"), [("", {"LOST"}), (" and on", set())])
def test_only_an_exact_copy_of_a_mirrored_note_is_taken_for_our_own(more: str, expected: set[str]) -> None:
    """A customer's paste of a mirrored note, mark included, cannot be told from the mirrored note itself."""
    world = World(History((*OPEN, Act(2, 1, "pd", "note", 0, 0, "on it"))))
    with world.deterministic():
        while world.cycle_number < 4:
            world.turn()
        (copy,) = world.sandbox.state()["opsgenie"]["alerts"][-1]["notes"]
        world.add_act(Act(5, 0, "og", "note", 0, 0, copy["note"] + more))
        found = findings(world.rest())
    assert {line.split()[0] for line in found} == expected


def test_an_acknowledgement_after_one_by_a_namesake_on_the_other_side_is_not_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The customer's acknowledgement is taken for the copy of her namesake's; the states of both sides agree."""
    monkeypatch.setattr(simulated_world, "CUSTOMERS", ("Jane Doe", "Ben Okafor"))
    acts = (Act(1, 0, "pd", "acknowledge"), Act(4, 0, "og", "unacknowledge", 0, 1), Act(6, 0, "og", "acknowledge"))
    assert _first_words(History((*OPEN, *acts))) == {"LOST"}


def test_an_unconfirmed_note_appears_twice_rather_than_never_when_the_clock_jumps_beyond_the_bound() -> None:
    acts = (*OPEN, Act(2, 0, "og", "note", 0, 0, "any news?"))
    late = Fault("pd.note", 0, "late")
    assert _first_words(History(acts, (late, Fault("cycle", 3, "ahead")))) == set()
    assert _first_words(History(acts, (late, Fault("cycle", 3, "far_ahead")))) == {"TWICE"}


@pytest.mark.parametrize("verb", ["note", "acknowledge"])
def test_a_database_restored_from_a_backup_may_repeat_what_an_empty_one_does_not(verb: str) -> None:
    history = History((*OPEN, Act(2, 0, "og", verb, 0, 0, "any news?")))
    assert _first_words(history.but(Fault("cycle", 3, "db_lost"))) == set()
    world = World(history)
    with world.deterministic():
        for _ in range(2):
            world.turn()
        kept = world.database.copy()
        world.turn()
        world.database.restore(kept)
        world.process = Process(world)
        found = findings(world.rest())
    assert {line.split()[0] for line in found} == {"TWICE"}


def test_single_faults_exclude_those_beyond_a_bound() -> None:
    assert not [h for h in single_faults(STORY, full=True) if h.faults[0].what in BEYOND]
