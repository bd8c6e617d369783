"""Runs one entry of `readings` over its sample, malformed in one field at a time, and judges it by the oracle."""

import json
from collections.abc import Iterable
from typing import Any

import responses

from tests.support.wire import jsm
from tests.support.wire.http import PAGERDUTY
from tests.support.wire.mutations import ODD, Path, mutations, shown
from tests.support.wire.reading_oracle import check_receipt, check_state, check_untouched, check_value
from tests.support.wire.readings import Clients, Rows, Single

BATCH = 98
"""Malformed rows of one answer, with a sound one before and one after them."""
FIRST, LAST = 3_001, 3_002


def answer(wire: responses.RequestsMock, url: str, body: Any) -> None:
    """The answer to requests for this address from now on."""
    wire.upsert("GET", url, body=json.dumps(body), content_type="application/json")


def prepare(wire: responses.RequestsMock) -> None:
    """What readings ask for besides, answered as usual."""
    answer(wire, f"{jsm.USERS}/myself", jsm.MYSELF)
    for url in (f"{PAGERDUTY}/escalation_policies", f"{PAGERDUTY}/users/PBOT01"):
        answer(wire, url, {"escalation_policies": [], "user": {}, "more": False})


def numbered(rows: Rows, number: int, row: Any = None) -> dict[str, Any]:
    """The row, or the sample, with a key of its own."""
    return {**(rows.sample if row is None else row), rows.key: rows.named(number)}


def read(wire: responses.RequestsMock, rows: Rows, given: list[Any]) -> tuple[dict[Any, Any], list[str]]:
    """The values of these rows by label, and what was reported."""
    clients = Clients()
    answer(wire, rows.url, rows.answer(given))
    return {rows.label(value): value for value in rows.read(clients)}, clients.bad


def check_rows(wire: responses.RequestsMock, rows: Rows, odd: Iterable[Any] = ODD) -> None:
    """A malformed row hides no other, and is read to what it says, or reported."""
    prepare(wire)
    first, last = numbered(rows, FIRST), numbered(rows, LAST)
    alone, reported = read(wire, rows, [first, last])
    assert (len(alone), reported) == (2, [])
    sound = alone[rows.named(FIRST)]
    malformed = [
        (path, given, numbered(rows, number, row))
        for number, (path, given, row) in enumerate(mutations(dict(rows.sample), odd))
        if path != (rows.key,)
    ]
    for start in range(0, len(malformed), BATCH):
        batch = malformed[start : start + BATCH]
        found, reported = read(wire, rows, [first, *(row for *_, row in batch), last])
        assert {label: found.get(label) for label in alone} == alone, "a sound row is missing, or read otherwise"
        missing = []
        for path, given, row in batch:
            where, value = (path, shown(given)), found.get(row[rows.key])
            if value is None:
                missing += [] if rows.leaves(path, given) else [where]
                continue
            check_value(value, rows.ahead, where)
            check_untouched(value, sound, rows.fields, {path[0], rows.key}, where)
            check_state(rows.name.partition(":")[0], value, path, given, where)
        assert len(reported) >= len(missing), (missing, reported)


def check_keys(wire: responses.RequestsMock, rows: Rows) -> None:
    """A row with a malformed key hides no other, and is read or reported."""
    prepare(wire)
    first, last = numbered(rows, FIRST), numbered(rows, LAST)
    alone, _ = read(wire, rows, [first, last])
    for path, given, row in mutations(dict(rows.sample)):
        if path == (rows.key,):
            found, reported = read(wire, rows, [first, row, last])
            assert {label: found.get(label) for label in alone} == alone, shown(given)
            assert len(found) + len(reported) >= len(alone) + 1 or rows.leaves(path, given), shown(given)
            for value in found.values():
                check_value(value, rows.ahead, shown(given))


def check_single(wire: responses.RequestsMock, single: Single, odd: Iterable[Any] = ODD) -> None:
    """A malformed object is read to what it says, or not at all."""
    prepare(wire)
    clients = Clients()
    answer(wire, single.url, single.document)
    sound = single.read(clients)
    check_value(sound, single.ahead, "sound")
    for path, given, document in mutations(dict(single.document), odd):
        where = (path, shown(given))
        answer(wire, single.url, document)
        try:
            value = single.read(clients)
        except single.errors:
            continue
        check_value(value, single.ahead, where)
        inner = _within(single, path)
        if inner:
            assert single.says(value), where
            check_untouched(value, sound, single.fields, {inner[0]}, where)
            check_state(single.name.partition(":")[0], value, inner, given, where)
            if "receipt" in single.name:
                check_receipt(value, sound, inner, given, where)


def _within(single: Single, path: Path) -> Path:
    """The path within the object; empty for what lies outside of it, and for the object as a whole."""
    depth = len(single.path)
    return path[depth:] if tuple(map(str, path[:depth])) == single.path else ()
