"""What PagerDuty's users do on the website."""

import pytest

from reconciler.sandbox.wire import Refused
from tests.support.sandbox import PagerDutyBench


def test_reassigning_manually_triggers_without_an_unacknowledge_entry() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.api.acknowledge(incident, "Jane Doe")
    world.api.reassign(incident, "Jane Doe", "Omar Haddad")
    assert world.incident(incident)["status"] == "triggered"
    assert world.kinds(incident) == ["trigger", "acknowledge", "assign"]


def test_unacknowledging_manually_names_the_person() -> None:
    world = PagerDutyBench()
    incident = world.create()
    world.api.acknowledge(incident, "Jane Doe")
    world.api.unacknowledge(incident, "omar.haddad@example.com")
    newest = world.get("/log_entries").json()["log_entries"][0]
    assert (newest["type"], newest["agent"]["summary"]) == ("unacknowledge_log_entry", "Omar Haddad")


def test_an_impossible_act_of_a_person_is_refused_at_once() -> None:
    world = PagerDutyBench()
    incident = world.create()
    with pytest.raises(Refused, match="not acknowledged"):
        world.api.unacknowledge(incident, "Jane Doe")
    with pytest.raises(Refused, match="no such PagerDuty user"):
        world.api.acknowledge(incident, "Nobody")
    world.api.resolve(incident, "Jane Doe")
    with pytest.raises(Refused, match="resolved"):
        world.api.acknowledge(incident, "Jane Doe")
