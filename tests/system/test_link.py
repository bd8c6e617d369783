"""`link` and `unlink`: an operator pairs by hand, or stops following a pair, beside a running daemon."""

import json

from reconciler.sandbox.wire import Request, Response
from tests.support.harness import NO_KEYS, World
from tests.support.harness.vendors import edited, is_call


def with_an_old_alert(world: World) -> tuple[str, str]:
    """A daemon for which one alert is a baseline with a note; and an incident that somebody has raised by hand."""
    alert = world.raise_alert("an old one")
    world.customer(alert, "notes", text="history")
    by_hand = world.control("pagerduty/incidents", title="by hand", user="Jane Doe")["id"]
    world.control(f"pagerduty/incidents/{by_hand}/notes", text="old answer", user="Jane Doe")
    world.begin(INITIAL_LOOKBACK_SECONDS="0", SWEEP_INTERVAL_SECONDS="1")
    return alert, by_hand


def notes_of(world: World, incident_id: str) -> list[str]:
    with world.sandbox.lock:
        return [note.content for note in world.sandbox.pagerduty.find(incident_id).notes]


def test_a_linked_incident_is_followed_from_then_on_without_its_history_until_it_is_unlinked(world: World) -> None:
    alert, by_hand = with_an_old_alert(world)
    done = world.run("link", "#1", "1", **NO_KEYS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f'#1 "an old one": linked to incident #1 ({by_hand})\n'
    world.customer(alert, "notes", text="news")
    world.control(f"pagerduty/incidents/{by_hand}/notes", text="new answer", user="Jane Doe")
    world.until(lambda: world.is_noted(alert, "new answer"), "the engineer's note")
    world.until(lambda: len(notes_of(world, by_hand)) == 3, "the customer's note")
    assert [note.rpartition("] ")[2] for note in notes_of(world, by_hand)] == ["old answer", "new answer", "news"]
    assert [note.rpartition("] ")[2] for note in world.alert_notes(alert)] == ["history", "news", "new answer"]
    assert json.loads(world.run("link", "1", by_hand, "--json", **NO_KEYS).stdout)["result"] == "linked"
    done = world.run("unlink", "1", "--json", **NO_KEYS)
    assert (done.returncode, json.loads(done.stdout)["result"]) == (0, "unlinked")
    world.customer(alert, "notes", text="not mirrored")
    world.control(f"pagerduty/incidents/{by_hand}/notes", text="nor this", user="Jane Doe")
    world.assert_quiet(20)
    rows = world.ask("SELECT event, who, incident_id FROM journal WHERE event LIKE '%linked' ORDER BY id")
    assert [(event, incident) for event, _, incident in rows] == [
        ("linked", by_hand),
        ("linked", by_hand),
        ("unlinked", by_hand),
    ]
    assert all("@" in who for _, who, _ in rows)
    assert world.told('#1 "an old one"') >= 2


def test_an_unlinked_pair_is_not_found_again_by_its_key_and_can_be_linked_again(world: World) -> None:
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="1")
    world.until(lambda: world.is_paged(alert) and world.is_settled(), "the page")
    incident = world.incident(alert)["id"]
    assert world.run("unlink", alert, **NO_KEYS).returncode == 0
    world.customer(alert, "acknowledge")
    world.pass_cycles(20)
    assert world.incident(alert)["status"] == "triggered"
    assert world.run("unlink", alert, **NO_KEYS).returncode == 2
    assert world.run("link", alert, "#1", **NO_KEYS).returncode == 0
    world.customer(alert, "notes", text="again")
    world.until(lambda: world.is_told(alert, "again"), "it is followed again")
    assert world.incident(alert)["id"] == incident


def test_unlinking_drops_a_page_that_cannot_be_made(world: World) -> None:
    world.begin()
    world.faults({"do": "402", "vendor": "pagerduty", "method": "POST", "path": "/incidents", "times": 0})
    alert = world.raise_alert()
    world.until(lambda: bool(world.standing()["planned"] or world.standing()["sent"]), "the page waits")
    done = world.run("unlink", "1", **NO_KEYS)
    assert (done.returncode, done.stderr) == (0, "")
    world.until(lambda: world.standing()["dropped"] == 1, "it is dropped")
    assert world.ask("SELECT error FROM actions")[0][0].startswith("not needed: unlinked by ")
    world.no_faults()
    world.assert_quiet(20)
    assert world.incidents(alert) == []


def test_what_cannot_be_linked_is_refused_with_the_reason(world: World) -> None:
    alert, by_hand = with_an_old_alert(world)
    paged = world.raise_alert("paged")
    world.until(lambda: world.is_paged(paged) and world.is_settled(), "the page")
    for arguments, words in (
        (("link", "99", by_hand), "link: 99: no alert"),
        (("link", alert, "no such incident"), "is no incident's id or number"),
        (("link", paged, by_hand), "`reconciler unlink 2` it first"),
        (("unlink", "1"), "is not followed: nothing to unlink"),
    ):
        done = world.run(*arguments, **NO_KEYS)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
    done = world.run("link", "1", "PNOSUCH", **NO_KEYS)
    assert (done.returncode, done.stdout) == (
        1,
        '#1 "an old one": PagerDuty does not know incident PNOSUCH, or the key may not see it\n',
    )

    def of_another(_: Request, given: Response) -> Response:
        return edited(given, lambda body: body["incident"]["service"].update(id="POTHER"))

    world.bend(is_call("pagerduty", "GET", ends=by_hand), of_another)
    done = world.run("link", "1", by_hand, **NO_KEYS)
    assert done.returncode == 1
    assert "belongs to another service than PAGERDUTY_SERVICE_ID" in done.stdout
    world.assert_quiet(10)
    assert not world.is_noted(alert, "old answer")


def test_without_a_daemon_the_order_waits_for_the_next_run(world: World) -> None:
    alert = world.raise_alert("an old one")
    by_hand = world.control("pagerduty/incidents", title="by hand", user="Jane Doe")["id"]
    world.once(INITIAL_LOOKBACK_SECONDS="0")
    done = world.run("link", alert, by_hand, POLL_INTERVAL_SECONDS="0.2", **NO_KEYS)
    assert done.returncode == 0
    assert "queued: " in done.stdout
    done = world.run("once")
    assert "linked to incident #1" in done.stdout
    world.customer(alert, "notes", text="news")
    world.once()
    assert [note.rpartition("] ")[2] for note in notes_of(world, by_hand)] == ["news"]
