"""The status page: addresses that only read, and read the database alone, so that a stand-by serves them as well.

An answer repeats nothing of its request but the id of a pair, and only to who is let in.
"""

import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from reconciler.core.product import PRODUCTS, Product
from reconciler.observability.logs import get_logger
from reconciler.settings import Settings
from reconciler.store.database import DatabaseDown
from reconciler.web.access import is_let_in, names_loopback
from reconciler.web.answers import json_answer, log_defect, with_headers
from reconciler.web.pages import Pages, asset
from reconciler.web.server import Limits
from reconciler.web.status_pages import Refused, StatusPages, html_answer
from reconciler.web.status_pages import Sources as Sources  # noqa: PLC0414 - offered from here too
from reconciler.web.view import Message

LIMITS = Limits(connections=32, threads=2, body=16 * 1024)
"""A few people read it; together with the other listener it stays below the usual limit of file descriptors."""
METHODS = ("GET", "HEAD")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)
"""Headers of every answer."""
CHALLENGE = 'Basic realm="reconciler status", charset="UTF-8"'
STYLE, ICON = "status.css", "icon.svg"
WARN_EVERY = 600.0
"""Seconds between two lines about wrong passwords: the log must not grow with a guesser's patience."""

log = get_logger(__name__)


def create(sources: Sources, monotonic: Callable[[], float] = time.monotonic) -> Flask:
    """The application."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    pages = Pages(lambda: sources.settings().secret_values())
    door, desk = _Door(sources.settings, monotonic), StatusPages(sources, pages, monotonic)
    app.before_request(door.refusal)
    app.after_request(partial(with_headers, HEADERS))

    def rule(path: str, answer: Callable[..., Response]) -> None:
        app.add_url_rule(path, path, answer, methods=["GET"], provide_automatic_options=False)

    rule("/", desk.first)
    rule("/status.json", desk.first_json)
    rule("/pairs/<given>", desk.pair)
    rule("/routes/<name>/", desk.route)
    rule("/routes/<name>/status.json", desk.route_json)
    rule("/routes/<name>/pairs/<given>", desk.pair_of_route)
    rule(f"/{STYLE}", lambda: Response(asset(STYLE), content_type="text/css; charset=utf-8"))
    rule(f"/{ICON}", lambda: Response(asset(ICON), content_type="image/svg+xml"))
    app.register_error_handler(Exception, _Failures(sources, pages).answer)
    return app


class _Door:
    """Turns away what must not be answered, before anything is read."""

    def __init__(self, settings: Callable[[], Settings], monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._told_at = -WARN_EVERY
        self._wrong = 0

    def refusal(self) -> None:
        """Raise Refused unless the request may be answered."""
        password = self._settings().status_password
        if password is None and not names_loopback(request.host):
            raise Refused(
                HTTPStatus.MISDIRECTED_REQUEST,
                "This page has no password, so it is answered under a name of loopback only",
                "Open it as http://127.0.0.1, with the port of STATUS_LISTEN.",
            )
        if request.headers.get("Sec-Fetch-Site") == "cross-site" and not _is_navigation():
            raise Refused(HTTPStatus.FORBIDDEN, "The status page is not for other sites: open it yourself")
        if request.method not in METHODS:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "The status page only reads: GET and HEAD")
        if request.content_length or "Transfer-Encoding" in request.headers:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The status page takes no body")
        if password is not None and not is_let_in(request.authorization, password.get_secret_value()):
            self._tell()
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                "The status page needs its password",
                "Give any user name, and the value of STATUS_PASSWORD.",
            )

    def _tell(self) -> None:
        """Log wrong passwords, at most once in WARN_EVERY. A browser's first request has none."""
        if request.authorization is None:
            return
        self._wrong += 1
        if self._monotonic() - self._told_at >= WARN_EVERY:
            log.warning(
                "the status page was asked with a wrong password", times=self._wrong, address=request.remote_addr
            )
            self._told_at, self._wrong = self._monotonic(), 0


def _is_navigation() -> bool:
    """Whether somebody opens the page, by a link for example, rather than another page loading it."""
    return (
        request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
    )


class _Failures:
    """Answers to what cannot be answered. Of a defect only the log says more."""

    def __init__(self, sources: Sources, pages: Pages) -> None:
        self._from = sources
        self._pages = pages

    def answer(self, error: Exception) -> Response:
        """The answer to a failure."""
        refused = _refused(error, PRODUCTS[self._from.settings().alert_source])
        if request.path.endswith(".json"):
            answer = json_answer(refused.status, self._pages.data({"error": refused.words}), indent=2)
        else:
            status, phrase = refused.status.value, refused.status.phrase
            message = Message(status, phrase, refused.words, refused.advice, refused.command)
            answer = html_answer(self._pages.html("message.html", view=message, base=""), refused.status)
        if refused.status == HTTPStatus.UNAUTHORIZED:
            answer.headers["WWW-Authenticate"] = CHALLENGE
        if refused.status == HTTPStatus.METHOD_NOT_ALLOWED:
            answer.headers["Allow"] = ", ".join(METHODS)
        return answer


def _refused(error: Exception, product: Product) -> Refused:
    """What is said about an error."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, DatabaseDown):
        advice = f"It is not known whether alerts still page: check /readyz, the log, and {product.name}."
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"The state is not known: {error}", advice)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        words = "There is no such page" if status == HTTPStatus.NOT_FOUND else status.phrase
        return Refused(status, words, "The status is at /, and a pair at /pairs/ID.")
    log_defect(error)
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "This is a defect: the log says more, please report it")
