"""What is read of a pair: a list's row stands in for its alert only where it can say enough."""

from dataclasses import replace
from typing import Any, cast

import pytest
from worlds import action, alert, at, pair, policy, sighting

from reconciler.core import model
from reconciler.core.model import Kind, Status
from reconciler.looks import Look
from reconciler.sight import Eyes


class Opsgenie:
    """It shows our acknowledgement; its list does not yet."""

    def __init__(self) -> None:
        self.asked = 0

    def alert(self, alert_id: str) -> model.Alert:
        self.asked += 1
        return alert(id=alert_id, acknowledged=True, updated_at=at(30))


def see(row: model.Alert, *mine: model.Action) -> tuple[model.Sighting, int]:
    """What is seen of a pair whose row this is, and how often the alert itself was read for it."""
    opsgenie = Opsgenie()
    eyes = Eyes(cast("Any", opsgenie), cast("Any", None), lambda: False, policy(), at(60))
    seen = eyes.see(sighting(pair=pair(), mine=mine), Look(alert=True, row=row))
    return seen, opsgenie.asked


IN_DOUBT = action(Kind.OPSGENIE_ACKNOWLEDGE, Status.SENT)


def test_a_later_row_stands_in_for_the_alert() -> None:
    seen, asked = see(row := alert(updated_at=at(20)))
    assert (seen.alert, asked) == (row, 0)


def test_a_stale_row_that_is_stamped_later_is_not_believed_while_our_acknowledgement_is_in_doubt() -> None:
    """A note has moved the row's stamp; the list has the note and not yet what we wrote just before it."""
    seen, asked = see(alert(updated_at=at(20)), IN_DOUBT)
    assert asked == 1
    assert seen.alert is not None
    assert seen.alert.acknowledged


def test_a_row_that_shows_what_we_wrote_is_enough() -> None:
    seen, asked = see(row := alert(updated_at=at(20), acknowledged=True), IN_DOUBT)
    assert (seen.alert, asked) == (row, 0)


@pytest.mark.parametrize("seconds", [0, -5])
def test_a_row_that_is_not_later_than_what_we_know_says_nothing(seconds: float) -> None:
    _, asked = see(alert(updated_at=at(seconds)))
    assert asked == 1


def test_a_write_that_is_settled_asks_for_no_more_than_the_row() -> None:
    _, asked = see(alert(updated_at=at(20)), replace(IN_DOUBT, status=Status.DONE))
    assert asked == 0
