"""The status page over PostgreSQL; all other tests of it use SQLite."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Settlement, Side, Status
from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade
from tests.support.builders import ALERT_ID, action, at, pair
from tests.support.desk import Desk


def test_all_that_the_page_reads_can_be_read_from_postgresql(empty_postgres_url: str) -> None:
    now = datetime.now(UTC)
    with closing(open_database(empty_postgres_url)) as database:
        upgrade(database)
        with database.writing() as unit:
            unit.snapshot.save_pairs([pair(swept_at=at(0))])
            unit.outbox.add([action(Kind.PAGERDUTY_NOTE, at=now - timedelta(seconds=7), id=0)], now)
            unit.outbox.settle(Settlement(unit.outbox.open()[0].id, Status.DONE), now)
            unit.journal.append([Entry(now, Event.SEEN, ALERT_ID, Side.ALERTS, who="Ana Ruiz")])
        desk = Desk(database)
        assert "1 act was mirrored in the last day, within 7 s." in desk.ask().text
        assert "Ana Ruiz" in desk.ask("/pairs/17").text
        assert len(json.loads(desk.ask("/status.json").text)["decisions"]) == 1
