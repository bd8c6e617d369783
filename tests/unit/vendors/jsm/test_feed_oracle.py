"""The feed against an oracle: whatever people do, and however much the lists lag, every change is found.

A store has the true alerts. Its lists show them as they were a while ago; an alert that is read by id is true. The
model of the product keeps, for each alert, what it last read: it reads the alerts whose row differs, the absent
ones, and, where the news are not whole or in a sweep, all that a listing shows or no longer shows.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.model import Alert
from reconciler.vendors.http import Answer
from tests.support.wire.jsm import AT, Jsm

SMALL = 2
"""Alerts of a page: the feed's cases are those of a store that has more."""
LAG = 3
"""The most steps by which the lists lag."""


@dataclass(frozen=True)
class Stored:
    """An alert in the store."""

    number: int
    acknowledged: bool = False
    open: bool = True
    notes: int = 0

    def row(self) -> dict[str, Any]:
        created = AT + timedelta(seconds=self.number)
        changed = created + timedelta(seconds=self.notes)
        return {
            "id": f"a{self.number}", "message": "m", "status": "open" if self.open else "closed",
            "acknowledged": self.acknowledged, "createdAt": created.isoformat(), "updatedAt": changed.isoformat(),
        }  # fmt: skip


@dataclass
class Store:
    """The alerts by number, now and at each earlier step; a session of the client's that lists them."""

    clock: Any
    name: str = "JSM"
    lag: int = 0
    requests: int = 0
    alerts: dict[int, Stored] = field(default_factory=dict)
    history: list[dict[int, Stored]] = field(default_factory=list)

    def named(self) -> dict[str, Stored]:
        """The alerts by id."""
        return {f"a{number}": each for number, each in self.alerts.items()}

    def act(self, verb: str, number: int) -> None:
        """Do something to an alert, as far as it is possible."""
        found = self.alerts.get(number)
        if verb == "create" or found is None:
            number = len(self.alerts)
            self.alerts[number] = Stored(number)
        elif verb == "note":
            self.alerts[number] = replace(found, notes=found.notes + 1)
        elif found.open:
            changed = {"ack": {"acknowledged": True}, "unack": {"acknowledged": False}, "close": {"open": False}}
            self.alerts[number] = replace(found, **changed[verb])
        self.history.append(dict(self.alerts))

    def get(self, path: str, params: Any = ()) -> Answer:
        """A list, as it was `lag` steps ago."""
        assert path.endswith("/v1/alerts")
        self.requests += 1
        asked = dict(params)
        query = asked.get("query", "")
        known = self.history[-1 - self.lag] if len(self.history) > self.lag else {}
        found = [each for each in known.values() if _matches(each, query)]
        found.sort(key=lambda each: each.number, reverse=asked["order"] == "desc")
        start, size = int(asked["offset"]), int(asked["size"])
        rows = [each.row() for each in found[start : start + size]]
        return Answer(200, {}, {"values": rows, "count": len(found), "links": {}})


def _matches(each: Stored, query: str) -> bool:
    if "status:open" in query and not each.open:
        return False
    return not ("acknowledged:false" in query and each.acknowledged) and not (
        "acknowledged:true" in query and not each.acknowledged
    )


class Product:
    """What the product has read of each alert, by what the feed says."""

    def __init__(self, jsm: Jsm, store: Store) -> None:
        self._client = jsm.client
        self._store = store
        self._seen: object | None = None
        self._since = AT - timedelta(days=1)
        self.known: dict[str, Stored] = {}

    def cycle(self) -> None:
        """One poll of the feed."""
        news = self._client.changes(self._since, self._seen)
        self._seen = news.seen
        self._since = max(self._since, (news.newest or self._since) - timedelta(seconds=1))
        for row in news.rows:
            self._listed(row)
        for alert_id in news.absent & self._open():
            self._read(alert_id)
        if not news.is_whole:
            self.sweep()

    def sweep(self) -> None:
        """The listing of all open alerts, and what it does not show."""
        rows = {row.id: row for page in self._client.open_alerts() for row in page}
        for row in rows.values():
            self._listed(row)
        for alert_id in self._open() - rows.keys():
            self._read(alert_id)

    def _open(self) -> set[str]:
        return {alert_id for alert_id, each in self.known.items() if each.open}

    def _listed(self, row: Alert) -> None:
        known = self.known.get(row.id)
        if (
            known is None
            or (row.open, row.acknowledged) != (known.open, known.acknowledged)
            or _notes(row) > known.notes
        ):
            self._read(row.id)

    def _read(self, alert_id: str) -> None:
        self.known[alert_id] = self._store.alerts[int(alert_id[1:])]


def _notes(row: Alert) -> int:
    return round((row.updated_at - row.created_at).total_seconds())


pytestmark = pytest.mark.unmeasured  # many runs of lines that other tests cover, too: tracing doubles the time

VERBS = st.sampled_from(("create", "ack", "unack", "close", "close", "note"))
ACTS = st.lists(st.tuples(VERBS, st.integers(0, 9)), max_size=3)
CYCLES = st.lists(st.tuples(ACTS, st.integers(0, LAG)), min_size=1, max_size=8)
OLD = 6
"""Alerts that are acknowledged from the beginning: more than a page of them."""


def _wired() -> tuple[Product, Store]:
    jsm = Jsm()
    store = Store(jsm.clock)
    jsm.client._http = store  # type: ignore[assignment]
    jsm.people._us = replace(jsm.people._us, ask_at=float("inf"))
    return Product(jsm, store), store


@given(CYCLES)
@settings(max_examples=120, deadline=None, derandomize=True, database=None)
def test_every_change_is_found_in_a_cycle_once_the_lists_show_it_or_at_the_latest_in_a_sweep(
    cycles: list[tuple[list[tuple[str, int]], int]],
) -> None:
    with patch("reconciler.vendors.alerts.PAGE", SMALL), patch("reconciler.vendors.jsm.client.PAGE", SMALL):
        product, store = _wired()
        store.alerts = {number: Stored(number, acknowledged=number < OLD) for number in range(OLD + 2)}
        store.history = [dict(store.alerts)] * (LAG + 1)
        product.cycle()
        unseen: set[str] = set()
        lately: list[tuple[str, int]] = []
        for acts, lag in cycles:
            lately = [*lately[-LAG:], *acts]  # a list that lags shows the last of these anew
            for verb, number in acts:
                store.act(verb, number)
            store.lag = lag
            product.cycle()
            store.lag = 0
            product.cycle()
            wrong = {
                name for name, each in store.named().items() if _state(product.known.get(name)) != _state(each)
            }
            new = wrong - unseen
            assert all(not store.named()[name].open for name in new), "what is open is known as it is"
            assert not new or any(verb == "ack" for verb, _ in lately), "unless another one has taken its place"
            unseen = wrong
        product.sweep()
        for name, each in store.named().items():
            assert _state(product.known[name]) == _state(each)
            assert product.known[name].notes == each.notes or not each.open


def _state(each: Stored | None) -> tuple[bool, bool] | None:
    return None if each is None else (each.open, each.acknowledged and each.open)
