"""Reading the log, lists and incidents from PagerDuty over HTTP, including malformed answers."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import responses

from reconciler.core.model import Actor, Incident, Person
from reconciler.errors import Missing, Unknown
from tests.support.wire.http import query
from tests.support.wire.pagerduty import (
    ALWAYS,
    API,
    AT,
    INCIDENTS,
    JANE,
    LOG,
    NOT_FOUND,
    SERVICE,
    SOMEBODY,
    WORKFLOW,
    client,
    entry,
    incident,
    page,
    user,
)

# -- the log --


def log_query(offset: int) -> Any:
    return query(
        since="2026-11-23T09:00:00Z", time_zone="UTC", limit="100", offset=str(offset),
    )  # fmt: skip


def test_the_log_is_read_to_its_end_newest_first(wire: responses.RequestsMock) -> None:
    wire.get(LOG, json=page("log_entries", [entry(1), entry(3)], more=True), match=[log_query(0), ALWAYS])
    wire.get(LOG, json=page("log_entries", [entry(3), entry(2)]), match=[log_query(100)])
    since = datetime(2026, 11, 23, 4, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=-5)))
    log = client().log_entries(since, lambda _: False)
    assert [act.id for act in log.acts] == ["R3", "R2", "R1"]
    assert log.requests == 2


def test_the_log_is_read_no_further_than_allowed(wire: responses.RequestsMock) -> None:
    wire.get(LOG, json=page("log_entries", [entry(1)], more=True), match=[log_query(0)])
    log = client().log_entries(AT, lambda log: log.requests == 1)
    assert (log.requests, log.whole) == (1, False)
    assert len(wire.calls) == 1


TIMEOUT = {"agent": API, "channel": {"type": "timeout"}}


@pytest.mark.parametrize(
    ("row", "verb", "actor", "person", "agent"),
    [
        (entry(1), "acknowledge", Actor.PERSON, JANE, ""),
        (entry(1, "acknowledgement_log_entry"), "acknowledge", Actor.PERSON, JANE, ""),
        (entry(1, "unacknowledge_log_entry", **TIMEOUT), "unacknowledge", Actor.TIMEOUT, None, "API Service"),
        (entry(1, "unacknowledge_log_entry", agent=WORKFLOW), "unacknowledge", Actor.MACHINE, None, "Night shift"),
        (
            entry(1, "resolve_log_entry", agent={"type": "integration_reference"}),
            "resolve",
            Actor.MACHINE,
            None,
            "",
        ),
        (entry(1, "annotate_log_entry", channel={"type": "note"}), "annotate", Actor.PERSON, JANE, ""),
        (entry(1, "assign_log_entry"), "assign", Actor.PERSON, JANE, ""),
        (
            entry(1, "acknowledge_log_entry", agent={"type": "user_reference"}),
            "acknowledge",
            Actor.PERSON,
            SOMEBODY,
            "",
        ),
        (entry(1, "brand_new_log_entry", agent=None, channel=None), "brand_new", Actor.MACHINE, None, ""),
        (entry(1, "notify_log_entry", agent={"id": "P1"}, channel="x"), "notify", Actor.MACHINE, None, "P1"),
        (entry(1, None, agent=[]), "other", Actor.MACHINE, None, ""),  # type: ignore[arg-type]
    ],
)
def test_a_log_entry_names_who_acted(
    wire: responses.RequestsMock, row: Any, verb: str, actor: Actor, person: Person | None, agent: str
) -> None:
    wire.get(LOG, json=page("log_entries", [row]))
    (act,) = client().log_entries(AT, lambda _: False).acts
    assert (act.verb, act.actor, act.person, act.agent) == (verb, actor, person, agent)
    assert act.incident_id == "PINC1"


@pytest.mark.parametrize(("service", "expected"), [({"id": "PSVC"}, "PSVC"), ({}, ""), (None, ""), ("PSVC", "")])
def test_a_log_entry_names_its_service_where_it_does(
    wire: responses.RequestsMock, service: object, expected: str
) -> None:
    wire.get(LOG, json=page("log_entries", [entry(1, service=service)]))
    (act,) = client().log_entries(AT, lambda _: False).acts
    assert act.service_id == expected


def test_the_log_can_be_read_on_later(wire: responses.RequestsMock) -> None:
    wire.get(LOG, json=page("log_entries", [entry(1)], more=True), match=[log_query(0)])
    wire.get(LOG, json=page("log_entries", [entry(1), entry(2)]), match=[log_query(100)])
    reader: Any = client()
    pages = reader.log_pages(AT)
    assert [(len(log.acts), log.requests, log.whole) for log in pages] == [(1, 1, False), (2, 2, True)]


def test_malformed_log_entries_do_not_hide_the_others(wire: responses.RequestsMock) -> None:
    bad: list[tuple[str, str]] = []
    rows = [None, {"type": "annotate_log_entry"}, entry(1, created_at="soon"), entry(2, incident=None)]
    wire.get(LOG, json=page("log_entries", [*rows, entry(3, created_at="2026-11-23T10:00:03+01:00")], more=None))
    acts = client(bad=bad).log_entries(AT, lambda _: False).acts
    assert [(act.id, act.incident_id) for act in acts] == [("R3", "PINC1"), ("R2", "")]
    assert acts[0].at == AT + timedelta(seconds=3)
    assert len(bad) == 3


# -- incidents --


def test_open_and_resolved_incidents_of_a_key_are_found(wire: responses.RequestsMock) -> None:
    exact = query(
        incident_key="alert-1", service_ids_=SERVICE, date_range="all", sort_by="incident_number:asc",
        time_zone="UTC", limit="100", offset="0",
    )  # fmt: skip
    rows = [
        incident(1, id="PNEW", created_at="2026-11-23T10:00:00Z"),
        incident(1, id="POLD", status="resolved", created_at="2026-01-01T10:00:00Z"),
        incident(2), incident(1, id="PELSE", service={"id": "POTHER"}),
    ]  # fmt: skip
    wire.get(INCIDENTS, json=page("incidents", rows), match=[exact, ALWAYS])
    wire.get(f"{INCIDENTS}/PINC2/alerts", json=page("alerts", []))
    assert [found.id for found in client().incidents_by_key("alert-1")] == ["POLD", "PNEW"]


def test_an_incident_is_found_by_the_key_of_one_of_its_many_alerts(
    wire: responses.RequestsMock,
) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(7, incident_key="of-its-own")]))
    others = [{"alert_key": f"other-{n}"} for n in range(100)]
    url = f"{INCIDENTS}/PINC7/alerts"
    wire.get(url, json=page("alerts", others, more=True), match=[query(limit="100", offset="0"), ALWAYS])
    wire.get(url, json=page("alerts", [{"alert_key": "alert-1"}]), match=[query(limit="100", offset="100")])
    assert [(found.id, found.key) for found in client().incidents_by_key("alert-1")] == [("PINC7", "alert-1")]


def test_a_merged_incident_without_its_key_is_found_by_its_alerts(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(n, incident_key=None) for n in (1, 2, 3)]))
    wire.get(f"{INCIDENTS}/PINC1/alerts", json={"alerts": [None, {"alert_key": "alert-1"}]})
    wire.get(f"{INCIDENTS}/PINC2/alerts", json={"alerts": [{"alert_key": "else"}]})
    wire.get(f"{INCIDENTS}/PINC3/alerts", status=404, json=NOT_FOUND)
    assert [(found.id, found.key) for found in client().incidents_by_key("alert-1")] == [("PINC1", "alert-1")]


SINCE = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_the_keys_of_open_and_resolved_incidents_of_a_period_are_listed(wire: responses.RequestsMock) -> None:
    exact = query(
        service_ids_=SERVICE, since="2026-11-22T09:00:00Z", until="2026-11-23T09:00:00Z",
        sort_by="incident_number:asc", time_zone="UTC", limit="100", offset="0",
    )  # fmt: skip
    rows = [
        incident(1, incident_key="a1"), incident(2, incident_key="a2", status="resolved"),
        incident(3, incident_key="a3", service={"id": "POTHER"}), incident(4, incident_key=None),
    ]  # fmt: skip
    wire.get(INCIDENTS, json=page("incidents", rows), match=[exact, ALWAYS])
    wire.get(f"{INCIDENTS}/PINC4/alerts", json={"alerts": [{"alert_key": "a4"}, {"alert_key": "a5"}]})
    assert client().keys_between(SINCE, SINCE + timedelta(days=1), 2) == {"a1", "a2", "a4", "a5"}


def test_keys_are_not_listed_where_single_lookups_cost_less(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(1)], more=True))
    assert client().keys_between(SINCE, SINCE + timedelta(days=1), 1) is None
    wire.get(INCIDENTS, json=page("incidents", [incident(1, incident_key=None), incident(2, incident_key=None)]))
    assert client().keys_between(SINCE, SINCE + timedelta(days=1), 2) is None


def test_keys_of_a_period_longer_than_pagerduty_allows_are_not_listed() -> None:
    assert client().keys_between(SINCE, SINCE + timedelta(days=200), 1000) is None


def test_an_incident_is_read(wire: responses.RequestsMock) -> None:
    row = incident(
        1, status="acknowledged", urgency="low", last_status_change_by=user("PJANE", "Jane Doe"),
        acknowledgements=[{"acknowledger": user("PJANE", "Jane Doe")}, {"acknowledger": user("PJANE", "Jane Doe")},
                          {"acknowledger": {"id": "PX"}}, {"acknowledger": None}, None],
    )  # fmt: skip
    wire.get(f"{INCIDENTS}/PINC1", json={"incident": row}, match=[query(time_zone="UTC"), ALWAYS])
    assert client().incident("PINC1") == Incident(
        id="PINC1", number=1, status="acknowledged", key="alert-1", title="Disk", service_id=SERVICE,
        created_at=AT, urgency="low", acknowledgers=(JANE, Person("PX", "PX")), escalation_policy_id="PESC",
        changed_by=JANE, changed_at=AT + timedelta(minutes=1), assignees=(),
    )  # fmt: skip


def test_a_merged_incident_names_its_target(wire: responses.RequestsMock) -> None:
    reason = {"type": "merge_resolve_reason", "incident": {"id": "PTARGET"}}
    wire.get(f"{INCIDENTS}/PINC1", json={"incident": incident(1, status="resolved", resolve_reason=reason)})
    assert client().incident("PINC1").merged_into == "PTARGET"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(7, 7), ("7", 7), (2**31 - 1, 2**31 - 1), (2**31, 0), (10**25, 0), (10**400, 0), (-1, 0), (True, 0), ({}, 0)],
)
def test_a_number_too_large_for_the_database_is_ignored(
    wire: responses.RequestsMock, number: object, expected: int
) -> None:
    wire.get(f"{INCIDENTS}/PINC1", json={"incident": incident(1, incident_number=number)})
    assert client().incident("PINC1").number == expected


def test_everything_optional_may_be_null_missing_or_of_another_type(wire: responses.RequestsMock) -> None:
    names = [name for name in incident(1) if name not in ("id", "status", "created_at")]
    values: tuple[Any, ...] = (None, 7, [], {}, "x", True)
    for value in values:
        wire.upsert("GET", f"{INCIDENTS}/PINC1", json={"incident": incident(1) | dict.fromkeys(names, value)})
        assert client().incident("PINC1").status == "triggered"
    bare = {"id": "PINC1", "status": "resolved", "created_at": "2026-11-23T04:00:00-05:00", "novelty": {}}
    wire.upsert("GET", f"{INCIDENTS}/PINC1", json={"incident": bare})
    assert client().incident("PINC1").created_at == AT


@pytest.mark.parametrize(
    "answer", [{}, {"incident": None}, {"incident": {"id": "PINC1", "status": "snoozed"}}, []]
)
def test_an_unreadable_incident_is_not_missing(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(f"{INCIDENTS}/PINC1", json=answer)
    with pytest.raises(Unknown, match="incident PINC1: the answer cannot be read"):
        client().incident("PINC1")


def test_a_404_raises_missing(wire: responses.RequestsMock) -> None:
    wire.get(f"{INCIDENTS}/PGONE", status=404, json={"error": {"message": "Not Found", "code": 2100}})
    with pytest.raises(Missing, match=r"404: Not Found \(code 2100\)"):
        client().incident("PGONE")


def test_notes_are_sorted_and_unique(wire: responses.RequestsMock) -> None:
    rows = [
        {"id": "PN3", "user": user("PJANE", "Jane Doe"), "content": "third",
         "created_at": "2026-11-23T04:00:03-05:00"},
        {"id": "PN2", "user": None, "content": None, "created_at": "2026-11-23T09:00:02Z", "deleted": True},
        {"id": "PN1", "user": {"id": "PBOT9", "type": "bot_user_reference"}, "content": "first",
         "created_at": "2026-11-23T09:00:02Z"},
        {"id": "PN3", "user": None, "content": "third", "created_at": "2026-11-23T09:00:03Z"},
        None, {"id": "PN0"},
    ]  # fmt: skip
    wire.get(f"{INCIDENTS}/PINC1/notes", json={"notes": rows}, match=[ALWAYS])
    bad: list[tuple[str, str]] = []
    found = client(bad=bad).notes("PINC1")
    assert [(note.id, note.text) for note in found] == [("PN1", "first"), ("PN2", ""), ("PN3", "third")]
    assert [note.author.name for note in found[:2]] == ["PBOT9", "somebody"]
    assert len(bad) == 2


def test_the_acts_of_an_incident_are_read(wire: responses.RequestsMock) -> None:
    exact = query(limit="100", include_="channels", time_zone="UTC")
    rows = [entry(1), entry(5, incident=None), entry(3)]
    wire.get(f"{INCIDENTS}/PINC9/log_entries", json=page("log_entries", rows, more=True), match=[exact, ALWAYS])
    acts = client().acts("PINC9")
    assert [(act.id, act.incident_id) for act in acts] == [("R5", "PINC9"), ("R3", "PINC1"), ("R1", "PINC1")]


def test_an_empty_log_gives_no_acts(wire: responses.RequestsMock) -> None:
    wire.get(f"{INCIDENTS}/PINC9/log_entries", status=404, json=NOT_FOUND)
    assert client().acts("PINC9") == []
