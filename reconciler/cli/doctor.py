"""`reconciler doctor`: checks the whole set-up, and writes nothing anywhere."""

import sys

import click

from reconciler.cli.common import FAILED, configured, print_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def doctor(as_json: bool) -> None:
    """Check settings, keys and rights, region, service, user, clock and database; writes nothing."""
    settings = configured()
    from reconciler.operations import findings
    from reconciler.operations.doctor import examine
    from reconciler.runtime.examination import assemble_examination

    found = examine(assemble_examination(settings), _progress)
    if as_json:
        print_json(findings.as_data(found))
    else:
        click.echo(findings.as_text(found))
    sys.exit(FAILED if findings.is_bad(found) else 0)


def _progress(done: int, every: int) -> None:
    """Shows on a terminal how many checks have been made, and removes that at the end."""
    if not sys.stderr.isatty():
        return
    words = "" if done == every else f"{done} of {every} checks made"
    click.echo(f"\r\033[K{words}", nl=False, err=True)
