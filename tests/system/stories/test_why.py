"""Questions that operators ask at night: the command that answers each, and the answer in what it prints."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.harness import NO_KEYS, World
from tests.support.harness.vendors import is_call

Keys = dict[str, str]
TOO_MANY = json_response(400, {"error": {"message": "Product Limit Reached", "code": 2019, "errors": []}})


def explained(world: World, given: str, status: int = 0, keys: Keys = NO_KEYS) -> str:
    """What `explain` prints, without any key unless one is given."""
    done = world.run("explain", given, **keys)
    assert (done.returncode, done.stderr) == (status, ""), done.stdout + done.stderr
    return done.stdout


def as_data(world: World, given: str, status: int = 0, keys: Keys = NO_KEYS) -> dict[str, Any]:
    done = world.run("explain", given, "--json", **keys)
    assert (done.returncode, done.stderr) == (status, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def own(world: World) -> dict[str, str]:
    """The keys as the daemon has them."""
    return {name: world.environment[name] for name in NO_KEYS}


def paged(world: World, message: str = "db-primary is down", **more: Any) -> str:
    alert = world.raise_alert(message, **{"priority": "P1"} | more)
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.until(world.is_settled, "all settled")
    return alert


# -- why was nobody paged? --


def test_why_was_nobody_paged_for_17_it_is_older_than_the_lookback(world: World) -> None:
    old = world.raise_alert("disk full")
    world.begin(INITIAL_LOOKBACK_SECONDS="0")
    world.until(lambda: bool(world.ask("SELECT 1 FROM pairs")), "the baseline")
    for given in ("1", "#1", old):
        told = explained(world, given)
        assert '#1 "disk full"' in told
        assert "Nobody is paged, on purpose: this alert is a baseline: raised at " in told
        assert "INITIAL_LOOKBACK_SECONDS" in told
        assert "PagerDuty  no incident" in told
    (one,) = as_data(world, "1")["stories"]
    assert (one["tracked"], one["incident"]) == (False, None)
    assert [step["event"] for step in one["story"]] == ["baseline"]


def test_why_was_nobody_paged_the_query_keeps_it_out_and_by_which_term(world: World) -> None:
    query = '(tag:prod OR tag:live) AND priority:P1 AND message:"db*"'
    world.begin(OPSGENIE_QUERY=query)
    alert = world.raise_alert("db-primary is down", priority="P3", tags=["prod"])
    world.pass_cycles(3)
    told = explained(world, "1", keys=own(world))
    assert '#1 "db-primary is down"' in told
    assert "outside the query" in told
    assert "OPSGENIE_QUERY keeps it out: it does not match `priority:P1`." in told
    (verdict,) = as_data(world, alert, keys=own(world))["untracked"]
    assert (verdict["verdict"], verdict["terms"]) == ("outside the query", ["priority:P1"])
    without = explained(world, "1", status=1)
    assert "set OPSGENIE_API_KEY" in without
    assert "The last whole poll of Opsgenie ended at" in without


def test_why_was_nobody_paged_pagerduty_refused_it(world: World) -> None:
    world.begin()
    refused = json_response(400, {"error": {"message": "Incident Frozen", "code": 2001}}, {"X-Request-Id": "01PD"})
    world.answers(is_call("pagerduty", "POST", starts="/incidents"), refused)
    world.raise_alert("db-primary is down", priority="P1")
    world.until(lambda: "Incident Frozen" in str(world.ask("SELECT error FROM actions")), "the refusal")
    world.pass_cycles(10)
    told = explained(world, "1")
    assert "Nobody is paged yet: there is no incident: PagerDuty: POST /incidents" in told
    assert "Incident Frozen" in told
    assert "request 01PD" in told
    assert "back-off after" in told
    refusals = [step for step in as_data(world, "1")["stories"][0]["story"] if step["event"] == "refused"]
    assert len(refusals) <= 2, "one in the full form, one in the plain one, however often it is tried"


@pytest.mark.parametrize("world", [{"bot_on_call": True}], indirect=True)
def test_why_was_nobody_paged_the_automation_user_is_on_call(world: World) -> None:
    world.begin()
    alert = paged(world)
    world.until(lambda: world.incident(alert)["status"] == "triggered", "it is made to page")
    world.until(world.is_settled, "all settled")
    told = explained(world, "1")
    assert "unpaged   nobody is paged: incident #1 was created acknowledged by the automation user" in told
    assert "pagerduty.unacknowledge: nobody is paged: incident #1 was created acknowledged" in told
    assert "  paged     " in told
    events = [step["event"] for step in as_data(world, "1")["stories"][0]["story"]]
    assert events.index("unpaged") < events.index("paged")


def test_why_is_an_alert_not_paged_yet_the_reconciler_is_away(world: World) -> None:
    world.begin()
    world.stop()
    world.raise_alert("db-primary is down")
    told = explained(world, "1", keys=own(world))
    assert "not seen yet" in told
    assert "and not read since" in told
    assert "The last whole poll of Opsgenie ended at" in told


def test_an_id_that_nobody_knows_is_unknown_everywhere(world: World) -> None:
    world.begin()
    assert "Unknown to Opsgenie and PagerDuty" in explained(world, "nope", status=1, keys=own(world))
    assert as_data(world, "99", status=1, keys=own(world))["known"] is False


def test_an_incident_of_another_service_is_told_as_such(world: World) -> None:
    world.begin()
    foreign = world.control("pagerduty/incidents", title="not ours", user="Jane Doe")
    told = explained(world, foreign["id"], keys=own(world))
    assert "no alert's key" in told
    told = explained(world, foreign["id"], keys=own(world) | {"PAGERDUTY_SERVICE_ID": "POTHER1"})
    assert "it belongs to service" in told.lower()
    assert "POTHER1" in told


# -- why did it page again? --


def test_why_did_it_page_again_somebody_unacknowledged_the_alert(world: World) -> None:
    world.begin()
    alert = paged(world)
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged", "the acknowledgement")
    world.until(world.is_settled, "all settled")
    world.customer(alert, "unacknowledge")
    world.until(lambda: world.incident(alert)["status"] == "triggered", "triggered again")
    world.until(world.is_settled, "all settled")
    told = explained(world, world.incident(alert)["id"])
    assert "seen      Ana Ruiz: unacknowledged at" in told
    assert (
        "pagerduty.unacknowledge: Ana Ruiz unacknowledged the alert in Opsgenie, "
        "and only the automation user holds the incident" in told
    )
    assert f"/incidents/{world.incident(alert)['id']}" in told


def test_why_did_it_page_again_there_is_a_second_incident_with_the_same_key(world: World) -> None:
    world.begin(SWEEP_INTERVAL_SECONDS="1")
    alert = paged(world)
    second = world.control("pagerduty/incidents", title="by hand", user="Jane Doe", key=alert)
    named = (
        f"the alert has a second incident, #{second['incident_number']} ({second['id']}), which is not followed"
    )
    world.until(lambda: str(second["id"]) in str(world.alert_notes(alert)), "it is named")
    for given in ("1", second["id"], f"#{second['incident_number']}"):
        assert named in explained(world, given), given


# -- why is a note missing? --


def test_why_is_a_note_missing_it_is_dead(world: World) -> None:
    world.begin()
    alert = paged(world)
    end = world.answers(
        lambda vendor, request: vendor == "pagerduty" and request.path.endswith("/notes"),
        TOO_MANY,
    )
    world.customer(alert, "notes", text="is anybody there?")
    world.until(lambda: ("pagerduty.add_note", "dead") in world.ledger(), "it is dead")
    told = explained(world, "1")
    assert "is anybody there?" in told
    assert "Dead:" in told
    assert "Product Limit Reached" in told
    assert "reconciler retry 1" in told
    end()
    assert world.run("retry", "1", **NO_KEYS).returncode == 0
    world.until(world.is_settled, "all settled")
    after = as_data(world, "1")["stories"][0]
    (retried,) = [step for step in after["story"] if step["event"] == "retried"]
    assert "@" in retried["who"]
    assert after["dead"] == []
    assert f"by {retried['who']}" in explained(world, "1")


def test_why_is_a_note_missing_the_automation_user_wrote_it(world: World) -> None:
    world.begin(SWEEP_INTERVAL_SECONDS="1")  # its acts in the log are passed over: only the sweep reads them
    alert = paged(world)
    world.engineer(alert, "notes", text="from a script", user="Reconciler Bot")
    world.until(lambda: "never passed on" in explained(world, "1"), "the echo")
    note = world.incident(alert)["notes"][-1]["id"]
    assert f"note {note}: done by the automation user, whose acts are never passed on" in explained(world, "1")


def test_why_is_a_note_missing_it_is_on_a_baseline(world: World) -> None:
    alert = world.raise_alert("disk full")
    world.begin(INITIAL_LOOKBACK_SECONDS="0")
    world.customer(alert, "notes", text="any news?")
    world.pass_cycles(3)
    assert "this alert is a baseline" in explained(world, "1")


def test_why_is_a_note_missing_it_was_written_before_the_incident_was_followed(world: World) -> None:
    alert = world.raise_alert("db-primary is down")
    world.control("pagerduty/incidents", title="db-primary is down", user="Jane Doe", key=alert)
    world.begin(INITIAL_LOOKBACK_SECONDS="0")
    world.until(lambda: bool(world.ask("SELECT 1 FROM pairs WHERE incident_id IS NOT NULL")), "it is followed")
    told = explained(world, "1")
    assert "followed  incident #1 " in told
    assert "existed already: " in told
    assert "are history" in told


def test_the_story_of_a_pair_from_before_the_journal_is_told_from_the_outbox(world: World) -> None:
    world.begin()
    paged(world)
    world.stop()
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute("DELETE FROM journal")
        connection.commit()
    told = explained(world, "1")
    assert "The story begins with the upgrade" in told
    assert "done      pagerduty.create_incident (from the outbox: before the journal)" in told
    assert all(not step["journalled"] for step in as_data(world, "1")["stories"][0]["story"])


def test_a_request_id_of_pagerduty_is_told_with_what_was_done(world: World) -> None:
    def identified(_request: Request, real: Response) -> Response:
        return Response(real.status, real.body, {**real.headers, "X-Request-Id": "01DONE"})

    world.bend(is_call("pagerduty", "POST", starts="/incidents"), identified)
    world.begin()
    paged(world)
    told = explained(world, "1")
    assert "(request 01DONE)" in told
    for secret in ("sandbox-pagerduty-key", "sandbox-opsgenie-key"):
        assert secret not in told
