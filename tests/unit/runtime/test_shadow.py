"""The comparison with another product reads there, stores its numbers, and affects nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Alert
from reconciler.core.product import JSM
from reconciler.errors import Missing, Refused
from reconciler.runtime.shadow import MOST_READ, Shadow
from reconciler.store.database import Database, DatabaseDown
from tests.support.builders import alert, at, pair
from tests.support.clock import SimClock


class Reader:
    """The other product: what it lists, and what is there by id."""

    def __init__(self, *listed: Alert, there: tuple[Alert, ...] = ()) -> None:
        self.listed = listed
        self.there = {each.id: each for each in there}
        self.read: list[str] = []
        self.error: Exception | None = None

    def open_alerts(self) -> Iterator[list[Alert]]:
        if self.error is not None:
            raise self.error
        yield list(self.listed[:1])
        yield list(self.listed[1:])

    def alert(self, alert_id: str) -> Alert:
        self.read.append(alert_id)
        if alert_id not in self.there:
            raise Missing("404")
        return self.there[alert_id]


class Desk:
    """What the comparison is told to."""

    def __init__(self, database: Database, reader: Any) -> None:
        self.said: list[str] = []
        self.counts: list[dict[str, int]] = []
        self.database = database
        metrics: Any = self
        self.shadow = Shadow(JSM, reader, database, SimClock(0.0, at(500)), self.said.append, metrics)

    def compared(self, counts: dict[str, int]) -> None:
        self.counts.append(counts)

    def stored(self) -> str:
        with self.database.reading() as unit:
            found = unit.cursors.load(at(501)).shadow
        return "" if found is None else f"{found.words} at {found.at:%H:%M:%S}"


@pytest.fixture
def pairs(database: Database) -> Database:
    """Three pairs with open alerts, and one whose alert is closed while its incident is open."""
    over = pair(swept_at=at(0), alert_id="a-9", is_open=False, incident_id="PINC9")
    open_ones = [
        pair(swept_at=at(0), alert_id=f"a-{n}", incident_id=f"PINC{n}", title=f"Alert {n}") for n in (1, 2, 3)
    ]
    with database.writing() as unit:
        unit.snapshot.save_pairs([*open_ones, over])
    return database


def there(number: int, **more: Any) -> Alert:
    return replace(alert(id=f"a-{number}", message=f"Alert {number}"), **more)


def test_open_pairs_are_compared_with_what_is_open_there(pairs: Database) -> None:
    reader = Reader(there(1), there(2, acknowledged=True), there(7), there=(there(3, open=False),))
    desk = Desk(pairs, reader)
    assert desk.shadow.poll()
    assert desk.stored() == "1 same, 2 differs, 1 unknown at 09:08:20"
    assert reader.read == ["a-3"], "it may be closed there"
    assert desk.said == [""]
    assert desk.counts[0]["differs"] == 2


def test_what_is_neither_listed_nor_there_is_missing(pairs: Database) -> None:
    desk = Desk(pairs, Reader())
    assert desk.shadow.poll()
    assert desk.stored().startswith("3 missing at")
    desk.shadow._metrics = None
    assert desk.shadow.poll()


def test_only_so_many_are_read_by_id(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs(
            pair(swept_at=at(0), alert_id=f"a-{n}", incident_id=f"P{n}") for n in range(MOST_READ + 5)
        )
    reader = Reader()
    assert Desk(database, reader).shadow.poll()
    assert len(reader.read) == MOST_READ


def test_a_failure_is_told_and_keeps_the_last_result(pairs: Database) -> None:
    reader = Reader(there(1))
    desk = Desk(pairs, reader)
    desk.shadow.poll()
    before, reader.error = desk.stored(), Refused("JSM: 401; check JSM_API_TOKEN")
    assert not desk.shadow.poll()
    assert desk.said[-1] == (
        "ALERT_SHADOW: JSM's alerts cannot be compared with the pairs: JSM: 401; check JSM_API_TOKEN"
    )
    assert desk.stored() == before
    reader.error = DatabaseDown("away")
    with pytest.raises(DatabaseDown):
        desk.shadow.poll()
