"""The pages of the status page, each made from one reading of the database.

Where the database has several routes, the first page lists them, and each has its pages below /routes/NAME/.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import Generic, TypeVar

from flask import Response
from werkzeug.exceptions import NotFound

from reconciler.operations import decisions, explain_routes, lag, status, status_routes
from reconciler.operations.config import Configuration
from reconciler.operations.status_data import as_data
from reconciler.operations.status_routes import Overview, RouteReport
from reconciler.settings import Settings
from reconciler.store.database import Database
from reconciler.store.routes import StoredRoutes, listed, stored_routes
from reconciler.web.answers import json_answer
from reconciler.web.pages import Pages
from reconciler.web.pair_view import pair_view
from reconciler.web.routes_view import route_path, routes_view
from reconciler.web.status_view import Served, Snapshot, StatusView, status_view

AT_MOST_EVERY = 1.0
"""Seconds between two readings of the status: with 10,000 open pairs, one takes a third of a second."""
SHARE = 4
"""A reading counts for so many times as long as it has taken: that of a hundred routes takes longer."""
ID = re.compile(r"#?[A-Za-z0-9_.-]{1,100}")
"""What an id of either vendor looks like. Anything else is not looked up, and not shown as part of a command."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sources:
    """What the pages are made from. `settings` returns those of now, `configuration` is that of the start.

    `address` is the database's, without its password. `alert_page` gives a route's alert's page.
    """

    database: Database
    address: str
    settings: Callable[[], Settings]
    configuration: Configuration
    alert_page: Callable[[str, str], str]


class Refused(Exception):
    """A request that is not answered: the status, what to say, and what to do or run."""

    def __init__(self, status: HTTPStatus, words: str, advice: str = "", command: str = "") -> None:
        self.status = status
        self.words = words
        self.advice = advice
        self.command = command
        super().__init__(words)


class _Kept(Generic[T]):
    """A value that is read at most once in AT_MOST_EVERY.

    However often a page is asked for, the work for it stays small beside the daemon's own.
    """

    def __init__(self, read: Callable[[], T], monotonic: Callable[[], float]) -> None:
        self._read = read
        self._monotonic = monotonic
        self._lock = Lock()
        self._last: tuple[float, T] | None = None

    def now(self) -> T:
        """The value as it is, or was a moment ago. DatabaseDown if it cannot be read."""
        with self._lock:
            if self._last is None or self._monotonic() >= self._last[0]:
                self._last = None  # while the database is away, nothing older is shown
                began = self._monotonic()
                value = self._read()
                took = self._monotonic() - began
                self._last = (began + max(AT_MOST_EVERY, SHARE * took), value)
            return self._last[1]


class StatusPages:
    """Answers, each from one reading of the database."""

    def __init__(self, sources: Sources, pages: Pages, monotonic: Callable[[], float]) -> None:
        self._from = sources
        self._pages = pages
        self._monotonic = monotonic
        self._overview = _Kept(self._read_all, monotonic)
        self._lock = Lock()
        self._of_routes: dict[str, _Kept[Snapshot]] = {}

    def first(self) -> Response:
        """GET /: the status, or with several routes one line for each."""
        routes = self._routes()
        if not routes.are_several:
            return self._status(routes, routes.names[0])
        view = routes_view(self._overview.now(), self._from.settings().poll_interval_seconds)
        return self._html("routes.html", "", view)

    def first_json(self) -> Response:
        """GET /status.json: what `status --json` prints; of one route with its decisions."""
        routes = self._routes()
        if not routes.are_several:
            return self._status_json(routes, routes.names[0])
        data = status_routes.as_data(self._overview.now(), self._from.settings().poll_interval_seconds)
        return json_answer(HTTPStatus.OK, self._pages.data(data), indent=2)

    def route(self, name: str) -> Response:
        """GET /routes/NAME/."""
        return self._status(self._having(name), name)

    def route_json(self, name: str) -> Response:
        """GET /routes/NAME/status.json."""
        return self._status_json(self._having(name), name)

    def pair(self, given: str) -> Response:
        """GET /pairs/ID: in whichever route it is."""
        _check(given)
        routes = self._routes()
        if not routes.are_several:
            return self._pair(routes, routes.names[0], given)
        told = explain_routes.read_tracked(routes, self._from.address, given).explanations
        if len(told) > 1:
            raise Refused(
                HTTPStatus.MULTIPLE_CHOICES,
                f"{given} is known to the routes {listed(told)}",
                "Open the page of one of them, and there /pairs/ with the id.",
            )
        return self._pair(routes, next(iter(told), routes.names[0]), given)

    def pair_of_route(self, name: str, given: str) -> Response:
        """GET /routes/NAME/pairs/ID."""
        _check(given)
        return self._pair(self._having(name), name, given)

    def _routes(self) -> StoredRoutes:
        return stored_routes(self._from.database)

    def _having(self, name: str) -> StoredRoutes:
        """The routes, of which this is one. NotFound if there is no such route, or there are no several."""
        routes = self._routes()
        if not routes.are_several or name not in routes.names:
            raise NotFound
        return routes

    def _read_all(self) -> Overview:
        return status_routes.read(self._routes(), self._from.address)

    def _snapshot(self, routes: StoredRoutes, name: str) -> Snapshot:
        def read() -> Snapshot:
            report = status.read(routes.of(name), self._from.address)
            with routes.of(name).reading() as unit:
                return Snapshot(report, decisions.newest(unit), lag.read(unit, report.now))

        with self._lock:
            kept = self._of_routes.setdefault(name, _Kept(read, self._monotonic))
        return kept.now()

    def _status(self, routes: StoredRoutes, name: str) -> Response:
        settings = self._from.settings()
        served = Served(
            self._from.database.holder,
            settings.poll_interval_seconds,
            self._from.configuration,
            settings.log_level,
            f" --route {name}" if routes.are_several else "",
        )
        found = self._snapshot(routes, name)
        view = status_view(found, served)
        if name in routes.removed:
            view = _of_removed(view, RouteReport(name, found.report, routes.removed[name]), served.interval)
        return self._html("status.html", name if routes.are_several else "", view)

    def _status_json(self, routes: StoredRoutes, name: str) -> Response:
        found = self._snapshot(routes, name)
        data = as_data(found.report, self._from.settings().poll_interval_seconds)
        data["decisions"] = [decisions.as_data(each, found.report.product) for each in found.decisions]
        return json_answer(HTTPStatus.OK, self._pages.data(data), indent=2)

    def _pair(self, routes: StoredRoutes, name: str, given: str) -> Response:
        found = explain_routes.read_one(routes, name, self._from.address, given)
        if not found.stories:
            raise Refused(
                HTTPStatus.NOT_FOUND,
                f"{given} is not known here: no pair that is followed has this id or number",
                f"This asks {found.product.name} and PagerDuty why:",
                f"reconciler explain {given.removeprefix('#')}{found.option}",
            )
        return self._html("pair.html", found.route, pair_view(found, partial(self._from.alert_page, found.route)))

    def _html(self, template: str, route: str, view: object) -> Response:
        """A page; those of a route of several lead to its own pages."""
        base = route_path(route) if route else ""
        return html_answer(self._pages.html(template, view=view, base=base, route=route))


def html_answer(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """A page as an answer."""
    return Response(text, status, content_type="text/html; charset=utf-8")


def _of_removed(view: StatusView, route: RouteReport, interval: float) -> StatusView:
    """The page of a route that is in no file any more: its headline says so, and nobody has to poll for it."""
    is_good = not route.needs_attention(interval)
    verdict = "Nothing to do" if is_good else "Needs attention"
    return replace(view, headline=route.headline(interval), is_good=is_good, verdict=verdict)


def _check(given: str) -> None:
    """Refused unless this looks like an id."""
    if not ID.fullmatch(given):
        raise Refused(HTTPStatus.NOT_FOUND, "This is the id of no alert and of no incident")
