"""`reconciler migrate`: options in, text or JSON out."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import (
    ATTENTION,
    FAILED,
    chosen_name,
    complain,
    configured_database,
    env_file,
    print_json,
    working_database,
)
from reconciler.cli.routes import ROUTE

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import ReconcilerError
    from reconciler.operations.migrating import Choices, Examination
    from reconciler.routes_moving import Asked
    from reconciler.runtime.moving import Moved, Sources
    from reconciler.store.database import Database


@click.command()
@click.option("--to", type=click.Choice(("jsm", "opsgenie")), required=True, help="The alert source to move to.")
@click.option("--check", is_flag=True, help="Read both sides, say what would happen, write nothing anywhere.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--drain", is_flag=True, help="First mirror what the present source still has to tell, as `once`.")
@click.option("--drop-missing", is_flag=True, help="Stop following alerts that the new source does not have.")
@click.option("--baseline-unknown", "unknown", flag_value="baseline", help="Page nobody for older unknown alerts.")
@click.option("--page-unknown", "unknown", flag_value="page", help="Page for each older unknown alert.")
@click.option("--no-backup", is_flag=True, help="Make no copy of the database first.")
@click.option("--without-opsgenie", is_flag=True, help="Do not read Opsgenie, because its API is off.")
@ROUTE
def migrate(
    to: str,
    check: bool,
    as_json: bool,
    drain: bool,
    drop_missing: bool,
    unknown: str | None,
    no_backup: bool,
    without_opsgenie: bool,
    route: str | None,
) -> None:
    """Move what is tracked to another alert source, so that nobody is paged twice.

    Stop the daemon first. Alerts keep their incidents, whether or not the new source gives them other ids. With
    ROUTES_FILE one route is moved; on PostgreSQL a daemon may go on with the others.

    Exit status 0: done, or with --check nothing to decide. 1: a product or the database is out of reach, or
    something is to be decided first. 2: a setting is wrong, or a key is refused. 3, with --check: something is to
    be decided.
    """
    from reconciler.errors import ReconcilerError
    from reconciler.operations.migrating import Choices, Unmatched

    if without_opsgenie and to == "opsgenie":
        raise click.UsageError("--without-opsgenie goes with --to jsm: a move to Opsgenie has to read it")
    if without_opsgenie and drain:
        raise click.UsageError("--drain reads Opsgenie: it does not go with --without-opsgenie")
    if check and drain:
        raise click.UsageError("--drain writes: it does not go with --check; see `reconciler once --dry-run`")
    choices = Choices(drop_missing, drain, unknown=Unmatched(unknown) if unknown else None)
    asked = _asked(to, route)
    with closing(_database(check=check)) as opened:
        database = opened.for_route(asked.name)
        sources = _sources(database, asked, without_opsgenie=without_opsgenie)
        if sources is None:
            _already(asked, as_json=as_json)
            return
        try:
            if check:
                status = _check(database, sources, choices, as_json=as_json)
            else:
                status = _move(database, sources, choices, asked, as_json=as_json, keeps_copy=not no_backup)
        except ReconcilerError as error:
            _hint(error, sources)
            raise
    sys.exit(status)


def _hint(error: ReconcilerError, sources: Sources) -> None:
    """What to do if Opsgenie is suspended or off, printed before the error itself."""
    if not str(error).startswith("Opsgenie: "):
        return
    if sources.there.alert_source == "opsgenie":
        complain("there is no way back to Opsgenie while it cannot be read; see docs/move.md")
    else:
        complain("if Opsgenie cannot be read any more: --without-opsgenie")


def _database(*, check: bool) -> Database:
    """The daemon's database; with `check` opened so that it cannot be written to."""
    database = working_database()
    if not check:
        return database
    from reconciler.store.read_only import open_read_only

    database.close()
    return open_read_only(configured_database()[0])


def _asked(to: str, route: str | None) -> Asked:
    """What is to be moved. Without --route, the only route."""
    from reconciler.routes_moving import asked
    from reconciler.routes_reading import read_routes
    from reconciler.settings import SettingsError

    found = read_routes(os.environ, env_file())
    if not found.each:
        raise SettingsError(found.problems)
    return asked(found, chosen_name([each.name for each in found.each], route), to)


def _sources(database: Database, asked: Asked, *, without_opsgenie: bool) -> Sources | None:
    """The route with both sources; None if the database follows the new one already."""
    from reconciler.observability import logs
    from reconciler.routes import load_routes
    from reconciler.runtime.moving import Source, Sources, check_query, is_there
    from reconciler.vendors.http import SystemClock

    now = SystemClock().now()

    def source(key: str) -> Source:
        return Source(load_routes(os.environ, env_file(), {asked.name: key}), asked.name)

    there = source(asked.to)
    secrets = there.routes.secret_values()
    logs.configure(there.settings.log_format, there.settings.log_level, secrets)
    if is_there(database, asked.to, now, asked.called):
        return None
    asked.check_query()
    if without_opsgenie:
        return Sources(there, None)
    here = source(asked.left)
    secrets = (*secrets, *here.routes.secret_values())
    logs.configure(there.settings.log_format, there.settings.log_level, secrets)
    if asked.file:
        check_query(database, here, now)
    return Sources(there, here)


def _already(asked: Asked, *, as_json: bool) -> None:
    if as_json:
        print_json({"to": asked.to, "moved": False, "already": True})
        return
    what = f"Route {asked.name}" if asked.file else "This database"
    click.echo(f"{what} follows {_name(asked.to)} already: nothing to do.")


def _check(database: Database, sources: Sources, choices: Choices, *, as_json: bool) -> int:
    """The examination, and the plan of the first cycle after the move."""
    from reconciler.cli import rendering
    from reconciler.cli.progress import show
    from reconciler.operations import migration_text
    from reconciler.runtime.moving import first_cycle, look, sides
    from reconciler.vendors.http import SystemClock

    seen = look(database, sides(sources, database), choices, SystemClock(), show)
    plan = first_cycle(database, sources, seen)
    errors = rendering.errors(plan, dry_run=True)
    if as_json:
        document = migration_text.as_data(seen) | {"check": True, "moved": False}
        print_json(document | {"first_cycle": rendering.as_data(plan, dry_run=True)})
    else:
        click.echo("\n".join(migration_text.as_lines(seen)))
        click.echo("\nThe first cycle after the move:")
        click.echo(rendering.as_text(plan, dry_run=True))
        _say_obstacles(seen)
    for line in errors:
        complain(line)
    if errors:
        return FAILED
    return ATTENTION if seen.obstacles else 0


def _move(
    database: Database, sources: Sources, choices: Choices, asked: Asked, *, as_json: bool, keeps_copy: bool
) -> int:
    """Make the move; with --drain, first mirror the changes that the present source still has."""
    from reconciler.cli.progress import show
    from reconciler.operations import migration_text
    from reconciler.runtime import moving
    from reconciler.store.copies import backup
    from reconciler.store.lock import lock_for
    from reconciler.vendors.http import SystemClock

    clock = SystemClock()
    if keeps_copy:
        moving.refuse_without_copy(sources.url)

    def keep() -> Path | None:
        return backup(sources.url, f"before-{asked.to}", clock.now()) if keeps_copy else None

    if choices.drain and sources.here is not None:
        polled = moving.last_poll(database, clock.now())
        report = moving.drain(sources.here)
        for problem in report.problems if report else ():
            complain(str(problem.error))
        went_well = report is not None and not report.problems
        choices = replace(choices, drain=False, is_drained=went_well, polled=polled)
    lock, both = lock_for(sources.url, database.route), moving.sides(sources, database)
    made = moving.Mover(database, lock, both, clock, show, keep, complain, sources.stop).move(choices)
    if as_json:
        extra: dict[str, Any] = {"check": False, "moved": not made.seen.obstacles}
        print_json(
            migration_text.as_data(made.seen) | extra | {"backup": str(made.backup) if made.backup else None}
        )
    else:
        click.echo("\n".join(migration_text.as_lines(made.seen)))
        _say_obstacles(made.seen)
    if made.seen.obstacles:
        return FAILED
    if not as_json:
        _say_moved(made, asked)
    return 0


def _say_moved(made: Moved, asked: Asked) -> None:
    """What was done, and the next step in the last line."""
    seen = made.seen
    if made.backup is not None:
        click.echo(f"The database as it was: {made.backup}")
    what = f"Moved route {asked.name} to {seen.there.name}" if asked.file else f"Moved to {seen.there.name}"
    click.echo(f"{what}. Whatever still runs with {seen.here.name} writes nothing more.")
    click.echo(f"Next: {asked.next_step()}.")


def _say_obstacles(seen: Examination) -> None:
    from reconciler.operations.migration_text import obstacle_lines

    for line in obstacle_lines(seen):
        complain(line)


def _name(source: str) -> str:
    from reconciler.core.product import PRODUCTS

    return PRODUCTS[source].name
