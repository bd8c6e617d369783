"""Secrets in files are read again: when they are taken, what keeps the old value, and what SIGHUP adds."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.observability.logs import HIDDEN, configure, get_logger
from reconciler.runtime.renewal import SETTLE, Given, Renewal
from reconciler.settings import Settings, load
from tests.support.clock import SimClock
from tests.support.configured import REQUIRED, value
from tests.support.routes import TWO, environ_of, routes_of


class Clock(SimClock):
    """Lets something happen while it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def wait(self, seconds: float) -> bool:
        self.meanwhile()
        return super().wait(seconds)


class Bench:
    """Both keys and the database's address in files, and a `.env` beside them."""

    def __init__(self, folder: Path) -> None:
        self.dotenv = folder / ".env"
        self.dotenv.write_text("LOG_LEVEL=INFO\nLOG_FORMAT=json\n")
        self.files = {name: folder / name for name in ("PAGERDUTY_API_KEY", "OPSGENIE_API_KEY", "DATABASE_URL")}
        texts = REQUIRED | {"DATABASE_URL": "sqlite:///one.db"}
        environ = {name: text for name, text in REQUIRED.items() if name not in self.files}
        for name, file in self.files.items():
            file.write_text(texts[name])
            environ[f"{name}_FILE"] = str(file)
        self.hang_ups = 0
        self.clock = Clock()
        self.used: list[str] = []
        self.said = ""
        given = Given(environ, self.dotenv, lambda: self.hang_ups)
        use = {name: self._use_of(name) for name in ("PAGERDUTY_API_KEY", "OPSGENIE_API_KEY")}
        self.renewal = Renewal(load(environ, self.dotenv), given, self.clock, use, self._say)

    def _use_of(self, name: str) -> Callable[[Settings], None]:
        return lambda settings: self.used.append(f"{name}={value(settings, name)}")

    def _say(self, subject: str, words: str) -> None:
        assert subject == "secrets"
        self.said = words

    def check(self, hang_up: bool = False) -> None:
        self.hang_ups += hang_up
        self.renewal.check()


@pytest.fixture
def bench(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Bench:
    caplog.set_level(logging.INFO)
    return Bench(tmp_path)


def test_nothing_happens_while_no_file_changes(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.check()
    assert (bench.used, bench.said, bench.clock.waits, caplog.text) == ([], "", [], "")


def test_a_new_value_is_used_once_and_only_that_one(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.files["PAGERDUTY_API_KEY"].write_text("new-key\n")
    bench.check()
    bench.check()
    assert bench.used == ["PAGERDUTY_API_KEY=new-key"]
    assert value(bench.renewal.settings, "PAGERDUTY_API_KEY") == "new-key"
    assert value(bench.renewal.settings, "OPSGENIE_API_KEY") == REQUIRED["OPSGENIE_API_KEY"]
    assert caplog.text.count("PAGERDUTY_API_KEY: its file has changed") == 1


def test_a_file_that_is_being_rewritten_waits_for_the_next_check(bench: Bench) -> None:
    file = bench.files["PAGERDUTY_API_KEY"]
    file.write_text("")
    bench.clock.meanwhile = lambda: file.write_text("new-ke")
    bench.check()
    bench.clock.meanwhile = lambda: file.write_text("new-key")
    bench.check()
    assert (bench.used, bench.said, bench.clock.waits) == ([], "", [SETTLE, SETTLE])
    bench.clock.meanwhile = lambda: None
    bench.check()
    assert bench.used == ["PAGERDUTY_API_KEY=new-key"]


def test_the_old_and_the_new_value_are_redacted_before_the_new_one_is_used(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    log = get_logger("reconciler.test")
    bench.renewal._use = {"PAGERDUTY_API_KEY": lambda _: log.info("new-key and u+pd-key-1234")}
    bench.files["PAGERDUTY_API_KEY"].write_text("new-key")
    bench.check()
    assert f"{HIDDEN} and {HIDDEN}" in capsys.readouterr().err


def test_what_cannot_be_used_keeps_the_old_value_and_is_a_state_until_it_is_mended(bench: Bench) -> None:
    bench.files["PAGERDUTY_API_KEY"].write_text("new key")
    bench.files["OPSGENIE_API_KEY"].unlink()
    bench.check()
    pagerduty, opsgenie = bench.said.split("; OPSGENIE_API_KEY: ")
    assert pagerduty.startswith("PAGERDUTY_API_KEY: contains white space")
    assert opsgenie.startswith("cannot be read from OPSGENIE_API_KEY_FILE: No such file")
    assert bench.said.count("until then the value it had before is used") == 2
    assert (bench.used, "new key" in bench.said) == ([], False)
    bench.files["PAGERDUTY_API_KEY"].write_text(REQUIRED["PAGERDUTY_API_KEY"])
    bench.files["OPSGENIE_API_KEY"].write_text("new-key")
    bench.check()
    assert (bench.said, bench.used) == ("", ["OPSGENIE_API_KEY=new-key"])


def test_the_databases_address_is_kept_until_a_restart_which_is_said_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.files["DATABASE_URL"].write_text("sqlite:///two.db")
    bench.check()
    bench.check()
    assert caplog.text.count("DATABASE_URL: its file has changed, which takes effect at the next start") == 1
    assert value(bench.renewal.settings, "DATABASE_URL") == "sqlite:///one.db"


def test_sighup_takes_the_level_of_the_log_and_names_what_needs_a_restart(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.dotenv.write_text("LOG_LEVEL=DEBUG\nLOG_FORMAT=json\nON_OPSGENIE_CLOSE=resolve\n")
    bench.files["OPSGENIE_API_KEY"].write_text("new-key")
    bench.check()
    assert logging.getLogger("reconciler").level != logging.DEBUG, "it was not asked for"
    bench.check(hang_up=True)
    assert logging.getLogger("reconciler").level == logging.DEBUG
    assert "a new value is used of: LOG_LEVEL" in caplog.text
    assert "takes effect at the next start only: ON_OPSGENIE_CLOSE" in caplog.text
    assert bench.renewal.settings.on_opsgenie_close == "note"
    caplog.clear()
    bench.check()
    assert caplog.text == ""


def test_sighup_that_finds_nothing_new_says_so(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.check(hang_up=True)
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "a new value is used of: nothing" in caplog.text


def test_another_path_of_a_secret_needs_a_restart(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    environ = {name: text for name, text in REQUIRED.items() if name != "OPSGENIE_API_KEY"}
    bench.dotenv.write_text(f"OPSGENIE_API_KEY_FILE={bench.files['OPSGENIE_API_KEY']}\n")
    given = Given(environ, bench.dotenv, lambda: bench.hang_ups)
    renewal = Renewal(load(environ, bench.dotenv), given, bench.clock, {}, bench._say)
    bench.dotenv.write_text("OPSGENIE_API_KEY=another-key\n")
    bench.hang_ups += 1
    renewal.check()
    assert "takes effect at the next start only: OPSGENIE_API_KEY" in caplog.text


def test_wrong_settings_change_nothing_and_each_problem_is_told(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.dotenv.write_text("LOG_LEVEL=LOUD\nPOLL_INTERVAL_SECONDS=-1\n")
    bench.check(hang_up=True)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 3
    assert any("SIGHUP: LOG_LEVEL: " in line for line in told)
    assert any("SIGHUP: fix this first" in line for line in told)


def test_a_process_without_files_of_secrets_has_nothing_to_read() -> None:
    settings = load(REQUIRED, None)
    renewal = Renewal(
        settings, Given(), SimClock(), {}, lambda _subject, words: pytest.fail(words) if words else None
    )
    renewal.check()
    assert (renewal.files, renewal.settings) == ([], settings)


def test_the_files_of_one_route_are_renewed_by_their_place_and_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "key").write_text("key-one")
    (route, other) = routes_of(tmp_path, f"{TWO}pagerduty_api_key_file = 'key'\n").each[::-1]
    used: list[object] = []
    use = {"PAGERDUTY_API_KEY": lambda settings: used.append(value(settings, "PAGERDUTY_API_KEY"))}
    said: list[str] = []
    renewal = Renewal(
        route.settings, Given(files=route.files), SimClock(), use, lambda _subject, words: said.append(words)
    )
    (tmp_path / "key").write_text("key-two")
    renewal.check()
    assert used == ["key-two"]
    assert "[routes.bank] pagerduty_api_key_file: its file has changed" in caplog.text
    (tmp_path / "key").unlink()
    renewal.check()
    assert said[-1].startswith(
        "routes.toml: [routes.bank] pagerduty_api_key_file: cannot be read from the file: No such file"
    )
    environ = {"PAGERDUTY_API_KEY_FILE": str(tmp_path / "key")}
    of_other = Renewal(other.settings, Given(environ, files=other.files), SimClock(), {}, lambda *_: None)
    assert of_other.files == []


def test_of_several_routes_none_reads_the_environment_at_sighup(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It lacks what the routes file gives; `RoutesWatch` reads both."""
    caplog.set_level(logging.INFO)
    (route, _) = routes_of(tmp_path, TWO).each
    hang_ups = iter(range(3))
    given = Given(environ_of(tmp_path / "routes.toml"), None, lambda: next(hang_ups), route.files)
    renewal = Renewal(route.settings, given, SimClock(), {}, lambda *_: None)
    renewal.check()
    renewal.check()
    assert caplog.text == ""


def test_a_new_secret_leaves_the_secrets_of_others_redacted_and_the_logs_level_as_it_is(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", "ERROR", ["key-of-another-route"])
    bench.files["PAGERDUTY_API_KEY"].write_text("new-key")
    bench.check()
    assert bench.used
    get_logger("reconciler.test").error("key-of-another-route and new-key")
    told = capsys.readouterr().err
    assert f"{HIDDEN} and {HIDDEN}" in told
    assert "its file has changed" not in told, "the level is ERROR"
