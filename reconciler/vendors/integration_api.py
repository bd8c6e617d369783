"""The writes that Opsgenie and JSM have in common: Alert API v2, Integration Events API. Each is in a name.

A write is accepted first and carried out later; its request status tells what became of it.
"""

from reconciler.errors import Blocked, Missing
from reconciler.vendors.http import Answer, Http
from reconciler.vendors.json_fields import mapping, moment, reference, segment, state, text
from reconciler.vendors.ports import AlertWrite, RequestStatus

USER_LIMIT = 100
NOTE_LIMIT = 25_000
SOURCE = "reconciler"
_PENDING = "requestnotprocessed"
_PENDING_WORDS = ("not processed", "not yet processed", "not been processed")
_RESERVED = frozenset({"count", "requests", "saved-searches"})
"""Words that in place of an alert's id address something else."""


class NamedWriting:
    """Writes in the name of `user`. Each call returns the id of the accepted request: queued, not done."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def acknowledge(self, alert_id: str, user: str) -> AlertWrite:
        """Acknowledge in the name of `user`."""
        return self._send(alert_id, "acknowledge", user)

    def add_note(self, alert_id: str, user: str, text: str) -> AlertWrite:
        """Add a note."""
        return self._send(alert_id, "notes", user, note=cut(text, NOTE_LIMIT))

    def _send(self, alert_id: str, action: str, user: str, **more: str) -> AlertWrite:
        body = {"user": user[:USER_LIMIT], "source": SOURCE, **more}
        path = alert_path(self._http.name, alert_id, action)
        answer = self._http.write("POST", f"{path}?identifierType=id", body)
        return AlertWrite(reference(answer.json, "requestId"))


def alert_path(vendor: str, alert_id: str, what: str = "") -> str:
    """The address of an alert, or of something of it."""
    place = segment(alert_id, f"{vendor}: alert", _RESERVED)
    return f"/v2/alerts/{place}" + (f"/{what}" if what else "")


def request_status(http: Http, request_id: str) -> RequestStatus:
    """The status of an accepted write. A 404 of one certain kind means: not yet processed."""
    path = f"/v2/alerts/requests/{segment(request_id, f'{http.name}: request')}"
    answer = http.get(path, accept=frozenset({404}))
    if answer.status == 404:  # noqa: PLR2004 - HTTP
        return _not_found(http, answer, request_id)
    body = mapping(answer.json)
    data = mapping(body.get("data"))
    said = (state(data.get(name)) for name in ("isSuccess", "success"))
    done = next((one for one in said if one is not None), None)
    if state(data.get("isSuccess")) is None and "processedAt" in data and not data["processedAt"]:
        done = None  # the query succeeded, but the write has not been processed
    why = text(data.get("status")) or (text(body.get("message")) if done is False else "")
    return RequestStatus(done, why, moment(data.get("processedAt"), http.clock.now()))


def cut(note: str, limit: int) -> str:
    """The note, cut to the product's limit."""
    return note if len(note) <= limit else note[: limit - 1] + "…"


def _not_found(http: Http, answer: Answer, request_id: str) -> RequestStatus:
    """The three meanings of a request's 404: still in the queue, unknown, not the vendor's answer."""
    words = text(mapping(answer.json).get("message"))
    kind = answer.headers.get("X-Opsgenie-Errortype", "").strip().lower()
    if kind == _PENDING or any(pending in words.lower() for pending in _PENDING_WORDS):
        return RequestStatus(None, words)
    vendor = http.name
    if not isinstance(answer.json, dict):
        raise Blocked(
            f"{vendor}: request {request_id}: 404, but not in {vendor}'s JSON; "
            f"look for a proxy or a firewall on the way, and check {http.variables.address}"
        )
    raise Missing(f"{vendor}: request {request_id} is not known (any more)")
