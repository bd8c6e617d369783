"""Requests to the sandbox and its answers, recorded; and the sandbox's tables of routes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import requests
from requests.adapters import BaseAdapter

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.routes import Routes, fits
from reconciler.sandbox.wire import Request, Response
from tests.support.in_process import answer_to, asked_of

VENDORS = ("opsgenie", "jsm", "pagerduty")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of one vendor's API, and the answer. The request's path is without the sandbox's prefix."""

    vendor: str
    request: Request
    answer: Response


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """A row of a table of routes; `pattern` is as the vendor has it, with `{…}` for what is variable."""

    vendor: str
    method: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.vendor} {self.method} {self.pattern}"


class Recorder(BaseAdapter):
    """Carries the product's requests to a sandbox, or those that a test makes, and records every exchange."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.exchanges: list[Exchange] = []

    def send(self, request: requests.PreparedRequest, *_more: Any, **_named: Any) -> requests.Response:
        """One exchange of the product."""
        return answer_to(request, self.handle(asked_of(request)))

    def handle(self, request: Request) -> Response:
        """One exchange; a fault that is no answer fails the test."""
        answer = self.sandbox.handle(request)
        assert isinstance(answer, Response)
        vendor, _, rest = request.path.lstrip("/").partition("/")
        if vendor in VENDORS:
            self.exchanges.append(Exchange(vendor, replace(request, path=f"/{rest}"), answer))
        return answer

    def close(self) -> None:
        """Do nothing, as there is no connection."""


def routes(sandbox: Sandbox) -> list[Route]:
    """Every route of the sandbox, in the order of its tables: the first that fits a path answers."""
    return [
        Route(vendor, method, pattern)
        for vendor in VENDORS
        for table in vars(getattr(sandbox, vendor)._routes).values()
        if isinstance(table, Routes)
        for method, pattern in table.patterns
    ]


def route_of(known: Iterable[Route], exchange: Exchange) -> Route | None:
    """The route that answered; None for an address that the sandbox does not have."""
    request = exchange.request
    fitting = (
        route
        for route in known
        if (route.vendor, route.method) == (exchange.vendor, request.method) and fits(route.pattern, request.path)
    )
    return next(fitting, None)
