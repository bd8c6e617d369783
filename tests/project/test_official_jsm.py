"""The sandbox's answers as Jira Service Management, against its published description, where a copy is at hand."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.jsm import ACCOUNT, JsmBench
from tests.support.official import JSM, JSM_BASE, Description

ALERTS = ACCOUNT.removeprefix("/jsm")
"""The path that the gateway has."""


@pytest.fixture(scope="module")
def described() -> Description:
    return Description(JSM, JSM_BASE)


def full(**settings: Any) -> tuple[JsmBench, str]:
    """A sandbox in which every field of an alert, a note and a log entry has a value somewhere."""
    world = JsmBench(**settings)
    alert = world.alert(
        description="full",
        details={"host": "db-1", "tries": 3},
        tags=["ops"],
        source="cron",
        priority="P2",
        alias="a",
    )
    world.act("jsm", alert, "notes", text="after the deploy")
    world.act("jsm", alert, "acknowledge")
    world.post(f"/{alert}/notes", {"note": "mine"})
    world.act("jsm", alert, "snooze", seconds=60)
    for _ in range(2):
        world.act("jsm", world.alert(), "close")
    return world, alert


def wrong(world: JsmBench, described: Description, method: str, path: str, body: Any = None) -> list[str]:
    """What is wrong with a request and with its answer."""
    target = f"{ACCOUNT}{path}"
    url, reply = urlsplit(f"{ALERTS}{path}"), world.call(method, target, body)
    asked = described.wrong_request(method, url.path, dict(parse_qsl(url.query)), body)
    return asked + described.wrong_answer(method, url.path, reply.status, reply.json())


@pytest.mark.parametrize("words", ["open", "acked"])
@pytest.mark.parametrize("form", ["name", "email", "account_id"])
def test_answers_are_as_described(words: str, form: str, described: Description) -> None:
    world, alert = full(jsm_status_words=words, jsm_owner_form=form)
    accepted = world.post(f"/{alert}/acknowledge").json()["requestId"]
    paths = [
        "", "?size=1&sort=createdAt&order=asc&offset=1&query=status:open", f"/{alert}", "/alias?alias=a",
        f"/{alert}/notes?size=1", f"/{alert}/logs?size=1", f"/requests/{accepted}",
    ]  # fmt: skip
    assert [found for path in paths for found in wrong(world, described, "GET", path)] == []
    acts = ["acknowledge", "unacknowledge", "close"]
    assert [found for act in acts for found in wrong(world, described, "POST", f"/{alert}/{act}")] == []
    assert wrong(world, described, "POST", f"/{alert}/notes", {"note": "hello"}) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "settings"),
    [
        ("GET", "/nothing", 404, {}),
        ("GET", "/alias?alias=nothing", 404, {}),
        ("GET", "/nothing/notes", 404, {}),
        ("GET", "/nothing/logs", 404, {}),
        ("GET", "/requests/nothing", 404, {}),
        ("GET", "?query=nothing", 422, {}),
        ("GET", "/{alert}", 403, {"refused_alerts": ["1"]}),
        ("GET", "", 401, {"jsm_scopes": []}),
        ("GET", "", 401, {"jsm_token": "another"}),
        ("POST", "/{alert}/acknowledge", 401, {"jsm_scopes": ["read"]}),
    ],
)
def test_refusals_are_as_described(
    method: str, path: str, status: int, settings: dict[str, Any], described: Description
) -> None:
    world, alert = full()
    world.set(**settings)
    path = path.format(alert=alert)
    assert world.call(method, f"{ACCOUNT}{path}").status == status
    assert wrong(world, described, method, path) == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda d: d.wrong_request("GET", ALERTS, {"limit": "20"}),
        lambda d: d.wrong_request("GET", ALERTS, {"size": "101"}),
        lambda d: d.wrong_request("GET", ALERTS, {"sort": "updatedAt"}),
        lambda d: d.wrong_request("GET", f"{ALERTS}/alias"),
        lambda d: d.wrong_request("POST", f"{ALERTS}/a/acknowledge", body={"user": "Jane"}),
        lambda d: d.wrong_request("POST", f"{ALERTS}/a/notes", body={}),
        lambda d: d.wrong_request("POST", f"{ALERTS}/a/notes"),
        lambda d: d.wrong_request("POST", f"{ALERTS}/a/snooze"),
        lambda d: d.wrong_answer("GET", f"{ALERTS}/a", 200, {"createdAt": "yesterday"}),
        lambda d: d.wrong_answer("GET", f"{ALERTS}/a", 200, {"acknowledged": None}),
        lambda d: d.wrong_answer("GET", f"{ALERTS}/a", 402, {}),
        lambda d: d.wrong_answer("GET", ALERTS, 200, {"values": [{"isSeen": True}]}),
    ],
)
def test_what_is_not_described_is_found(ask: Callable[[Description], list[str]], described: Description) -> None:
    assert len(ask(described)) == 1
