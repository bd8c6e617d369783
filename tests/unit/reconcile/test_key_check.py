"""Whether a refusal is the whole key's: asked seldom, and never concluded from silence."""

from typing import Any

import pytest

from reconciler.core.model import Side
from reconciler.errors import Forbidden, Misconfigured, Permanent, ReconcilerError, Refused, Unknown
from reconciler.reconcile.key_check import CHECK_SERVES, KeyCheck
from reconciler.reconcile.vendor_calls import Vendors
from tests.support.clock import SimClock


class Vendor:
    """One whose answer about the key is set."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: ReconcilerError | None = None

    def confirm_key(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


class Scene:
    """A check of both keys."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.opsgenie, self.pagerduty = Vendor(), Vendor()
        opsgenie: Any = self.opsgenie
        pagerduty: Any = self.pagerduty
        self.check = KeyCheck(Vendors(opsgenie, pagerduty, opsgenie, pagerduty), self.clock)


def test_a_refused_key_is_told_in_the_words_of_the_refusal() -> None:
    scene = Scene()
    scene.pagerduty.error = Refused("PAGERDUTY_API_KEY: 401")
    assert scene.check.refused(Side.PAGERDUTY) is scene.pagerduty.error
    assert scene.check.refused(Side.ALERTS) is None


@pytest.mark.parametrize("error", [Misconfigured("404 page not found; see the address"), Permanent("400", 400)])
def test_where_even_the_cheapest_read_is_refused_key_and_address_are_named(error: ReconcilerError) -> None:
    scene = Scene()
    scene.opsgenie.error = error
    words = str(scene.check.refused(Side.ALERTS))
    assert words.startswith("OPSGENIE_API_KEY: every request is refused, even one for nothing in particular: 40")
    assert "OPSGENIE_API_URL" in words
    assert "see the address" not in words


@pytest.mark.parametrize("error", [Unknown("500"), Forbidden("403")])
def test_without_a_clear_answer_the_key_is_not_to_blame(error: ReconcilerError) -> None:
    scene = Scene()
    scene.opsgenie.error = error
    assert scene.check.refused(Side.ALERTS) is None


def test_one_answer_serves_all_refusals_of_a_while_and_only_that_vendors() -> None:
    scene = Scene()
    scene.check.refused(Side.ALERTS)
    scene.opsgenie.error = Refused("401")
    scene.clock.advance(CHECK_SERVES - 0.1)
    assert scene.check.refused(Side.ALERTS) is None
    assert (scene.opsgenie.asked, scene.pagerduty.asked) == (1, 0)
    scene.clock.advance(0.1)
    assert scene.check.refused(Side.ALERTS) is scene.opsgenie.error
    assert scene.opsgenie.asked == 2
