"""Acts of Opsgenie's users that are not possible."""

import pytest

from reconciler.sandbox.wire import Refused
from tests.support.sandbox import OpsgenieBench


def test_people_are_refused_at_once() -> None:
    world = OpsgenieBench()
    alert = world.alert()
    with pytest.raises(Refused, match="acknowledged"):
        world.api.unacknowledge(alert, "Ana Ruiz")
    with pytest.raises(Refused, match="no such alert"):
        world.api.close("nothing", "Ana Ruiz")
