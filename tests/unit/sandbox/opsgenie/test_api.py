"""Acts of Opsgenie's users that are not possible."""

import pytest

from reconciler.sandbox.wire import Refused
from tests.support.sandbox import OpsgenieBench


def test_an_impossible_act_of_a_person_is_refused_at_once() -> None:
    world = OpsgenieBench()
    alert = world.alert()
    with pytest.raises(Refused, match="acknowledged"):
        world.api.unacknowledge(alert, "Ana Ruiz")
    with pytest.raises(Refused, match="no such alert"):
        world.api.close("nothing", "Ana Ruiz")
