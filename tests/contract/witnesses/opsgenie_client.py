"""Opsgenie's official client (PyPI: opsgenie-sdk) against the sandbox: python -m … <address>.

Its last release is of 2021.
"""

import json
import sys
import urllib.request
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

import opsgenie_sdk as sdk

from tests.contract.witnesses.steps import Step, tell

ME = "Jane Doe"
ACT = {"user": ME, "source": "witness"}
NOT_NEEDED = "the product does not ask for it, and the sandbox does not have it"
PENDING = "pending is a 404 with X-Opsgenie-Errortype, which this client takes for an error (its issue 31)"
SENT = "Request will be processed"
SORTS = (
    "createdAt", "updatedAt", "tinyId", "alias", "message", "status", "acknowledged", "isSeen", "snoozed",
    "snoozedUntil", "count", "lastOccurredAt", "source", "owner", "integration.name", "integration.type",
    "report.ackTime", "report.closeTime", "report.acknowledgedBy", "report.closedBy",
)  # fmt: skip
"""All that the client's documentation has."""


class Witness:
    """The client, the alert that it has made, and the answer to its last write."""

    def __init__(self, url: str) -> None:
        self._url = url
        configuration = sdk.Configuration()
        configuration.api_key["Authorization"] = "sandbox-opsgenie-key"
        configuration.host = f"{url}/opsgenie"
        configuration.retry_enabled = False
        session = sdk.ApiClient(configuration)
        self.alerts, self.heartbeats = sdk.AlertApi(session), sdk.HeartbeatApi(session)
        self.alert = ""
        self._sent: Any = None

    def send(self, write: Callable[[], Any]) -> str:
        """What a write is answered at first."""
        self._sent = write()
        return str(self._sent.result)

    def status(self) -> str:
        """What became of the last write."""
        found = self.alerts.get_request_status(self._sent.request_id).data
        self.alert = found.alert_id or self.alert
        return f"{found.is_success}: {found.status}"

    def polled(self) -> str:
        """The same by the client's own way of asking until there is an answer."""
        return str(self._sent.retrieve_result().data.status)

    def pending(self) -> str:
        """The same while Opsgenie's queue is halted."""
        self._set(queue_halted=True)
        try:
            self.send(lambda: self.alerts.acknowledge_alert(self.alert))
            return self.status()
        finally:
            self._set(queue_halted=False)

    def one(self) -> Any:
        """The alert."""
        return self.alerts.get_alert(self.alert, identifier_type="id").data

    def _set(self, **settings: Any) -> None:
        body = json.dumps(settings).encode()
        with urllib.request.urlopen(  # noqa: S310 - the sandbox on loopback
            urllib.request.Request(f"{self._url}/control/settings", body, method="PATCH")  # noqa: S310
        ):
            pass


def main(url: str) -> None:
    """Run all steps; the key is the sandbox's usual one."""
    witness = Witness(url)
    alerts = witness.alerts
    new = sdk.CreateAlertPayload(
        message="disk full", alias="witness", priority="P2", tags=["ops"], details={"host": "db-1"}, **ACT
    )
    taken, back = sdk.AcknowledgeAlertPayload(**ACT), sdk.UnAcknowledgeAlertPayload(**ACT)
    note, close = sdk.AddNoteToAlertPayload(note="on it", **ACT), sdk.CloseAlertPayload(**ACT)
    snooze = sdk.SnoozeAlertPayload(end_time="2030-01-01T00:00:00Z", **ACT)

    def write(call: Callable[..., Any], **payload: Any) -> Callable[[], str]:
        return lambda: witness.send(lambda: call(witness.alert, identifier_type="id", **payload))

    def found(**asked: str) -> str:
        return ", ".join(each.message for each in alerts.list_alerts(**asked).data)

    def shown(*fields: str) -> str:
        one = witness.one()
        return " ".join(str(attrgetter(field)(one)) for field in fields)

    def by(kind: str, identifier: str) -> str:
        return str(alerts.get_alert(identifier, identifier_type=kind).data.message)

    def notes() -> str:
        rows = alerts.list_notes(witness.alert, order="asc").data
        return ", ".join(f"{row.owner}: {row.note}" for row in rows)

    tell(
        [
            Step("create_alert", lambda: witness.send(lambda: alerts.create_alert(new)), SENT),
            Step("get_request_status", witness.status, "True: Created alert"),
            Step("retrieve_result", witness.polled, "Created alert"),
            Step("get_alert", lambda: shown("message", "priority", "details"), "disk full P2 {'host': 'db-1'}"),
            Step("get_alert by alias", lambda: by("alias", "witness"), "disk full"),
            Step("get_alert by tiny id", lambda: by("tiny", "1"), "disk full"),
            Step("list_alerts", lambda: found(query="status:open AND tag:ops"), "disk full"),
            *(Step(f"list_alerts, sort={sort}", partial(found, sort=sort), "disk full") for sort in SORTS),
            Step("list_alerts, next page", lambda: alerts.list_alerts(limit=1).paging.next, "None"),
            Step("count_alerts", lambda: alerts.count_alerts(query="status:open").data.count, "1"),
            Step("acknowledge_alert", write(alerts.acknowledge_alert, acknowledge_alert_payload=taken), SENT),
            Step("get_request_status", witness.status, "True: Acknowledged alert"),
            Step("get_alert", lambda: shown("acknowledged", "owner", "report.acknowledged_by"), f"True {ME} {ME}"),
            Step(
                "un_acknowledge_alert", write(alerts.un_acknowledge_alert, un_acknowledge_alert_payload=back), SENT
            ),
            Step("get_alert", lambda: shown("acknowledged"), "False"),
            Step("add_note", write(alerts.add_note, add_note_to_alert_payload=note), SENT),
            Step("list_notes", notes, f"{ME}: on it"),
            Step("list_logs", lambda: len(alerts.list_logs(witness.alert, limit=2).data), "2"),
            Step("get_request_status while it is queued", witness.pending, "not processed", PENDING),
            Step("close_alert", write(alerts.close_alert, close_alert_payload=close), SENT),
            Step("get_alert", lambda: shown("status", "report.closed_by"), f"closed {ME}"),
            Step("get_alert, unknown", lambda: by("id", "nothing"), "404", "there is none"),
            Step("list_alerts, bad query", lambda: found(query="updatedAt>1"), "422", "not a documented field"),
            Step("ping", lambda: witness.heartbeats.ping("prod").result, "PONG - Heartbeat received"),
            Step("snooze_alert", write(alerts.snooze_alert, snooze_alert_payload=snooze), "404", NOT_NEEDED),
            Step("list_recipients", lambda: alerts.list_recipients(witness.alert), "404", NOT_NEEDED),
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1])
