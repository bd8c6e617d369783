"""The same histories with alerts raised in Jira Service Management: nothing is lost, nothing is done twice.

In both of its modes: the account's, in which all that is written bears the automation user's name, and the named
one. Each test takes a sample; `make soak` runs every single fault, and random histories of every source.
"""

from dataclasses import replace

import pytest

from reconciler.core import mapping
from reconciler.core.model import Kind
from tests.support.simulation.branches import drive_branches
from tests.support.simulation.chance import random_history
from tests.support.simulation.drivers import drive, drive_all, single_faults
from tests.support.simulation.mutants import CAUGHT, GUARDS, MUTANTS
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import JSM, JSM_NAMED, ODD, SPACED, STORY, History
from tests.support.simulation.world import Parts, run

EVERY = 200
"""Every n-th single fault of the story is tried."""
SEEDS = 5
"""The number of random histories."""
NEAR = {"send, then record": "db.settled", "record, then send": "og.note", "no echo guard": "cycle"}
"""Mutants, and the kind of step whose faults reveal each."""
ONLY_NOTES = ("create", "note", "close", "resolve", "merge")
BOTH = pytest.mark.parametrize("source", [JSM, JSM_NAMED])


def told(story: History, source: str) -> History:
    """The story with alerts that are raised there."""
    return replace(story, source=source)


@BOTH
def test_no_story_loses_anything_or_does_anything_twice(source: str) -> None:
    odd = list(ODD.values())[source == JSM_NAMED :: 2]
    tally = drive_all([told(story, source) for story in (SPACED, replace(STORY, setting="slow"), *odd)])
    assert not tally.found, str(tally)


@BOTH
def test_a_single_fault_loses_nothing_and_does_nothing_twice(source: str) -> None:
    story = told(STORY, source)
    offset = EVERY // 2 if source == JSM_NAMED else 0
    tally = drive_branches(story, [each.faults[0] for each in single_faults(story, full=True)[offset::EVERY]])
    assert not tally.found, str(tally)
    assert tally.histories > 10
    assert tally.faults.total() == tally.histories  # each has fired


@BOTH
def test_random_histories_lose_nothing_and_do_nothing_twice(source: str) -> None:
    first = 100 if source == JSM else 200
    tally = drive_all([told(random_history(seed), source) for seed in range(first, first + SEEDS)])
    assert not tally.found, str(tally)


@pytest.mark.parametrize(("name", "near"), NEAR.items())
def test_a_mutant_is_caught(name: str, near: str) -> None:
    parts, story = MUTANTS[name](), told(STORY, JSM)
    faults = [each for each in single_faults(story, full=True) if each.faults[0].kind.startswith(near)]
    tally = drive([story, *faults], parts, stop_at=CAUGHT[name])
    assert any(line.startswith(CAUGHT[name]) for _, wrong in tally.found for line in wrong), str(tally)


@pytest.mark.parametrize("verb", ["acknowledge", "unacknowledge"])
def test_a_missing_note_of_who_acted_is_detected(verb: str) -> None:
    rest = tuple(row for row in mapping.TABLE if (row.verb, row.kind) != (verb, Kind.ALERT_NOTE))
    assert findings(run(told(SPACED, JSM), Parts(patches=((mapping, "TABLE", rest),))))


@BOTH
@pytest.mark.parametrize("alone", GUARDS)
def test_one_echo_guard_alone_suffices_for_notes(source: str, alone: str) -> None:
    story = replace(STORY, acts=tuple(act for act in STORY.acts if act.verb in ONLY_NOTES))
    assert findings(run(told(story, source), Parts(guards=frozenset({alone})))) == []


@BOTH
@pytest.mark.parametrize("alone", ["outbox", "author"])
def test_the_outbox_or_the_author_guard_alone_suffices_for_states(source: str, alone: str) -> None:
    assert findings(run(told(STORY, source), Parts(guards=frozenset({alone})))) == []
