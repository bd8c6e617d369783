"""An alert was raised and nobody was paged: `status` says why, without a key and from the database alone."""

import json
import os
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from tests.support.harness import NO_KEYS, World


def headline(world: World) -> str:
    return world.run("status", **NO_KEYS).stdout.splitlines()[0]


def test_pagerduty_refused_the_page(world: World) -> None:
    world.begin()
    world.faults({"do": "403", "vendor": "pagerduty", "method": "POST", "path": "/incidents", "times": 0})
    alert = world.raise_alert("db-primary is down", priority="P1")
    world.until(lambda: "page waits" in headline(world), "the waiting page")
    done = world.run("status", "--exit-code", **NO_KEYS)
    first, *lines = done.stdout.splitlines()
    assert done.returncode == 3
    assert first.startswith("1 page waits: PagerDuty answers 403 since ")
    (row,) = (line for line in lines if "pagerduty.create_incident " in line and line.startswith("  #1 "))
    assert '#1 "db-primary is down"' in row
    assert "403" in row
    found = json.loads(world.run("status", "--json", "--exit-code", **NO_KEYS).stdout)
    assert found["headline"].startswith("1 page waits: PagerDuty answers 403 since ")
    (page,) = (entry for entry in found["pending"] + found["unknown"] if entry["alert_id"] == alert)
    assert (page["alert"], page["title"], page["incident"]) == ("1", "db-primary is down", None)
    assert page["age_seconds"] > 0
    world.no_faults()
    world.until(lambda: world.is_paged(alert), "the page")
    world.until(lambda: headline(world).startswith("In step: 1 open pair, both sides polled "), "in step again")
    assert world.run("status", "--exit-code", **NO_KEYS).returncode == 0


def test_the_key_may_not_write(world: World) -> None:
    world.begin()
    world.settings(bot_role="observer")
    world.raise_alert(priority="P1")

    def may_write() -> dict[str, bool]:
        vendors = json.loads(world.run("status", "--json", **NO_KEYS).stdout)["vendors"]
        return {name: vendor["may_write"] for name, vendor in vendors.items()}

    world.until(lambda: may_write() == {"opsgenie": True, "pagerduty": False}, "it may not write")
    text = world.run("status", **NO_KEYS).stdout
    (row,) = (line for line in text.splitlines() if line.startswith("  PagerDuty "))
    assert "  no  " in row


def stopped_an_hour_ago(world: World, pid: int) -> bool:
    """Stop the process, which keeps its lock, as if an hour ago; False if it was inside a transaction."""
    os.kill(pid, signal.SIGSTOP)
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    try:
        with closing(sqlite3.connect(world.database, timeout=0.5)) as connection, connection:
            connection.execute("UPDATE cursors SET value = ? WHERE name LIKE 'polled.%'", (an_hour_ago,))
    except sqlite3.OperationalError:
        os.kill(pid, signal.SIGCONT)
        return False
    return True


def test_it_stands_by_and_another_one_leads(world: World) -> None:
    first = world.start()
    world.until_ready()
    second = world.start()
    world.until(lambda: world.told("standing by") == 1, "it stands by")
    found = json.loads(world.run("status", "--json", **NO_KEYS).stdout)
    assert f":{first.pid}:" in found["leader"]["holder"]
    assert found["leader"]["epoch"] == 1
    assert 0 <= found["leader"]["age_seconds"] < 60
    (standby,) = found["standbys"]
    assert f":{second.pid}:" in standby["holder"]
    assert f"{found['leader']['holder']} leads" in world.log(), "the one that stands by says so, too"
    text = world.run("status", **NO_KEYS).stdout
    assert f"Leader       {found['leader']['holder']}, epoch 1, since " in text
    assert f"Standing by  {standby['holder']}" in text

    world.until(lambda: stopped_an_hour_ago(world, first.pid), "that it is stopped between two transactions")
    assert headline(world) == (
        f"Standing by: {standby['holder']}; {found['leader']['holder']} holds the lock and has not polled for "
        "60 min: end it, and another one takes over"
    )
    first.kill()
    first.wait()
    world.until(lambda: world.told("took over in epoch 2") == 1, "the takeover")
    found = json.loads(world.run("status", "--json", **NO_KEYS).stdout)
    assert f":{second.pid}:" in found["leader"]["holder"]
    assert (found["leader"]["epoch"], found["standbys"]) == (2, [])


def test_nobody_polls(world: World) -> None:
    world.begin()
    assert world.stop() == 0
    three_hours_ago = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    with closing(sqlite3.connect(world.database)) as connection, connection:
        connection.execute("UPDATE cursors SET value = ? WHERE name LIKE 'polled.%'", (three_hours_ago,))
    done = world.run("status", "--exit-code", **NO_KEYS)
    assert done.returncode == 3
    assert done.stdout.splitlines()[0] == "Nobody has polled for 3 h: is `reconciler run` at work?"


def test_writes_are_paused(world: World) -> None:
    world.begin()
    with closing(sqlite3.connect(world.database, timeout=30)) as connection, connection:
        connection.execute(
            "INSERT INTO pauses (route, side, since, reason, who, pages, until) VALUES"
            " ('default', 'pagerduty', ?, 'maintenance', 'ana', 1, NULL)",
            (datetime.now(UTC).replace(tzinfo=None).isoformat(" "),),
        )
    done = world.run("status", "--exit-code", **NO_KEYS)
    assert done.returncode == 3
    assert done.stdout.startswith("Paused: PagerDuty by ana since ")
    assert done.stdout.splitlines()[0].endswith("pages too: maintenance")
