"""`reconciler once`: how a run ends."""

import json

import pytest

from reconciler.cli import once
from reconciler.core.model import Kind, Side
from reconciler.errors import Refused, Transient
from reconciler.reconcile.problems import Problem
from reconciler.runtime.report import Report
from tests.support.builders import action
from tests.support.command import Command
from tests.support.configured import REQUIRED

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
