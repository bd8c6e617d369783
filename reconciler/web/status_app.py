"""The status page: addresses that only read, and read the database alone, so that a stand-by serves them as well.

An answer repeats nothing of its request but the id of a pair, and only to who is let in.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from threading import Lock

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from reconciler.core.product import PRODUCTS, Product
from reconciler.observability.logs import get_logger
from reconciler.operations import decisions, explain, lag, status
from reconciler.operations.config import Configuration
from reconciler.operations.status_data import as_data
from reconciler.settings import Settings
from reconciler.store.database import Database, DatabaseDown
from reconciler.web.access import is_let_in, names_loopback
from reconciler.web.answers import json_answer, log_defect, with_headers
from reconciler.web.pages import Pages, asset
from reconciler.web.pair_view import pair_view
from reconciler.web.server import Limits
from reconciler.web.status_view import Served, Snapshot, status_view
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
AT_MOST_EVERY = 1.0
"""Seconds between two readings of the status: with 10,000 open pairs, one takes a third of a second."""
ID = re.compile(r"#?[A-Za-z0-9_.-]{1,100}")
"""What an id of either vendor looks like. Anything else is not looked up, and not shown as part of a command."""
WARN_EVERY = 600.0
"""Seconds between two lines about wrong passwords: the log must not grow with a guesser's patience."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sources:
    """What the pages are made from. `settings` returns those of now, `configuration` is that of the start.

    `address` is the database's, without its password. `alert_page` gives an alert's page.
    """

    database: Database
    address: str
    settings: Callable[[], Settings]
    configuration: Configuration
    alert_page: Callable[[str], str]


def create(sources: Sources, monotonic: Callable[[], float] = time.monotonic) -> Flask:
    """The application."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    door, page = _Door(sources.settings, monotonic), _Page(sources, _Reading(sources, monotonic))
    app.before_request(door.refusal)
    app.after_request(partial(with_headers, HEADERS))

    def rule(path: str, answer: Callable[..., Response]) -> None:
        app.add_url_rule(path, path, answer, methods=["GET"], provide_automatic_options=False)

    rule("/", page.status)
    rule("/status.json", page.status_json)
    rule("/pairs/<given>", page.pair)
    rule(f"/{STYLE}", lambda: Response(asset(STYLE), content_type="text/css; charset=utf-8"))
    rule(f"/{ICON}", lambda: Response(asset(ICON), content_type="image/svg+xml"))
    app.register_error_handler(Exception, page.failed)
    return app


class Refused(Exception):
    """A request that is not answered: the status, what to say, and what to do or run."""

    def __init__(self, status: HTTPStatus, words: str, advice: str = "", command: str = "") -> None:
        self.status = status
        self.words = words
        self.advice = advice
        self.command = command
        super().__init__(words)


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


class _Reading:
    """The content of the database, read at most once in AT_MOST_EVERY.

    However often the page is asked for, the work for it stays small beside the daemon's own.
    """

    def __init__(self, sources: Sources, monotonic: Callable[[], float]) -> None:
        self._from = sources
        self._monotonic = monotonic
        self._lock = Lock()
        self._last: tuple[float, Snapshot] | None = None

    def snapshot(self) -> Snapshot:
        """The content as it is, or was a moment ago. DatabaseDown if it cannot be read."""
        with self._lock:
            if self._last is None or self._monotonic() - self._last[0] >= AT_MOST_EVERY:
                self._last = None  # while the database is away, nothing older is shown
                self._last = (self._monotonic(), self._read())
            return self._last[1]

    def _read(self) -> Snapshot:
        report = status.read(self._from.database, self._from.address)
        with self._from.database.reading() as unit:
            return Snapshot(report, decisions.newest(unit), lag.read(unit, report.now))


class _Page:
    """Answers, each from one reading of the database."""

    def __init__(self, sources: Sources, reading: _Reading) -> None:
        self._from = sources
        self._reading = reading
        self._pages = Pages(lambda: sources.settings().secret_values())

    def status(self) -> Response:
        """GET /."""
        settings = self._from.settings()
        served = Served(
            self._from.database.holder,
            settings.poll_interval_seconds,
            self._from.configuration,
            settings.log_level,
        )
        return _html(self._pages.html("status.html", view=status_view(self._reading.snapshot(), served)))

    def status_json(self) -> Response:
        """GET /status.json: what `status --json` prints, and the decisions."""
        found = self._reading.snapshot()
        data = as_data(found.report, self._from.settings().poll_interval_seconds)
        data["decisions"] = [decisions.as_data(each, found.report.product) for each in found.decisions]
        return json_answer(HTTPStatus.OK, self._pages.data(data), indent=2)

    def pair(self, given: str) -> Response:
        """GET /pairs/ID."""
        if not ID.fullmatch(given):
            raise Refused(HTTPStatus.NOT_FOUND, "This is the id of no alert and of no incident")
        found = explain.read_tracked(self._from.database, self._from.address, given)
        if not found.stories:
            raise Refused(
                HTTPStatus.NOT_FOUND,
                f"{given} is not known here: no pair that is followed has this id or number",
                f"This asks {found.product.name} and PagerDuty why:",
                f"reconciler explain {given.removeprefix('#')}",
            )
        return _html(self._pages.html("pair.html", view=pair_view(found, self._from.alert_page)))

    def failed(self, error: Exception) -> Response:
        """The answer to a failure. Of a defect only the log says more."""
        refused = _refused(error, PRODUCTS[self._from.settings().alert_source])
        if request.path.endswith(".json"):
            answer = json_answer(refused.status, self._pages.data({"error": refused.words}), indent=2)
        else:
            status, phrase = refused.status.value, refused.status.phrase
            message = Message(status, phrase, refused.words, refused.advice, refused.command)
            answer = _html(self._pages.html("message.html", view=message), refused.status)
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


def _html(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, content_type="text/html; charset=utf-8")
