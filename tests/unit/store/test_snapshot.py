"""Queries for pairs with a problem."""

from dataclasses import replace
from pathlib import Path

from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade
from tests.support.builders import at, pair


def test_one_statement_finds_pairs_that_page_nobody_or_are_unexplained(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/snapshot.db")
    upgrade(database)
    pairs = pair(), pair(alert_id="a-2", unpaged="why"), pair(alert_id="a-3", unexplained_since=at(0))
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(one, swept_at=at(0)) for one in pairs])
    with database.reading() as unit:
        assert {one.alert_id for one in unit.snapshot.unsettled()} == {"a-2", "a-3"}
        assert [one.alert_id for one in unit.snapshot.unpaged()] == ["a-2"]
        assert [one.alert_id for one in unit.snapshot.unexplained()] == ["a-3"]
    database.close()
