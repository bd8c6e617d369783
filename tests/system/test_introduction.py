"""The first lines of a daemon's log: what it works with, and what will happen."""

from tests.support.harness import Json, World


def line(world: World, event: str) -> Json:
    """The only line with this event."""
    (found,) = [each for each in world.events() if each["event"] == event]
    return found


def test_a_daemon_says_what_it_works_with(world: World) -> None:
    world.start(OPSGENIE_QUERY="tag: prod", HTTP_LISTEN="127.0.0.1:0")
    world.until(lambda: all(map(world.told, ("at work", "Opsgenie in use", "PagerDuty in use"))), "the lines")
    assert line(world, "started")["version"]
    database = line(world, "database in use")
    assert (database["kind"], database["first_start"]) == ("sqlite", "still to come")
    assert line(world, "Opsgenie in use")["query"] == "tag: prod"
    pagerduty = line(world, "PagerDuty in use")
    assert pagerduty["service"] == 'PSVC001 "Sandbox Service"'
    assert (pagerduty["state"], pagerduty["on_call"]) == ("active", "Jane Doe, Omar Haddad")
    assert pagerduty["user"] == "Reconciler Bot (PBOT001)"
    assert line(world, "at work")["listens_on"] == "127.0.0.1:0"


def test_a_vendor_that_fails_has_a_line_and_stops_nothing(world: World) -> None:
    world.once()
    world.faults({"do": "500", "vendor": "pagerduty", "method": "GET", "times": 0})
    world.start()
    world.until(lambda: world.told("PagerDuty not in use yet") == 1, "the line")
    world.until(lambda: world.told("Opsgenie in use") == 1, "the other vendor")
    world.no_faults()
    world.until(lambda: world.told("PagerDuty in use") == 1, "it works")
    assert world.told("PagerDuty not in use yet") == 1
