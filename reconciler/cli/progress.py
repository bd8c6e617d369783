"""How far a run of `once` has got, on a terminal alone; removed at the end."""

import sys

import click

EVERY = 20
"""Pairs between two figures."""
EVERY_REQUESTS = 5
"""Answers between two figures while lists are read."""


class Progress:
    """First the requests for lists are counted, then the alerts that were looked at."""

    def __init__(self) -> None:
        self._requests = 0
        self._is_listing = True

    def requested(self, _record: object) -> None:
        """Count one request."""
        self._requests += 1
        if self._is_listing and (self._requests == 1 or self._requests % EVERY_REQUESTS == 0):
            show(f"reading lists: {self._requests:,} answer{'' if self._requests == 1 else 's'} so far")

    def looked_at(self, done: int, left: int) -> None:
        """Show how many alerts were looked at; nothing once none is left."""
        self._is_listing = False
        if left == 0:
            show("")
        elif done % EVERY == 0:
            show(f"{done:,} of {done + left:,} alerts looked at")


def show(words: str) -> None:
    """Show these words in place of the last ones; none removes them."""
    if sys.stderr.isatty():
        click.echo(f"\r{words}\033[K", nl=False, err=True)
