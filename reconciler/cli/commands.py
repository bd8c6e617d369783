"""All commands, and how they end. Everything heavy is imported by the command that needs it, when it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from reconciler import __version__
from reconciler.cli.common import FAILED, USAGE, Seconds, complain
from reconciler.cli.config import config
from reconciler.cli.db import db
from reconciler.cli.doctor import doctor
from reconciler.cli.explain import explain
from reconciler.cli.link import link, unlink
from reconciler.cli.manners import Group, colour
from reconciler.cli.migrate import migrate
from reconciler.cli.once import once
from reconciler.cli.pause import pause, resume
from reconciler.cli.probe import probe
from reconciler.cli.retry import retry
from reconciler.cli.run import run
from reconciler.cli.status import status

PRIVATE = 0o077
"""The mask of rights that no new file gives: all of other users'."""
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
@click.option(
    "--services",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Number of PagerDuty services, from PSVC001.",
)
@click.option("--jsm", is_flag=True, help="Alerts are in Jira Service Management instead of Opsgenie.")
def sandbox(
    host: str, port: int, latency: float, list_lag: float, write_lag: float, rate: int, services: int, jsm: bool
) -> None:
    """Simulate both vendors' APIs on loopback, for trying things out and for tests."""
    from reconciler.sandbox.command import serve_until_stopped
    from reconciler.sandbox.settings import SandboxSettings

    behaviour = SandboxSettings(
        latency=latency,
        list_lag=list_lag,
        write_lag=write_lag,
        pagerduty_per_minute=rate,
        services=services,
        jsm_only=jsm,
    )
    try:
        serve_until_stopped(host, port, behaviour)
    except OSError as error:
        words = f"cannot listen on {host}:{port}: {error.strerror}; choose another --port"
        raise click.ClickException(words) from None


@cli.command()
@click.option("--migration", "play", flag_value="migration", help="A move from Opsgenie to JSM instead.")
@click.option("--routes", "play", flag_value="routes", help="Several routes in one daemon instead.")
def demo(play: str | None) -> None:
    """Play one incident's life over the sandbox: no account, no configuration."""
    from reconciler.cli import demo, demo_migration, demo_routes

    plays = {"migration": demo_migration.play, "routes": demo_routes.play}
    sys.exit(plays.get(play or "", demo.play)())


for each in (run, once, status, explain, doctor, config, retry, pause, resume, link, unlink, migrate, probe, db):
    cli.add_command(each)


def main() -> None:
    """Entry point: the command with its output kept from failing, and an exit status of the contract."""
    from reconciler.cli.streams import kept_output

    os.umask(os.umask(PRIVATE) | PRIVATE)
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
            complain(line)
        sys.exit(USAGE)
    except ReconcilerError as error:
        complain(str(error))
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
    complain(
        f"failed unexpectedly ({type(error).__name__} in {place_of(error)}): this is a defect, "
        "please report it with what LOG_LEVEL=DEBUG shows"
    )
