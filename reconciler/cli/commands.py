"""The commands: what they read, print and return. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from reconciler import __version__
from reconciler.cli.common import (
    FAILED,
    PLANNED,
    USAGE,
    Seconds,
    configured,
    configured_database,
    env_file,
    print_json,
    warnings,
    working_database,
)
from reconciler.cli.config import config
from reconciler.cli.doctor import doctor
from reconciler.cli.explain import explain
from reconciler.cli.link import link, unlink
from reconciler.cli.manners import Group, colour
from reconciler.cli.pause import pause, resume
from reconciler.cli.status import status

if TYPE_CHECKING:
    from reconciler.runtime.bootstrap import DryWiring, Wiring
    from reconciler.runtime.report import Report
    from reconciler.runtime.signals import StopSignals
    from reconciler.settings import Settings


_PORT, _SECONDS, _RATE = click.IntRange(0, 65535), Seconds(0, 3600), click.IntRange(0)


@click.group(
    cls=Group,
    epilog="Exit status: 0 done; 1 something failed; 2 bad usage or configuration; see each command for more.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="reconciler")
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="Read this file instead of .env in the current directory.",
)
@click.pass_context
def cli(context: click.Context, env_file: Path | None) -> None:
    """Keep Opsgenie alerts and PagerDuty incidents in agreement by polling both.

    Configured by environment variables or a .env file: see .env-example.
    """
    context.obj, context.color = env_file, colour()


@cli.command()
def run() -> None:
    """Run the daemon until SIGTERM or SIGINT.

    Secrets in files are read again when they change; SIGHUP reads them and LOG_LEVEL at once.
    """
    from reconciler.runtime.signals import StopSignals

    signals = StopSignals()  # before anything that takes time
    settings = configured()
    if not _run(signals, settings):
        sys.stdout.flush()
        os._exit(0)  # a thread that hangs in a read would be waited for


def _run(signals: StopSignals, settings: Settings) -> bool:
    """Run the daemon until a signal comes; whether all threads have ended."""
    from reconciler.observability.logs import get_logger
    from reconciler.runtime.bootstrap import assemble
    from reconciler.runtime.renewal import Given

    for name in settings.unused():
        get_logger(__name__).warning(f"{name}: is of no use without HTTP_LISTEN: nothing listens for webhooks")
    for line in warnings(settings):
        get_logger(__name__).warning(line)
    wiring = assemble(settings)
    daemon = wiring.daemon(Given(os.environ, env_file(), lambda: signals.hang_ups))
    if wiring.metrics is None or settings.http_listen is None:
        return daemon.run(signals.wait)
    from reconciler.web.app import create
    from reconciler.web.server import Server

    app = create(settings, wiring.metrics, daemon.program.hints.waiting.put, lambda: daemon.renewal.settings)
    with Server(app, settings.http_listen):
        return daemon.run(signals.wait)


@cli.command()
@click.option("--dry-run", is_flag=True, help="Read both sides, print the plan, write nothing anywhere.")
@click.option("--exit-code", is_flag=True, help="With --dry-run: exit 3 when the plan is not empty.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def once(dry_run: bool, exit_code: bool, as_json: bool) -> None:
    """Poll every source once, reconcile what is due, then exit; fit for cron.

    Each call waits at most 30 s for a rate limit. What is not read then is counted, and left to the next run, as
    after SIGTERM or SIGINT, which let the write in flight finish.
    """
    from reconciler.runtime.signals import StopSignals

    if exit_code and not dry_run:
        raise click.UsageError("--exit-code goes with --dry-run")
    signals = StopSignals()  # before anything that takes time
    settings = configured()
    for line in warnings(settings):
        click.echo(f"reconciler: {line}", err=True)
    report = _plan(settings, signals) if dry_run else _once(settings, signals)
    from reconciler.cli import rendering

    errors = rendering.errors(report, dry_run=dry_run)
    if as_json:
        print_json(rendering.as_data(report, dry_run=dry_run))
    elif report.actions or not errors:
        click.echo(rendering.as_text(report, dry_run=dry_run))
    for line in errors:
        click.echo(f"reconciler: {line}", err=True)
    if errors:
        sys.exit(USAGE if rendering.is_misconfigured(report) else FAILED)
    if exit_code and report.actions:
        sys.exit(PLANNED)


@cli.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Put every dead action back.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def retry(ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Put dead actions back in the queue, by alert or incident; a running daemon tries them within seconds.

    ID is an alert's id or tiny id (17 or #17), or an incident's id or number.
    """
    if bool(ids) == everything:
        raise click.UsageError("name alerts or incidents, or give --all")
    database = working_database()
    from reconciler.operations import retry as putting_back
    from reconciler.operations.who import operator

    found = putting_back.put_back(database, None if everything else ids, operator())
    database.close()
    if as_json:
        print_json(putting_back.as_data(found))
    else:
        click.echo(putting_back.as_text(found))


@cli.group()
def db() -> None:
    """Schema migrations."""


@db.command()
def upgrade() -> None:
    """Bring the schema to this version's revision."""
    url, _ = configured_database()
    from reconciler.store.database import open_database
    from reconciler.store.migrate import upgrade as migrate

    database = open_database(url)
    click.echo(f"The schema is at revision {migrate(database)}.")
    database.close()


@db.command()
@click.option("--check", is_flag=True, help="Exit 1 if the schema is not this version's.")
def current(check: bool) -> None:
    """Show the schema's revision, and this version's."""
    url, _ = configured_database()
    from reconciler.store.database import current_revision, exists, open_database
    from reconciler.store.schema import REVISION

    found = current_revision(open_database(url)) if exists(url) else None
    click.echo(f"{found or 'none'} (this version: {REVISION})")
    if check and found != REVISION:
        sys.exit(FAILED)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8900, show_default=True, help="Port to listen on; 0 picks a free one.")
@click.option(
    "--latency", type=_SECONDS, default=0.0, show_default=True, help="Seconds that every API call takes."
)
@click.option("--list-lag", type=_SECONDS, default=0.0, show_default=True, help="Seconds that lists are behind.")
@click.option(
    "--write-lag",
    type=_SECONDS,
    default=0.0,
    show_default=True,
    help="Seconds until Opsgenie carries out a write.",
)
@click.option(
    "--rate", type=_RATE, default=960, show_default=True, help="PagerDuty requests a minute; 0: no limit."
)
def sandbox(host: str, port: int, latency: float, list_lag: float, write_lag: float, rate: int) -> None:
    """Simulate both vendors' APIs on loopback, for trying things out and for tests."""
    from reconciler.sandbox.command import serve_until_stopped
    from reconciler.sandbox.settings import SandboxSettings

    behaviour = SandboxSettings(latency=latency, list_lag=list_lag, write_lag=write_lag, pagerduty_per_minute=rate)
    try:
        serve_until_stopped(host, port, behaviour)
    except OSError as error:
        words = f"cannot listen on {host}:{port}: {error.strerror}; choose another --port"
        raise click.ClickException(words) from None


@cli.command()
def demo() -> None:
    """Play one incident's life over the sandbox: no account, no configuration."""
    from reconciler.cli.demo import play

    sys.exit(play())


cli.add_command(status)
cli.add_command(config)
cli.add_command(doctor)
cli.add_command(pause)
cli.add_command(resume)
cli.add_command(explain)
cli.add_command(link)
cli.add_command(unlink)


def main() -> None:
    """Entry point: the command with its output kept from failing, and an exit status of the contract."""
    from reconciler.cli.streams import kept_output

    with kept_output():
        _main()


def _main() -> NoReturn:
    """One line for every error that an operator can fix, and the exit statuses of the contract."""
    from reconciler.errors import Misconfigured, ReconcilerError

    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except Misconfigured as error:
        for line in getattr(error, "problems", (str(error),)):
            click.echo(f"reconciler: {line}", err=True)
        sys.exit(USAGE)
    except ReconcilerError as error:
        click.echo(f"reconciler: {error}", err=True)
        sys.exit(FAILED)
    except Exception as error:  # noqa: BLE001 - any error ends as one line
        _defect(error)
        sys.exit(FAILED)
    sys.exit(0)


def _defect(error: Exception) -> None:
    """One line for what should not happen. Its words may be anybody's: they go to the log, which keeps secrets."""
    from reconciler.observability.defects import place_of
    from reconciler.observability.logs import get_logger

    get_logger(__name__).debug("failed unexpectedly", exc_info=error)
    click.echo(
        f"reconciler: failed unexpectedly ({type(error).__name__} in {place_of(error)}): this is a defect, "
        "please report it with what LOG_LEVEL=DEBUG shows",
        err=True,
    )


def _once(settings: Settings, signals: StopSignals) -> Report:
    """One run over everything, with writes."""
    from reconciler.cli.progress import Progress
    from reconciler.errors import Transient
    from reconciler.runtime import milestones
    from reconciler.runtime.bootstrap import assemble
    from reconciler.runtime.interruption import until_stopped
    from reconciler.runtime.once import run_once
    from reconciler.runtime.report import Collector
    from reconciler.store.database import exists
    from reconciler.store.migrate import check
    from reconciler.store.overview import shown

    url = settings.database_url.get_secret_value()
    is_new = not exists(url)
    wiring = assemble(settings)
    check(wiring.database)  # before the lock, which leaves a file beside it
    program, collector = wiring.whole(is_whole=True), Collector()
    if not wiring.leadership.confirm(wiring.account.policy()):
        raise Transient("another reconciler is at work on this database: let it, or stop it first")
    news = [f"first start, new database at {shown(url)}"] if is_new else wiring.leadership.news
    for line in news:
        click.echo(f"reconciler: {line}", err=True)
    before = milestones.look(wiring.database, wiring.clock.now())
    worker, progress = wiring.worker(program, (collector,)), Progress()
    wiring.on_request = progress.requested

    def stop() -> None:
        wiring.stop.set()
        wiring.in_flight.drain()

    report = until_stopped(
        lambda: run_once(program, worker, collector, progress.looked_at), lambda: signals.received, stop
    ) or collector.report(())
    wiring.committer.flush()
    for line in milestones.lines(before, milestones.look(wiring.database, wiring.clock.now())):
        click.echo(f"reconciler: {line}", err=True)
    wiring.watches(program).after_once(_complain)
    report = replace(_ended(report, wiring, signals), pauses=wiring.pauses.present)
    wiring.leadership.give_up()
    wiring.database.close()
    return report


def _complain(words: str) -> None:
    """Print what is wrong beside the run itself; nothing if nothing is."""
    if words:
        click.echo(f"reconciler: {words}", err=True)


def _plan(settings: Settings, signals: StopSignals) -> Report:
    """The plan of one run, without a write anywhere."""
    from reconciler.cli.progress import Progress
    from reconciler.runtime.bootstrap import assemble_dry_run
    from reconciler.runtime.interruption import until_stopped
    from reconciler.runtime.once import run_once

    wiring, progress = assemble_dry_run(settings), Progress()
    wiring.on_request = progress.requested
    program, worker, collector = wiring.dry()
    report = until_stopped(
        lambda: run_once(program, worker, collector, progress.looked_at),
        lambda: signals.received,
        wiring.stop.set,
    ) or collector.report(())
    return replace(_ended(report, wiring, signals), pauses=wiring.pauses())


def _ended(report: Report, wiring: Wiring | DryWiring, signals: StopSignals) -> Report:
    """The report with the names of its alerts, and with the signal that has ended the run early."""
    stopped = signals.received if wiring.stop.is_set() else ""
    return replace(report, names=wiring.names(report), stopped=stopped, left=wiring.queue.size())
