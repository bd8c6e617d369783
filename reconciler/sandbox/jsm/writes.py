"""POSTs of the account API. They bear the name of the token's user, whatever their body says."""

from datetime import datetime

from reconciler.sandbox.jsm import checks, directory, shapes
from reconciler.sandbox.jsm.site import ApiQueue, Site
from reconciler.sandbox.opsgenie.account import Act
from reconciler.sandbox.opsgenie.rules import JSM
from reconciler.sandbox.opsgenie.state import StoredAlert, frozen_details
from reconciler.sandbox.opsgenie.writes import Rule
from reconciler.sandbox.wire import Refused, Request, Response, json_response


class Writes:
    """Answers POSTs."""

    def __init__(self, site: Site, queue: ApiQueue) -> None:
        self._site = site
        self._queue = queue

    def create(self, request: Request) -> Response:
        """POST /v1/alerts: accepted like an act, and answered 200 all the same (official description)."""
        values = checks.new_alert(request)

        def effect(at: datetime) -> tuple[str, StoredAlert]:
            stored = self._site.rules.create(
                Act(at, directory.BOT.name, JSM), values["message"], created_at=None,
                alias=values.get("alias") or None, priority=values.get("priority", "P3"),
                description=values.get("description", ""), tags=tuple(values.get("tags", ())),
                source=values.get("source", ""), details=frozen_details(values.get("extraProperties", {})),
            )  # fmt: skip
            return "Created alert", stored

        return _accepted(self._queue.accept("Create", effect), status=200)

    def acknowledge(self, _: Request, identifier: str) -> Response:
        """POST /v1/alerts/{id}/acknowledge."""
        return self._act(identifier, self._site.rules.acknowledge, ("Acknowledge", "Acknowledged alert"))

    def unacknowledge(self, _: Request, identifier: str) -> Response:
        """POST /v1/alerts/{id}/unacknowledge."""
        return self._act(identifier, self._site.rules.unacknowledge, ("UnAcknowledge", "Unacknowledged alert"))

    def close(self, _: Request, identifier: str) -> Response:
        """POST /v1/alerts/{id}/close."""
        return self._act(identifier, self._site.rules.close, ("Close", "Closed alert"))

    def add_note(self, request: Request, identifier: str) -> Response:
        """POST /v1/alerts/{id}/notes: carried out at once; the answer is the note."""
        text = checks.note(self._site.account.settings, request)
        stored = self._site.readable(identifier)
        self._site.rules.note(stored, Act(self._site.account.clock.now(), directory.BOT.name, JSM), text=text)
        return json_response(200, shapes.note_json(stored.notes[-1], self._site.name))

    def _act(self, identifier: str, rule: Rule, words: tuple[str, str]) -> Response:
        """Accept an act. `words` are the `action` and `status` of the outcome."""
        action, status = words
        if self._site.visible(identifier) is not None:
            self._site.readable(identifier)  # one of `refused_alerts` is refused at once

        def effect(at: datetime) -> tuple[str, StoredAlert]:
            stored = self._site.visible(identifier)
            if stored is None:
                raise Refused("no such alert", 404)
            rule(stored, Act(at, directory.BOT.name, JSM))
            return status, stored

        return _accepted(self._queue.accept(action, effect))


def _accepted(request_id: str, status: int = 202) -> Response:
    return json_response(status, {"result": "Request will be processed", "requestId": request_id, "took": 0})
