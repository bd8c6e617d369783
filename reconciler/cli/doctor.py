"""`reconciler doctor`: checks the whole set-up, and writes nothing anywhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import FAILED, chosen, configured_routes, print_json
from reconciler.cli.routes import ROUTE

if TYPE_CHECKING:
    from reconciler.routes import Route, Routes


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@ROUTE
def doctor(as_json: bool, route: str | None) -> None:
    """Check settings, keys and rights, region, service, user, clock and database; writes nothing.

    Of several routes each is checked, keys that they share once, and whether two of them want the same alerts.
    """
    routes = configured_routes()
    if route is None and routes.file is not None:
        text, document, is_bad = _of_routes(routes)
    else:
        text, document, is_bad = _of_one(chosen(routes, route))
    if as_json:
        print_json(document)
    else:
        click.echo(text)
    sys.exit(FAILED if is_bad else 0)


def _of_one(route: Route) -> tuple[str, dict[str, Any], bool]:
    """The text, the document, and whether anything is bad."""
    from reconciler.operations import findings
    from reconciler.operations.doctor import examine
    from reconciler.runtime.examination import of_route
    from reconciler.vendors.http import SystemClock

    found = examine(of_route(route, SystemClock()).examined, _progress)
    return findings.as_text(found), findings.as_data(found), findings.is_bad(found)


def _of_routes(routes: Routes) -> tuple[str, dict[str, Any], bool]:
    """The same of all routes."""
    from reconciler.operations import doctor_routes
    from reconciler.runtime.examination import of_route, overlaps_of, stored_in
    from reconciler.vendors.http import SystemClock

    clock = SystemClock()
    every = [of_route(each, clock) for each in routes.each]
    stored = stored_in(routes.each[0].settings.database_url.get_secret_value())
    found = doctor_routes.examine_routes(every, stored, overlaps_of(routes.each, clock), _progress)
    return doctor_routes.as_text(found), doctor_routes.as_data(found), doctor_routes.is_bad(found)


def _progress(done: int, every: int) -> None:
    """Shows on a terminal how many checks have been made, and removes that at the end."""
    if not sys.stderr.isatty():
        return
    words = "" if done == every else f"{done} of {every} checks made"
    click.echo(f"\r\033[K{words}", nl=False, err=True)
