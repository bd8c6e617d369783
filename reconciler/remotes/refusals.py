"""What a failed exchange means: whether it was ever sent, what the vendor said, and which error that is."""

import ssl
from collections.abc import Iterator
from traceback import walk_tb
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.exceptions import ProxyError as TunnelError

from reconciler.errors import Missing, NotExecuted, Permanent, ReconcilerError, Refused, Unknown

LOST_SIGHT = 2018
"""PagerDuty's "you may have lost access to this incident": about the incident, not about the key."""
_HINTS = {
    ("Opsgenie", 401): "check OPSGENIE_API_KEY (an integration that is switched off is turned away too), and that "
    "OPSGENIE_API_URL is the account's region (EU: https://api.eu.opsgenie.com)",
    ("Opsgenie", 403): "OPSGENIE_API_KEY lacks a right: take the key of an API integration that may read, create "
    "and update; not an account key, and not read-only",
    ("PagerDuty", 401): "check PAGERDUTY_API_KEY, and that PAGERDUTY_API_URL is the account's region "
    "(EU: https://api.eu.pagerduty.com)",
    ("PagerDuty", 403): "PAGERDUTY_API_KEY lacks a right: a read-only key cannot write, and a scoped one needs "
    "incidents.read and incidents.write",
}


def refusal(  # noqa: PLR0911 - a table, read from top to bottom
    vendor: str, where: str, status: int, words: str, body: Any, retry_after: float | None
) -> ReconcilerError:
    """The error that an answer other than 2xx is."""
    tail = f": {words}" if words else ""
    told = f"{where}: {status}{tail}"
    match status:
        case 403 if _code(body) == LOST_SIGHT:
            return Permanent(told, status)
        case 401 | 403:
            return Refused(f"{told}; {_HINTS.get((vendor, status), 'check the API key')}")
        case 404:
            return Missing(told)
        case 429:
            return NotExecuted(f"{told}; too many requests, not carried out", retry_after)
        case _ if status == 408 or status >= 500:  # noqa: PLR2004 - HTTP
            return Unknown(told, retry_after)
        case _ if status < 400:  # noqa: PLR2004 - HTTP
            return Permanent(f"{told}; not an answer of the API, check {vendor.upper()}_API_URL", status)
        case _:
            return Permanent(told, status)


def said(body: Any) -> str:
    """What the vendor says in an error's body, in any of the shapes that have been seen."""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        code = body["error"].get("code")
        return "; ".join(_words(body["error"])) + (f" (code {code})" if isinstance(code, int | str) else "")
    return "; ".join(_words(body))


def _code(body: Any) -> Any:
    error = body.get("error") if isinstance(body, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def _words(value: Any, label: str = "") -> Iterator[str]:
    if isinstance(value, str) and value:
        yield f"{label}: {value}" if label else value
    elif isinstance(value, list):
        for one in value:
            yield from _words(one, label)
    elif isinstance(value, dict) and label:
        for name, one in value.items():
            yield from _words(one, str(name))
    elif isinstance(value, dict):
        yield from _words(value.get("message"))
        yield from _words(value.get("error"))
        errors = value.get("errors")
        if isinstance(errors, dict):
            for name, one in errors.items():
                yield from _words(one, str(name))
        else:
            yield from _words(errors)
        for name in ("title", "detail"):
            yield from _words(value.get(name))


def never_sent(error: BaseException) -> str:
    """Why the request cannot have left this machine; nothing when it may have."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "the server's certificate is not trusted"
        if isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError):
            return "no connection in time"
        if isinstance(cause, requests.exceptions.ConnectTimeout):
            return "no connection in time"
        if isinstance(cause, requests.exceptions.ProxyError | TunnelError):
            return "the proxy made no connection"
        if isinstance(cause, NewConnectionError):
            return "no connection could be made (refused, unreachable, or the name is unknown)"
    steps = {frame.f_code.co_name for one in _causes(error) for frame, _ in walk_tb(one.__traceback__)}
    return "the TLS handshake failed" if "do_handshake" in steps else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it is about or came from."""
    seen: list[BaseException] = []
    todo: list[Any] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and not any(one is other for other in seen):
            seen.append(one)
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    yield from seen
