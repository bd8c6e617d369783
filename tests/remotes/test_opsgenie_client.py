"""Opsgenie's calls as they go over the wire, and its answers in every state of repair."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from remotes.wire_helpers import OPSGENIE, OPSGENIE_KEY, FakeClock, asked, body, http, query, sent

from reconciler.core.model import Actor, Person
from reconciler.errors import Blocked, Missing, Unknown
from reconciler.remotes.base import OpsgenieReader, OpsgenieWriter, RequestStatus
from reconciler.remotes.opsgenie import OpsgenieClient, OpsgenieWriting

ALERTS = f"{OPSGENIE}/v2/alerts"
A1 = "0b1c2d3e-0000-4000-8000-000000000001-1795424400000"
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def client(text: str = "", url: str = OPSGENIE, bad: list[tuple[str, str]] | None = None) -> OpsgenieReader:
    told = bad if bad is not None else []
    return OpsgenieClient(http("Opsgenie"), text, url, on_bad_row=lambda vendor, what: told.append((vendor, what)))


def writing() -> OpsgenieWriter:
    return OpsgenieWriting(http("Opsgenie"))


def row(n: int, *, age: float = 0, **more: Any) -> dict[str, Any]:
    """A list row, `age` seconds older than AT."""
    at = (AT - timedelta(seconds=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "seen": False, "id": f"alert-{n}", "tinyId": str(n), "alias": f"alias-{n}", "message": f"Disk {n} full",
        "status": "open", "acknowledged": False, "isSeen": False, "tags": ["disk"], "snoozed": False, "count": 1,
        "lastOccurredAt": at, "createdAt": at, "updatedAt": at, "source": "probe", "owner": "", "priority": "P2",
        "teams": [], "responders": [], "ownerTeamId": "",
    } | more  # fmt: skip


def page(rows: Any, *, more: bool = False) -> dict[str, Any]:
    paging = {"first": f"{ALERTS}?offset=0"} | (
        {"next": "https://evil.example/v2/alerts?offset=77"} if more else {}
    )
    return {"data": rows, "paging": paging, "took": 0.01, "requestId": "r"}


def test_recent_alerts_are_asked_newest_first_and_empty_query_is_left_out(wire: responses.RequestsMock) -> None:
    exact = query(sort="updatedAt", order="desc", limit="100", offset="0")
    key = sent(Authorization=f"GenieKey {OPSGENIE_KEY}", Accept="application/json")
    wire.get(ALERTS, json=page([row(1)], more=True), match=[exact, key])
    assert [alert.id for alert in client().recent_alerts(None)] == ["alert-1"]


def test_recent_alerts_stop_at_the_watermark_and_never_follow_a_link(wire: responses.RequestsMock) -> None:
    base = {"query": "tag: prod", "sort": "updatedAt", "order": "desc", "limit": "100"}
    wire.get(ALERTS, json=page([row(1), row(2, age=5)], more=True), match=[query(**base, offset="0")])
    wire.get(ALERTS, json=page([row(2, age=5), row(3, age=90), row(4, age=200)], more=True),
             match=[query(**base, offset="100")])  # fmt: skip
    found = client(" tag: prod ").recent_alerts(AT - timedelta(seconds=100))
    assert [alert.id for alert in found] == ["alert-1", "alert-2", "alert-3"]
    assert len(wire.calls) == 2


def test_a_full_page_without_a_link_means_there_is_more(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([row(n) for n in range(100)]), match=[query(
        sort="updatedAt", order="desc", limit="100", offset="0")])  # fmt: skip
    wire.get(ALERTS, json=page([]), match=[query(sort="updatedAt", order="desc", limit="100", offset="100")])
    assert len(client().recent_alerts(AT - timedelta(days=1))) == 100


def test_the_same_page_again_ends_the_reading(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([row(1)], more=True))
    assert len(client().recent_alerts(AT - timedelta(days=1))) == 1
    assert len(wire.calls) == 2


def test_paging_stays_within_opsgenies_window(wire: responses.RequestsMock) -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        offset = int(request.params["offset"])
        assert offset + 100 <= 19_999
        return 200, {}, json.dumps(page([row(offset + n) for n in range(100)]))

    bad: list[tuple[str, str]] = []
    wire.add_callback("GET", ALERTS, answer)
    assert len(client(bad=bad).recent_alerts(AT - timedelta(days=1))) == 19_900
    assert len(wire.calls) == 199
    assert bad


@pytest.mark.parametrize(
    ("text", "expected"), [("", "status:open"), ("tag:a OR tag:b", "(tag:a OR tag:b) AND status:open")]
)
def test_open_alerts_are_asked_by_creation_and_checked(
    wire: responses.RequestsMock, text: str, expected: str
) -> None:
    base = {"query": expected, "sort": "createdAt", "order": "asc", "limit": "100"}
    wire.get(
        ALERTS, json=page([row(1), row(2, status="closed"), row(1)], more=True), match=[query(**base, offset="0")]
    )
    wire.get(ALERTS, json=page([row(1), row(3)]), match=[query(**base, offset="100")])
    pages = [[alert.id for alert in found] for found in client(text).open_alerts()]
    assert pages == [["alert-1"], ["alert-3"]]


def test_open_alerts_go_on_past_the_window_by_creation(wire: responses.RequestsMock) -> None:
    queries: list[str] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        offset = int(request.params["offset"])
        if request.params["query"] not in queries:
            queries.append(request.params["query"])
        if len(queries) > 1:
            return 200, {}, json.dumps(page([row(19_899), row(20_000)]))
        return 200, {}, json.dumps(page([row(offset + n, age=20_000 - (offset + n)) for n in range(100)]))

    wire.add_callback("GET", ALERTS, answer)
    found = [alert.id for some in client().open_alerts() for alert in some]
    last = int((AT - timedelta(seconds=101)).timestamp() * 1000)
    assert queries == ["status:open", f"status:open AND createdAt>={last}"]
    assert len(found) == len(set(found)) == 19_901


def test_one_page_of_open_alerts(wire: responses.RequestsMock) -> None:
    exact = query(query="status:open", sort="createdAt", order="asc", limit="100", offset="300")
    wire.get(ALERTS, json=page([row(1)], more=True), match=[exact])
    alerts, more = client().open_alerts_page(300)
    assert ([alert.id for alert in alerts], more) == (["alert-1"], True)
    assert client().open_alerts_page(19_900) == ([], False)


def test_a_bad_row_is_reported_and_costs_the_others_nothing(wire: responses.RequestsMock) -> None:
    bad: list[tuple[str, str]] = []
    broken = [None, 7, "x", [], {}, {"id": None}, {"id": ""}, {"id": True}]
    wire.get(ALERTS, json=page([row(1), *broken, row(2)]))
    assert [alert.id for alert in client(bad=bad).recent_alerts(None)] == ["alert-1", "alert-2"]
    assert len(bad) == len(broken)
    assert ("Opsgenie", "a row without 'id'") in bad


@pytest.mark.parametrize("answer", [{}, [], "x", {"data": "x"}, {"data": {}}, {"data": None}])
def test_an_answer_without_its_list_is_no_empty_list(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(ALERTS, json=answer)
    with pytest.raises(Unknown, match="an answer without 'data': nothing can be concluded from it"):
        client().recent_alerts(None)


def test_everything_optional_may_be_null_missing_or_of_another_type(wire: responses.RequestsMock) -> None:
    names = [name for name in row(1) if name not in ("id", "createdAt")]
    odd = [row(1) | dict.fromkeys(names, value) for value in (None, 7, [], {}, True)]
    bare = {"id": 5, "createdAt": "2026-11-23T09:00:00.5Z", "new": {"thing": 1}}
    wire.get(ALERTS, json=page([*odd, bare, row(2, updatedAt=None)]) | {"paging": None})
    bad: list[tuple[str, str]] = []
    found = client(bad=bad).recent_alerts(AT - timedelta(seconds=1))
    assert [alert.id for alert in found] == ["alert-1", "5", "alert-2"]
    assert bad == []
    assert found[1].created_at == found[1].updated_at == AT + timedelta(milliseconds=500)
    assert (found[1].open, found[1].acknowledged, found[1].priority) == (None, None, "")


def test_an_alert_is_read_whole(wire: responses.RequestsMock) -> None:
    detail = row(
        7, status="closed", acknowledged=True, owner="ana@customer.example", snoozed=False, tags=["a", None, 3],
        snoozedUntil="2026-11-23T10:00:00Z", description="Full", details={"host": "db1", "n": 3, "none": None},
        report={"ackTime": 11_751, "closeTime": "20000", "acknowledgedBy": "bo@c.example", "closedBy": "c"},
    )  # fmt: skip
    wire.get(f"{ALERTS}/{A1}", json={"data": detail | {"id": A1}}, match=[query(identifierType="id")])
    alert = client().alert(A1)
    assert not alert.open
    assert alert.snoozed_until is None
    assert (alert.acknowledged_by, alert.acknowledged_at) == (
        "bo@c.example",
        AT + timedelta(seconds=11.751),
    )
    assert (alert.closed_by, alert.closed_at) == ("c", AT + timedelta(seconds=20))
    assert alert.tags == ("a", "3")
    assert alert.description == "Full"
    assert alert.details == (("host", "db1"), ("n", "3"))
    assert alert.url == f"https://app.opsgenie.com/alert/detail/{A1}/details"


def test_who_acknowledged_falls_back_on_the_owner(wire: responses.RequestsMock) -> None:
    rows = [
        row(1, acknowledged=True, owner="ana"),
        row(2, owner="bo", snoozed=True, snoozedUntil="2026-11-23T10:00:00Z"),
    ]
    wire.get(ALERTS, json=page(rows))
    held, free = client().recent_alerts(None)
    assert (held.acknowledged_by, held.acknowledged_at) == ("ana", None)
    assert (free.acknowledged_by, free.snoozed_until) == ("", AT + timedelta(hours=1))
    assert held.description is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.eu.opsgenie.com/", "https://app.eu.opsgenie.com/alert/detail/alert-1/details"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/v2/alerts/alert-1"),
    ],
)
def test_the_address_people_open(wire: responses.RequestsMock, url: str, expected: str) -> None:
    wire.get(ALERTS, json=page([row(1)]))
    assert client(url=url).recent_alerts(None)[0].url == expected


def test_a_missing_alert_is_missing(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/gone", status=404, json={"message": "Alert not found", "took": 0.001, "requestId": "r"})
    with pytest.raises(Missing, match="404: Alert not found"):
        client().alert("gone")


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {"count": 3}}, []])
def test_an_unreadable_alert_is_not_a_missing_one(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(f"{ALERTS}/x", json=answer)
    with pytest.raises(Unknown, match="Opsgenie: alert x: "):
        client().alert("x")


def test_ids_cannot_leave_their_place_in_the_path(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/a%2F..%2F%3Fb", json={"data": row(1)})
    client().alert("a/../?b")


@pytest.mark.parametrize("alert_id", ["", " ", ".", "..", "count", "Requests", "saved-searches"])
def test_an_id_that_would_address_something_else_is_missing_unasked(alert_id: str) -> None:
    asking = [client().alert, client().notes, lambda one: writing().acknowledge(one, "Jane")]
    for ask in asking:
        with pytest.raises(Missing, match=f"Opsgenie: alert '{alert_id}': this cannot be an id"):
            ask(alert_id)
    assert client().acts(alert_id) == []


def test_a_request_id_that_would_address_something_else_is_missing_unasked() -> None:
    with pytest.raises(Missing, match=r"Opsgenie: request '\.\.': this cannot be an id"):
        client().request_status("..")


def note(n: int, **more: Any) -> dict[str, Any]:
    at = (AT - timedelta(seconds=n)).isoformat().replace("+00:00", "Z")
    return {"note": f"note {n}", "owner": "ana@customer.example", "createdAt": at, "offset": f"o{n}"} | more


def notes_page(notes: list[Any], token: str = "") -> dict[str, Any]:
    url = f"https://elsewhere.example/v2/alerts/{A1}/notes?limit=100&offset={token}&order=desc"
    return {"data": notes, "paging": {"next": url} if token else {}, "took": 1, "requestId": "r"}


def test_notes_follow_the_token_to_the_end(wire: responses.RequestsMock) -> None:
    base = {"identifierType": "id", "limit": "100", "order": "desc"}
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([note(1), note(2)], "o2"), match=[query(**base)])
    second = [note(2), note(3, owner=""), None, note(4, offset=None)]
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page(second, "o3"),
             match=[query(**base, offset="o2", direction="next")])  # fmt: skip
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([], "o9"),
             match=[query(**base, offset="o3", direction="next")])  # fmt: skip
    bad: list[tuple[str, str]] = []
    found = client(bad=bad).notes(A1)
    assert [(n.id, n.text) for n in found] == [("o1", "note 1"), ("o2", "note 2"), ("o3", "note 3")]
    assert found[0].author == Person("ana@customer.example", "ana@customer.example")
    assert found[2].author == Person("", "somebody")
    assert len(bad) == 2


def test_notes_stop_at_a_token_seen_before(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([note(1)], "o1"))
    assert len(client().notes(A1)) == 1
    assert len(wire.calls) == 2


def test_notes_go_back_no_further_than_asked(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([note(1), note(50)], "o50"))
    assert len(client().notes(A1, until=AT - timedelta(seconds=10))) == 2
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("log", "verb"),
    [
        ("Alert acknowledged via web", "acknowledge"),
        ("Alert acknowledged via web[Default API-Acknowledge Alert]", "acknowledge"),
        ("Alert unacknowledged", "unacknowledge"),
        ("Alert un-acknowledged via API[Default API-UnAcknowledge Alert]", "unacknowledge"),
        ("Alert Un Acknowledged", "unacknowledge"),
        ("un acknowledged by the customer", "unacknowledge"),
        ("Unacknowledged via mobile", "unacknowledge"),
        ("UnAcknowledged alert", "unacknowledge"),
        ("Alert is no longer acknowledged", "unacknowledge"),
        ("Acknowledgement removed", "unacknowledge"),
        ("Alert acknowledgment was withdrawn", "unacknowledge"),
        ("  Acknowledged via mobile: un-acknowledge it if you are free", "acknowledge"),
        ("Alert has been acknowledged", "acknowledge"),
        ("Acknowledgement reminder sent", "other"),
        ("Escalation [ops] started: notify on-call if the alert is not acknowledged in 5 minutes", "other"),
        ("Assigned it, then acknowledged it", "other"),
        ("Routed by the policy closed-hours", "other"),
        ("Alert closed via JSM", "close"),
        ("Snooze ended", "snooze"),
        ("Note added: I will unacknowledge and close it", "annotate"),
        ("Viewed on [web]", "other"),
        (None, "other"),
    ],
)
def test_log_texts_of_all_times(wire: responses.RequestsMock, log: str | None, verb: str) -> None:
    entry = {"log": log, "type": "system", "owner": "ana", "createdAt": "2026-11-23T09:00:00.86Z", "offset": "1_1"}
    exact = query(identifierType="id", limit="100", order="desc")
    wire.get(f"{ALERTS}/{A1}/logs", json={"data": [entry, {"log": "no offset"}]}, match=[exact])
    (act,) = client().acts(A1)
    assert (act.verb, act.id, act.actor, act.person) == (verb, "1_1", Actor.PERSON, Person("ana", "ana"))


@pytest.mark.parametrize("owner", ["", None, "System", "SYSTEM", "Alert API", "opsgenie"])
def test_machines_are_no_persons(wire: responses.RequestsMock, owner: str | None) -> None:
    entry = {"log": "Alert unacknowledged", "owner": owner, "createdAt": "2026-11-23T09:00:00Z", "offset": "1"}
    wire.get(f"{ALERTS}/{A1}/logs", json={"data": [entry]})
    (act,) = client().acts(A1)
    assert (act.verb, act.actor, act.person, act.agent) == ("other", Actor.MACHINE, None, owner or "")


def test_no_log_is_no_acts(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/{A1}/logs", status=404)
    assert client().acts(A1) == []


REQUEST = f"{ALERTS}/requests/43a29c5c"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"success": True, "isSuccess": True, "status": "Added note"}, RequestStatus(True, "Added note")),
        ({"isSuccess": False, "status": "Alert does not exist"}, RequestStatus(False, "Alert does not exist")),
        ({"success": True}, RequestStatus(True)),
        ({"isSuccess": None, "success": False}, RequestStatus(False)),
        ({"isSuccess": "false", "status": "Alert is closed"}, RequestStatus(False, "Alert is closed")),
        ({"isSuccess": "maybe", "success": None}, RequestStatus(None)),
        ({}, RequestStatus(None)),
        (None, RequestStatus(None)),
    ],
)
def test_the_fate_of_an_accepted_write(wire: responses.RequestsMock, data: Any, expected: RequestStatus) -> None:
    wire.get(REQUEST, json={"data": data, "took": 1, "requestId": "r"})
    assert client().request_status("43a29c5c") == expected


def test_a_404_that_says_not_processed_means_not_yet(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, status=404, headers={"x-opsgenie-errortype": "RequestNotProcessed"}, body="not processed")
    assert client().request_status("43a29c5c") == RequestStatus(None)


def test_a_404_that_says_not_processed_in_words_means_not_yet(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, status=404, json={"message": "Request is not processed yet"})
    assert client().request_status("43a29c5c") == RequestStatus(None, "Request is not processed yet")


def test_a_failure_without_a_status_shows_opsgenies_message(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, json={"data": {"isSuccess": False, "status": None}, "message": "Try it again"})
    assert client().request_status("43a29c5c") == RequestStatus(False, "Try it again")


def test_a_404_that_is_no_answer_of_opsgenies_says_nothing_of_the_request(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, status=404, body="<html>not found</html>", content_type="text/html")
    with pytest.raises(Blocked, match="OPSGENIE_API_URL"):
        client().request_status("43a29c5c")


def test_any_other_404_means_unknown_request(wire: responses.RequestsMock) -> None:
    wire.get(REQUEST, status=404, json={"message": "Not found"})
    with pytest.raises(Missing, match="request 43a29c5c is not known"):
        client().request_status("43a29c5c")


@pytest.mark.parametrize(("verb", "path"), [("acknowledge", "acknowledge"), ("unacknowledge", "unacknowledge")])
def test_state_writes(wire: responses.RequestsMock, verb: str, path: str) -> None:
    exact = [
        query(identifierType="id"), body({"user": "J" * 100, "source": "reconciler"}),
        sent(Authorization=f"GenieKey {OPSGENIE_KEY}", Content_Type="application/json"),
    ]  # fmt: skip
    answer = {"result": "Request will be processed", "took": 0.3, "requestId": "43a29c5c"}
    wire.post(f"{ALERTS}/{A1}/{path}", status=202, json=answer, match=exact)
    assert getattr(writing(), verb)(A1, "J" * 120) == "43a29c5c"


def test_a_note_is_written(wire: responses.RequestsMock) -> None:
    exact = [query(identifierType="id"), body({"user": "Jane", "source": "reconciler", "note": "[mark] täxt"})]
    wire.post(f"{ALERTS}/{A1}/notes", status=202, json={"result": "ok"}, match=exact)
    assert writing().add_note(A1, "Jane", "[mark] täxt") == ""


def test_a_note_too_long_is_cut_visibly(wire: responses.RequestsMock) -> None:
    exact = body({"user": "Jane", "source": "reconciler", "note": "x" * 24_999 + "…"})
    wire.post(f"{ALERTS}/{A1}/notes", status=202, json={"requestId": 5}, match=[exact])
    assert writing().add_note(A1, "Jane", "x" * 25_001) == "5"


def test_writing_to_a_missing_alert_is_missing(wire: responses.RequestsMock) -> None:
    wire.post(f"{ALERTS}/gone/notes", status=404, json={"message": "Alert does not exist"})
    with pytest.raises(Missing):
        writing().add_note("gone", "Jane", "x")
    assert asked(wire.calls[0]) == {"identifierType": "id"}


# -- what a row says readably, and what it does not --

NOW = FakeClock().now()
ODD_STAMPS: list[Any] = [
    None, 0, -1, 0.5, True, "", "yesterday", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.9Z",
    "2999-01-01T00:00:00Z", 32_472_144_000_000, 10**30, [], {}, "2026-11-23T11:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_STAMPS)
def test_an_impossible_stamp_neither_drops_an_alert_nor_ends_the_reading_nor_is_believed(
    wire: responses.RequestsMock, odd: Any
) -> None:
    first = [row(1), row(2, updatedAt=odd, age=5), row(3, createdAt=odd, age=5), row(4, age=9, updatedAt=odd)]
    second = [row(5, age=20), row(6, age=200)]
    wire.get(ALERTS, json=page(first, more=True))
    wire.get(ALERTS, json=page(second, more=True))
    bad: list[tuple[str, str]] = []
    found = {alert.id: alert for alert in client(bad=bad).recent_alerts(AT - timedelta(seconds=100))}
    assert list(found) == [f"alert-{n}" for n in (1, 2, 3, 4, 5)]
    assert found["alert-2"].updated_at == found["alert-3"].created_at == AT - timedelta(seconds=5)
    assert bad == []


@pytest.mark.parametrize(
    ("alert_id", "expected"),
    [
        ("86289902-1111-4000-8000-000000000000-1795424400000", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
        ("86289902-1111-4000-8000-000000000000-9999999999999", NOW),
        ("86289902-1111-4000-8000-795424400000", NOW),
        ("plain", NOW),
    ],
)
def test_an_alert_without_any_stamp_is_dated_by_its_id_or_now(
    wire: responses.RequestsMock, alert_id: str, expected: datetime
) -> None:
    wire.get(ALERTS, json=page([row(1, id=alert_id, createdAt="?", updatedAt=None)]))
    (alert,) = client().recent_alerts(None)
    assert (alert.created_at, alert.updated_at) == (expected, expected)


@pytest.mark.parametrize("odd", [-1, 10**30, "x", True, [], {}, 1e308, 86_400_000, None])
def test_a_duration_that_cannot_be_one_is_none(wire: responses.RequestsMock, odd: Any) -> None:
    report = {"ackTime": odd, "closeTime": odd}
    wire.get(ALERTS, json=page([row(1, acknowledged=True, report=report)]))
    (alert,) = client().recent_alerts(None)
    assert (alert.acknowledged_at, alert.closed_at) == (None, None)


@pytest.mark.parametrize(
    ("acknowledged", "expected"),
    [
        (True, True), (False, False), ("true", True), ("False", False), (" TRUE ", True),
        (None, None), (1, None), (0, None), ("yes", None), ("", None), ([], None), ({}, None), ("acked", None),
    ],
)  # fmt: skip
def test_an_acknowledgement_is_read_only_where_it_is_said(
    wire: responses.RequestsMock, acknowledged: Any, expected: bool | None
) -> None:
    rows = [row(1, acknowledged=acknowledged, owner="ana", report={"ackTime": 5, "acknowledgedBy": "ana"})]
    wire.get(ALERTS, json=page(rows))
    (alert,) = client().recent_alerts(None)
    assert alert.acknowledged is expected
    assert alert.acknowledged_by == ("ana" if expected else "")


def test_an_alert_that_does_not_say_whether_it_is_acknowledged_says_nothing_of_it(
    wire: responses.RequestsMock,
) -> None:
    silent = row(1)
    del silent["acknowledged"], silent["status"]
    wire.get(ALERTS, json=page([silent]))
    (alert,) = client().recent_alerts(None)
    assert (alert.acknowledged, alert.open) == (None, None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("open", True), ("closed", False), (" Closed ", False), ("snoozed", True), ("resolved", True),
        ("", None), (" ", None), (None, None), (7, None), (True, None), ([], None), ({}, None),
    ],
)  # fmt: skip
def test_a_status_is_read_only_where_it_is_said(
    wire: responses.RequestsMock, status: Any, expected: bool | None
) -> None:
    wire.get(ALERTS, json=page([row(1, status=status)]))
    assert client().recent_alerts(None)[0].open is expected
    assert len(client().open_alerts_page(0)[0]) == (expected is not False)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [("P1", "P1"), (" p2 ", "P2"), ("P1-Critical", "P1-CRITICAL"), (3, "3"), (None, ""), ([], ""), ("", "")],
)
def test_a_priority_is_kept_as_it_is_said(wire: responses.RequestsMock, priority: Any, expected: str) -> None:
    wire.get(ALERTS, json=page([row(1, priority=priority)]))
    assert client().recent_alerts(None)[0].priority == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"prod": True, "n": 1.5, "list": ["a", {"b": None}], "nested": {"ü": [1]}, "zero": 0, "no": False},
         (("prod", "true"), ("n", "1.5"), ("list", '["a",{"b":null}]'), ("nested", '{"ü":[1]}'), ("zero", "0"),
          ("no", "false"))),
        ({"a": "", "b": None, "c": [], "d": {}, "e": "  ", "f": " x "}, (("f", " x "),)),
        (["a", 1], (("details", '["a",1]'),)), ("text", (("details", "text"),)), (None, ()), ([], ()),
    ],
)  # fmt: skip
def test_details_of_any_kind_are_shown_and_none_is_empty(
    wire: responses.RequestsMock, details: Any, expected: Any
) -> None:
    wire.get(f"{ALERTS}/{A1}", json={"data": row(1, details=details)})
    assert client().alert(A1).details == expected


# -- lists that go on, and lists that do not end --


@pytest.mark.parametrize("rows", [[None, {}, 7], []])
def test_a_list_goes_on_past_a_page_without_a_readable_row(wire: responses.RequestsMock, rows: list[Any]) -> None:
    for _ in range(2):
        wire.get(ALERTS, json=page(rows, more=True))
        wire.get(ALERTS, json=page([row(1)]))
        wire.get(ALERTS, json=page([row(1)]))
    assert [alert.id for alert in client().recent_alerts(AT - timedelta(days=1))] == ["alert-1"]
    wire.reset()
    wire.get(ALERTS, json=page(rows, more=True))
    wire.get(ALERTS, json=page([row(1)]))
    assert [alert.id for some in client().open_alerts() for alert in some] == ["alert-1"]


def test_a_list_that_says_more_without_end_ends(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([], more=True))
    assert client().recent_alerts(AT - timedelta(days=1)) == []
    assert len(wire.calls) == 2
    assert client().open_alerts_page(0) == ([], False)


def test_an_impossible_stamp_hides_nothing_past_the_window(wire: responses.RequestsMock) -> None:
    queries: list[str] = []

    def reply(request: Any) -> tuple[int, dict[str, str], str]:
        offset = int(request.params["offset"])
        if request.params["query"] not in queries:
            queries.append(request.params["query"])
        if len(queries) > 1:
            return 200, {}, json.dumps(page([row(20_000)]))
        rows = [row(offset + n, age=20_000 - (offset + n)) for n in range(100)]
        rows[50] |= {"createdAt": "2999-01-01T00:00:00Z"}
        return 200, {}, json.dumps(page(rows))

    wire.add_callback("GET", ALERTS, reply)
    assert sum(len(some) for some in client().open_alerts()) == 19_901
    assert queries[1] == f"status:open AND createdAt>={int((AT - timedelta(seconds=101)).timestamp() * 1000)}"


def test_notes_that_do_not_end_are_read_no_further_than_makes_sense(wire: responses.RequestsMock) -> None:
    numbers = iter(range(1, 1000))

    def reply(_request: Any) -> tuple[int, dict[str, str], str]:
        n = next(numbers)
        return 200, {}, json.dumps(notes_page([note(n)], f"o{n}"))

    wire.add_callback("GET", f"{ALERTS}/{A1}/notes", reply)
    bad: list[tuple[str, str]] = []
    assert len(client(bad=bad).notes(A1)) == 100
    assert bad == [("Opsgenie", f"more than 100 pages of notes of alert {A1}: the rest is not read")]


def test_a_note_with_an_impossible_stamp_is_dated_by_its_token_or_now(wire: responses.RequestsMock) -> None:
    token = f"{int(AT.timestamp() * 1000)}_1795424400000000001"
    rows = [note(1, createdAt=0, offset=token), note(2, createdAt="2999-01-01T00:00:00Z", offset="o2")]
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([*rows, note(3, createdAt=None, note=None)]))
    bad: list[tuple[str, str]] = []
    assert [(n.text, n.at) for n in client(bad=bad).notes(A1)] == [("note 2", NOW), ("note 1", AT)]
    assert bad == [("Opsgenie", "note o3 without a readable createdAt")]


# -- the log, as far back as who did it --


def line(n: int, log: str, owner: str = "ana") -> dict[str, Any]:
    at = (AT - timedelta(seconds=n)).isoformat().replace("+00:00", "Z")
    return {"log": log, "type": "system", "owner": owner, "createdAt": at, "offset": f"l{n}"}


def test_the_log_is_read_until_it_shows_who_acknowledged_and_who_took_it_back(
    wire: responses.RequestsMock,
) -> None:
    url = f"{ALERTS}/{A1}/logs"
    base = {"identifierType": "id", "limit": "100", "order": "desc"}
    noise = [line(n, "Notification sent, as the alert is not acknowledged", "System") for n in range(1, 100)]
    wire.get(url, json=notes_page(noise, "l99"), match=[query(**base)])
    taken = [line(100, "Alert unacknowledged", "ben"), line(101, "Alert unacknowledged", "System")]
    wire.get(url, json=notes_page(taken, "l101"), match=[query(**base, offset="l99", direction="next")])
    held = [line(102, "Alert acknowledged via web"), line(103, "Alert created")]
    wire.get(url, json=notes_page(held, "l103"), match=[query(**base, offset="l101", direction="next")])
    acts = [act for act in client().acts(A1) if act.verb != "other"]
    assert [(act.verb, act.person) for act in acts] == [
        ("unacknowledge", Person("ben", "ben")),
        ("acknowledge", Person("ana", "ana")),
    ]
    assert len(wire.calls) == 3


def test_a_log_that_does_not_end_is_read_no_further_than_makes_sense(wire: responses.RequestsMock) -> None:
    numbers = iter(range(1, 1000))

    def reply(_request: Any) -> tuple[int, dict[str, str], str]:
        n = next(numbers)
        return 200, {}, json.dumps(notes_page([line(n, "Alert acknowledged via web")], f"l{n}"))

    wire.add_callback("GET", f"{ALERTS}/{A1}/logs", reply)
    assert len(client().acts(A1)) == 10


def test_the_key_is_confirmed_by_the_list(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([]), match=[query(limit="1")])
    client().confirm_key()
