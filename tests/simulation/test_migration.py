"""A move from Opsgenie to JSM: nothing is lost, nothing is done twice, and each alert keeps its one incident.

By default a sample of all stories is played. With EVERY_MOVE=1 each act is played in each set-up, and the process
is killed at each step of the move and of the first cycles after it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import product

import pytest

from reconciler.core.product import JSM
from reconciler.errors import ReconcilerError
from reconciler.operations.migrating import Choices
from reconciler.store.database import open_database
from tests.support.simulation.moves import Deed, MovingWorld, Setup, judged, play
from tests.support.simulation.store import ServerDatabase
from tests.support.simulation.world import Parts

EVERYTHING = os.environ.get("EVERY_MOVE") == "1"
BEFORE = (
    Deed("before", "og", "acknowledge", 0),
    Deed("before", "og", "note", 1),
    Deed("before", "pd", "note", 0),
    Deed("before", "pd", "acknowledge", 2),
)
"""What people did while Opsgenie was followed, and what has been mirrored."""
CUSTOMERS = ("acknowledge", "unacknowledge", "note", "close", "create")
ENGINEERS = ("acknowledge", "resolve", "note")
SINGLE = tuple(
    Deed(when, where, verb, alert)
    for when, where in product(("during", "after"), ("og", "jsm", "pd"))
    for verb in (ENGINEERS if where == "pd" else CUSTOMERS)
    for alert in ((0,) if verb == "create" else (0, 1))
)
SETUPS = tuple(
    Setup(ids, note_ids, sync, lag, migrated)
    for ids, note_ids, sync, lag, migrated in product(
        ("same", "new"), ("token_half", "fresh"), ("both", "to_jsm", "none"), (0.0, 30.0), ("all", "open_only")
    )
    if not (lag and sync == "none")
)
SAMPLE = 479
"""One in so many stories with a single act is played by default."""
MANY = (
    *BEFORE,
    Deed("during", "og", "note", 0),
    Deed("during", "jsm", "note", 1),
    Deed("during", "jsm", "acknowledge", 1),
    Deed("during", "pd", "note", 2),
    Deed("during", "og", "create"),
    Deed("after", "jsm", "unacknowledge", 2),
    Deed("after", "pd", "note", 1),
    Deed("after", "jsm", "create"),
)
"""A story in which much happens around the move."""
KILLED = (Setup("new", "fresh"), Setup("same", "token_half", "to_jsm"))
STRIDE = 199
"""One in so many steps is a kill by default."""


def stories() -> Iterator[tuple[Setup, Deed]]:
    yield from product(SETUPS, SINGLE)


def test_whatever_ids_notes_and_repetitions_are_an_act_around_the_move_counts_once(
    tell: Callable[[str], None],
) -> None:
    every = list(stories())
    chosen = every if EVERYTHING else every[::SAMPLE]
    found = {f"{setup} {deed}": wrong for setup, deed in chosen if (wrong := play(setup, (*BEFORE, deed))[0])}
    assert not found, found
    tell(f"moves with an act: {len(chosen)} of {len(every)} (EVERY_MOVE=1: all), lost 0, twice 0")


@pytest.mark.parametrize("sync", ["both", "to_jsm", "none"])
def test_what_people_note_in_jsm_while_opsgenie_is_followed_arrives_once(sync: str) -> None:
    world = MovingWorld(Setup("new", "fresh", sync), (*BEFORE, Deed("between", "jsm", "note", 1)))
    outcome = world.play()
    assert judged(world, outcome) == []
    noted = [note["content"] for each in outcome.state["pagerduty"]["incidents"] for note in each["notes"]]
    assert sum(words.endswith("from JSM") for words in noted) == 1, noted


def test_a_kill_at_any_step_of_a_move_loses_nothing_and_does_nothing_twice(tell: Callable[[str], None]) -> None:
    kills = found = 0
    for setup in KILLED:
        wrong, steps = play(setup, MANY)
        assert wrong == []
        for step, how in product(
            range(1, steps + 1, 1 if EVERYTHING else STRIDE), ("crash_before", "crash_after")
        ):
            wrong, _ = play(setup, MANY, (step, how))
            assert wrong == [], (setup, step, how)
            kills += 1
        found += 2 * steps
    tell(f"moves with a kill: {kills} of {found} (EVERY_MOVE=1: all), lost 0, twice 0")


def test_alerts_that_were_not_moved_at_all_are_not_taken_for_deleted() -> None:
    world = MovingWorld(Setup(migrated="none"), BEFORE)
    outcome = world.play()
    assert any(line.startswith("NOT MOVED JSM shows 0 of 3 open alerts") for line in world.broken)
    assert not any("deleted" in line for line in judged(world, outcome))


def test_a_lost_database_finds_moved_incidents_by_the_marked_notes() -> None:
    world = MovingWorld(Setup("new", "fresh"), BEFORE, loses=True)
    wrong = judged(world, world.play())
    assert [len(world.sandbox.pagerduty.incidents.by_key(alert)) for alert in world.alerts] == [1, 1, 1]
    assert not [line for line in wrong if line.startswith(("LOST", "BROKEN")) or "incident" in line], wrong
    assert world.created() == 3


def test_a_move_back_makes_everything_as_it_was() -> None:
    world = MovingWorld(Setup("new", "token_half"), BEFORE)
    with world.deterministic():
        world.until_moved()
        before = world.content()
        world.move(Choices(is_drained=True))
        assert world.content() != before
        world.move(Choices(is_drained=True), back=True)
        assert world.content() == before


def test_a_move_has_the_same_result_on_postgresql(postgres_url: str) -> None:
    with closing(open_database(postgres_url)) as kept:
        there = Parts(database=partial(ServerDatabase, engine=kept.engine))
        world = MovingWorld(Setup("new", "fresh"), MANY, parts=there)
        outcome, here = world.play(), MovingWorld(world.setup, MANY).play()
        assert judged(world, outcome) == []
        assert (outcome.writes, outcome.ledger) == (here.writes, here.ledger)


def test_a_product_that_cannot_be_read_moves_nothing() -> None:
    world = MovingWorld(Setup("new"), BEFORE)
    with world.deterministic():
        world.until_moved()
        before = world.content()
        world.sandbox.settings = world.sandbox.settings.changed({"jsm_alerts_404": True})
        with pytest.raises(ReconcilerError):
            world.move(Choices(is_drained=True))
        assert world.content() == before
        assert world.source != JSM.key
