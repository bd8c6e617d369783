"""Merged incidents, and two incidents with one alert's key: the one that people work on is followed."""

from tests.support.harness import World


def _paged(world: World, title: str = "db-primary is down") -> str:
    alert = world.raise_alert(title, priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.until(world.is_settled, "all settled")
    return alert


def test_a_merged_incident_is_followed_to_its_target(world: World) -> None:
    world.start()
    alert = _paged(world)
    source = world.incident(alert)
    target = world.control("pagerduty/incidents", title="the whole site is down", user="Jane Doe")
    world.control(f"pagerduty/incidents/{source['id']}/merge", user="Jane Doe", into=target["id"])
    named = f"#{target['incident_number']}"
    world.until(lambda: any(named in note for note in world.alert_notes(alert)), "the target by its number")
    assert any("the whole site is down" in note for note in world.alert_notes(alert))

    def of_target() -> dict[str, object]:
        found = [i for i in world.state()["pagerduty"]["incidents"] if i["id"] == target["id"]]
        return dict(found[0])

    world.customer(alert, "notes", text="is it the network?")
    world.until(lambda: "is it the network?" in str(of_target()["notes"]), "the customer's note on the target")
    world.control(f"pagerduty/incidents/{target['id']}/notes", user="Jane Doe", text="yes, the core switch")
    world.until(lambda: any("core switch" in n for n in world.alert_notes(alert)), "the target's note")
    world.control(f"pagerduty/incidents/{target['id']}/acknowledge", user="Jane Doe")
    world.until(lambda: world.alert(alert)["acknowledged"] is True, "the target's acknowledgement")
    world.control(f"pagerduty/incidents/{target['id']}/resolve", user="Jane Doe")
    world.until(lambda: any("resolved the incident" in n for n in world.alert_notes(alert)[2:]), "the resolution")


def test_of_two_open_incidents_with_one_key_the_second_is_named_on_both_sides(world: World) -> None:
    world.start(SWEEP_INTERVAL_SECONDS="1")
    alert = _paged(world)
    first = world.incident(alert)
    second = world.control("pagerduty/incidents", title="by hand", user="Jane Doe", key=alert)
    named = f"#{second['incident_number']}"
    world.until(lambda: any(named in note for note in world.alert_notes(alert)), "the second, on the alert")

    def notes_of_first() -> str:
        return str(next(i for i in world.state()["pagerduty"]["incidents"] if i["id"] == first["id"])["notes"])

    world.until(lambda: named in notes_of_first(), "the second, on the first")
    world.until(lambda: any(named in str(e) and e["level"] == "error" for e in world.events()), "an error line")
    told = len(world.alert_notes(alert))
    world.pass_cycles(25)
    assert len(world.alert_notes(alert)) == told


def test_a_second_open_incident_is_followed_once_the_first_is_resolved(world: World) -> None:
    world.start(SWEEP_INTERVAL_SECONDS="1")
    alert = _paged(world)
    first = world.incident(alert)
    world.control(f"pagerduty/incidents/{first['id']}/resolve", user="Jane Doe")
    world.until(lambda: any("resolved the incident" in n for n in world.alert_notes(alert)), "the resolution")
    second = world.control("pagerduty/incidents", title="late twin", user="Jane Doe", key=alert)
    world.until(
        lambda: any(f"#{second['incident_number']}" in n for n in world.alert_notes(alert)), "the second is named"
    )
    world.control(f"pagerduty/incidents/{second['id']}/acknowledge", user="Omar Haddad")
    world.until(lambda: world.alert(alert)["acknowledged"] is True, "the second's acknowledgement")
    world.control(f"pagerduty/incidents/{second['id']}/notes", user="Omar Haddad", text="who is this?")
    world.until(lambda: any("who is this?" in n for n in world.alert_notes(alert)), "the second's note")
