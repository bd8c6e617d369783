"""Actions of the database by status, error and kind."""

from reconciler.core.model import Kind, Status
from reconciler.observability.counts import DatabaseCounts

COUNTS = DatabaseCounts(
    pairs=4,
    actions={
        (Status.SENT, False, Kind.ALERT_NOTE): 1,
        (Status.SENT, True, Kind.ALERT_NOTE): 2,
        (Status.SENT, True, Kind.PAGERDUTY_NOTE): 4,
        (Status.DEAD, True, Kind.PAGERDUTY_NOTE): 8,
        (Status.DEAD, False, Kind.PAGERDUTY_NOTE): 16,
    },
    oldest=None,
)


def test_a_number_is_of_one_status_with_an_error_or_without() -> None:
    assert COUNTS.number(Status.SENT, failed=True) == 6
    assert COUNTS.number(Status.SENT, failed=False) == 1
    assert COUNTS.number(Status.PLANNED, failed=False) == 0


def test_dead_actions_are_counted_for_every_kind_even_without_any() -> None:
    assert COUNTS.dead() == dict.fromkeys(Kind, 0) | {Kind.PAGERDUTY_NOTE: 24}
