"""`status --json`: every figure under a stable name, and nothing is cut."""

from dataclasses import replace
from typing import Any

from reconciler.core.model import Kind, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.shadow import Comparison
from reconciler.operations.divergence import Apart
from reconciler.operations.pausing import Held
from reconciler.operations.status import Entry, StatusReport
from reconciler.operations.status_data import as_data
from reconciler.store.leader_state import LeaderState
from reconciler.store.overview import Lead, Paging
from reconciler.store.schema import REVISION
from reconciler.store.standbys import Standby
from reconciler.store.troubles import KeptTrouble
from tests.support.builders import action, at, pair

NOW = at(3600)


def data(**more: Any) -> dict[str, Any]:
    polled = {Side.ALERTS: at(3590), Side.PAGERDUTY: at(0)}
    return as_data(StatusReport(NOW, "postgresql+psycopg://u:***@h/db", **{"polled": polled} | more), 10.0)


def test_a_vendor_has_its_last_poll_its_problem_and_what_the_leader_knew() -> None:
    known = LeaderState(at(3595), 4, at(1), "PBOT", {Side.PAGERDUTY: 7}, frozenset({Side.PAGERDUTY}))
    found = data(
        troubles=(KeptTrouble("pagerduty", at(3000), "away"),),
        leader=known,
        lead=Lead("vm:1:a", 4),
        standbys=(Standby("vm:2:b", at(3590)),),
    )
    assert found["standbys"] == [{"holder": "vm:2:b", "at": at(3590).isoformat(), "age_seconds": 10.0}]
    assert found["vendors"]["pagerduty"] == {
        "polled": at(0).isoformat(),
        "behind_seconds": 3600.0,
        "late": True,
        "error": "away",
        "error_since": at(3000).isoformat(),
        "error_age_seconds": 600.0,
        "requests_left": 7,
        "requests_left_at": at(3595).isoformat(),
        "may_write": False,
    }
    opsgenie = found["vendors"]["opsgenie"]
    assert (opsgenie["late"], opsgenie["error"], opsgenie["requests_left"], opsgenie["may_write"]) == (
        False, None, None, True,
    )  # fmt: skip
    assert found["leader"] == {
        "holder": "vm:1:a",
        "epoch": 4,
        "since": at(1).isoformat(),
        "age_seconds": 3599.0,
    }
    assert (found["needs_attention"], found["database_kind"], found["schema"]) == (True, "postgresql", REVISION)


def test_what_is_not_known_is_null() -> None:
    found = data(polled={}, missing="it is empty")
    assert found["leader"] is None
    assert found["schema"] is None
    assert found["headline"].startswith("No reconciler has run")
    unknown = dict.fromkeys(found["vendors"]["opsgenie"]) | {"late": True}
    assert found["vendors"] == {"opsgenie": unknown, "pagerduty": unknown}
    assert data(lead=Lead("vm:1:a", 4))["leader"]["since"] is None
    older = LeaderState(at(1), 3, at(1))
    assert data(lead=Lead("vm:1:a", 4), leader=older)["leader"]["since"] is None, "that of an earlier leader"


def test_actions_pauses_and_pairs_are_listed_whole() -> None:
    many = tuple(Entry(action(Kind.PAGERDUTY_NOTE, Status.DEAD, id=n), None, at(0)) for n in range(25))
    bare = replace(pair(), unpaged="nobody")
    found = data(
        entries=many,
        pauses=(Held(Pause(Side.PAGERDUTY, at(3000), "maintenance", "ana"), (Kind.PAGERDUTY_NOTE,)),),
        apart=(Apart(pair(), Side.ALERTS, at(0), on_purpose=True, why="a rule"),),
        paging=Paging(unpaged=(bare,)),
        troubles=(KeptTrouble("pages", at(3540), "1 page waits"),),
        oldest=at(3500),
    )
    assert len(found["dead"]) == 25
    assert found["pauses"] == [
        {
            "side": "pagerduty",
            "since": at(3000).isoformat(),
            "age_seconds": 600.0,
            "reason": "maintenance",
            "who": "ana",
            "pages": False,
            "until": None,
            "waiting": 1,
        }
    ]
    assert [each["why"] for each in found["apart"]] == ["a rule"]
    assert [(each["alert"], each["incident"], each["reason"]) for each in found["unpaged"]] == [
        ("17", 4711, "nobody")
    ]
    assert found["troubles"] == [
        {"subject": "pages", "since": at(3540).isoformat(), "age_seconds": 60.0, "words": "1 page waits"}
    ]
    assert found["oldest_pending_seconds"] == 100.0


def test_a_comparison_with_another_product_is_there_only_if_one_was_made() -> None:
    report = StatusReport(at(100), "sqlite:///r.db")
    assert "shadow" not in as_data(report, 10.0)
    data = as_data(replace(report, shadow=Comparison(at(40), {"same": 4})), 10.0)
    assert data["shadow"] == {"at": at(40).isoformat(), "age_seconds": 60.0, "alerts": {"same": 4}}
