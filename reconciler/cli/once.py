"""`reconciler once`: one run over everything, or its plan."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import FAILED, PLANNED, USAGE, complain, configured, print_json, warnings

if TYPE_CHECKING:
    from reconciler.runtime.report import Report
    from reconciler.runtime.signals import StopSignals
    from reconciler.runtime.wiring import DryWiring, Wiring
    from reconciler.settings import Settings


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
    settings = configured()
    for line in warnings(settings):
        complain(line)
    report = _plan(settings, signals) if dry_run else _once(settings, signals)
    from reconciler.cli import rendering

    errors = rendering.errors(report, dry_run=dry_run)
    if as_json:
        print_json(rendering.as_data(report, dry_run=dry_run))
    elif report.actions or not errors:
        click.echo(rendering.as_text(report, dry_run=dry_run))
    for line in errors:
        complain(line)
    if errors:
        sys.exit(USAGE if rendering.is_misconfigured(report) else FAILED)
    if exit_code and report.actions:
        sys.exit(PLANNED)


def _once(settings: Settings, signals: StopSignals) -> Report:
    """One run over everything, with writes."""
    from reconciler.cli.progress import Progress
    from reconciler.errors import Transient
    from reconciler.runtime import milestones
    from reconciler.runtime.bootstrap import assemble
    from reconciler.runtime.interruption import until_stopped
    from reconciler.runtime.once import run_once
    from reconciler.runtime.report import Collector
    from reconciler.store.address import exists
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
        complain(line)
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
        complain(line)
    if wiring.priorities.words:
        complain(wiring.priorities.words)
    wiring.watches(program).after_once(lambda words: complain(words) if words else None)
    report = replace(_ended(report, wiring, signals), pauses=wiring.pauses.present)
    wiring.leadership.give_up()
    wiring.database.close()
    return report


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
    product = wiring.account.policy().product
    return replace(report, names=wiring.names(report), stopped=stopped, left=wiring.queue.size(), product=product)
