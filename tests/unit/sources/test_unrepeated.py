"""A row that is met again while its pair waits is dropped; anything new about it is not."""

from typing import Any

from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.sources.unrepeated import AGAIN, UnrepeatedIntake
from tests.support.clock import SimClock

READ = ReadRequest(alert=True)


class Scene:
    """An intake that records what reaches it, and a queue."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.queue = WorkQueue(self.clock)
        self.taken: list[str] = []
        self.moved: list[dict[str, Any]] = []
        self.intake = UnrepeatedIntake(self, self.queue, self.clock)

    def accept(self, items: Any, **moved: Any) -> None:
        self.taken += [item.alert_id for item in items]
        self.moved.append(moved)
        self.queue.add(items)

    def meet(self, request: ReadRequest = READ, alert_id: str = "a-1", **more: Any) -> list[str]:
        """The feed meets a row; what is taken in of it."""
        self.taken.clear()
        self.intake.accept([WorkItem(alert_id, self.clock.now(), request, **more)], alerts=self.clock.now())
        return [*self.taken]


def test_a_row_met_again_while_its_pair_waits_is_dropped_and_the_cursor_still_moves() -> None:
    scene = Scene()
    assert [scene.meet() for _ in range(3)] == [["a-1"], [], []]
    assert len(scene.moved) == 3


def test_another_request_for_a_waiting_pair_is_taken_in() -> None:
    scene = Scene()
    scene.meet()
    assert scene.meet(ReadRequest(incident=True)) == ["a-1"]
    assert scene.meet(alert_id="a-2") == ["a-2"]


def test_a_row_is_taken_in_again_once_its_pair_was_reconciled() -> None:
    scene = Scene()
    scene.meet()
    item = scene.queue.lease()
    assert item is not None
    scene.queue.done(item.alert_id)
    assert scene.meet() == ["a-1"]


def test_a_pair_that_waits_for_long_is_asked_for_again() -> None:
    scene = Scene()
    scene.meet()
    scene.clock.advance(AGAIN - 0.1)
    assert scene.meet() == []
    scene.clock.advance(0.1)
    assert scene.meet() == ["a-1"]


def test_several_rows_of_one_pair_are_one_item_with_all_they_ask_for() -> None:
    scene = Scene()
    page = WorkItem("a-1", scene.clock.now(), ReadRequest(incident=True), Priority.PAGE, frozenset({Reason.FEED}))
    scene.intake.accept([WorkItem("a-1", scene.clock.now(), READ), page])
    item = scene.queue.lease()
    assert scene.taken == ["a-1"]
    assert item is not None
    assert (item.priority, item.request) == (Priority.PAGE, ReadRequest(alert=True, incident=True))
