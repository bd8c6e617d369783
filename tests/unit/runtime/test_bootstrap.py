"""What is wired together: a dry run gets no part that could write, and settings reach the parts they are for."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler import __version__
from reconciler.core.hints import Hint
from reconciler.core.model import Kind, Side
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.routes import Route, Routes
from reconciler.runtime.bootstrap import assemble, assemble_dry_run, assemble_process
from reconciler.runtime.renewal import Given
from reconciler.runtime.report import Report
from reconciler.runtime.route_jobs import SECRETS
from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.sessions import PAGERDUTY_PER_MINUTE
from reconciler.settings import Address, Settings
from reconciler.store.database import Database
from reconciler.store.migrate import upgrade
from reconciler.vendors.http import RequestRecord
from reconciler.vendors.opsgenie.client import OpsgenieClient
from tests.support.builders import action, at, pair
from tests.support.database import url
from tests.support.in_process import KEYS, settings
from tests.support.routes import COMMON, TWO, environ_of, routes_of


def configured(folder: Path, **chosen: Any) -> Settings:
    return settings(database_url=SecretStr(url(folder)), **chosen)


def test_a_dry_run_has_neither_a_writer_nor_a_breaker_for_one_nor_a_database_to_write_to(tmp_path: Path) -> None:
    wiring = assemble_dry_run(configured(tmp_path))
    program, _, _ = wiring.dry()
    assert program.write_breakers is None
    assert not any("Writing" in type(part).__name__ for part in vars(wiring).values())
    assert not hasattr(wiring, "deliverer")
    wiring.database.close()
    assert not [*tmp_path.iterdir()]


def test_the_whole_program_polls_every_source_and_may_write(tmp_path: Path) -> None:
    wiring = assemble(configured(tmp_path))
    program = wiring.whole(is_whole=False)
    assert [timed.source.name for timed in program.sources] == [
        "account",
        "opsgenie feed",
        "pagerduty feed",
        "sweep",
        "opsgenie listing",
        "pagerduty listing",
    ]
    assert isinstance(program.write_breakers, WriteBreakers)
    assert wiring.limiters[Side.PAGERDUTY].rate() == PAGERDUTY_PER_MINUTE / 60
    wiring.database.close()


def test_metrics_are_kept_only_where_a_listener_serves_them(tmp_path: Path) -> None:
    for address, kept in ((None, False), (Address("127.0.0.1", 9), True)):
        wiring = assemble(configured(tmp_path, http_listen=address))
        assert (wiring.metrics is not None) is kept
        wiring.database.close()


def test_policies_are_those_of_the_settings(tmp_path: Path) -> None:
    chosen = configured(
        tmp_path, on_opsgenie_close="resolve", high_urgency_priorities=("P1",), staleness_seconds=7
    )
    wiring = assemble(chosen)
    policy = wiring.account.policy()
    assert policy.on_alert_close == "resolve"
    assert policy.high_urgency == {"P1"}
    assert policy.staleness.total_seconds() == 7
    assert policy.automation.name == wiring.settings.pagerduty_user
    wiring.database.close()


def test_the_alerts_of_a_report_are_named_with_their_incident(tmp_path: Path) -> None:
    wiring = assemble(configured(tmp_path))
    upgrade(wiring.database)
    with wiring.database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
    actions = tuple(action(Kind.PAGERDUTY_NOTE, alert_id=each) for each in ("a-1", "a-2"))
    assert wiring.names(Report(actions, names={"a-2": 'Alert #18 "Disk"'})) == {
        "a-1": "Alert #17 and incident #4711",
        "a-2": 'Alert #18 "Disk"',
    }
    wiring.database.close()


def test_an_unreadable_row_is_logged_once_however_often_it_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wiring = assemble(configured(tmp_path))
    reader = wiring.alerts
    assert isinstance(reader, OpsgenieClient)
    for _ in range(3):
        reader._on_bad_row("Opsgenie", "an alert without an id")
    assert len(caplog.records) == 1
    wiring.database.close()


def test_what_a_source_finds_is_stored_before_it_is_worked_on(tmp_path: Path, database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
    wiring = assemble(configured(tmp_path))
    hints = wiring.whole(is_whole=False).hints
    hints.waiting.put(Hint(Side.ALERTS, "a-1"))
    hints.poll()
    with database.reading() as unit:
        assert [item.alert_id for item in unit.work.all()] == ["a-1"]
    wiring.database.close()


def test_the_first_line_of_the_log_says_what_is_run_without_a_secret(tmp_path: Path) -> None:
    chosen = configured(tmp_path, opsgenie_query="tag: critical", poll_interval_seconds=5.0)
    process = assemble_process(Routes((Route("default", chosen),)), Given())
    about = process.daemon._about()
    assert (about["query"], about["interval_seconds"], about["version"]) == ("tag: critical", 5.0, __version__)
    assert (about["service"], about["user"]) == (chosen.pagerduty_service_id, chosen.pagerduty_user)
    assert not {*about.values()} & {*chosen.secret_values()} - {about["database"]}
    process.database.close()


def test_the_leader_knows_the_rates_left_and_where_it_may_write(tmp_path: Path) -> None:
    wiring = assemble(configured(tmp_path))
    upgrade(wiring.database)
    assert wiring.leadership.confirm(wiring.account.policy())
    state = wiring.leader_state()
    assert (state.epoch, state.left, state.refused) == (
        1, {Side.ALERTS: None, Side.PAGERDUTY: PAGERDUTY_PER_MINUTE}, frozenset(),
    )  # fmt: skip
    assert state.user == wiring.settings.pagerduty_user
    wiring.leadership.give_up()
    wiring.database.close()


def test_a_refused_key_has_its_file_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(RouteSchedule, "soon", lambda _self, name: asked.append(name))
    (tmp_path / "key").write_text(KEYS.opsgenie_key)
    for given, woken in ((None, []), (Given({"OPSGENIE_API_KEY_FILE": str(tmp_path / "key")}), [SECRETS])):
        wiring = assemble(configured(tmp_path))
        wiring.jobs(RouteSchedule(Schedule(wiring.clock), "default"), given)
        for status in (200, 401):
            wiring.requested(RequestRecord("Opsgenie", "GET", "/v2/alerts", status, "done", 0.1))
        assert asked == woken
        wiring.database.close()


def test_the_keys_of_all_routes_are_read_again_together_and_a_refused_one_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Schedule, "soon", lambda _self, name: asked.append(name))
    text = TWO
    for name in ("shop", "bank"):
        (tmp_path / name).write_text(f"old-key-of-{name}")
        text = text.replace(f"[routes.{name}]", f'[routes.{name}]\npagerduty_api_key_file = "{name}"')
    given = COMMON | {"DATABASE_URL": url(tmp_path)}
    routes = routes_of(tmp_path, text, given)
    process = assemble_process(routes, Given(environ_of(tmp_path / "routes.toml", given)))

    jobs = process.daemon.routes

    def key_of(name: str) -> str:
        return jobs[name].renewal.settings.pagerduty_api_key.get_secret_value()

    jobs["bank"].on_request(RequestRecord("PagerDuty", "GET", "/users", 401, "done", 0.1))
    assert asked == [SECRETS]
    (tmp_path / "bank").write_text("new-key-of-bank")
    process._renew()
    assert key_of("bank") == "new-key-of-bank"
    assert key_of("shop") == "old-key-of-shop"
    (tmp_path / "shop").write_text("new-key-of-shop")
    process.daemon.routes = {"bank": jobs["bank"]}
    process.daemon._retired.retire(jobs["shop"])
    process._renew()
    assert key_of("shop") == "new-key-of-shop", "one that is drained still writes"
    process.database.close()


def test_the_new_key_is_sent_to_its_vendor_alone_and_every_source_is_polled_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(RouteSchedule, "soon", lambda _self, name: asked.append(name))
    wiring = assemble(configured(tmp_path))
    daemon = wiring.jobs(RouteSchedule(Schedule(wiring.clock), "default"))
    new = wiring.settings.model_copy(update={"pagerduty_api_key": SecretStr("new")})
    wiring._use_key(wiring._use_pagerduty_key, Side.PAGERDUTY, daemon.program, daemon.schedule, new)
    sent = {side: session._session._keys._headers["Authorization"] for side, session in wiring._sessions.items()}
    assert sent == {Side.PAGERDUTY: "Token token=new", Side.ALERTS: f"GenieKey {KEYS.opsgenie_key}"}
    assert asked == [timed.source.name for timed in daemon.program.sources]
    wiring.database.close()


def test_opsgenies_heartbeat_has_a_session_of_its_own_where_jsm_raises_the_alerts(tmp_path: Path) -> None:
    jsm = {"alert_source": "jsm", "jsm_site_url": "https://acme.example", "opsgenie_heartbeat": "prod"}
    wiring = assemble(configured(tmp_path).model_copy(update=jsm))
    watches = wiring.watches(wiring.whole(is_whole=False))
    assert (watches._opsgenie.name, wiring.alerts.vendor) == ("Opsgenie", "JSM")  # type: ignore[attr-defined]
    assert wiring.account.policy().acts_are_named is wiring.account.policy().tells_who is False
    wiring.database.close()
