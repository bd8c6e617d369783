"""Which requests the status page answers, the headers of its answers, and what a refusal says."""

import json
from dataclasses import replace

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Settlement, Side, Status
from reconciler.operations.status import read as read_status
from reconciler.operations.status_data import as_data
from reconciler.settings import load
from reconciler.store.database import Database, DatabaseDown
from reconciler.web.status_app import HEADERS
from tests.support.builders import ALERT_ID, INCIDENT_ID, action, at, pair
from tests.support.configured import REQUIRED
from tests.support.desk import Desk

PASSWORD = "open-sesame"
PATHS = ("/", "/pairs/17", "/status.json", "/status.css", "/icon.svg", "/nothing", "/pairs/99")


@pytest.fixture
def stored(database: Database) -> Database:
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(pair(swept_at=at(0)), title="<b>disk</b> \u202efull")])
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE, text="any news?", key="k")], at(0))
        unit.outbox.settle(Settlement(1, Status.DEAD, "422"), at(3))
        seen = Entry(at(1), Event.SEEN, ALERT_ID, Side.PAGERDUTY, incident_id=INCIDENT_ID, who="Jane <i>Doe")
        unit.journal.append([seen])
    return database


@pytest.fixture
def desk(stored: Database) -> Desk:
    return Desk(stored)


@pytest.fixture
def guarded(stored: Database) -> Desk:
    return Desk(stored, STATUS_LISTEN="0.0.0.0:0", STATUS_PASSWORD=PASSWORD)


def test_the_status_and_a_pair_are_shown(desk: Desk) -> None:
    status, one = desk.ask(), desk.ask("/pairs/17")
    assert (status.status_code, one.status_code) == (200, 200)
    assert "reconciler retry --all" in status.text
    assert "reconciler retry 17" in one.text
    for shown in (status.text, one.text):
        assert r"&lt;b&gt;disk&lt;/b&gt; \u202efull" in shown
        assert "Jane &lt;i&gt;Doe" in shown
    for given in (ALERT_ID, INCIDENT_ID, "4711", "%2317"):
        assert desk.ask(f"/pairs/{given}").status_code == 200


def test_the_json_is_that_of_the_command_with_the_decisions(desk: Desk) -> None:
    answer = desk.ask("/status.json")
    found = json.loads(answer.text)
    expected = as_data(read_status(desk.database, "sqlite:///r.db"), 10)
    assert [*found] == [*expected, "decisions"]
    assert (found["dead"][0]["id"], found["actions"]) == (1, expected["actions"])
    assert found["decisions"][0]["who"] == "Jane <i>Doe"
    assert answer.content_type == "application/json"


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_headers_that_keep_browsers_strict(desk: Desk, path: str) -> None:
    answer = desk.ask(path)
    assert set(HEADERS) <= set(answer.headers.items())
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_nothing_but_get_and_head_is_answered(desk: Desk, path: str, method: str) -> None:
    answer = desk.ask(path, method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_a_body(desk: Desk) -> None:
    answer = desk.ask("/", "HEAD")
    assert (answer.status_code, answer.text) == (200, "")


def test_a_body_is_refused_even_where_its_length_is_not_told(desk: Desk) -> None:
    assert desk.ask(data=b"x").status_code == 413
    assert desk.ask(headers={"Transfer-Encoding": "chunked"}).status_code == 413


@pytest.mark.parametrize("path", ["/", "/pairs/17", "/status.json", "/status.css"])
def test_without_a_password_only_names_of_loopback_are_answered(desk: Desk, path: str) -> None:
    answer = desk.ask(path, headers={"Host": "evil.example:8081"})
    assert answer.status_code == 421
    assert "evil.example" not in answer.text
    assert "disk" not in answer.text
    assert desk.ask(path, headers={"Host": "127.0.0.1:8081"}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_where_there_is_a_password_it_is_needed_for_everything(guarded: Desk, path: str) -> None:
    for more in ({}, {"auth": ("any", "wrong")}, {"auth": ("any", "")}, {"headers": {"Authorization": "x"}}):
        answer = guarded.ask(path, **more)
        assert (answer.status_code, answer.headers["WWW-Authenticate"][:12]) == (401, "Basic realm=")
        assert "disk" not in answer.text
    answer = guarded.ask(path, auth=("any", PASSWORD), headers={"Host": "status.example.com"})
    assert answer.status_code in (200, 404)


def test_a_renewed_password_holds_at_once(guarded: Desk) -> None:
    new = load(REQUIRED | {"STATUS_LISTEN": "0.0.0.0:0", "STATUS_PASSWORD": "its-successor"}, dotenv=None)
    guarded.settings = new
    assert guarded.ask(auth=("any", PASSWORD)).status_code == 401
    assert guarded.ask(auth=("any", "its-successor")).status_code == 200


def test_wrong_passwords_are_logged_once_in_ten_minutes_and_a_missing_one_never(
    guarded: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    guarded.ask()
    assert caplog.text == ""
    for _ in range(3):
        guarded.ask(auth=("any", "wrong-guess"))
    assert caplog.text.count("wrong password") == 1
    guarded.now += 601
    guarded.ask(auth=("any", "wrong-guess"))
    assert caplog.text.count("wrong password") == 2
    assert "'times': 3" in caplog.text
    assert "127.0.0.1" in caplog.text
    assert "wrong-guess" not in caplog.text


def test_an_id_that_is_not_known_is_told_with_what_to_run(desk: Desk) -> None:
    for given in ("QX-99", "%2399"):
        answer = desk.ask(f"/pairs/{given}")
        assert (answer.status_code, "reconciler explain " in answer.text) == (404, True)


@pytest.mark.parametrize(
    "given", ["%20", "%23", "%00", "%3Cscript%3E", "x;%20curl%20evil.example%7Csh", "%E2%80%AE99", "x" * 101]
)
def test_what_is_no_id_is_neither_looked_up_nor_repeated(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr(desk.database, "connected", _away)
    answer = desk.ask(f"/pairs/{given}")
    assert (answer.status_code, "reconciler explain" in answer.text) == (404, False)
    assert not any(part in answer.text for part in ("evil", "xxx", "99"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "style"}, 200),
    ],
)
def test_another_site_may_link_to_the_page_and_not_load_it(
    desk: Desk, headers: dict[str, str], status: int
) -> None:
    assert desk.ask("/", headers=headers).status_code == status


def test_two_slashes_lead_nowhere(desk: Desk) -> None:
    answer = desk.ask("/pairs//17")
    assert (answer.status_code, "Location" in answer.headers) == (404, False)


def _away(**_: object) -> None:
    raise DatabaseDown("DATABASE_URL: the database cannot be reached: no route", "away")


def test_where_the_database_is_away_that_is_what_the_page_says(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.database, "connected", _away)
    for path in ("/", "/pairs/17"):
        answer = desk.ask(path)
        assert (answer.status_code, answer.content_type) == (503, "text/html; charset=utf-8")
        assert "The state is not known: DATABASE_URL: the database cannot be reached: no route" in answer.text
    answer = desk.ask("/status.json")
    assert (answer.status_code, "DATABASE_URL" in json.loads(answer.text)["error"]) == (503, True)


def test_the_status_is_read_once_a_second_however_often_it_is_asked_for(desk: Desk) -> None:
    def seen() -> int:
        return len(json.loads(desk.ask("/status.json").text)["decisions"])

    assert seen() == 1
    with desk.database.writing() as unit:
        unit.journal.append([Entry(at(2), Event.SEEN, ALERT_ID)])
    desk.now += 0.9
    assert seen() == 1
    desk.now += 0.1
    assert seen() == 2


def test_nothing_older_is_shown_while_the_database_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.ask().status_code == 200
    desk.now += 1
    with monkeypatch.context() as patched:
        patched.setattr(desk.database, "connected", _away)
        assert [desk.ask().status_code for _ in range(2)] == [503, 503]
    assert desk.ask().status_code == 200


def test_a_defect_is_told_to_the_log_and_not_to_the_client(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.database, "reading", lambda: 1 // 0)
    answer = desk.ask()
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text
