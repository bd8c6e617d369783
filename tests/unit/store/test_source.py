"""A database belongs to the product whose alerts it mirrors, from its first start on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import Misconfigured
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, DatabaseDown, open_database
from reconciler.store.migrate import upgrade
from reconciler.store.source import check_source, other_source, source_of
from tests.support.builders import at


@contextmanager
def opened(folder: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{folder / 'source.db'}")
    try:
        yield database
    finally:
        database.close()


@contextmanager
def made(folder: Path, **positions: object) -> Iterator[Database]:
    with opened(folder) as database:
        upgrade(database)
        with database.writing() as unit:
            unit.cursors.save(**positions)
        yield database


BEGUN = Origin(at(1), at(0))


@pytest.mark.parametrize(
    ("positions", "source"),
    [({}, None), ({"origin": BEGUN}, "opsgenie"), ({"origin": BEGUN, "source": "jsm"}, "jsm")],
    ids=["no first start yet", "as every earlier version left it", "of JSM"],
)
def test_a_database_belongs_to_the_product_that_it_first_started_with(
    tmp_path: Path, positions: dict[str, object], source: str | None
) -> None:
    with made(tmp_path, **positions) as database:
        assert source_of(database) == source


def test_a_database_that_is_missing_empty_or_without_tables_belongs_to_none(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        assert source_of(database) is None
        with database.connected(immediate=True) as connection:
            connection.exec_driver_sql("CREATE TABLE another (id INTEGER)")
        assert source_of(database) is None


def test_a_file_that_is_no_database_cannot_be_read(tmp_path: Path) -> None:
    with made(tmp_path) as database:
        pass
    (tmp_path / "source.db").write_bytes(b"no database" * 99)
    with pytest.raises(DatabaseDown):
        source_of(database)


def test_only_a_database_of_another_product_is_refused(tmp_path: Path) -> None:
    with made(tmp_path, origin=BEGUN) as database:
        check_source(database, "opsgenie")
        with pytest.raises(
            Misconfigured, match="ALERT_SOURCE: it is jsm, and this database mirrors Opsgenie's alerts"
        ):
            check_source(database, "jsm")


def test_what_is_said_names_the_command_that_moves_it_and_the_way_back() -> None:
    assert other_source("opsgenie", "jsm").endswith(
        "run `reconciler migrate --to jsm` to move it to JSM, or set ALERT_SOURCE=opsgenie"
    )
    assert "mirrors JSM's alerts" in other_source("jsm", "opsgenie")
    assert "mirrors compass's alerts" in other_source("compass", "jsm")


def test_of_one_of_several_routes_the_command_and_the_table_are_named() -> None:
    words = other_source("opsgenie", "jsm", "shop")
    assert words.startswith("ALERT_SOURCE: of route shop it is jsm, and this database mirrors Opsgenie's alerts")
    assert "run `reconciler migrate --to jsm --route shop` to move it to JSM" in words
    assert words.endswith('or write alert_source = "opsgenie" into [routes.shop]')
