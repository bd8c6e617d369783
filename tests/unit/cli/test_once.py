"""`reconciler once`: how a run ends."""

import json
from pathlib import Path

import pytest

from reconciler.cli import once
from reconciler.core.model import Kind, Side
from reconciler.errors import Refused, Transient
from reconciler.reconcile.problems import Problem
from reconciler.runtime.report import Report
from reconciler.store.cursors import Origin
from reconciler.store.database import open_database
from tests.support.builders import action, at
from tests.support.command import Command
from tests.support.configured import REQUIRED
from tests.support.database import url, write_migrated
from tests.support.routes import TWO, environ_of

NOTE = action(Kind.PAGERDUTY_NOTE)


@pytest.mark.parametrize(
    ("report", "options", "status"),
    [
        (Report(), [], 0),
        (Report(), ["--exit-code"], 0),
        (Report((NOTE,)), [], 0),
        (Report((NOTE,)), ["--exit-code"], 3),
        (Report((NOTE,), (Problem(Side.PAGERDUTY, Transient("away")),)), ["--exit-code"], 1),
        (Report(pairs=2, unread=1), [], 1),
        (Report(problems=(Problem(Side.PAGERDUTY, Refused("PAGERDUTY_API_KEY: 401")),)), ["--exit-code"], 2),
    ],
    ids=[
        "nothing",
        "nothing asked for",
        "a plan",
        "a plan asked for",
        "a failure",
        "unread alerts",
        "a refused key",
    ],
)
def test_a_run_ends_with_the_status_of_what_it_found(
    command: Command, monkeypatch: pytest.MonkeyPatch, report: Report, options: list[str], status: int
) -> None:
    monkeypatch.setattr(once, "_plan", lambda *_: report)
    done = command("once", "--dry-run", *options, **REQUIRED)
    assert done.status == status
    assert ("Plan: " in done.out) is (status in (0, 3) or bool(report.actions))
    assert bool(done.err) is (status in (1, 2))
    document = json.loads(command("once", "--dry-run", "--json", *options, **REQUIRED).out)
    assert len(document["actions"]) == len(report.actions)
    assert bool(document["errors"]) is (status in (1, 2))


def test_a_route_of_another_product_is_told_and_the_others_are_planned(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_migrated(tmp_path / "reconciler.db")
    database = open_database(url(tmp_path))
    with database.for_route("shop").writing() as unit:
        unit.cursors.save(origin=Origin(at(0), at(0)), source="jsm")
    database.close()
    (tmp_path / "routes.toml").write_text(TWO)
    monkeypatch.setattr("reconciler.runtime.once.run_once", lambda *_: Report((NOTE,)))
    done = command("once", "--dry-run", **environ_of(tmp_path / "routes.toml"))
    assert done.status == 2
    assert "shop: " in done.err
    assert "this database mirrors JSM's alerts for it" in done.err
    assert "bank: " not in done.err
    assert "Route bank" in done.out
