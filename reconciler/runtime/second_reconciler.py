"""Report of a second reconciler that mirrors the same alerts with a database of its own."""

from datetime import datetime, timedelta

from reconciler.observability.naming import pair_name
from reconciler.reconcile.pair import Outcome
from reconciler.vendors.ports import Clock

SUBJECT = "second_reconciler"
LASTS = 3600.0
"""Seconds without a trace after which a second reconciler counts as gone."""


class SecondReconciler:
    """What this process has seen of another one since it began to lead. Not for several threads at a time.

    `staleness` is how late a write of an earlier life of this one may take effect.
    """

    def __init__(self, clock: Clock, staleness: timedelta) -> None:
        self._clock = clock
        self._staleness = staleness
        self._since: datetime | None = None
        self._seen = float("-inf")
        self._words = ""

    def began(self) -> None:
        """Note that this process begins to lead: its database may be newer or older than what is there already."""
        self._since = self._clock.now() + self._staleness

    def reconciled(self, outcome: Outcome) -> None:
        """Take in what a pair's outcome shows."""
        since = self._since
        if since is None or not any(note.at > since for note in outcome.foreign):
            return
        self._seen = self._clock.monotonic()
        name = outcome.name or pair_name(outcome.item.alert_id, None)
        self._words = (
            f"Second reconciler: a note of {name} bears our mark, and this one has never written it: another "
            "reconciler with a database of its own mirrors the same alerts, and everything is there twice; stop "
            "one of the two: look for a second daemon, for `once` by hand or from cron, for another DATABASE_URL"
        )

    def words(self) -> str:
        """What is to be said now; empty if there has been no trace for long."""
        return self._words if self._clock.monotonic() - self._seen < LASTS else ""
