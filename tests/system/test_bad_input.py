"""Wrong settings, refused keys, missing objects, unreachable hosts, unusable databases: each is reported once."""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from reconciler.sandbox.server import serve
from tests.support.harness import COMMAND, World, a_world

REQUIRED = (
    "PAGERDUTY_API_KEY",
    "PAGERDUTY_SERVICE_ID",
    "PAGERDUTY_EMAIL",
    "PAGERDUTY_USER",
    "OPSGENIE_API_KEY",
)
NOBODY = "http://127.0.0.1:9"
SECRET = "s3cr3t-value-of-a-key"


# -- configuration --

CONFIGURATIONS: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing at all": (dict.fromkeys(REQUIRED, ""), list(REQUIRED)),
    "one missing": ({"PAGERDUTY_EMAIL": ""}, ["PAGERDUTY_EMAIL"]),
    "everything malformed": (
        {
            "PAGERDUTY_API_KEY": f"{SECRET} with blanks",
            "PAGERDUTY_SERVICE_ID": "https://example.com/services/P1",
            "PAGERDUTY_EMAIL": "nobody",
            "OPSGENIE_API_KEY": f"{SECRET}\nand a line",
            "PAGERDUTY_API_URL": "ftp://example.com",
            "OPSGENIE_API_URL": f"https://user:{SECRET}@example.com",
            "DATABASE_URL": f"mysql://root:{SECRET}@db/x",
            "POLL_INTERVAL_SECONDS": "often",
            "SWEEP_INTERVAL_SECONDS": "-1",
            "INITIAL_LOOKBACK_SECONDS": "nan",
            "STALENESS_SECONDS": "1e99",
            "ON_OPSGENIE_UNACKNOWLEDGE": "shrug",
            "ON_OPSGENIE_CLOSE": "shrug",
            "ON_PAGERDUTY_ACK_TIMEOUT": "shrug",
            "HTTP_LISTEN": "everywhere",
            "LOG_FORMAT": "yaml",
            "LOG_LEVEL": "LOUD",
        },
        [
            *("PAGERDUTY_API_KEY", "PAGERDUTY_SERVICE_ID", "PAGERDUTY_EMAIL", "OPSGENIE_API_KEY"),
            *("PAGERDUTY_API_URL", "OPSGENIE_API_URL", "DATABASE_URL", "POLL_INTERVAL_SECONDS"),
            *("SWEEP_INTERVAL_SECONDS", "INITIAL_LOOKBACK_SECONDS", "STALENESS_SECONDS"),
            *("ON_OPSGENIE_UNACKNOWLEDGE", "ON_OPSGENIE_CLOSE", "ON_PAGERDUTY_ACK_TIMEOUT"),
            *("HTTP_LISTEN", "LOG_FORMAT", "LOG_LEVEL"),
        ],
    ),
    "a secret twice": (
        {"OPSGENIE_API_KEY": SECRET, "OPSGENIE_API_KEY_FILE": "/run/secrets/key"},
        ["OPSGENIE_API_KEY"],
    ),
    "a secret's file that is not there": (
        {"PAGERDUTY_API_KEY": "", "PAGERDUTY_API_KEY_FILE": f"/nowhere/{SECRET}"},
        ["PAGERDUTY_API_KEY"],
    ),
    "a webhook secret without a fast path": (
        {"OPSGENIE_WEBHOOK_SECRET": SECRET, "HTTP_LISTEN": "127.0.0.1:0"},
        ["OPSGENIE_WEBHOOK_SECRET"],
    ),
    "a webhook secret without a fast path or a listener": (
        {"OPSGENIE_WEBHOOK_SECRET": SECRET},
        ["OPSGENIE_WEBHOOK_SECRET"],
    ),
    "a database in memory": ({"DATABASE_URL": "sqlite://"}, ["DATABASE_URL"]),
    "a folder that is not there": ({"DATABASE_URL": "sqlite:////nowhere/at/all/x.db"}, ["DATABASE_URL"]),
    "a folder for a database": ({"DATABASE_URL": "sqlite:////dev"}, ["DATABASE_URL"]),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world shared by tests that must not change it."""
    with a_world(tmp_path_factory.mktemp("bad")) as world:
        world.raise_alert()
        yield world
        assert world.writes() == []


@pytest.mark.parametrize(
    ("case", "command"),
    [
        *((case, ("once",)) for case in CONFIGURATIONS),
        ("everything malformed", ("run",)),
        ("a folder that is not there", ("run",)),
        ("a folder that is not there", ("once", "--dry-run")),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_every_configuration_problem_is_reported_at_once_with_its_variable(
    shared: World, case: str, command: tuple[str, ...]
) -> None:
    environ, names = CONFIGURATIONS[case]
    done = shared.run(*command, **environ)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert all(line.startswith("reconciler: ") for line in lines), done.stderr
    assert sorted(line.split()[1].rstrip(":,") for line in lines) == sorted(names)
    # What follows the problem says how to fix it.
    assert all(len(line.split(": ", 2)[2].split()) >= 4 for line in lines)
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr
    assert shared.files() == {}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--port", value) for value in ("-1", "65536", "http")),
        *(("--rate", value) for value in ("-1", "many")),
        *(
            (option, value)
            for option in ("--latency", "--list-lag", "--write-lag")
            for value in ("-1", "inf", "nan")
        ),
    ],
)
def test_the_sandbox_rejects_an_invalid_option_value_and_names_the_option(option: str, value: str) -> None:
    done = subprocess.run(
        [COMMAND, "sandbox", option, value], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert option in done.stderr.splitlines()[-1]


# -- what the vendors refuse --

REFUSALS: dict[str, tuple[dict[str, str], str]] = {
    "a wrong key for Opsgenie": ({"OPSGENIE_API_KEY": SECRET}, "OPSGENIE_API_KEY"),
    "a wrong key for PagerDuty": ({"PAGERDUTY_API_KEY": SECRET}, "PAGERDUTY_API_KEY"),
    "a service that is not there": ({"PAGERDUTY_SERVICE_ID": "PNONE99"}, "PAGERDUTY_SERVICE_ID"),
    "an automation user that is not there": ({"PAGERDUTY_USER": "PNONE99"}, "PAGERDUTY_USER"),
    "an automation user of another name": ({"PAGERDUTY_USER": "Nobody"}, "PAGERDUTY_USER"),
    "an e-mail address that is not there": ({"PAGERDUTY_EMAIL": "nobody@example.com"}, "PAGERDUTY_EMAIL"),
    "no Opsgenie there": ({"OPSGENIE_API_URL": NOBODY}, "OPSGENIE_API_URL"),
    "no PagerDuty there": ({"PAGERDUTY_API_URL": NOBODY}, "PAGERDUTY_API_URL"),
    "no such host": ({"OPSGENIE_API_URL": "https://no-such-host.invalid"}, "OPSGENIE_API_URL"),
}


def refused_once(environ: dict[str, str], name: str, folder: Path) -> None:
    with a_world(folder) as world:
        world.raise_alert()
        done = world.run("once", **environ)
        assert done.returncode == (1 if "URL" in name else 2), done.stderr
        (line,) = [line for line in done.stderr.splitlines() if "first start" not in line]
        assert line.startswith("reconciler: ")
        assert name in line
        assert SECRET not in done.stdout + done.stderr
        assert world.writes() == []


def refused_for_long(environ: dict[str, str], name: str, folder: Path) -> None:
    """The daemon keeps trying and reports the problem once."""
    patiently = "URL" in name
    with a_world(folder) as world:
        world.raise_alert()
        world.start(**environ)
        world.until(lambda: world.told(name) > 0, "it is told")
        if patiently:  # each cycle goes through all the retries of a read
            world.until(lambda: _attempts(world) >= 5, "three cycles", patience=60)
        else:
            start = world.seq()
            world.until(lambda: len(world.calls(start)) >= 3 * 10, "ten cycles")
        assert [e["level"] for e in world.events() if e["level"] != "info"] == ["error"]
        assert SECRET not in world.log()
        assert world.daemons[-1].poll() is None
        assert world.writes() == []
        assert world.stop() == 0


def _attempts(world: World) -> int:
    """Requests to the reachable side: the look-up of the automation user at PagerDuty, then one in every cycle."""
    return sum(
        call["path"] in ("/v2/alerts", "/incidents", "/services/PSVC001", "/users") for call in world.calls()
    )


def a_key_is_fixed(vendor: str) -> Callable[[Path], None]:
    """The key is refused, fixed, refused again while actions wait, and fixed again."""

    def story(folder: Path) -> None:
        with a_world(folder) as world:
            good = getattr(world.sandbox.settings, f"{vendor}_key")
            world.settings(**{f"{vendor}_key": "another"})
            alert = world.raise_alert()
            world.start(POLL_INTERVAL_SECONDS="0.3")
            name = f"{vendor.upper()}_API_KEY"
            world.until(lambda: world.told(name) == 1, "refused")
            world.settings(**{f"{vendor}_key": good})
            world.until(lambda: bool(world.incidents(alert)), "the page")
            world.until(lambda: world.told("works again") == 1, "it works again")
            world.settings(**{f"{vendor}_key": "another"})
            world.until(lambda: world.told(name) == 2, "refused again")
            world.customer(alert, "notes", text="from outside")
            world.engineer(alert, "notes", text="from inside")
            since = world.seq()
            world.until(lambda: len(world.calls(since)) >= 20, "ten cycles")
            assert world.told(name) == 2, world.log()
            world.settings(**{f"{vendor}_key": good})
            # After a refusal, writes pause for half a minute.
            world.until(lambda: world.told("works again") == 2, "it works again", patience=60)
            world.until(lambda: len(world.alert_notes(alert)) == 2, "Jane's note", patience=60)
            world.until(lambda: len(world.incident_notes(alert)) == 2, "Ana's note", patience=60)
            world.assert_good()

    return story


def a_host_comes_back(vendor: str) -> Callable[[Path], None]:
    """The daemon starts first. Then the vendor becomes reachable, goes away and returns at the same port."""

    def story(folder: Path) -> None:
        with a_world(folder) as world:
            alert = world.raise_alert()
            with serve() as elsewhere:
                gone = elsewhere.url
            world.start(**{f"{vendor.upper()}_API_URL": f"{gone}/{vendor}", "POLL_INTERVAL_SECONDS": "0.3"})
            name = f"{vendor.upper()}_API_URL"
            world.until(lambda: world.told(name) == 1, "out of reach")
            port = int(gone.rpartition(":")[2])
            with serve(port=port) as back:
                back._server.sandbox = world.sandbox
                world.until(lambda: bool(world.incidents(alert)), "the page")
                world.until(lambda: world.told("works again") == 1, "it works again")
            world.until(lambda: world.told("Opsgenie: ") + world.told("PagerDuty: ") == 2, "out of reach again")
            world.customer(alert, "notes", text="from outside")
            world.engineer(alert, "notes", text="from inside")
            with serve(port=port) as back:
                back._server.sandbox = world.sandbox
                world.until(lambda: len(world.alert_notes(alert)) == 2, "Jane's note")
                world.until(lambda: len(world.incident_notes(alert)) == 2, "Ana's note")
                world.until(lambda: world.told("works again") == 2, "it works again")
                world.assert_good()
                assert [e["level"] for e in world.events()].count("error") == 2, world.log()
                assert world.stop() == 0

    return story


RECOVERIES = {
    "a key for Opsgenie is fixed": a_key_is_fixed("opsgenie"),
    "a key for PagerDuty is fixed": a_key_is_fixed("pagerduty"),
    "Opsgenie comes back": a_host_comes_back("opsgenie"),
    "PagerDuty comes back": a_host_comes_back("pagerduty"),
}


BACKGROUND = (
    {f"recovery: {name}": story for name, story in RECOVERIES.items()}
    | {f"once: {name}": partial(refused_once, *case) for name, case in REFUSALS.items()}
    | {f"daemon: {name}": partial(refused_for_long, *case) for name, case in REFUSALS.items()}
)


@pytest.mark.parametrize("case", REFUSALS)
def test_once_reports_a_refused_setting_in_one_line_and_writes_nothing(
    finished: Callable[[str], None], case: str
) -> None:
    finished(f"once: {case}")


@pytest.mark.parametrize("case", REFUSALS)
def test_the_daemon_reports_a_refused_setting_once_and_keeps_trying(
    finished: Callable[[str], None], case: str
) -> None:
    finished(f"daemon: {case}")


@pytest.mark.parametrize("case", RECOVERIES)
def test_the_daemon_resumes_by_itself_once_the_key_or_the_host_works_again(
    finished: Callable[[str], None], case: str
) -> None:
    finished(f"recovery: {case}")


# -- databases --


@pytest.mark.parametrize(
    ("journal", "command"),
    [
        *(
            ("delete", (*command.split(),))
            for command in ("run", "once", "once --dry-run", "db upgrade", "status")
        ),
        ("wal", ("once",)),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_database_of_a_newer_version_is_refused_and_left_untouched(
    world: World, command: tuple[str, ...], journal: str
) -> None:
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()
    before = world.files()
    done = world.run(*command)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()[-1:]
    assert line.startswith("reconciler: DATABASE_URL: ")
    assert "9999" in line
    assert "run the newer version" in line
    assert [e for e in done.stderr.splitlines() if "Traceback" in e] == []
    assert world.files() == before
    assert world.calls() == []


def test_a_file_that_is_not_a_database_is_reported_in_one_line_and_left_untouched(world: World) -> None:
    world.database.touch(0o600)
    world.database.write_bytes(b"a letter to my aunt, not a database\n" * 100)
    for command in (("once",), ("once", "--dry-run"), ("status",)):
        done = world.run(*command)
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("reconciler: DATABASE_URL: ")
    assert world.database.read_bytes().startswith(b"a letter")
    assert world.writes() == []


def test_of_two_concurrent_runs_one_is_refused_and_nothing_is_done_twice(world: World) -> None:
    """The second process exits at once with a message."""
    alert = world.raise_alert()
    world.settings(latency=0.2)
    command: list[str | Path] = [COMMAND, "once", "--json"]
    first, second = (
        subprocess.Popen(
            command,
            env=world.env({}),
            cwd=world.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    )
    said = [first.communicate(timeout=30), second.communicate(timeout=30)]
    assert sorted([first.returncode, second.returncode]) == [0, 1]
    refused = said[0 if first.returncode else 1]
    assert refused[0] == ""
    assert refused[1].startswith("reconciler: another reconciler is at work on this database")
    assert len(refused[1].splitlines()) == 1
    assert len(world.incidents(alert)) == 1
    world.settings(latency=0.0)
    assert world.once()["actions"] == []
    world.assert_good()
