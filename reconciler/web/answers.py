"""What the answers of both listeners share: JSON bodies, common headers, and the log line of a defect."""

from collections.abc import Iterable, Mapping

from flask import Response

from reconciler.observability.logs import as_json, get_logger

log = get_logger(__name__)


def json_answer(status: int, values: Mapping[str, object], indent: int | None = None) -> Response:
    """One JSON document as the body."""
    return Response(as_json(values, indent) + "\n", status, content_type="application/json")


def with_headers(headers: Iterable[tuple[str, str]], response: Response) -> Response:
    """The answer with these headers, each in the place of one of its name."""
    for name, value in headers:
        response.headers[name] = value
    return response


def log_defect(error: Exception) -> None:
    """Log an exception that no code expects; the client is sent fixed words, which repeat nothing of it."""
    log.error(
        "a request failed unexpectedly: this is a defect, please report it", subject="defect", exc_info=error
    )
