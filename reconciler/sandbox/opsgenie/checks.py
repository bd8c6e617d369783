"""Checks of what Opsgenie is sent. Each returns a valid value or raises the error that Opsgenie answers."""

from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.answers import Answers
from reconciler.sandbox.opsgenie.state import StoredAlert
from reconciler.sandbox.wire import Json, Request

_MAX_LENGTHS = {"user": 100, "source": 100, "note": 25_000, "message": 130, "alias": 512, "description": 15_000}
"""The documented lengths of texts, in characters."""


class Checks:
    """The checks that more than one call needs."""

    def __init__(self, account: Account, answers: Answers) -> None:
        self._account = account
        self._answers = answers

    def body(self, request: Request) -> Json:
        """The body: a JSON object whose texts are not too long."""
        try:
            values = request.json()
        except ValueError:
            raise self._answers.error(400, "Could not parse request body") from None
        if not isinstance(values, dict):
            raise self._answers.error(400, "Request body should be a JSON object")
        texts = {name: values.get(name, "") for name in _MAX_LENGTHS}
        errors = {
            name: f"{name.capitalize()} can not be longer than {_MAX_LENGTHS[name]} characters."
            for name, text in texts.items()
            if isinstance(text, str) and len(text) > _MAX_LENGTHS[name]
        }
        errors |= {name: f"{name} should be a string" for name, text in texts.items() if not isinstance(text, str)}
        if errors:
            raise self._answers.unprocessable(errors)
        return values

    def number(self, request: Request, name: str, default: int, least: int, most: int | None = None) -> int:
        """A number in the query."""
        text = request.first(name, str(default))
        number = int(text) if text.isdecimal() else -1
        if number < least or (most is not None and number > most):
            raise self._answers.unprocessable({name: f"{name} is out of its range"})
        return number

    def identifier_type(self, request: Request) -> str:
        """What the identifier in the path is: id, tiny or alias."""
        kind = request.first("identifierType", "id")
        if kind not in ("id", "tiny", "alias"):
            raise self._answers.error(422, "Identifier type is not valid")
        return kind

    def allowed(self, stored: StoredAlert | None) -> None:
        """Refuse calls about one of `refused_alerts`."""
        refused = self._account.settings.refused_alerts
        if stored is not None and refused and {stored.now.id, stored.now.tiny_id} & set(refused):
            raise self._answers.error(403, "You are not authorized to access this alert")
