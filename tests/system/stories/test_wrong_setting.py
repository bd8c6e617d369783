"""What an operator with a wrong setting is told by `doctor` and `once`: which one, and the fix, in one round."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.wire import Request, json_response
from reconciler.store.schema import REVISION
from tests.support.harness import COMMAND, Json, World

BOTH_WRONG = {"OPSGENIE_API_KEY": "wrong-opsgenie-key", "PAGERDUTY_API_KEY": "wrong-pagerduty-key"}
DENIED = json_response(403, {"error": {"message": "Access Denied", "code": 2010}})
FORBIDDEN = json_response(403, {"message": "You are not authorized", "took": 0.1, "requestId": "r"})


def doctor(world: World, **environ: str) -> tuple[int, dict[str, Json]]:
    """The exit status, and every finding by its check."""
    done = world.run("doctor", "--json", **environ)
    assert done.stderr == ""
    return done.returncode, {each["check"]: each for each in json.loads(done.stdout)["checks"]}


def bad(found: dict[str, Json]) -> set[str]:
    """The checks whose finding is bad."""
    return {name for name, each in found.items() if each["verdict"] == "bad"}


# -- e: a wrong key, region, service, e-mail, user, query --


@pytest.mark.parametrize(
    ("environ", "check", "named"),
    [
        ({"OPSGENIE_API_KEY": "wrong-key"}, "opsgenie key", "OPSGENIE_API_KEY"),
        ({"OPSGENIE_API_KEY": "wrong-key"}, "opsgenie key", "OPSGENIE_API_URL is the account's region"),
        ({"PAGERDUTY_API_KEY": "wrong-key"}, "pagerduty key", "PAGERDUTY_API_KEY"),
        ({"PAGERDUTY_API_KEY": "wrong-key"}, "pagerduty key", "PAGERDUTY_API_URL is the account's region"),
        ({"PAGERDUTY_SERVICE_ID": "PNONE01"}, "pagerduty service", "PAGERDUTY_SERVICE_ID"),
        ({"PAGERDUTY_EMAIL": "nobody@example.com"}, "pagerduty user", "PAGERDUTY_EMAIL"),
        ({"PAGERDUTY_USER": "Another Bot"}, "pagerduty user", "PAGERDUTY_USER"),
        ({"OPSGENIE_QUERY": "(("}, "opsgenie query", "OPSGENIE_QUERY"),
    ],
)
def test_a_wrong_value_is_named_by_doctor_and_by_a_run(
    world: World, environ: dict[str, str], check: str, named: str
) -> None:
    status, found = doctor(world, **environ)
    assert status == 1
    assert bad(found) == {check}
    assert named in found[check]["found"] + found[check]["fix"]
    for arguments in (("once", "--dry-run"), ("once",)):
        done = world.run(*arguments, **environ)
        assert done.returncode == 2, done.stderr
        assert named in done.stderr
    assert world.writes() == []


@pytest.mark.parametrize("is_begun", [False, True], ids=["first start", "later"])
def test_two_wrong_keys_are_told_in_one_round(world: World, is_begun: bool) -> None:
    if is_begun:
        world.once()
    status, found = doctor(world, **BOTH_WRONG)
    assert (status, bad(found)) == (1, {"opsgenie key", "pagerduty key"})
    for arguments in (("once", "--dry-run"), ("once",), ("once", "--json")):
        done = world.run(*arguments, **BOTH_WRONG)
        assert done.returncode == 2
        for name, key in BOTH_WRONG.items():
            assert name in done.stderr
            assert key not in done.stderr + done.stdout


def test_a_role_that_may_only_read_is_found_before_the_first_write(world: World) -> None:
    world.settings(bot_role="observer")
    status, found = doctor(world)
    assert (status, bad(found)) == (1, {"pagerduty user"})
    assert "responder" in found["pagerduty user"]["fix"]


def test_a_key_that_may_only_read_is_told_as_far_as_that_can_be_known(world: World) -> None:
    """No read tells it: doctor says so, and the first write names the key. One that succeeds proves the right."""

    def is_write(_vendor: str, request: Request) -> bool:
        return request.method != "GET"

    world.raise_alert()
    end = world.answers(is_write, DENIED)
    status, found = doctor(world)
    assert (status, bad(found)) == (0, set())
    for check in ("pagerduty writes", "opsgenie writes"):
        assert found[check]["verdict"] == "warning"
        assert "not provable without a write" in found[check]["found"]
    done = world.run("once")
    assert done.returncode == 2
    assert "PAGERDUTY_API_KEY lacks a right" in done.stderr
    end()
    assert world.run("once").returncode == 0
    status, found = doctor(world)
    assert (status, found["pagerduty writes"]["verdict"]) == (0, "good")


# -- f: the database --


def test_a_wrong_path_of_the_database_is_told_before_anything_is_written(world: World) -> None:
    world.raise_alert()
    world.once()
    world.customer("1", "notes", text="look")
    world.once()
    other = world.folder / "other.db"
    status, found = doctor(world, DATABASE_URL=f"sqlite:///{other}")
    assert status == 0
    assert f"{other} does not exist yet" in found["database"]["found"]
    assert "DATABASE_URL does not name its database" in found["database"]["fix"]
    assert found["another reconciler"]["verdict"] == "warning"
    assert "that this database has not written" in found["another reconciler"]["found"]
    assert not other.exists()
    done = world.run("once", DATABASE_URL=f"sqlite:///{other}")
    assert f"reconciler: first start, new database at sqlite:///{other}" in done.stderr
    assert "new database" not in world.run("once", DATABASE_URL=f"sqlite:///{other}").stderr


def test_a_folder_that_is_not_there_fails_the_checks_of_the_database_alone(world: World) -> None:
    status, found = doctor(world, DATABASE_URL="sqlite:////nowhere/reconciler.db")
    assert (status, bad(found)) == (1, {"database"})
    assert found["pagerduty service"]["verdict"] == "good"


@pytest.mark.parametrize("arguments", [("once", "--dry-run"), ("status",), ("doctor",), ("config",)])
def test_postgresql_without_its_extra_says_what_to_install(world: World, arguments: tuple[str, ...]) -> None:
    (world.folder / "sitecustomize.py").write_text('import sys\nsys.modules["psycopg"] = None\n')
    environ = {"DATABASE_URL": "postgresql://joe:hunter2@127.0.0.1:1/x", "PYTHONPATH": str(world.folder)}
    done = subprocess.run(
        [COMMAND, *arguments],
        env=world.env(environ),
        cwd=world.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'reconciler[postgres]'" in done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr


# -- a5: the automation user is on call --


def test_an_automation_user_on_call_is_found_before_the_first_page(world: World) -> None:
    world.settings(bot_on_call=True)
    world.raise_alert()
    status, found = doctor(world)
    assert status == 1
    assert bad(found) == {"pagerduty on call", "pagerduty user's duties"}
    for check in bad(found):
        assert "Reconciler Bot" in found[check]["found"]
        assert "take it off every schedule and escalation policy" in found[check]["fix"]
    assert world.state()["pagerduty"]["incidents"] == []


# -- doctor itself --


def test_doctor_finds_nothing_bad_in_a_good_set_up_and_writes_nothing(both: World) -> None:
    both.raise_alert()
    before = both.files()
    done = both.run("doctor")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.splitlines()[-1].endswith(" 0 bad")
    assert "1 open alert would page now" in done.stdout
    assert both.files() == before
    assert both.writes() == []
    assert all(call["method"] == "GET" for call in both.calls())


def test_doctor_beside_a_running_daemon_names_it(both: World) -> None:
    both.begin(HTTP_LISTEN="127.0.0.1:0")
    daemon = both.daemons[-1]
    status, found = doctor(both)
    assert (status, bad(found)) == (0, set())
    assert found["leader"]["verdict"] == "good"
    assert f":{daemon.pid} leads, " in found["leader"]["found"]
    assert f"schema {REVISION}" in found["database"]["found"]
    assert found["database writable"]["verdict"] == "good"


def test_a_vendor_that_hangs_fails_its_own_checks_alone_and_in_time(world: World) -> None:
    world.faults({"do": "hang", "vendor": "pagerduty", "seconds": 60, "times": 0})
    status, found = doctor(world)
    assert (status, bad(found)) == (1, {"pagerduty key"})
    assert found["pagerduty service"]["found"] == "not checked: PagerDuty cannot be reached"
    assert found["opsgenie query"]["verdict"] == "good"


def test_a_clock_that_is_wrong_is_told(world: World) -> None:
    def ahead(_request: Request, answer: Any) -> Any:
        return type(answer)(
            answer.status, answer.body, {**answer.headers, "Date": "Mon, 23 Nov 2099 09:00:05 GMT"}
        )

    world.bend(lambda vendor, _request: vendor == "opsgenie", ahead)
    status, found = doctor(world)
    assert (status, bad(found)) == (1, {"opsgenie clock"})
    assert "behind" in found["opsgenie clock"]["found"]


# -- names and placeholders --


def test_a_misspelt_query_in_the_environment_pages_nobody(world: World) -> None:
    world.raise_alert()
    done = world.run("once", OPSGENIE_QUERRY="tag: critical")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "OPSGENIE_QUERRY: there is no such variable; the environment perhaps means OPSGENIE_QUERY" in done.stderr
    )
    assert world.calls() == []


def test_a_name_that_may_be_another_program_s_is_warned_about(world: World) -> None:
    done = world.run("once", LOGLEVEL="DEBUG")
    assert done.returncode == 0
    assert "reconciler: LOGLEVEL: is not read; if LOG_LEVEL is meant, rename it" in done.stderr


def test_the_sample_as_it_stands_asks_no_vendor(world: World) -> None:
    (world.folder / ".env").write_bytes(Path(".env-example").read_bytes())
    for name in ("PAGERDUTY_API_KEY", "PAGERDUTY_SERVICE_ID", "PAGERDUTY_EMAIL", "OPSGENIE_API_KEY"):
        world.environment[name] = ""
    world.environment["PAGERDUTY_API_URL"] = ""
    done = world.run("once", "--dry-run")
    assert done.returncode == 2
    assert done.stderr.count("is still the placeholder of .env-example") == 4
