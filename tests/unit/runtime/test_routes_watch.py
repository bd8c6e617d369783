"""The routes file is read again: what is taken, what is refused, and what is said."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from reconciler.observability.logs import HIDDEN, get_logger
from reconciler.routes import Routes, load_routes
from reconciler.runtime.renewal import SETTLE, Given
from reconciler.runtime.routes_watch import RETRY_EVERY, RoutesWatch
from tests.support.clock import SimClock
from tests.support.configured import REQUIRED
from tests.support.routes import TWO, environ_of

THREE = f"{TWO}\n[routes.new]\nquery = 'tag: new'\nservice = 'PNEW001'\n"
KEPT = ": the routes before stay in force until this is fixed"


class Clock(SimClock):
    """Lets something happen while it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def wait(self, seconds: float) -> bool:
        self.meanwhile()
        return super().wait(seconds)


class Bench:
    """A routes file of two routes, and a `.env` beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.dotenv = folder, folder / "routes.toml", folder / ".env"
        self.file.write_text(TWO)
        self.dotenv.write_text("LOG_LEVEL=INFO\n")
        self.hang_ups = 0
        self.clock = Clock()
        self.applied: list[Routes] = []
        self.said = ""
        self.given = Given(environ_of(self.file), self.dotenv, lambda: self.hang_ups)
        self.watch = self.begun()

    def begun(self) -> RoutesWatch:
        routes = load_routes(self.given.environ, self.dotenv)
        return RoutesWatch(routes, self.given, self.clock, self.applied.append, self._say)

    def _say(self, subject: str, words: str) -> None:
        assert subject == "routes"
        self.said = words

    def check(self, hang_up: bool = False) -> None:
        self.hang_ups += hang_up
        self.watch.check()

    def names(self) -> list[tuple[str, ...]]:
        """The routes of each time that they were applied."""
        return [routes.names() for routes in self.applied]


@pytest.fixture
def bench(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Bench:
    caplog.set_level(logging.INFO)
    return Bench(tmp_path)


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What has been logged since this was last asked."""
    found = [str(cast("dict[str, object]", record.msg)["event"]) for record in caplog.records]
    caplog.clear()
    return found


def test_nothing_happens_while_the_file_stays_the_same(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    os.utime(bench.file, (1, 1))
    bench.check()
    assert (bench.applied, bench.said, bench.clock.waits, messages(caplog)) == ([], "", [], [])


def test_added_removed_and_changed_routes_are_applied_and_each_is_said_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.file.write_text(THREE.replace("tag: bank", "tag: banks"))
    bench.check()
    assert messages(caplog) == ["route added: new", "route changed: bank (opsgenie_query)"]
    bench.file.write_text(THREE.replace("shop", "store"))
    bench.check()
    bench.check()
    assert messages(caplog) == [
        "route added: store", "route removed: shop", "route changed: bank (opsgenie_query)",
    ]  # fmt: skip
    assert bench.names() == [("shop", "bank", "new"), ("store", "bank", "new")]
    assert bench.watch.routes is bench.applied[-1]


def test_another_order_is_applied_and_said(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    shop, bank = TWO.split("\n\n")
    bench.file.write_text(f"{bank}\n{shop}")
    bench.check()
    (told,) = messages(caplog)
    assert told.startswith("routes in another order: ")
    assert bench.names() == [("bank", "shop")]


def test_a_remark_changes_no_route(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.file.write_text(f"# a remark\n{TWO}")
    bench.check()
    assert messages(caplog) == ["routes file: read again; no route has changed"]
    assert bench.applied == []


def test_a_bad_file_is_refused_whole_and_each_problem_is_said_once_until_it_is_fixed(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.file.write_text(f"{THREE}late_seconds = true\n[routes.Bad]\nservice = 'P7'\n")
    bench.check()
    bench.check()
    told = messages(caplog)
    assert [line.partition(": ")[0] for line in told] == ["routes.toml"], "the first one is the lasting state"
    assert all(line.endswith(KEPT) for line in told)
    assert bench.said.startswith('routes.toml: [routes."Bad"]: is no name of a route')
    assert "; and 1 more; the routes before stay in force" in bench.said
    assert bench.applied == []
    assert bench.watch.routes.names() == ("shop", "bank")
    bench.file.write_text(f"{THREE}late_seconds = true\nstaleness_seconds = true\n")
    bench.check()
    assert [line.split(" ")[2] for line in messages(caplog)] == ["staleness_seconds:"], "the other is known"
    bench.file.write_text(THREE)
    bench.check()
    assert messages(caplog) == ["route added: new"]
    assert (bench.said, bench.names()) == ("", [("shop", "bank", "new")])


def test_a_file_that_is_gone_keeps_the_routes(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.file.unlink()
    bench.check()
    assert messages(caplog) == []
    assert bench.said.startswith("routes.toml: cannot be read: No such file")
    bench.file.write_text(TWO)
    bench.check()
    assert (bench.said, bench.applied) == ("", [])


def test_a_file_that_is_being_rewritten_waits_for_the_next_check(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.file.write_text("")
    bench.clock.meanwhile = lambda: bench.file.write_text(THREE[:-20])
    bench.check(hang_up=True)
    bench.clock.meanwhile = lambda: bench.file.write_text(THREE)
    bench.check()
    assert (bench.applied, bench.said, messages(caplog), bench.clock.waits) == ([], "", [], [SETTLE, SETTLE])
    bench.clock.meanwhile = lambda: None
    bench.check()
    assert bench.names() == [("shop", "bank", "new")]


def test_a_kubernetes_volume_that_exchanges_a_link_is_noticed_with_the_files_beside_it(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    text = TWO + "pagerduty_api_key_file = 'key'\n"
    for version, content, key in (
        ("..1", text, "key-one"),
        ("..2", text.replace("PBANK01", "PBANK02"), "key-two"),
    ):
        (bench.folder / version).mkdir()
        (bench.folder / version / "routes.toml").write_text(content)
        (bench.folder / version / "key").write_text(key)
    data, mounted = bench.folder / "..data", bench.folder / "mounted"
    data.symlink_to("..1")
    mounted.mkdir()
    for name in ("routes.toml", "key"):
        (mounted / name).symlink_to(f"../..data/{name}")
    bench.given = Given(environ_of(mounted / "routes.toml"), bench.dotenv, lambda: 0)
    bench.watch = bench.begun()
    fresh = bench.folder / "..data_tmp"
    fresh.symlink_to("..2")
    fresh.rename(data)
    bench.check()
    assert messages(caplog) == ["route changed: bank (pagerduty_service_id)"]
    settings = bench.applied[0].each[1].settings
    assert settings.pagerduty_api_key.get_secret_value() == "key-two"


def test_a_secrets_file_that_is_missing_refuses_the_file_and_is_tried_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.file.write_text(f"{THREE}pagerduty_api_key_file = 'key'\n")
    bench.check()
    assert "[routes.new] pagerduty_api_key_file: cannot be read from the file" in bench.said
    (bench.folder / "key").write_text("key-of-new\n")
    messages(caplog)
    bench.check()
    assert bench.applied == [], "reading many routes takes a while: not at each check"
    bench.clock.advance(RETRY_EVERY + 1)
    bench.check()
    assert messages(caplog) == ["route added: new"]
    assert (bench.said, len(bench.applied)) == ("", 1)


def test_new_secrets_are_redacted_before_the_routes_are_applied(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    log = get_logger("reconciler.test")
    bench.watch._apply = lambda _: log.info("key-of-new")
    (bench.folder / "key").write_text("key-of-new\n")
    bench.file.write_text(f"{THREE}pagerduty_api_key_file = 'key'\n")
    bench.check()
    err = capsys.readouterr().err
    assert HIDDEN in err
    assert "key-of-new" not in err


def test_a_new_warning_is_logged_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.file.write_text(TWO.replace("tag: bank", "status: open"))
    bench.check()
    assert messages(caplog)[1].startswith("routes.toml: [routes.bank] query: asks for status")
    bench.file.write_text(THREE.replace("tag: bank", "status: open"))
    bench.check()
    assert messages(caplog) == ["route added: new"]


def test_what_fails_to_be_applied_is_refused_and_tried_again_later(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Routes) -> None:
        raise RuntimeError

    bench.file.write_text(THREE)
    bench.watch._apply = fail
    bench.check()
    bench.check()
    assert not any(line.startswith("route ") for line in messages(caplog))
    assert bench.said.startswith("RuntimeError in ")
    assert bench.watch.routes.names() == ("shop", "bank")
    bench.watch._apply = bench.applied.append
    bench.clock.advance(RETRY_EVERY + 1)
    bench.check()
    bench.check()
    assert (bench.names(), bench.said) == ([("shop", "bank", "new")], "")
    assert messages(caplog) == ["route added: new"]


# -- SIGHUP --


def test_sighup_takes_over_what_routes_inherit_and_the_level_of_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.dotenv.write_text("LOG_LEVEL=DEBUG\nLATE_SECONDS=5\nREMIND_SECONDS=5\nSTALENESS_SECONDS=5\n")
    bench.file.write_text(f"{TWO}late_seconds = 3600\n")
    bench.check(hang_up=True)
    bench.check()
    assert messages(caplog) == [
        "route changed: shop (staleness_seconds, late_seconds)",
        "route changed: bank (staleness_seconds)",
        "LOG_LEVEL: is DEBUG from now on",
        "changed, which takes effect at the next start only: REMIND_SECONDS",
    ]
    assert logging.getLogger("reconciler").level == logging.DEBUG
    assert {route.settings.remind_seconds for route in bench.applied[0].each} == {600}
    assert [route.settings.late_seconds for route in bench.applied[0].each] == [5, 3600]


def test_sighup_that_finds_nothing_new_says_so(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.check(hang_up=True)
    bench.check()
    assert messages(caplog) == ["SIGHUP: read again; no route has changed"]
    assert bench.applied == []


def test_sighup_says_again_what_is_wrong(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.file.write_text("[routes.a")
    bench.check()
    assert messages(caplog) == []
    bench.check(hang_up=True)
    assert len(messages(caplog)) == 1
    bench.check()
    assert messages(caplog) == []


def test_another_file_takes_effect_at_the_next_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench = Bench(tmp_path)
    environ = {name: text for name, text in bench.given.environ.items() if name != "ROUTES_FILE"} | REQUIRED
    bench.dotenv.write_text(f"ROUTES_FILE={bench.file}\n")
    bench.given = Given(environ, bench.dotenv, lambda: bench.hang_ups)
    bench.watch = bench.begun()
    bench.dotenv.write_text("")
    bench.check(hang_up=True)
    assert messages(caplog) == ["ROUTES_FILE: has changed, which takes effect at the next start only"]
    assert bench.applied == []


def test_without_a_file_nothing_is_read(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.given = Given(REQUIRED, None, lambda: bench.hang_ups)
    bench.dotenv.unlink()
    bench.watch = bench.begun()
    bench.check(hang_up=True)
    assert (bench.applied, messages(caplog), bench.clock.waits) == ([], [], [])
