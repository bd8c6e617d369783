"""Reading lists, alerts, notes and logs from JSM over HTTP."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import responses

from reconciler.core.model import Person
from reconciler.errors import Misconfigured, Missing, ReconcilerError, Unknown
from reconciler.vendors.http import Answer
from tests.support.wire.http import asked, query
from tests.support.wire.jsm import (
    A1,
    ALERTS,
    ANA,
    AT,
    BOT,
    EMAIL,
    USERS,
    Jsm,
    known,
    note,
    page,
    records,
    row,
    stamp,
)
from tests.support.wire.mutations import mutations

OPEN = "status:open"
BASE = {"size": "100"}


def created_since(start: int) -> str:
    return f"{OPEN} AND createdAt>={start}" if start else OPEN


def queries(wire: responses.RequestsMock) -> list[str]:
    return [str(asked(call).get("query", "")) for call in wire.calls]


def test_it_is_asked_who_we_are_before_anything_is_read(wire: responses.RequestsMock) -> None:
    wire.get(f"{USERS}/myself", json={"accountId": BOT, "displayName": "Ops Robot"})
    wire.get(f"{ALERTS}/{A1}", json=row(1, acknowledged=True, owner=EMAIL))
    jsm = Jsm()
    assert jsm.client.user() == Person(EMAIL, EMAIL)
    assert jsm.client.alert(A1).acknowledged_by == "Ops Robot"
    assert jsm.client.user() == Person(BOT, "Ops Robot")


def test_recent_alerts_are_the_last_created(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(
        ALERTS,
        json=page([row(1)], count=300, more=True),
        match=[query(**BASE, sort="createdAt", order="desc", offset="0")],
    )
    assert [alert.id for alert in jsm.client.recent_alerts(None)] == ["alert-1"]


def test_recent_alerts_are_read_down_to_a_creation(wire: responses.RequestsMock) -> None:
    jsm = known(wire, " tag:prod ")
    base = {**BASE, "query": "tag:prod", "sort": "createdAt", "order": "desc"}
    wire.get(ALERTS, json=page([row(1), row(2, age=5)], more=True), match=[query(**base, offset="0")])
    wire.get(ALERTS, json=page([row(3, age=90, updatedAt=stamp()), row(4, age=200, updatedAt=stamp())], more=True),
             match=[query(**base, offset="100")])  # fmt: skip
    found = jsm.client.recent_alerts(AT - timedelta(seconds=100))
    assert [alert.id for alert in found] == ["alert-1", "alert-2", "alert-3"]


@pytest.mark.parametrize("count", [100, "100"])
def test_a_full_page_that_is_all_ends_the_list(wire: responses.RequestsMock, count: Any) -> None:
    jsm = known(wire)
    wire.get(ALERTS, json=page([row(n) for n in range(100)], count=count))
    assert len(jsm.client.recent_alerts(AT - timedelta(days=1))) == 100
    assert len(wire.calls) == 2


@pytest.mark.parametrize("count", [None, "many", 101, {}])
def test_a_full_page_is_followed_where_there_may_be_more(wire: responses.RequestsMock, count: Any) -> None:
    jsm = known(wire)
    wire.get(ALERTS, json=page([row(n) for n in range(100)]) | {"count": count, "links": None})
    wire.get(ALERTS, json=page([]))
    jsm.client.recent_alerts(AT - timedelta(days=1))
    assert len(wire.calls) == 3


@pytest.mark.parametrize(("text", "before"), [("", ""), ("tag:a OR tag:b", "(tag:a OR tag:b) AND ")])
def test_open_alerts_are_searched_for_by_their_status(
    wire: responses.RequestsMock, text: str, before: str
) -> None:
    jsm = known(wire, text)
    exact = query(**BASE, sort="createdAt", order="asc", offset="0", query=before + created_since(0))
    rows = [row(1), row(2, status="acked"), row(3, status="resolved"), row(4, status="snoozed")]
    wire.get(ALERTS, json=page(rows), match=[exact])
    wire.get(ALERTS, json=page(rows, count=200, more=True), match=[exact])
    assert [[alert.id for alert in each] for each in jsm.client.open_alerts()] == [
        ["alert-1", "alert-2", "alert-4"]
    ]
    listed, more = jsm.client.open_alerts_page(0)
    assert ([alert.id for alert in listed], more) == (["alert-1", "alert-2", "alert-4"], True)


@pytest.mark.parametrize("answer", [{}, [], "x", {"values": {}}, {"values": None, "count": 0}])
def test_an_answer_without_its_list_is_an_error_and_no_empty_list(
    wire: responses.RequestsMock, answer: Any
) -> None:
    jsm = known(wire)
    wire.get(ALERTS, json=answer)
    with pytest.raises(Unknown, match="an answer without 'values': nothing can be concluded from it"):
        jsm.client.recent_alerts(None)


def test_a_list_that_is_not_there_is_no_empty_list(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(ALERTS, status=404, json={"errors": [{"title": "Not found"}]})
    for read in (lambda: jsm.client.recent_alerts(None), jsm.client.confirm_key):
        with pytest.raises(Misconfigured, match=r"not on this site \(yet\), or the cloud id is wrong"):
            read()


def test_an_alert_is_read_by_its_whole_id(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(f"{ALERTS}/{A1}", json=row(1, id=A1, acknowledged=True, owner=ANA))
    wire.get(f"{ALERTS}/17", status=404, json={"errors": [{"title": "Alert does not exist"}]})
    wire.get(f"{USERS}/user", json={"displayName": "Ana Ruiz"})
    found = jsm.client.alert(A1)
    assert (found.description, found.acknowledged_by) == ("All of it", "Ana Ruiz")
    with pytest.raises(Missing):
        jsm.client.alert("17")


def test_in_a_list_nobody_is_looked_up(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(ALERTS, json=page([row(1, acknowledged=True, owner=ANA)]))
    assert [alert.acknowledged_by for alert in jsm.client.recent_alerts(None)] == [ANA]


@pytest.mark.parametrize("answer", [{}, {"data": row(1)}, [], {"id": "a"}])
def test_an_unreadable_alert_is_not_missing(wire: responses.RequestsMock, answer: Any) -> None:
    jsm = known(wire)
    wire.get(f"{ALERTS}/{A1}", json=answer)
    with pytest.raises(Unknown, match=f"JSM: alert {A1}: "):
        jsm.client.alert(A1)


@pytest.mark.parametrize("alert_id", ["", ".", "..", "requests", "Alias", "count"])
def test_an_id_that_addresses_another_path_is_missing_without_a_request(
    wire: responses.RequestsMock, alert_id: str
) -> None:
    jsm = known(wire)
    for read in (jsm.client.alert, jsm.client.notes):
        with pytest.raises(Missing):
            read(alert_id)


@pytest.mark.parametrize("step", [1, -1])
def test_notes_are_read_completely_in_any_order(wire: responses.RequestsMock, step: int) -> None:
    jsm = known(wire)
    notes = [note(n, owner=owner) for n, owner in enumerate(("Ana Ruiz", EMAIL, BOT))][::step]
    wire.get(f"{ALERTS}/{A1}/notes", json=records(notes[:2], "o2"), match=[query(**BASE)])
    wire.get(f"{ALERTS}/{A1}/notes", json=records([None, *notes[1:]], "o2"), match=[query(**BASE, after="o2")])
    found = jsm.client.notes(A1, AT)
    assert [each.text for each in found] == ["note 0", "note 1", "note 2"]
    assert [each.author for each in found[1:]] == [Person(BOT, "Ops Robot")] * 2
    assert jsm.bad == [("JSM", "a row that is no object but NoneType")]


def test_the_log_is_read_completely(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    lines = [{"log": f"Alert {verb}", "owner": "Ana Ruiz", "logTime": stamp(n)}
             for n, verb in enumerate(("acknowledged", "unacknowledged", "acknowledged"))]  # fmt: skip
    wire.get(f"{ALERTS}/{A1}/logs", json=records(lines[1:], "https://[", "logs"), match=[query(**BASE)])
    wire.get(f"{ALERTS}/{A1}/logs", json=records(lines[:1], what="logs"), match=[query(**BASE, after="https://[")])
    assert [act.verb for act in jsm.client.acts(A1)] == ["acknowledge", "unacknowledge", "acknowledge"]


def test_a_link_that_is_none_ends_a_list(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(f"{ALERTS}/{A1}/notes", json=records([note(1)]) | {"links": {"next": "https://[?after=1"}})
    assert len(jsm.client.notes(A1)) == 1


def test_an_alert_without_a_log_has_no_acts(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(f"{ALERTS}/{A1}/logs", status=404, json={"errors": []})
    assert jsm.client.acts(A1) == []


def test_the_token_is_confirmed_by_one_row_of_the_list(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    wire.get(ALERTS, json=page([]), match=[query(size="1")])
    jsm.client.confirm_key()


# -- the feed --


@pytest.mark.parametrize("refused", [0, 1], ids=["without an acknowledgement", "acknowledged"])
def test_what_is_new_is_news_even_if_the_other_lists_are_refused(
    wire: responses.RequestsMock, refused: int
) -> None:
    jsm = known(wire)
    wire.get(ALERTS, json=page([row(1)]))
    for _ in range(refused):
        wire.get(ALERTS, json=page([row(3)]))
    wire.get(ALERTS, status=422, json={"message": "cannot search by that"})
    news = jsm.client.changes(AT - timedelta(seconds=100), "what was seen before")
    assert ([each.id for each in news.rows], news.newest) == (["alert-1"], AT)
    assert (news.seen, "422" in str(news.problem)) == ("what was seen before", True)


def test_news_are_the_new_alerts_and_the_open_ones(wire: responses.RequestsMock) -> None:
    jsm = known(wire, "tag:a")
    wire.get(ALERTS, json=page([row(1), row(2, age=9), row(9, age=300)]))
    wire.get(ALERTS, json=page([row(3, age=60), row(4, age=90)]))
    wire.get(ALERTS, json=page([row(2, age=9, acknowledged=True), row(4, age=90, acknowledged=True)]))
    news = jsm.client.changes(AT - timedelta(seconds=100), None)
    assert queries(wire)[1:] == [
        "tag:a", f"(tag:a) AND {OPEN} AND acknowledged:false", f"(tag:a) AND {OPEN} AND acknowledged:true"
    ]  # fmt: skip
    assert {(each.id, each.acknowledged) for each in news.rows} == {
        ("alert-1", False), ("alert-2", True), ("alert-3", False), ("alert-4", True)
    }, "the row that was read last counts"  # fmt: skip
    assert (news.newest, news.absent, news.is_whole) == (AT, frozenset(), False), "nothing was remembered"


def test_an_alert_that_has_left_the_lists_is_absent(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    empty = page([])
    for each in (empty, page([row(1), row(2)]), page([row(3, acknowledged=True)])):
        wire.get(ALERTS, json=each)
    seen = jsm.client.changes(AT, None).seen
    for each in (page([row(2, status="closed")]), empty, empty):
        wire.get(ALERTS, json=each)
    news = jsm.client.changes(AT, seen)
    assert (news.absent, news.is_whole) == (frozenset({"alert-1", "alert-3"}), True), "the second is among the new"
    assert [each.open for each in news.rows] == [False]


def test_too_many_unacknowledged_alerts_are_listed_as_far_as_possible(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    jsm = known(wire)
    monkeypatch.setattr("reconciler.vendors.alerts.WINDOW", 250)
    wire.get(ALERTS, json=page([]))
    for start in (0, 100):
        wire.get(ALERTS, json=page([row(start + n, age=start + n) for n in range(100)], count=900, more=True))
    wire.get(ALERTS, json=page([]))
    seen: Any = jsm.client.changes(AT, None).seen
    assert seen.floor == AT - timedelta(seconds=199)
    assert len(jsm.bad) == 1


@pytest.mark.parametrize("total", [0, 1, 100, 101, 100_000])
def test_an_idle_cycle_costs_three_requests_whatever_the_number_of_acknowledged_alerts(
    wire: responses.RequestsMock, total: int
) -> None:
    jsm = known(wire)
    some = [row(n, acknowledged=True, age=n) for n in range(min(total, 100))]
    seen: object | None = None
    for _ in range(3):
        before = len(wire.calls)
        wire.get(ALERTS, json=page([row(1)]))
        wire.get(ALERTS, json=page([row(1000 + n) for n in range(100)], count=100))
        wire.get(ALERTS, json=page(some, count=total, more=total > 100))
        news = jsm.client.changes(AT, seen)
        assert len(wire.calls) - before == 3
        assert news.is_whole is (seen is not None)
        seen = news.seen


class Odd:
    """A session whose every answer is the same document."""

    name = "JSM"

    def __init__(self, jsm: Jsm, document: Any) -> None:
        self.clock = jsm.clock
        self._document = document

    def get(self, *_: Any, **__: Any) -> Answer:
        return Answer(200, {}, self._document)


@pytest.mark.unmeasured
def test_malformed_answers_raise_errors_of_this_program(wire: responses.RequestsMock) -> None:
    jsm = known(wire)
    whole = page([row(1, acknowledged=True)], more=True) | {"isSuccess": True, "processedAt": stamp()}
    for path, value, document in mutations(whole):
        odd: Any = Odd(jsm, document)
        jsm.client._http = jsm.client._receipts._http = odd
        readings: tuple[Callable[[], Any], ...] = (
            lambda: jsm.client.changes(AT, None),
            lambda: list(jsm.client.open_alerts()),
            lambda: jsm.client.open_alerts_page(0),
            lambda: jsm.client.notes(A1),
            lambda: jsm.client.acts(A1),
            lambda: jsm.client.alert(A1),
        )
        for reading in readings:
            with suppress(ReconcilerError):
                reading()
        status = jsm.client.request_status("a:r")
        assert status.done is not False or path == ("isSuccess",), (path, value)


@pytest.mark.parametrize("count", [-1, 0, 1, "many", None, 0.5, 1e308])
def test_a_count_that_contradicts_its_page_is_unknown(wire: responses.RequestsMock, count: Any) -> None:
    """Taken for the number of all alerts it would say that nothing follows a full page."""
    jsm = known(wire)
    full = {"values": [row(n) for n in range(100)], "count": count, "links": {}}
    wire.get(ALERTS, json=full)
    wire.get(ALERTS, json={"values": [row(200)], "count": count, "links": {}})
    assert len(jsm.client.recent_alerts(AT - timedelta(days=1))) == 101
