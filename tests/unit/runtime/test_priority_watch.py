"""What is wrong with the priorities is said, and its end, too."""

from reconciler.reconcile.priorities import Priorities
from reconciler.runtime.priority_watch import PriorityWatch
from tests.support.clock import SimClock


class Reader:
    """PagerDuty's list of priorities."""

    listed: dict[str, str]

    def priorities(self) -> dict[str, str]:
        return self.listed


def test_a_name_that_is_missing_is_said_until_the_list_has_it() -> None:
    reader, clock, said = Reader(), SimClock(), list[str]()
    reader.listed = {"SEV-1": "P1"}
    watch = PriorityWatch(Priorities(reader, ["SEV-2"], clock, 300.0), said.append)  # type: ignore[arg-type]
    for _ in range(2):
        assert watch.poll()
        reader.listed |= {"SEV-2": "P2"}
    clock.advance(300)
    watch.poll()
    assert [bool(words) for words in said] == [True, True, False]
