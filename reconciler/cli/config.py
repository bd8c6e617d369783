"""`reconciler config`: the configuration in force, whether or not it can be used."""

import os
import sys
from dataclasses import replace

import click

from reconciler.cli.common import USAGE, env_file, no_such, print_json


@click.command()
@click.option("--route", metavar="NAME", help="Show this route only, with what holds for all of them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def config(route: str | None, as_json: bool) -> None:
    """Show every setting in force, where it comes from, and what is wrong; secrets are hidden.

    With ROUTES_FILE, this is each setting that holds for all routes, and what is set for each of them.
    """
    from reconciler.operations import config as in_force
    from reconciler.routes_reading import read_routes

    read = read_routes(os.environ, env_file())
    names = [each.name for each in read.each]
    if route is not None and route not in names and not read.problems:
        raise no_such(route, names)
    found = in_force.survey_routes(read, route)
    if not read.problems:
        others = (each for one in read.each for each in in_force.against_database(one.reading, one.name))
        found = replace(found, problems=tuple(dict.fromkeys(others)))
    if as_json:
        print_json(in_force.as_data(found))
    else:
        click.echo(in_force.as_text(found))
    if found.problems:
        sys.exit(USAGE)
