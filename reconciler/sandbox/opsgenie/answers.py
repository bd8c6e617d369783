"""The envelopes of Opsgenie's answers: `{"data", "took", "requestId"}` and `{"message", "took", "requestId"}`."""

from reconciler.sandbox.opsgenie.state import Alerts
from reconciler.sandbox.wire import Answer, Json, Response, json_response

_OK = {"X-RateLimit-State": "OK"}
THROTTLED = "You are making too many requests! To avoid errors, we recommend you limit requests."
"""The message of a 429."""


def throttled_headers(period: int) -> dict[str, str]:
    """The headers of a 429; `period`, 1 or 60, is the window of the limit in seconds. There is no Retry-After."""
    return {
        "X-RateLimit-State": "THROTTLED", "X-RateLimit-Reason": "ACCOUNT", "X-RateLimit-Period-In-Sec": str(period)
    }  # fmt: skip


def error_body(message: object, request_id: str, extra: Json | None = None) -> Json:
    """The body of an error; `extra` are further fields such as `code` and `errors`."""
    return {"message": message, **(extra or {}), "took": 0.002, "requestId": request_id}


class Answers:
    """Makes answers, each with a request id of its own. `error` and `unprocessable` are to be raised."""

    def __init__(self, alerts: Alerts) -> None:
        self._new_id = alerts.uuid

    def ok(self, **values: object) -> Response:
        """200 with `data`, and `paging` for lists."""
        request_id = self._new_id()
        headers = {"X-Request-Id": request_id, "X-Response-Time": "0.008", **_OK}
        return json_response(200, {**values, "took": 0.008, "requestId": request_id}, headers)

    @staticmethod
    def accepted(request_id: str, result: str = "Request will be processed") -> Response:
        """202: the write is queued."""
        body = {"result": result, "took": 0.008, "requestId": request_id}
        return json_response(202, body, {"X-Request-Id": request_id, **_OK})

    def error(
        self, status: int, message: str, headers: dict[str, str] | None = None, extra: Json | None = None
    ) -> Answer:
        """An error in Opsgenie's form."""
        return Answer(
            json_response(status, error_body(message, self._new_id(), extra), {**_OK, **(headers or {})})
        )

    def unprocessable(self, errors: dict[str, str]) -> Answer:
        """422 with a message for each field."""
        message = "Request body is not processable. Please check the errors."
        return self.error(422, message, extra={"errors": errors})
