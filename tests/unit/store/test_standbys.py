"""Who stands by is noted in the database, and forgotten when it is no longer renewed."""

from datetime import timedelta
from pathlib import Path

from reconciler.store.database import Database, open_database
from reconciler.store.standbys import LASTS, Standby, forget, known, note
from tests.support.builders import at

NOW = at(0)


def shown(database: Database, after: timedelta = timedelta()) -> tuple[Standby, ...]:
    with database.reading() as unit:
        return known(unit, NOW + after)


def test_a_note_counts_until_it_is_not_renewed(database: Database) -> None:
    assert note(database, NOW) == ""
    assert shown(database, LASTS) == (Standby(database.holder, NOW),)
    assert shown(database, LASTS + timedelta(seconds=1)) == ()
    note(database, NOW + LASTS)
    assert shown(database, 2 * LASTS) == (Standby(database.holder, NOW + LASTS),)


def test_a_process_that_was_superseded_may_still_note_that_it_stands_by(database: Database) -> None:
    other = Database(database.engine)
    database.lead()
    other.lead()
    assert note(database, NOW) == other.holder


def test_a_note_is_deleted_when_its_process_leads_or_when_another_one_finds_it_stale(database: Database) -> None:
    other = Database(database.engine)
    note(database, NOW)
    note(other, NOW + LASTS + timedelta(seconds=1))
    assert [each.holder for each in shown(database)] == [other.holder]
    with database.writing() as unit:
        forget(unit, other.holder)
    assert shown(database) == ()


def test_a_database_without_a_schema_is_left_as_it_is(tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path}/empty.db")
    assert note(empty, NOW) == ""
    empty.close()
