"""`reconciler once`: one run over everything, or its plan."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import (
    FAILED,
    PLANNED,
    USAGE,
    complain,
    configured_routes,
    print_json,
    route_warnings,
)
from reconciler.core.model import Side

if TYPE_CHECKING:
    from reconciler.cli.rendering_routes import Reports
    from reconciler.routes import Routes
    from reconciler.runtime.report import Report
    from reconciler.runtime.shared_heartbeats import Ran
    from reconciler.runtime.signals import StopSignals
    from reconciler.runtime.wiring import DryWiring, Wiring


@click.command()
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
    routes = configured_routes()
    for line in route_warnings(routes):
        complain(line)
    reports = _plans(routes, signals) if dry_run else _runs(routes, signals)
    from reconciler.cli import rendering_routes as rendering

    errors = rendering.errors(reports, dry_run=dry_run)
    actions = [action for _, report in reports for action in report.actions]
    if as_json:
        print_json(rendering.as_data(reports, dry_run=dry_run))
    elif text := rendering.as_text(reports, dry_run=dry_run):
        click.echo(text)
    for line in errors:
        complain(line)
    if errors:
        sys.exit(USAGE if rendering.is_misconfigured(reports) else FAILED)
    if exit_code and actions:
        sys.exit(PLANNED)


def _runs(routes: Routes, signals: StopSignals) -> Reports:
    """One run over everything, with writes; route after route."""
    from reconciler.errors import Misconfigured, Transient
    from reconciler.reconcile.problems import Problem
    from reconciler.runtime.bootstrap import assemble_each
    from reconciler.runtime.report import Report
    from reconciler.runtime.shared_heartbeats import SharedHeartbeats
    from reconciler.store.address import exists
    from reconciler.store.migrate import check
    from reconciler.store.overview import shown

    process = routes.each[0].settings
    url, stop = process.database_url.get_secret_value(), Event()
    news = [] if exists(url) else [f"first start, new database at {shown(url)}"]
    wirings = assemble_each(routes, stop)
    check(wirings[0].database)  # before the lock, which leaves a file beside it
    ran: list[Ran] = []
    reports: list[tuple[str, Report]] = []
    for wiring in wirings:
        if stop.is_set():
            break
        try:
            report = _once(wiring, signals, news, ran)
        except (Transient, Misconfigured) as error:
            if routes.file is None:
                raise
            report = Report(problems=(Problem(Side.ALERTS, error),))
        reports.append((wiring.route.name, report))
    if routes.file is not None:
        SharedHeartbeats(process, lambda: ran, wirings[0].clock, partial(_complain, "")).poll()
    wirings[0].database.close()
    return reports


def _once(wiring: Wiring, signals: StopSignals, news: list[str], ran: list[Ran]) -> Report:
    """One run of one route. Prints `news` about the database before that about the route, and empties the list."""
    from reconciler.cli.progress import Progress
    from reconciler.errors import Transient
    from reconciler.runtime import milestones
    from reconciler.runtime.interruption import until_stopped
    from reconciler.runtime.once import run_once
    from reconciler.runtime.report import Collector
    from reconciler.runtime.shared_heartbeats import Ran

    program, collector = wiring.whole(is_whole=True), Collector()
    if not wiring.leadership.confirm(wiring.account.policy()):
        raise Transient("another reconciler is at work on this database: let it, or stop it first")
    say = partial(_complain, f"{wiring.route.name}: " if wiring.shared else "")
    for line in news:
        complain(line)
    for line in () if news else wiring.leadership.news:
        say(line)
    news.clear()
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
    wiring.account.keep()
    for line in milestones.lines(before, milestones.look(wiring.database, wiring.clock.now())):
        say(line)
    say(wiring.priorities.words)
    watches = wiring.watches(program)
    watches.after_once(say)
    ran.append(Ran(wiring.route.name, program, watches.unpaged))
    report = replace(_ended(report, wiring, signals), pauses=wiring.pauses.present)
    wiring.leadership.give_up()
    return report


def _complain(of: str, words: str) -> None:
    if words:
        complain(f"{of}{words}")


def _plans(routes: Routes, signals: StopSignals) -> Reports:
    """The plan of one run, without a write anywhere."""
    from reconciler.runtime.bootstrap import assemble_dry_runs

    stop = Event()
    wirings = assemble_dry_runs(routes, stop)
    return [(wiring.route.name, _plan(wiring, signals)) for wiring in wirings if not stop.is_set()]


def _plan(wiring: DryWiring, signals: StopSignals) -> Report:
    """The plan of one route. It has none while it follows another product."""
    from reconciler.cli.progress import Progress
    from reconciler.errors import Misconfigured
    from reconciler.reconcile.problems import Problem
    from reconciler.runtime.interruption import until_stopped
    from reconciler.runtime.once import run_once
    from reconciler.runtime.report import Report
    from reconciler.store.source import check_source

    try:
        check_source(wiring.database, wiring.settings.alert_source, wiring.route.name if wiring.shared else "")
    except Misconfigured as error:
        return Report(problems=(Problem(Side.ALERTS, error),))
    progress = Progress()
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
    product = wiring.account.policy().product
    return replace(report, names=wiring.names(report), stopped=stopped, left=wiring.queue.size(), product=product)
