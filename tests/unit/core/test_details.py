"""Details that an incident was created without follow in one note."""

from dataclasses import replace

import pytest

from reconciler.core import text
from reconciler.core.model import Action, Kind, Status
from reconciler.core.plan import decide
from tests.support.builders import (
    ALERT_ID,
    BOT,
    action,
    after,
    alert,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
    policy,
    shown,
)

ROW = alert(tags=("db",), source="monitor")
WHOLE = replace(ROW, description="disk is\n\nfull", details=(("host", "db-1"), ("disk", "98 %")))
WORDS = "disk is\n\nfull\n\nDetails:\n  host: db-1\n  disk: 98 %"
FROM_ROW = action(Kind.CREATE_INCIDENT, Status.DONE, body=text.body(ROW), result_id="PINC1", key="create")
REASON = "the alert's details could not be read when the incident was created"


def seen(whole: object = WHOLE, creation: Action = FROM_ROW, **more: object):  # type: ignore[no-untyped-def] # noqa: ANN201
    return observation(pair=pair(), alert=whole, mine=(creation,), **more)


def test_the_details_follow_in_one_note_with_a_reason() -> None:
    (planned,) = shown(decide(inputs(seen())))
    assert planned == (
        Kind.PAGERDUTY_NOTE,
        REASON,
        f"[Opsgenie · alert details · 2026-11-23 09:00:00.000Z] {WORDS}",
    )


def test_the_details_read_as_in_an_incident_created_with_them() -> None:
    assert text.body(WHOLE) == f"{text.body(ROW)}\n\n{WORDS}"


@pytest.mark.parametrize("status", [Status.PLANNED, Status.SENT])
def test_the_details_follow_a_creation_that_is_still_open(status: Status) -> None:
    waiting = seen(creation=replace(FROM_ROW, status=status))
    assert shown(decide(inputs(replace(waiting, pair=pair(None)))))[0][1] == REASON


@pytest.mark.parametrize(
    "changed", [{"priority": "P1"}, {"tags": ()}, {"open": False, "closed_at": at(9)}], ids=str
)
def test_the_details_follow_although_other_fields_of_the_alert_have_changed(changed: dict[str, object]) -> None:
    plan = decide(inputs(seen(replace(WHOLE, **changed))))  # type: ignore[arg-type]
    assert REASON in [reason for _, reason, _ in shown(plan)]


@pytest.mark.parametrize(
    ("whole", "creation"),
    [
        (ROW, FROM_ROW),
        (None, FROM_ROW),
        (WHOLE, replace(FROM_ROW, body=text.body(WHOLE))),
        (WHOLE, replace(FROM_ROW, body="")),
        (WHOLE, replace(FROM_ROW, status=Status.DROPPED)),
        (WHOLE, replace(FROM_ROW, kind=Kind.PAGERDUTY_NOTE)),
    ],
    ids=["nothing to say", "not read", "said already", "no body", "never created", "another action"],
)
def test_no_details_follow_where_none_are_missing(whole: object, creation: Action) -> None:
    assert REASON not in [reason for _, reason, _ in shown(decide(inputs(seen(whole, creation))))]


def test_the_details_are_written_once_and_our_note_is_no_change() -> None:
    first = seen()
    plan = decide(inputs(first))
    later = after(first, plan, Status.SENT)
    assert decide(inputs(later)).actions == ()
    written = note("PN1", BOT, plan.actions[0].text, 61)
    for guard in ("outbox", "author", "mark"):
        rules = policy(guards=frozenset({guard}))
        back = replace(
            later, incident_notes=(written,), alert_notes=(), incident=incident(), looked=frozenset(Kind)
        )
        assert decide(inputs(back, rules=rules)).actions == ()


def test_long_details_are_split_without_loss() -> None:
    plan = decide(inputs(seen(replace(WHOLE, description="word " * 10_000))))
    assert len(plan.actions) == 3
    assert len({planned.key for planned in plan.actions}) == 3
    assert all(planned.alert_id == ALERT_ID for planned in plan.actions)


REFUSED = replace(FROM_ROW, plain=True, text="Disk full", body=text.body(WHOLE))
WHY_REFUSED = "PagerDuty refused the incident's details, and took it without them"
OPENS = "[Opsgenie · details that PagerDuty refused · 2026-11-23 09:00:10.000Z] "


def test_details_refused_by_pagerduty_follow_in_one_note_without_another_read() -> None:
    (planned,) = shown(decide(inputs(seen(None, REFUSED))))
    assert planned == (Kind.PAGERDUTY_NOTE, WHY_REFUSED, OPENS + text.body(WHOLE))


def test_a_title_cut_by_the_plain_form_is_in_the_note_too() -> None:
    long = replace(REFUSED, text="disk full " * 20)
    ((_, _, words),) = shown(decide(inputs(seen(None, long))))
    assert words == f"{OPENS}Title: {long.text}\n{text.body(WHOLE)}"


def test_refused_details_of_a_row_are_followed_by_the_details_read_later() -> None:
    both = replace(REFUSED, body=text.body(ROW))
    assert [reason for _, reason, _ in shown(decide(inputs(seen(WHOLE, both))))] == [REASON, WHY_REFUSED]


def test_an_incident_that_was_found_by_its_key_gets_the_refused_details() -> None:
    """A crash right after PagerDuty took the plain form loses its answer."""
    waiting = seen(None, replace(REFUSED, status=Status.SENT), looked=frozenset(Kind), incident=incident())
    assert [reason for _, reason, _ in shown(decide(inputs(replace(waiting, pair=pair(None)))))] == [WHY_REFUSED]


def test_refused_details_are_written_once_and_our_note_is_no_change() -> None:
    first = seen(None, REFUSED)
    plan = decide(inputs(first))
    later = after(first, plan, Status.SENT)
    assert decide(inputs(later)).actions == ()
    written = note("PN1", BOT, plan.actions[0].text, 61)
    for guard in ("outbox", "author", "mark"):
        back = replace(
            later, incident_notes=(written,), alert_notes=(), incident=incident(), looked=frozenset(Kind)
        )
        assert decide(inputs(back, rules=policy(guards=frozenset({guard})))).actions == ()


@pytest.mark.parametrize(
    "creation",
    [
        replace(REFUSED, plain=False),
        replace(REFUSED, body=""),
        replace(REFUSED, status=Status.PLANNED),
        replace(REFUSED, status=Status.SENT),
        replace(REFUSED, kind=Kind.PAGERDUTY_NOTE),
    ],
    ids=["not refused", "no body", "not created", "maybe created", "another action"],
)
def test_no_refused_details_follow_where_none_were_refused(creation: Action) -> None:
    assert shown(decide(inputs(seen(None, creation)))) == []
