from datetime import UTC, datetime, timedelta

from reconciler.core.model import Kind, Side, Status
from reconciler.core.pause import PAGING, Pause, held
from tests.support.builders import action

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_pause_is_over_at_its_end_and_never_without_one() -> None:
    until = NOW + timedelta(hours=2)
    assert not Pause(Side.ALERTS, NOW, "why", until=until).is_over(until - timedelta(seconds=1))
    assert Pause(Side.ALERTS, NOW, "why", until=until).is_over(until)
    assert not Pause(Side.ALERTS, NOW, "why").is_over(NOW + timedelta(days=999))


def test_a_pause_holds_its_side_back_and_what_pages_only_where_it_says_so() -> None:
    for side in Side:
        mine = {kind for kind in Kind if kind.side is side}
        assert {kind for kind in Kind if Pause(side, NOW, "why").holds(kind)} == mine - PAGING
        assert {kind for kind in Kind if Pause(side, NOW, "why", pages=True).holds(kind)} == mine


def test_only_what_is_planned_waits_for_a_pause() -> None:
    pauses = Pause(Side.ALERTS, NOW, "other"), Pause(Side.PAGERDUTY, NOW, "why")
    note = Kind.PAGERDUTY_NOTE
    assert held(action(note), pauses) is pauses[1]
    assert held(action(note), pauses[:1]) is None
    assert held(action(note, Status.SENT), pauses) is None
