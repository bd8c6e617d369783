"""A key that sees fewer alerts than before: none counts as deleted, and what people do is made up for."""

from itertools import count

from tests.support.harness import World

SETTINGS = {"SWEEP_INTERVAL_SECONDS": "3", "STALENESS_SECONDS": "0.5", "REMIND_SECONDS": "1"}
SEES_NONE, SEES_FEWER = (
    "OPSGENIE_API_KEY sees none of the 4 alerts",
    "OPSGENIE_API_KEY sees fewer alerts than before",
)
OFTEN = SETTINGS | {"SWEEP_INTERVAL_SECONDS": "0.5"}
_NUMBERS = count(1)


def _raised(world: World, number: int, tag: str) -> list[str]:
    return [world.raise_alert(f"alert {next(_NUMBERS)}", tags=[tag]) for _ in range(number)]


def _until_paged(world: World, alerts: list[str]) -> None:
    world.until(lambda: all(map(world.is_paged, alerts)), "the pages")


def _deleted(world: World, alerts: list[str]) -> list[str]:
    """Of these alerts, those whose incidents say that they were deleted."""
    return [alert for alert in alerts if "deleted" in " ".join(world.incident_notes(alert))]


def _until_all_is_made_up_for(world: World, alerts: list[str]) -> None:
    """What people do on either side arrives on the other, and nothing was lost or done twice."""
    world.customer(alerts[0], "acknowledge")
    world.engineer(alerts[1], "acknowledge")
    world.until(lambda: world.incident(alerts[0])["status"] == "acknowledged", "the customer's acknowledgement")
    world.until(lambda: bool(world.alert(alerts[1])["acknowledged"]), "the engineer's acknowledgement")
    world.until(world.is_settled, "nothing is left")
    assert _deleted(world, alerts) == []
    assert world.standing()["dead"] == 0
    world.assert_good()


def test_half_of_the_alerts_vanish_and_are_seen_again_after_a_restart(world: World) -> None:
    world.open_ready(**SETTINGS)
    mine, others = _raised(world, 6, "ops"), _raised(world, 6, "net")
    _until_paged(world, [*mine, *others])
    world.settings(team_tags=["net"])
    world.until(lambda: SEES_FEWER in world.log(), "the trouble")
    world.engineer(mine[0], "notes", text="on my way")
    world.until(lambda: world.told("still OPSGENIE_API_KEY sees fewer alerts") > 0, "a reminder")
    answer = world.get("/readyz")
    assert (answer.status_code, "OPSGENIE_API_KEY" in answer.text) == (503, True)
    assert world.metric("reconciler_troubles", subject="opsgenie") == 1
    assert SEES_FEWER in world.run("status").stdout
    world.kill()
    seq = world.seq()
    world.start(**SETTINGS)  # now the alerts are missed one by one
    world.engineer(others[0], "notes", text="this one is seen")
    world.until(lambda: world.is_noted(others[0], "this one is seen"), "a note on an alert that is seen")
    world.pass_cycles(25)
    assert not any(call["path"].startswith(f"/v2/alerts/{mine[0]}/notes") for call in world.writes(seq))
    world.settings(team_tags=[])
    world.until(lambda: world.is_noted(mine[0], "on my way"), "the note that had waited")
    _until_all_is_made_up_for(world, [*mine, *others])


def test_the_key_of_another_team_is_taken_for_what_it_is(world: World) -> None:
    world.settings(team_tags=["ops"])
    mine, theirs = _raised(world, 4, "ops"), _raised(world, 6, "net")
    world.start(**SETTINGS)
    _until_paged(world, mine)
    world.stop()
    world.settings(team_tags=["net"])
    world.start(**SETTINGS)  # it sees as many others as before, of which none is ours
    world.until(lambda: SEES_NONE in world.log(), "the trouble")
    _until_paged(world, theirs)
    world.kill()
    world.start(**SETTINGS)  # theirs are known by now
    world.until(lambda: "OPSGENIE_API_KEY sees" in world.log(), "the trouble again")
    world.pass_cycles(25)
    assert _deleted(world, mine) == []
    world.settings(team_tags=[])
    _until_all_is_made_up_for(world, [*mine, *theirs])


def test_runs_by_cron_with_a_key_that_sees_nothing_conclude_nothing(world: World) -> None:
    mine = _raised(world, 4, "ops")
    world.once(**OFTEN)
    world.settings(blind=True)
    world.rest()
    for _ in range(3):
        done = world.run("once", **OFTEN)
        assert (done.returncode, SEES_NONE in done.stderr) == (2, True), done.stdout + done.stderr
        world.rest()
    assert world.run("once", "--dry-run", **OFTEN).returncode == 2
    assert _deleted(world, mine) == []
    world.settings(blind=False)
    world.customer(mine[0], "acknowledge")
    world.once(**OFTEN)
    assert world.incident(mine[0])["status"] == "acknowledged"
    world.assert_good()
