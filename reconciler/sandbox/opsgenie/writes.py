"""POSTs of alerts and of actions on them: their form is checked at once, all else shows in the outcome."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial

from reconciler.sandbox.opsgenie import checks, shapes
from reconciler.sandbox.opsgenie.account import Account, Act
from reconciler.sandbox.opsgenie.rules import API, PRIORITIES, Rules
from reconciler.sandbox.opsgenie.state import StoredAlert, frozen_details
from reconciler.sandbox.opsgenie.write_queue import Accepts
from reconciler.sandbox.wire import Json, Refused, Request, Response

_NOBODY = "Alert API"
"""Who acts when the call names no user (observed)."""
REMEMBERED_PINGS = 20
"""The most pings of one heartbeat that are remembered."""
Rule = Callable[[StoredAlert, Act], None]


class Writes:
    """Answers POSTs."""

    def __init__(self, account: Account, rules: Rules, queue: Accepts) -> None:
        self._account = account
        self._rules = rules
        self._queue = queue

    def create(self, request: Request) -> Response:
        """POST /v2/alerts."""
        values, answers = checks.body(self._account, request), self._account.answers
        if not values.get("message"):
            raise answers.unprocessable({"message": "Message can not be empty."})
        if values.get("priority", "P3") not in PRIORITIES:
            raise answers.unprocessable({"priority": f"Priority should be one of {', '.join(PRIORITIES)}."})
        details = values.get("details", {})
        if not (isinstance(values.get("tags", []), list) and isinstance(details, dict)):
            raise answers.unprocessable({"tags": "tags should be a list, details an object"})
        if not all(isinstance(value, str) for value in details.values()):
            raise answers.unprocessable({"details": "details should be texts by name"})
        return answers.accepted(self._queue.accept("Create", partial(self._create, values)))

    def ping(self, _request: Request, heartbeat: str) -> Response:
        """GET /v2/heartbeats/{name}/ping: accepted also for a heartbeat that does not exist (documented)."""
        account = self._account
        account.pings.setdefault(heartbeat, deque(maxlen=REMEMBERED_PINGS)).append(account.clock.now())
        return account.answers.accepted(account.alerts.uuid(), "PONG - Heartbeat received")

    def acknowledge(self, request: Request, identifier: str) -> Response:
        """POST /v2/alerts/{id}/acknowledge."""
        return self._act(request, identifier, self._rules.acknowledge, ("Acknowledge", "Acknowledged alert"))

    def unacknowledge(self, request: Request, identifier: str) -> Response:
        """POST /v2/alerts/{id}/unacknowledge."""
        return self._act(request, identifier, self._rules.unacknowledge, ("UnAcknowledge", "Unacknowledged alert"))

    def close(self, request: Request, identifier: str) -> Response:
        """POST /v2/alerts/{id}/close."""
        return self._act(request, identifier, self._rules.close, ("Close", "Closed alert"))

    def add_note(self, request: Request, identifier: str) -> Response:
        """POST /v2/alerts/{id}/notes."""
        return self._act(request, identifier, None, ("Add Note", "Added note"))

    def _act(self, request: Request, identifier: str, rule: Rule | None, words: tuple[str, str]) -> Response:
        """Accept an act and its note, or a note alone. `words` are the `action` and `status` of the outcome."""
        values = checks.body(self._account, request)
        note = values.get("note", "")
        if rule is None and not note:
            raise self._account.answers.unprocessable({"note": "Note can not be empty."})
        kind = checks.identifier_type(self._account, request)
        who = shapes.shown_name(values.get("user") or _NOBODY, self._account.settings.name_form)
        checks.allowed(self._account, self._account.lookup(kind, identifier))
        action, status = words

        def effect(at: datetime) -> tuple[str, StoredAlert]:
            stored = self._account.lookup(kind, identifier)
            if stored is None:
                raise Refused("no such alert", 404)
            act = Act(at, who, API)
            if rule is not None:
                rule(stored, act)
            if note:
                is_named = self._account.settings.note_owner == "user"
                self._rules.note(stored, act if is_named else act._replace(who=_NOBODY), text=note)
            return status, stored

        return self._account.answers.accepted(self._queue.accept(action, effect))

    def _create(self, values: Json, at: datetime) -> tuple[str, StoredAlert]:
        act = Act(at, values.get("user") or _NOBODY, API)
        stored = self._rules.create(
            act, values["message"], created_at=None, alias=values.get("alias") or None,
            priority=values.get("priority", "P3"), description=values.get("description", ""),
            tags=tuple(values.get("tags", ())), source=values.get("source", ""),
            details=frozen_details(values.get("details", {})),
        )  # fmt: skip
        if values.get("note"):
            self._rules.note(stored, act, text=values["note"])
        return "Created alert", stored
