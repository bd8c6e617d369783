"""`reconciler config`: the configuration in force, whether or not it can be used."""

import os
import sys
from dataclasses import replace

import click

from reconciler.cli.common import USAGE, env_file, print_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def config(as_json: bool) -> None:
    """Show every setting in force, where it comes from, and what is wrong; secrets are hidden."""
    from reconciler import settings as configuration
    from reconciler.operations import config as in_force

    read = configuration.read(os.environ, env_file())
    found = in_force.survey(read)
    found = replace(found, problems=(*found.problems, *in_force.against_database(read)))
    if as_json:
        print_json(in_force.as_data(found))
    else:
        click.echo(in_force.as_text(found))
    if found.problems:
        sys.exit(USAGE)
