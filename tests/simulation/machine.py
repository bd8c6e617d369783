"""Hypothesis' machine as a driver of many histories, from a seed; for `make soak` and for the mutants."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import test_stateful
from drivers import Tally
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from oracles import findings
from world import Parts, World


class _Enough(Exception):
    """What was looked for has been found."""


def drive_machine(number: int, most: int, parts: Parts | None = None, *, stop_at: str = "nothing") -> Tally:
    """So many lives that Hypothesis thinks of from this seed, or until something of this kind is found.

    It is not asked to shrink what it finds: `chance.smallest` does.
    """
    tally = Tally()

    class Watched(test_stateful.Life):
        """A life whose end is counted, not asserted."""

        def teardown(self) -> None:
            with self.phases:
                if self.world is None:
                    return
                outcome = self.world.rest()
            wrong = findings(outcome)
            tally.add(outcome, wrong)
            if any(line.startswith(stop_at) for line in wrong):
                raise _Enough

    long = settings(
        max_examples=most,
        stateful_step_count=40,
        derandomize=False,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with _worlds_of(parts), suppress(_Enough):
        run_state_machine_as_test(seed(number)(Watched), settings=long)
    return tally


@contextmanager
def _worlds_of(parts: Parts | None) -> Iterator[None]:
    """The machine's worlds have these parts."""
    before = test_stateful.World
    test_stateful.World = partial(World, parts=parts)  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        test_stateful.World = before  # type: ignore[misc]
