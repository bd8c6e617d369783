"""What the commands that work on several routes share: the option that names one."""

import click

ROUTE = click.option("--route", metavar="NAME", help="Only this route of ROUTES_FILE.")
