"""Real answers of Opsgenie and of JSM, and the values expected from them, written by hand."""

from dataclasses import replace
from typing import Any

from reconciler.core.model import Act, Actor, Alert, Person
from reconciler.vendors.ports import AlertWrite, RequestStatus
from tests.support.contract.sampled import SITE, Read, Refusal, at

NEO = Person("neo@opsgenie.com", "neo@opsgenie.com")
ISENGARD = Alert(
    id="70413a06-38d6-4c85-92b8-5ebc900d42e2",
    tiny_id="1791",
    message="Our servers are in danger",
    open=False,
    acknowledged=False,
    created_at=at("2017-03-21 20:32:52.353"),
    updated_at=at("2017-04-03 20:32:57.301"),
    snoozed_until=at("2017-04-03 20:32:35.143"),
    closed_by="neo@opsgenie.com",
    closed_at=at("2017-03-21 20:33:52.856"),
    priority="P4",
    tags=("OverwriteQuietHours", "Critical"),
    source="Isengard",
    url="https://app.opsgenie.com/alert/detail/70413a06-38d6-4c85-92b8-5ebc900d42e2/details",
    alias="event_573",
)


def opsgenie_alert(alert_id: str, tiny_id: str, message: str, created: str, updated: str, **more: Any) -> Alert:
    """An open alert that nobody has touched."""
    usual: dict[str, Any] = {"open": True, "acknowledged": False, "alias": alert_id}
    url = f"https://app.opsgenie.com/alert/detail/{alert_id}/details"
    return Alert(
        id=alert_id, tiny_id=tiny_id, message=message, created_at=at(created), updated_at=at(updated), url=url,
        **(usual | more),
    )  # fmt: skip


def processed(stamp: str, words: str, *, done: bool = True) -> RequestStatus:
    return RequestStatus(done, words, at(stamp))


def of_alert(readers: Any) -> Any:
    return readers.opsgenie.alert("any")


def listed(readers: Any) -> Any:
    return readers.opsgenie.recent_alerts(None)


def opsgenie_log(readers: Any) -> Any:
    return readers.opsgenie.acts("any")


def status(readers: Any) -> Any:
    return readers.opsgenie.request_status("any")


def acknowledged(readers: Any) -> Any:
    return readers.to_opsgenie.acknowledge("any", "Jane")


OF_OPSGENIE: list[tuple[str, Read, Any]] = [
    ("docs.alerts.list", listed, [ISENGARD]),  # the second row repeats the id of the first
    ("docs.alert.get", of_alert,
     replace(ISENGARD, priority="P5", description="Example description",
             details=(("serverName", "Zion"), ("region", "Oregon")))),
    ("docs.alerts.count", lambda r: r.opsgenie.count(is_open=True), 7),
    ("docs.alert.logs", opsgenie_log, [
        Act("1492000072838_1492000072838234593", "acknowledge", at("2017-04-12 12:27:52.838"), Actor.PERSON, NEO),
        Act("1492000066378_1492000066379000127", "other", at("2017-04-12 12:27:46.379"), Actor.PERSON,
            Person("trinity@opsgenie.com", "trinity@opsgenie.com")),
    ]),
    ("docs.action.202", acknowledged, AlertWrite("43a29c5c-3dbf-4fa4-9c26-f4f71023e120")),
    ("docs.request-status.create-success", status, processed("2017-05-24 14:24:20.844", "Created alert")),
    ("docs.request-status.ack-failure-alert-does-not-exist", status,
     processed("2017-05-24 14:41:18.185", "Alert does not exist", done=False)),
    ("xsoar.alert.get", of_alert,
     opsgenie_alert("37816db1-844e-449f-bf61-b28834cad50f-1613353779202", "73", "New message",
                    "2021-02-15 01:49:39.202", "2021-02-15 01:49:39.355", source="2.2.2.3", description="")),
    ("xsoar.alerts.list.page-with-next", listed, [
        opsgenie_alert("b7da6303-0da4-43e2-8e21-9e22faedc594-1637756080926", "163", "1234",
                       "2021-11-24 12:14:40.926", "2021-11-24 12:14:41.030", source="192.168.x.x"),
    ]),
    ("xsoar.alerts.list.last-page-no-next", listed, [
        opsgenie_alert("b7da6303-0da4-43e2-8e21-9e22faedc594-163775608092676", "16323", "123456",
                       "2021-11-24 12:14:40.926", "2021-11-24 12:14:41.030", source="192.168.x.x", priority="P1"),
    ]),
    ("xsoar.alert.logs-2023", opsgenie_log, [
        Act("1621054765030_1691034765030249435", "other", at("2023-08-03 09:26:05.030"), Actor.PERSON,
            Person("demisto@demisto.local", "demisto@demisto.local")),
        Act("1691054698894_1691054698894140450", "acknowledge", at("2023-08-03 09:24:58.894"), Actor.PERSON,
            Person("demisto@demisto.local", "demisto@demisto.local")),
    ]),
    ("xsoar.action.202", acknowledged, AlertWrite("3b078fd5-37d1-472e-823b-9f95b17aba8f")),
    ("xsoar.request-status.acknowledge", status, processed("2021-02-15 01:51:11.973", "Acknowledged alert")),
    ("xsoar.request-status.add-note", status, processed("2023-08-07 13:45:31.323", "Added note")),
    ("xsoar.request-status.close", status, processed("2021-02-15 01:51:17.434", "Closed alert")),
    ("xsoar.request-status.delete", status, processed("2021-02-15 01:51:22.876", "Deleted alert")),
]  # fmt: skip


def jsm_log(readers: Any) -> Any:
    return readers.jsm.acts("any")


def said(stamp: str, owner: str, line: str, verb: str, person: Person | None = None) -> Act:
    """A line of JSM's log: its key is made of all that it has."""
    moment = at(stamp)
    actor = Actor.MACHINE if person is None else Actor.PERSON
    agent = owner if person is None else ""
    return Act(f"{moment.isoformat()} {owner} {line}", verb, moment, actor, person, agent=agent)


OF_JSM: list[tuple[str, Read, Any]] = [
    ("spec-example.list-alerts", lambda r: r.jsm.recent_alerts(None), [
        Alert(
            id="e0caa0ce-d52f-4500-81b9-d592d06970b6", tiny_id="1234",
            message="The CPU usage on Server XYZ has exceeded 80% for over 5 minutes.",
            open=False, acknowledged=True, created_at=at("2024-01-05 07:06:47.958"),
            updated_at=at("2024-01-05 07:06:47.958"), acknowledged_by="John Smith",
            acknowledged_at=at("2024-01-05 07:08:47.958"), closed_at=at("2024-01-05 09:06:47.958"), priority="P3",
            tags=("OverwriteQuietHours", "Critical"), source="DBMonitoringTool",
            details=(("environment", "production"),),
            url=f"{SITE}/jira/ops/alerts/e0caa0ce-d52f-4500-81b9-d592d06970b6",
            alias="DatabaseConnectionFailure_DatabaseServer1",
        ),
    ]),
    ("spec-example.alert-logs", jsm_log, [
        said("2024-01-05 07:06:47.958", "system",
             "Assigning owner team [Dream] to alert because it is the only team on the alert and alert is not "
             "created via team integration.", "other"),
    ]),
    ("testcode.log-texts", jsm_log, [
        said("2026-06-12 19:59:00", "Antonio Guillermo",
             "Alert ownership assigned to [someone@example.com] via web", "other",
             Person("Antonio Guillermo", "Antonio Guillermo")),
        said("2026-06-12 19:56:00", "System", "Alert acknowledged via JSM", "other"),
        said("2026-06-08 20:11:38.612", "closer@example.com", "Alert closed", "close",
             Person("closer@example.com", "closer@example.com")),
        said("2026-06-08 19:41:38.612", "user1@example.com", "Alert unacknowledged", "unacknowledge",
             Person("user1@example.com", "user1@example.com")),
    ]),
    ("spec-example.alert-note", lambda r: r.to_jsm.add_note("any", "Jane", "text"),
     AlertWrite(note_id="1704869443312000050")),
    ("spec-example.request-status", lambda r: r.jsm.request_status("a:any"),
     processed("2024-01-05 07:44:10.409", "Alert does not exist")),
    ("spec-example.action.202", lambda r: r.to_jsm.acknowledge("any", "Jane"),
     AlertWrite("a:d383c6e9-b1e7-4b59-9c35-72f1a2187777")),
]  # fmt: skip


def add_note(readers: Any) -> Any:
    return readers.to_opsgenie.add_note("any", "Jane", "text")


REFUSALS: list[Refusal] = [
    ("opsgenie/errors#0", listed, ("NotExecuted", "You are making too many requests", 1.0)),
    ("opsgenie/errors#0", add_note, ("NotExecuted", "too many requests, not carried out", 1.0)),
    ("opsgenie/errors#1", listed, ("RefusedQuery", "should be lower than 20000", None)),
    ("opsgenie/errors#2", add_note, ("Permanent", "owner: id or username should be provided", None)),
]
"""The kind, a part of the words, and the seconds after which to try again."""
