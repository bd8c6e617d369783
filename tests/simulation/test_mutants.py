"""Every mutant is caught, by the driver and within the run given here; single echo guards may be off."""

import pytest
from drivers import drive
from mutants import GUARDS, MUTANTS, catch
from oracles import findings
from schedule import SPACED, STORY
from world import Parts, run

from reconciler.core import mapping
from reconciler.core.model import Kind

MOST = 90
CAUGHT = {
    "send, then record": "TWICE",  # at run 14
    "record, then send": "LOST",  # at run 2
    "no echo guard": "LOOP",  # at run 1
    "no staleness bound": "TWICE",  # at run 25
    "one shared baseline": "TWICE",  # at run 1
    "cursors before the plan": "LOST",  # at run 11
    "nothing held back": "ORDER",  # at run 4
    "no look before acknowledging": "FORBIDDEN",  # at run 8
}
"""What each is found to do by the single faults, and when that was measured at which run."""
NEAR = {"send, then record": "db.settled", "cursors before the plan": "db.plan", "nothing held back": "pd.note"}
"""Which faults are tried first where few of them tell: those at the commit or the call that it is about."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    parts = MUTANTS[name]()
    found = catch(parts, CAUGHT[name], MOST, NEAR.get(name, ""))
    assert found is not None, f"{name}: not caught in {MOST} runs"
    assert found.driver == "single faults", found
    assert findings(run(found.history, Parts(sweep=parts.sweep))) == []  # the product itself gets through


IDLE = {("close", Kind.PAGERDUTY_RESOLVE), ("delete", Kind.PAGERDUTY_NOTE)}
"""Rows that another policy asks for, or an alert that somebody deleted: the stories have neither."""
ROWS = [row for row in mapping.TABLE if (row.verb, row.kind) not in IDLE]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.side} {row.verb} {row.kind}" for row in ROWS])
def test_a_row_that_the_mapping_lacks_is_missed(row: mapping.Row) -> None:
    rest = tuple(other for other in mapping.TABLE if other is not row)
    story = STORY if row.verb == "note" else SPACED
    assert findings(run(story, Parts(patches=((mapping, "TABLE", rest),))))


@pytest.mark.parametrize("off", GUARDS)
def test_two_echo_guards_suffice_whichever_is_off(off: str) -> None:
    parts = Parts(guards=frozenset(GUARDS) - {off})
    assert findings(run(STORY, parts)) == []


def test_the_product_itself_is_not_caught() -> None:
    assert not drive([STORY]).found
