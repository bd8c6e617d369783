"""kill -9 at random moments with an immediate restart, while people act and connections break.

`RECONCILER_KILLS` is the number of kills on each database, `RECONCILER_SEED` the random seed.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from reconciler.sandbox.wire import Json
from tests.support.crowd import People
from tests.support.harness import World

KILLS = int(os.environ.get("RECONCILER_KILLS", "20"))
SEED = os.environ.get("RECONCILER_SEED", "1")
LATENCY = 0.03
LONGEST = 4.0
"""Seconds after which a daemon that writes nothing is killed anyway."""
LATE = (0.1, 0.8)
"""Seconds by which an effect may be late; well below STALENESS_SECONDS, which is 2 here."""
DOINGS = ("drop_after", "drop_after", "late", "late", "500_after", "truncate_after", "refuse_before")


@pytest.mark.parametrize("world", [{"latency": LATENCY, "pagerduty_per_minute": 100_000}], indirect=True)
def test_nothing_is_lost_and_nothing_is_done_twice(both: World, tell: Callable[[str], None]) -> None:
    dice = random.Random(f"{both.kind} {SEED}")  # noqa: S311 - dice
    people = People(both, random.Random(f"people {SEED}"))  # noqa: S311 - dice
    both.begin()
    both.kill()
    people.start()
    in_doubt, faults, began = 0, 0, time.monotonic()
    for _ in range(KILLS):
        both.start()
        faults += _let_things_go_wrong(both, dice)
        _wait_for_a_bad_moment(both, dice)
        both.kill()
        in_doubt += bool(both.standing().get("sent"))
    people.stop()
    faults -= both.no_faults()
    took = time.monotonic() - began

    both.start()
    late = _settled(both)
    if late:  # the sweep mirrors what the feeds missed
        both.kill()
        both.start(SWEEP_INTERVAL_SECONDS=str(max(5, len(people.lives) / 6)))
        time.sleep(2 * max(5, len(people.lives) / 6))
    audit = _settled(both) if late else late
    calls = both.calls()
    standing = both.standing()
    fired = Counter(call["fault"] for call in calls if call["fault"])
    tell(
        f"{both.kind}: {KILLS} kills in {took:.0f} s (seed {SEED}), {in_doubt} of them with unsettled writes; "
        f"{people.acts} acts on {len(people.lives)} alerts, {sum(c['write'] for c in calls)} writes, "
        f"faults {dict(fired)}; actions {standing}; "
        f"lost {len(audit.get('lost', []))}, twice {len(audit.get('twice', []))}, by sweep only {late or 0}"
    )
    assert audit == {}, (late, both.log())
    assert both.stop() == 0
    assert not standing.get("dead")
    assert not any("defect" in event["event"] for number in range(KILLS) for event in both.events(number))


def _let_things_go_wrong(world: World, dice: random.Random) -> int:
    count = dice.randint(0, 3)
    for _ in range(count):
        method, seconds = dice.choice(("POST", "PUT", "POST")), round(dice.uniform(*LATE), 3)
        do, nth = dice.choice(DOINGS), dice.randint(1, 6)
        world.faults({"do": do, "method": method, "nth": nth, "seconds": seconds})
    return count


def _wait_for_a_bad_moment(world: World, dice: random.Random) -> None:
    """Mostly shortly after the n-th write of this process; sometimes at any time, even during its start."""
    if dice.random() < 0.2:
        time.sleep(dice.uniform(0, 1.5))
        return
    since, wanted, last = world.seq(), dice.randint(1, 6), time.monotonic() + LONGEST
    while len(world.writes(since)) < wanted and time.monotonic() < last:
        time.sleep(0.003)
    time.sleep(dice.uniform(0, 2 * LATENCY))


def _settled(world: World) -> Json:
    """The audit once no action is open and 15 cycles have passed without a write."""
    last = time.monotonic() + 120
    while time.monotonic() < last:
        written = [call for call in world.pass_cycles(15) if call["write"]]
        if not written and world.is_settled():
            break
    return world.audit()
