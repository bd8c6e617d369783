import json
from pathlib import Path

import pytest

from reconciler.operations.doctor import Examined
from reconciler.operations.findings import Finding, bad, good
from tests.support.command import Command
from tests.support.configured import REQUIRED


@pytest.mark.parametrize(
    ("findings", "status"), [((good("a", "fine"),), 0), ((good("a", "fine"), bad("b", "broken")), 1)]
)
def test_the_exit_status_tells_whether_anything_is_bad(
    command: Command, monkeypatch: pytest.MonkeyPatch, findings: tuple[Finding, ...], status: int
) -> None:
    monkeypatch.setattr("reconciler.operations.doctor.examine", lambda _examined, _progress: findings)
    done = command("doctor", **REQUIRED)
    assert (done.status, done.err) == (status, "")
    assert "good     a  fine" in done.out
    data = command("doctor", "--json", **REQUIRED)
    assert data.status == status
    assert json.loads(data.out)["checks"][0]["verdict"] == "good"


def test_a_configuration_that_cannot_be_read_is_no_finding(command: Command) -> None:
    done = command("doctor")
    assert (done.status, done.out) == (2, "")
    assert "PAGERDUTY_API_KEY: is missing" in done.err


def test_progress_is_shown_on_a_terminal_alone(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(_examined: object, progress: object) -> tuple[Finding, ...]:
        assert callable(progress)
        progress(1, 2)
        progress(2, 2)
        return (good("a", "fine"),)

    monkeypatch.setattr("reconciler.operations.doctor.examine", examine)
    assert command("doctor", **REQUIRED).err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert command("doctor", **REQUIRED).err == "\r\x1b[K1 of 2 checks made\r\x1b[K"


ROUTES = """
[routes.shop]
query = "tag: shop"
service = "PSHOP"
[routes.search]
query = "tag: search"
service = "PSEARCH"
"""


def test_of_several_routes_each_is_examined_with_a_heading(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def examine(examined: Examined, _progress: object, **_: object) -> tuple[Finding, ...]:
        return (good("pagerduty service", examined.settings.pagerduty_service_id),)

    monkeypatch.setattr("reconciler.operations.doctor.examine", examine)
    monkeypatch.setattr("reconciler.operations.doctor_routes.examine", examine)
    monkeypatch.setattr("reconciler.runtime.examination.overlaps_of", lambda _routes, _clock: ())
    Path("routes.toml").write_text(ROUTES, encoding="utf-8")
    given = REQUIRED | {"ROUTES_FILE": "routes.toml"}
    done = command("doctor", **given)
    assert (done.status, done.err) == (0, "")
    assert "Route shop\ngood     pagerduty service  PSHOP\n\nRoute search\n" in done.out
    rows = json.loads(command("doctor", "--json", **given).out)["checks"]
    assert [row["route"] for row in rows if row["route"]] == ["shop", "search"]
    assert command("doctor", "--route", "search", **given).out == (
        "good     pagerduty service  PSEARCH\n\n1 good, 0 warning, 0 bad\n"
    )
    done = command("doctor", "--route", "shpo", **given)
    assert (done.status, done.out, "the routes are: shop, search" in done.err) == (2, "", True)
