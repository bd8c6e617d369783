"""PagerDuty's log lags behind its incidents: a missing entry means nothing before the staleness bound."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from reconciler.sandbox.wire import Request, Response
from tests.support.harness import World
from tests.support.harness.vendors import edited, is_call

JANE = "Jane Doe"


def _hides_entries_since(world: World, moment: datetime) -> Callable[[], None]:
    """Both logs lack every entry from that moment on."""

    def without(_request: Request, real: Response) -> Response:
        def edit(document: dict[str, list[dict[str, str]]]) -> None:
            rows = document.get("log_entries", [])
            document["log_entries"] = [
                row for row in rows if datetime.fromisoformat(row["created_at"]) < moment.replace(microsecond=0)
            ]

        return edited(real, edit)

    return world.bend(is_call("pagerduty", "GET", ends="log_entries"), without)


def _acknowledged_by_customer(world: World) -> str:
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged", "the mirrored acknowledgement")
    world.until(world.is_settled, "all settled")
    world.pass_cycles(12)  # PagerDuty's timestamps are whole seconds: the next act must have a later one
    return alert


@pytest.fixture
def quick(world: World) -> World:
    world.environment |= {"STALENESS_SECONDS": "4", "SWEEP_INTERVAL_SECONDS": "2"}
    return world


def test_a_late_log_entry_still_names_the_engineer_who_unacknowledged(quick: World) -> None:
    world = quick
    world.start()
    alert = _acknowledged_by_customer(world)
    shown_again = _hides_entries_since(world, datetime.now(UTC))
    world.engineer(alert, "unacknowledge")
    world.pass_cycles(10)
    assert world.alert(alert)["acknowledged"] is True  # held back until the log names the engineer
    shown_again()
    world.until(lambda: not world.alert(alert)["acknowledged"], "the un-acknowledgement, mirrored")
    assert any(f"by {JANE}" in line["log"] or line["owner"] == JANE for line in world.alert(alert)["logs"])


def test_an_unacknowledgement_without_a_log_entry_is_mirrored_without_a_name(quick: World) -> None:
    world = quick
    world.start(ON_PAGERDUTY_ACK_TIMEOUT="ignore")
    alert = _acknowledged_by_customer(world)
    _hides_entries_since(world, datetime.now(UTC))
    world.engineer(alert, "unacknowledge")
    world.until(lambda: not world.alert(alert)["acknowledged"], "the safe side")
    owners = [line["owner"] for line in world.alert(alert)["logs"]]
    assert "somebody" in owners
    assert not any("timed out" in owner for owner in owners)


def test_a_late_log_entry_still_names_the_engineer_who_reopened(quick: World) -> None:
    world = quick
    world.start()
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.engineer(alert, "resolve")
    world.until(lambda: any("resolved the incident" in n for n in world.alert_notes(alert)), "the resolution")
    world.pass_cycles(12)
    shown_again = _hides_entries_since(world, datetime.now(UTC))
    world.engineer(alert, "reopen")
    world.pass_cycles(10)
    assert not any("reopened" in note for note in world.alert_notes(alert))
    shown_again()
    world.until(lambda: any("reopened the incident" in n for n in world.alert_notes(alert)), "the reopening")
    (note,) = [note for note in world.alert_notes(alert) if "reopened" in note]
    assert JANE in note


@pytest.mark.parametrize(
    "acknowledgements",
    [
        None,
        [{"at": "2026-11-26T10:00:00Z", "acknowledger": {"type": "user_reference", "id": None, "summary": None}}],
    ],
    ids=["absent", "nameless"],
)
def test_an_acknowledgement_without_a_readable_name_is_mirrored_as_somebodys(
    quick: World, acknowledgements: object
) -> None:
    world = quick

    def nameless(_request: Request, real: Response) -> Response:
        def edit(document: dict[str, object]) -> None:
            rows = document.get("incidents") or [document.get("incident")]
            for row in rows if isinstance(rows, list) else []:
                if isinstance(row, dict) and row.get("status") == "acknowledged":
                    row["acknowledgements"], row["last_status_change_by"] = acknowledgements, None

        return edited(real, edit) if real.status == 200 else real

    world.bend(is_call("pagerduty", "GET", starts="/incidents"), nameless)
    world.bend(
        is_call("pagerduty", "GET", ends="log_entries"),
        lambda _request, real: edited(
            real,
            lambda document: [
                row.update(agent=None) for row in document["log_entries"] if row["type"].startswith("acknowledge")
            ],
        ),
    )
    world.start()
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.engineer(alert, "acknowledge")
    world.until(lambda: world.alert(alert)["acknowledged"] is True, "the acknowledgement")
    assert world.alert(alert)["report"]["acknowledgedBy"] == "somebody"
