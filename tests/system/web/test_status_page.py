"""The status page over real HTTP: what it shows, what it escapes, whom it turns away, and what it never shows.

One world serves all: a leader whose page is on loopback without a password, and a stand-by whose page has one.
"""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from reconciler.sandbox.settings import SandboxSettings
from tests.support.harness import NO_KEYS, World, a_world
from tests.support.harness.beats import SECRET
from tests.support.harness.listener import FAST_PATH, SECRETS
from tests.support.page import Page, open_page

TITLE = "<script>alert(1)</script> \u202egnp.\u2066exe\u001b[31m \"quoted' & {{ 7 * 7 }}"
NAME = "<img src=x> Ana"
NOTE = "</bdi></td><svg onload=a()> \u202eevil"
PASSWORD, NEXT_PASSWORD = "the-password-of-the-page", "the-password-that-follows"
KEYS = SandboxSettings()
HIDDEN = (*SECRETS, SECRET, PASSWORD, NEXT_PASSWORD, KEYS.opsgenie_key, KEYS.pagerduty_key)
RAW = ("<script", "<img", "<svg onload", "</bdi></td><svg", "\u202e", "\u2066", "\u001b")
"""What a page must not contain as it was given."""


@dataclass(frozen=True)
class Stage:
    """The world, the leader's page and the stand-by's, the alert, and the file of the password."""

    world: World
    page: Page
    standby: Page
    alert: str
    password: Path


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A story of hostile names and texts, with a key pasted into a note."""
    folder = tmp_path_factory.mktemp("page")
    password = folder / "password"
    password.write_text(PASSWORD)
    with a_world(folder / "world") as world:
        world.environment |= FAST_PATH | {"HEARTBEAT_URL": f"http://127.0.0.1:9/{SECRET}"}
        alert = world.raise_alert(TITLE, user=NAME)
        page = open_page(world, HTTP_LISTEN="127.0.0.1:0")
        world.until(lambda: world.is_paged(alert), "the page")
        world.start(STATUS_LISTEN="127.0.0.1:0", STATUS_PASSWORD_FILE=str(password))
        standby = Page(world)
        world.customer(alert, "notes", text=NOTE, user=NAME)
        world.engineer(alert, "notes", text=f"the key is {KEYS.pagerduty_key}, use it")
        world.engineer(alert, "acknowledge")
        world.until(lambda: world.alert(alert)["acknowledged"] and world.is_settled(), "all is mirrored")
        world.until(lambda: "In trouble: HEARTBEAT_URL" in page.text(), "the heartbeat, which nobody receives")
        yield Stage(world, page, standby, alert, password)
        for secret in HIDDEN:
            assert [each for each in (*page.answered, *standby.answered) if secret in each] == []


def test_what_people_and_vendors_wrote_is_shown_harmless(stage: Stage) -> None:
    status, pair = stage.page.ask().text, stage.page.ask(f"/pairs/{stage.alert}").text
    for shown in (status, pair):
        assert (
            "&lt;script&gt;alert(1)&lt;/script&gt; \\u202egnp.\\u2066exe\\u001b[31m &#34;quoted&#39; &amp;"
            in shown
        )
        assert "{{ 7 * 7 }}" in shown
        assert [each for each in RAW if each in shown] == []
    assert "&lt;img src=x&gt; Ana" in status
    assert re.search(r"&lt;svg onload=a\(\)&gt;\s+evil", pair), "as it is passed on"
    assert "the key is ***, use it" in pair


def test_the_headline_and_the_json_are_those_of_the_command(stage: Stage) -> None:
    printed = json.loads(stage.world.run("status", "--json", **NO_KEYS).stdout)
    found = json.loads(stage.page.ask("/status.json").text)
    assert [*found] == [*printed, "decisions"]
    steady = ("schema", "open_pairs", "actions", "pending", "dead", "apart")
    assert [found[name] for name in steady] == [printed[name] for name in steady]
    assert found["leader"]["holder"] == printed["leader"]["holder"]
    assert printed["headline"].partition(" since ")[0] in stage.page.text()
    events = {(each["event"], each["who"]) for each in found["decisions"]}
    assert {("seen", "Jane Doe"), ("done", "Jane Doe"), ("seen", NAME)} <= events


def test_a_pair_is_found_by_each_of_its_ids_and_an_unknown_one_is_told_what_to_run(stage: Stage) -> None:
    incident = stage.world.incident(stage.alert)
    story = stage.world.run("explain", stage.alert, **NO_KEYS).stdout
    steps = re.findall(r"^  \S+ (\d\d:\d\d:\d\d)  (?:Opsgenie|PagerDuty)", story, re.MULTILINE)
    for given in (stage.alert, "1", "%231", incident["id"], str(incident["incident_number"])):
        answer = stage.page.ask(f"/pairs/{given}")
        assert answer.status_code == 200
        assert answer.text.count('<li class="') == len(steps) > 6
    assert f'href="/pairs/{stage.alert}"' in stage.page.ask().text
    answer = stage.page.ask("/pairs/99")
    assert (answer.status_code, "reconciler explain 99" in answer.text) == (404, True)


def test_browsers_are_kept_strict_and_nothing_is_kept(stage: Stage) -> None:
    for path in ("/", "/pairs/1", "/status.json", "/status.css", "/icon.svg", "/nothing"):
        headers = stage.page.ask(path).headers
        policy = headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= {
            *policy
        }
        assert not any("script" in each or "unsafe" in each or "*" in each for each in policy)
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
        assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")


def test_only_reading_is_answered(stage: Stage) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = stage.page.ask("/", method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert stage.page.ask("/", data=b"x").status_code == 413
    assert stage.page.ask("/", data=iter([b"x"])).status_code == 413
    assert stage.page.ask("/", "HEAD").text == ""


def test_without_a_password_other_names_than_those_of_loopback_are_refused(stage: Stage) -> None:
    for host in ("evil.example", f"evil.example:{stage.page.port}", "localhost.evil.example", "10.0.0.1"):
        answer = stage.page.ask("/status.json", headers={"Host": host})
        assert (answer.status_code, "headline" in answer.text) == (421, False)
    for host in ("localhost:1", "127.0.0.1", "[::1]:8081"):
        assert stage.page.ask("/status.json", headers={"Host": host}).status_code == 200


def test_a_stand_by_shows_the_same_to_who_gives_the_password(stage: Stage) -> None:
    for auth in (None, ("any", "wrong"), ("any", f"{PASSWORD}x"), (PASSWORD, "")):
        answer = stage.standby.ask(auth=auth)
        assert (answer.status_code, "gnp" in answer.text) == (401, False)
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    answer = stage.standby.ask(auth=("any", PASSWORD), headers={"Host": "status.example.com"})
    assert answer.status_code == 200
    assert "which stands by" in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    stage.password.write_text(NEXT_PASSWORD)
    stage.world.until(lambda: stage.standby.ask(auth=("", NEXT_PASSWORD)).status_code == 200, "the new password")
    assert stage.standby.ask(auth=("any", PASSWORD)).status_code == 401


def test_the_log_shows_no_secret(stage: Stage) -> None:
    logs = "".join(file.read_text() for file in stage.world.folder.glob("*.log"))
    assert [secret for secret in HIDDEN if secret in logs] == []


def test_while_the_database_is_away_the_page_says_so(world: World) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    page = open_page(world, DATABASE_URL=f"postgresql://joe:hunter2@127.0.0.1:{port}/name")
    for path in ("/", "/pairs/1", "/status.json"):
        answer = page.ask(path)
        assert answer.status_code == 503
        assert "The state is not known: DATABASE_URL: the database cannot be reached" in answer.text
        assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        (
            {"STATUS_LISTEN": "0.0.0.0:0"},
            'STATUS_LISTEN: "0.0.0.0:0" can be reached from other machines, which needs a STATUS_PASSWORD (or',
        ),
        (
            {"STATUS_LISTEN": "TAKEN"},
            "STATUS_LISTEN: cannot listen on TAKEN: Address already in use; choose another",
        ),
    ],
)
def test_a_page_that_cannot_be_served_ends_the_start(world: World, environ: dict[str, str], says: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        given = {name: text.replace("TAKEN", address) for name, text in environ.items()}
        done = world.run("run", **given)
    assert done.returncode == 2
    assert says.replace("TAKEN", address) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_page_beyond_loopback_needs_its_password_on_loopback_too(world: World) -> None:
    page = open_page(world, STATUS_LISTEN="0.0.0.0:0", STATUS_PASSWORD=PASSWORD)
    assert page.ask().status_code == 401
    assert requests.get(page.url, auth=("any", PASSWORD), timeout=10).status_code in (200, 503)
