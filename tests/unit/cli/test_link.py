"""`link` and `unlink` as commands."""

import json
from dataclasses import replace

from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade
from tests.support.builders import at, pair
from tests.support.command import Command


def test_an_order_is_queued_while_no_daemon_leads_and_a_wrong_one_is_a_usage_error(command: Command) -> None:
    database = open_database("sqlite:///reconciler.db")
    upgrade(database)
    with database.writing() as unit:
        known = pair(swept_at=at(0))
        unit.snapshot.save_pairs([known, replace(known, alert_id="a-2", tiny_id="18", incident_id=None)])
    done = command("link", "18", "PINC9")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith('#18 "Disk full": queued: the next run carries it out')
    found = json.loads(command("unlink", "17", "--json").out)
    assert (found["alert"], found["incident_id"], found["result"]) == ("17", "PINC1", "queued")
    done = command("link", "99", "PINC9")
    assert (done.status, done.out) == (2, "")
    database.close()
