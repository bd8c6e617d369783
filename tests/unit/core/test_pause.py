from datetime import UTC, datetime, timedelta

from reconciler.core.model import Side
from reconciler.core.pause import Pause

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_pause_is_over_at_its_end_and_never_without_one() -> None:
    until = NOW + timedelta(hours=2)
    assert not Pause(Side.OPSGENIE, NOW, "why", until=until).is_over(until - timedelta(seconds=1))
    assert Pause(Side.OPSGENIE, NOW, "why", until=until).is_over(until)
    assert not Pause(Side.OPSGENIE, NOW, "why").is_over(NOW + timedelta(days=999))
