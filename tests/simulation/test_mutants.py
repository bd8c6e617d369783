"""Single faults catch every mutant, and random histories catch most; the product works with one echo guard off.

The run prints the table at its end. `make soak` adds Hypothesis as a driver, and searches for much longer.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.core import changes, mapping
from reconciler.core.model import Kind
from tests.support.simulation.drivers import drive
from tests.support.simulation.mutants import CAUGHT, DRIVERS, GUARDS, MUTANTS, catch
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import ODD, SPACED, STORY, Act, Fault, History
from tests.support.simulation.world import Parts, run

MOST = {"exhaustive": 90, "chance": 40}
"""The number of runs within which each driver must catch a mutant."""
NEAR = {
    "send, then record": "db.settled",
    "record, then send": "db.sent",
    "cursors before the keys": "db.intake",
    "no staleness bound": "pd.status late",
    "the row before the plan": "db.plan crash_before",
    "nothing blocked": "pd.note",
    "no check before acknowledging": "pd.status",
}
"""The faults that are tried first where few reveal the mutant: those at the commit or call that it changes."""
SOON = {
    "send, then record",
    "no echo guard",
    "one shared baseline",
}
"""The mutants that a dozen random histories catch. The others take longer and are left to `make soak`."""
RACES = [(name, driver) for name in MUTANTS for driver in MOST if driver != "chance" or name in SOON]
ONLY_NOTES = ("create", "note", "close", "resolve", "merge")


@pytest.mark.parametrize(("name", "driver"), RACES)
def test_every_mutant_is_caught_within_its_number_of_runs(
    name: str, driver: str, tell: Callable[[str], None]
) -> None:
    parts = MUTANTS[name]()
    found = catch(driver, parts, CAUGHT[name], MOST[driver], NEAR.get(name, ""))
    assert found is not None, f"{name}: not caught by {driver} in {MOST[driver]} runs"
    assert found.run <= MOST[driver]
    tell(f"mutant {name:30} caught: {driver} run {found.run}: {found.first(CAUGHT[name])}")
    assert findings(run(found.history, Parts(sweep=parts.sweep))) == []  # the product itself has no findings


@pytest.mark.parametrize("what", ["drop_before", "500_before", "crash_before"])
def test_a_delayed_write_of_a_state_without_a_check_reopens_a_resolved_incident(what: str) -> None:
    acts = (Act(0, 3, "og", "create"), Act(2, 0, "og", "acknowledge"), Act(2, 99, "pd", "resolve"))
    history = History(acts, (Fault("pd.status", 0, what),))
    assert findings(run(history)) == []
    mutant = MUTANTS["no check before acknowledging"]()
    assert any(line.startswith("FORBIDDEN reopened") for line in findings(run(history, mutant)))


def test_every_driver_and_every_mutant_of_the_tables_exists() -> None:
    assert set(MOST) < set(DRIVERS)
    assert set(CAUGHT) == set(MUTANTS)


IDLE = {
    ("close", Kind.PAGERDUTY_RESOLVE),
    ("delete", Kind.PAGERDUTY_NOTE),
    ("late", Kind.CREATE_INCIDENT),
    ("acknowledge", Kind.ALERT_NOTE),
    ("unacknowledge", Kind.ALERT_NOTE),
}
"""Rows for another policy or for a deleted alert, which occur in no story, or for JSM: see test_sources."""
ROWS = [row for row in mapping.TABLE if (row.verb, row.kind) not in IDLE]


@pytest.mark.parametrize("name", ODD)
def test_the_unmutated_product_has_no_findings_in_the_odd_stories(name: str) -> None:
    assert findings(run(ODD[name])) == []


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.side} {row.verb} {row.kind}" for row in ROWS])
def test_a_missing_row_of_the_mapping_is_detected(row: mapping.Row) -> None:
    rest = tuple(other for other in mapping.TABLE if other is not row)
    story = ODD.get(row.verb, STORY if row.verb == "note" else SPACED)
    assert findings(run(story, Parts(patches=((mapping, "TABLE", rest),))))


@pytest.mark.parametrize("off", GUARDS)
def test_two_echo_guards_suffice_whichever_is_off(off: str) -> None:
    parts = Parts(guards=frozenset(GUARDS) - {off})
    assert findings(run(STORY, parts)) == []


@pytest.mark.parametrize("alone", GUARDS)
def test_one_echo_guard_alone_suffices_for_notes(alone: str) -> None:
    story = replace(STORY, acts=tuple(act for act in STORY.acts if act.verb in ONLY_NOTES))
    assert findings(run(story, Parts(guards=frozenset({alone})))) == []


@pytest.mark.parametrize("alone", ["outbox", "author"])
def test_the_outbox_or_the_author_guard_alone_suffices_for_states(alone: str) -> None:
    assert findings(run(STORY, Parts(guards=frozenset({alone})))) == []


def test_the_outbox_guard_alone_suffices_for_states_without_the_name_in_opsgenie() -> None:
    """The check of an acknowledgement's name in Opsgenie, which no setting switches off, is patched out."""
    bare = ((changes, "_or_echo", lambda _observation, change, _policy: change),)
    assert findings(run(STORY, Parts(guards=frozenset({"outbox"}), patches=bare))) == []


def test_the_mark_alone_does_not_suffice_for_states_and_still_causes_no_loop() -> None:
    """Where lists lag, our own write may pass for an engineer's act: states differ, but no note or loop arises."""
    wrong = findings(run(replace(SPACED, setting="slow"), Parts(guards=frozenset({"mark"}))))
    assert wrong
    assert [line for line in wrong if "acknowledged" not in line or line.startswith(("LOOP", "NOT QUIET"))] == []


def test_the_unmutated_product_has_no_findings() -> None:
    assert not drive([STORY]).found
