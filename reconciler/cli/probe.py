"""`reconciler probe`: tries on a trial account what the vendors do not document."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import FAILED, complain, configured_routes, print_json
from reconciler.cli.common import chosen as chosen_route
from reconciler.cli.routes import ROUTE

if TYPE_CHECKING:
    from reconciler.probe.run import Result
    from reconciler.probe.steps import Step
    from reconciler.routes import Route
    from reconciler.runtime.signals import StopSignals
    from reconciler.settings import Settings


@click.command()
@click.option("--i-understand-this-writes", "understood", is_flag=True, help="Create alerts and incidents.")
@click.option("--even-in-production", is_flag=True, help="Also where a reconciler has used this database.")
@click.option("--quick", is_flag=True, help="Leave out the steps that mostly wait.")
@click.option("--only", multiple=True, metavar="STEP", help="Make this step only; may be repeated.")
@click.option("--list", "listed", is_flag=True, help="List the steps, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@ROUTE
def probe(
    understood: bool,
    even_in_production: bool,
    quick: bool,
    only: tuple[str, ...],
    listed: bool,
    as_json: bool,
    route: str | None,
) -> None:
    """Try on a trial account what the vendors do not document; it creates alerts and incidents.

    It ends within ten minutes and names what differs from docs/assumptions.md, with what to set.
    People on call at the service may be paged. Everything that it creates has a title that begins with
    "reconciler probe", and is resolved or closed at the end, also after Ctrl-C and SIGTERM. The output ends with a
    report that can be pasted into an issue. With several routes, --route names the one to try.
    """
    from reconciler.probe import report
    from reconciler.probe.steps import STEPS, chosen
    from reconciler.runtime.signals import StopSignals

    _known(only, [step.name for step in STEPS])
    if listed:
        click.echo(report.listing(STEPS))
        return
    signals = StopSignals()  # before anything that takes time
    one = chosen_route(configured_routes(), route)
    settings = one.settings
    steps = chosen(settings.alert_source, only, quick=quick)
    if not steps:
        raise click.UsageError(f"--only: no such step with ALERT_SOURCE={settings.alert_source}; see --list")
    if not understood:
        raise click.UsageError(_warning(settings, steps))
    result = _run(one, steps, signals, in_production=even_in_production)
    product = _product(settings)
    if as_json:
        print_json(report.as_data(result, product))
    else:
        click.echo(report.as_text(result, product))
    for each in result.left:
        complain(report.left_line(each))
    sys.exit(0 if report.is_good(result) else FAILED)


def _known(only: tuple[str, ...], names: list[str]) -> None:
    unknown = sorted({*only} - {*names})
    if unknown:
        raise click.UsageError(f"--only: no such step: {', '.join(unknown)}; see --list")


def _warning(settings: Settings, steps: tuple[Step, ...]) -> str:
    """What a run would do, and where."""
    from reconciler.probe.steps import estimate

    product = _product(settings)
    return (
        f"this writes: add --i-understand-this-writes. Its {len(steps)} steps (about {estimate(steps)} s) create "
        f"alerts of priority P5 in {product}, and incidents with notes on the service "
        f"{settings.pagerduty_service_id} in PagerDuty, some of them of high urgency: people on call there may be "
        "paged. Use a trial account, or a test service whose only on-call user is you"
    )


def _run(route: Route, steps: tuple[Step, ...], signals: StopSignals, *, in_production: bool) -> Result:
    """One run, with its progress on stderr; a signal ends it early, and everything is removed all the same."""
    from reconciler.cli.progress import show
    from reconciler.errors import Transient
    from reconciler.observability.naming import counted
    from reconciler.probe.clean import LONGEST
    from reconciler.probe.report import left_line
    from reconciler.probe.steps import estimate
    from reconciler.runtime.interruption import until_stopped
    from reconciler.runtime.probing import assemble_probe, on_trial

    settings, stop = route.settings, threading.Event()

    def on_step(name: str, number: int, every: int) -> None:
        show(f"{number} of {every}: {name}")

    about = f"{counted(len(steps), 'step')}, about {estimate(steps)} s"
    with on_trial(settings.database_url.get_secret_value(), route.name, in_production=in_production):
        click.echo(f"{about}; Ctrl-C ends it and removes everything", err=True)
        assembled = assemble_probe(settings, stop)
        result = until_stopped(
            lambda: assembled.run(steps, on_step), lambda: signals.received, stop.set, grace=LONGEST
        )
    show("")
    if result is None:
        for one in assembled.objects.left():
            complain(left_line(one))
        raise Transient("stopped before everything was removed; the next run removes it")
    return result


def _product(settings: Settings) -> str:
    from reconciler.core.product import PRODUCTS

    return PRODUCTS[settings.alert_source].name
