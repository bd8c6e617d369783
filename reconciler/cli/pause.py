"""`reconciler pause` and `reconciler resume`: options in, text out."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import working_database
from reconciler.cli.routes import ROUTE, known_routes

if TYPE_CHECKING:
    from reconciler.core.model import Side

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+[smhd])+")
_PART = re.compile(r"(\d+)([smhd])")
LONGEST = timedelta(days=30)
LONGEST_REASON = 500
"""Characters of a reason: it is shown on one line, again and again."""


class Duration(click.ParamType[timedelta]):
    """A length of time such as 90s, 30m, 2h, 1d or 1h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The length of time."""
        text = str(value)
        if not _DURATION.fullmatch(text) or len(text) > 20:  # noqa: PLR2004 - longer than any useful one
            self.fail(f"{value!r} is no length of time: write for example 90s, 30m, 2h or 1d.", param, ctx)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
        if not 0 < seconds <= LONGEST.total_seconds():
            self.fail(f"{value!r} is not between 1s and {LONGEST.days}d.", param, ctx)
        return timedelta(seconds=seconds)


class Reason(click.ParamType[str]):
    """A text on one line that is not empty."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text on one line."""
        words = " ".join(str(value).split())
        if not words or len(words) > LONGEST_REASON:
            self.fail(f"say why, in 1 to {LONGEST_REASON} characters.", param, ctx)
        return words


_TO = click.option("--to", type=click.Choice(["opsgenie", "jsm", "pagerduty"]), help="Only writes to this side.")


@click.command()
@_TO
@click.option("--pages-too", is_flag=True, help="Hold back what pages somebody, too.")
@click.option("--for", "lasts", type=Duration(), help="End by itself after this time, such as 30m or 2h.")
@click.option("--reason", required=True, type=Reason(), help="Why; shown wherever the pause is.")
@ROUTE
def pause(to: str | None, pages_too: bool, lasts: timedelta | None, reason: str, route: str | None) -> None:
    """Hold writes back, until `resume` or the end of --for; without --route, those of all routes.

    Nothing is lost: both sides are read as before, and what waits is written afterwards, in order. What pages
    somebody goes on unless --pages-too is given. A running daemon takes a pause in within a second; a second pause
    replaces the first.
    """
    from reconciler.operations import pausing, pausing_routes
    from reconciler.operations.who import operator

    who, sides = operator(), _sides(to)
    with closing(working_database()) as database:
        routes = known_routes(database)
        begun = pausing_routes.begin(
            routes,
            routes.chosen(route),
            lambda each: pausing.begin(each, sides, reason, who, pages=pages_too, lasts=lasts),
        )
    click.echo(pausing_routes.begun_text(begun))


@click.command()
@_TO
@ROUTE
def resume(to: str | None, route: str | None) -> None:
    """End a pause: what has waited is written, in order; without --route, that of all routes."""
    from reconciler.operations import pausing, pausing_routes
    from reconciler.operations.who import operator

    who, sides = operator(), _sides(to)
    with closing(working_database()) as database:
        routes = known_routes(database)
        ended = pausing_routes.end(routes, routes.chosen(route), lambda each: pausing.end(each, sides, who))
    click.echo(pausing_routes.ended_text(ended))


def _sides(to: str | None) -> tuple[Side, ...]:
    """The sides that an operator means. The alert side goes by any product's name: scripts outlive a move."""
    from reconciler.core.model import Side
    from reconciler.core.product import PRODUCTS

    if to is None:
        return tuple(Side)
    return (Side.ALERTS if to in PRODUCTS else Side(to),)
