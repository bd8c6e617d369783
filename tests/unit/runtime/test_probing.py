"""The probe's wiring, and which databases it takes for a trial's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Misconfigured
from reconciler.runtime.probing import on_trial
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.wire import Request
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, open_database
from reconciler.store.lock import lock_for
from reconciler.store.migrate import upgrade
from tests.support.builders import at, pair
from tests.support.probing import bench


def trial(url: str, *, in_production: bool = False) -> str:
    """What refuses the probe; empty if nothing does."""
    try:
        with on_trial(url, in_production=in_production):
            return ""
    except Misconfigured as error:
        return str(error)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'reconciler.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    found = open_database(url)
    upgrade(found)
    yield found
    found.close()


def test_no_database_is_a_trial_and_none_is_made(url: str, tmp_path: Path) -> None:
    assert trial(url) == ""
    assert [*tmp_path.iterdir()] == []


@pytest.mark.usefixtures("database")
def test_a_database_on_which_nothing_has_begun_is_a_trials(url: str) -> None:
    assert trial(url) == ""


@pytest.mark.parametrize("begun", ["first start", "pairs", "another schema"])
def test_a_database_that_a_reconciler_has_used_needs_a_second_flag(
    url: str, database: Database, begun: str
) -> None:
    with database.writing() as unit:
        if begun == "first start":
            unit.cursors.save(origin=Origin(at(0), at(0)))
        elif begun == "pairs":
            unit.snapshot.save_pairs([pair(swept_at=at(0))])
        else:
            unit.snapshot.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert "--even-in-production" in trial(url)
    assert trial(url, in_production=True) == ""


@pytest.mark.usefixtures("database")
def test_a_database_that_a_daemon_works_on_is_refused_whatever_the_flags(url: str) -> None:
    lock = lock_for(url)
    assert lock.acquire()
    assert "stop it first" in trial(url, in_production=True)
    lock.release()
    assert trial(url, in_production=True) == ""


@pytest.mark.usefixtures("database")
def test_no_daemon_can_begin_meanwhile(url: str) -> None:
    with on_trial(url, in_production=False):
        assert not lock_for(url).acquire()


@pytest.mark.parametrize("knobs", [{}, {"user_query": "name"}, {"user_query": "email"}])
def test_the_automation_user_is_known_by_its_id(knobs: dict[str, Any]) -> None:
    assert bench(**knobs).probe.trial.person.id == "PBOT001"


def test_a_service_that_cannot_be_read_is_a_wrong_setting() -> None:
    with pytest.raises(Misconfigured, match="PAGERDUTY_SERVICE_ID"):
        bench(service_status="gone")


def test_a_refused_key_is_a_wrong_setting() -> None:
    def vendor(request: Request, sandbox: Sandbox) -> Any:
        sandbox.pagerduty.settings = sandbox.settings.changed({"pagerduty_key": "another"})
        return sandbox.handle(request)

    with pytest.raises(Misconfigured, match="PAGERDUTY_API_KEY"):
        bench(vendor=vendor)


def test_jsms_user_is_known_in_each_form() -> None:
    user = bench("jsm").probe.trial.alert_user
    assert sorted(user.forms.values()) == ["the account id", "the display name", "the e-mail address"]
    assert (user.kind, user.refusal) == ("atlassian", "")
    assert bench("jsm").probe.trial.keyed is None
    assert bench("jsm named").probe.trial.keyed is not None


def test_a_database_on_which_another_route_has_begun_is_no_trials(url: str, database: Database) -> None:
    with database.for_route("shop").writing() as unit:
        unit.cursors.save(origin=Origin(at(0), at(0)))
    assert "--even-in-production" in trial(url)
