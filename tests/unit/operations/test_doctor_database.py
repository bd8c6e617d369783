from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from reconciler.core.model import Side
from reconciler.errors import Misconfigured
from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.findings import Verdict
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from reconciler.store.lock import FileLock
from reconciler.store.schema import REVISION
from tests.support.clock import SimClock
from tests.support.database import url
from tests.support.stored import ACTION, NOW, PAIR, stored_actions


def checks(folder: Path) -> DatabaseChecks:
    return DatabaseChecks(url(folder), timedelta(hours=1), SimClock(0.0, NOW))


def begun(database: Database, ago: timedelta = timedelta(seconds=5)) -> None:
    database.lead()
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(NOW, NOW), polled_alerts=NOW - ago, polled_pagerduty=NOW - ago)
        unit.snapshot.save_pairs([PAIR])


def test_a_database_that_does_not_exist_is_a_first_start_or_the_wrong_one(tmp_path: Path) -> None:
    found = checks(tmp_path).which()
    assert found.verdict is Verdict.WARNING
    assert "does not exist yet: at the first start, open alerts older than 60 min page nobody" in found.found
    assert "DATABASE_URL does not name its database" in found.fix
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "reconciler.db").touch()
    assert "is empty" in checks(tmp_path).which().found


def test_a_database_without_a_first_start_is_told_so(database: Database, tmp_path: Path) -> None:
    assert database.engine
    assert "has not seen a first start" in checks(tmp_path).which().found


def test_a_database_in_use_is_described_and_remembered(database: Database, tmp_path: Path) -> None:
    begun(database)
    mine = checks(tmp_path)
    found = mine.which()
    assert found.verdict is Verdict.GOOD
    assert f"schema {REVISION}, first start 2026-11-23 09:14 UTC, 1 open pair" in found.found
    assert (mine.lost, mine.memory.since) == ("", NOW)
    assert mine.memory.last_written == dict.fromkeys(Side)
    assert mine.pairs(["a-1", "a-2"]) == {"a-1": PAIR}
    stored = stored_actions(database, ACTION)
    assert mine.actions(["a-1"]) == {"a-1": tuple(stored)}
    assert mine.writable().verdict is Verdict.GOOD


def test_a_database_of_another_product_is_bad(database: Database, tmp_path: Path) -> None:
    begun(database)
    mine = DatabaseChecks(url(tmp_path), timedelta(hours=1), SimClock(0.0, NOW), "jsm")
    found = mine.which()
    assert found.verdict is Verdict.BAD
    assert "ALERT_SOURCE: it is jsm, and this database mirrors Opsgenie's alerts" in found.found
    assert found.fix.startswith("run `reconciler migrate --to jsm`")
    assert mine.lost


def test_a_route_sees_its_own_part_of_the_database(database: Database, tmp_path: Path) -> None:
    begun(database.for_route("shop"))

    def of(route: str, source: str = "opsgenie") -> DatabaseChecks:
        return DatabaseChecks(url(tmp_path), timedelta(hours=1), SimClock(0.0, NOW), source, route)

    shop, search = of("shop"), of("search")
    assert "1 open pair" in shop.which().found
    assert "has not seen a first start" in search.which().found
    assert (shop.pairs(["a-1"]), search.pairs(["a-1"])) == ({"a-1": PAIR}, {})
    assert search.leader().found == "no reconciler has worked on this database yet"
    assert of("shop", "jsm").which().verdict is Verdict.BAD, "this route mirrors Opsgenie's alerts"
    assert of("search", "jsm").which().verdict is Verdict.WARNING, "this one may begin with JSM"


def test_an_older_schema_is_no_fault_and_a_newer_one_is(database: Database, tmp_path: Path) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    mine = checks(tmp_path)
    found = mine.which()
    assert (found.verdict, mine.lost) == (Verdict.WARNING, "the schema is at revision 0004")
    assert "reconciler db upgrade" in found.fix
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="run the newer version"):
        checks(tmp_path).which()


def test_before_it_is_read_nothing_of_it_is_known(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        checks(tmp_path).leader()


@pytest.mark.parametrize(
    ("is_held", "ago", "verdict", "says"),
    [
        (True, timedelta(seconds=5), Verdict.GOOD, " leads, Opsgenie polled 5 s ago"),
        (True, timedelta(hours=1), Verdict.WARNING, " leads, Opsgenie polled 60 min ago"),
        (False, timedelta(seconds=5), Verdict.GOOD, "nobody works on it now; "),
        (False, timedelta(hours=1), Verdict.WARNING, "nobody works on it now; "),
    ],
)
def test_who_leads_is_told_with_the_age_of_the_last_polls(
    database: Database, tmp_path: Path, is_held: bool, ago: timedelta, verdict: Verdict, says: str
) -> None:
    begun(database, ago)
    lock = FileLock(tmp_path / "reconciler.db")
    assert not is_held or lock.acquire()
    mine = checks(tmp_path)
    mine.which()
    found = mine.leader()
    lock.release()
    assert found.verdict is verdict
    assert says in found.found
    assert bool(found.fix) == (verdict is Verdict.WARNING)


def test_where_the_lock_cannot_be_seen_the_polls_tell_who_works(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(database)
    monkeypatch.setattr("reconciler.store.evidence.is_at_work", lambda _url: None)
    mine = checks(tmp_path)
    mine.which()
    assert " leads, " in mine.leader().found
    with database.writing() as unit:
        unit.cursors.save(polled_alerts=NOW - timedelta(hours=1))
    assert mine.leader().found.startswith("nobody seems to work on it; ")


def test_a_new_database_has_no_leader(database: Database, tmp_path: Path) -> None:
    assert database.engine
    mine = checks(tmp_path)
    mine.which()
    assert mine.leader().found == "no reconciler has worked on this database yet"


def test_a_database_that_may_not_be_written_to_is_bad(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.engine
    mine = checks(tmp_path)
    mine.which()
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert mine.writable().verdict is Verdict.BAD
