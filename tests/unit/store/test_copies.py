"""A backup has everything and is private; a copy in memory is as good as the database, and changes nothing."""

import stat
from pathlib import Path

import pytest

from reconciler.errors import Transient
from reconciler.store.copies import backup, copied
from reconciler.store.database import Database, open_database
from reconciler.store.key_routes import owners
from tests.support.database import url
from tests.support.stored import ACTION, NOW, PAIR


def test_a_backup_is_a_private_copy_beside_the_file(database: Database, tmp_path: Path) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR])
    copy = backup(url(tmp_path), "before-jsm", NOW)
    assert copy == tmp_path / "reconciler.db.before-jsm-20261123T091405Z"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    kept = open_database(f"sqlite:///{copy}")
    with kept.reading() as unit:
        assert unit.snapshot.pair("a-1") == PAIR
    kept.close()
    assert backup("postgresql+psycopg://host/name", "before-jsm", NOW) is None


def test_a_copy_that_cannot_be_made_is_told(database: Database, tmp_path: Path) -> None:
    with database.reading():
        (tmp_path / "reconciler.db.before-jsm-20261123T091405Z").mkdir()
    with pytest.raises(Transient, match="--no-backup"):
        backup(url(tmp_path), "before-jsm", NOW)


def test_a_copy_in_memory_has_every_row(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR])
        unit.outbox.add([ACTION], NOW)
    copy = copied(database)
    with copy.writing() as unit:
        assert unit.snapshot.pair("a-1") == PAIR
        assert [action.key for action in unit.outbox.of(["a-1"])["a-1"]] == [ACTION.key]
        unit.snapshot.save_pairs([PAIR.__class__("x", "1", tracked=False, alerts=PAIR.alerts, swept_at=NOW)])
    with database.reading() as unit:
        assert unit.snapshot.pair("x") is None


def test_of_other_routes_a_copy_has_what_shows_whose_an_alert_is(database: Database) -> None:
    shop = database.for_route("shop")
    for each in (database, shop):
        with each.writing() as unit:
            unit.snapshot.save_pairs([PAIR])
            unit.outbox.add([ACTION], NOW)
    copy = copied(shop)
    assert copy.route == "shop"
    with copy.reading() as unit:
        assert unit.snapshot.pair("a-1") == PAIR
        assert unit.outbox.of(["a-1"])
        assert owners(unit, ["a-1"]) == {"a-1": {"default", "shop"}}
    with copy.for_route("default").reading() as unit:
        assert unit.outbox.of(["a-1"]) == {}
