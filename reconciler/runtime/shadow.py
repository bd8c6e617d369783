"""ALERT_SHADOW: another product's open alerts, compared with the open pairs once a sweep interval.

It shows what a move to that product would find. It only reads there, has a session and a rate limit of its own,
and stores nothing but its result: whatever fails here, nothing else waits for it or follows from it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.core.matching import AlertIndex, Match, match_all
from reconciler.core.model import Alert, Pair, Side
from reconciler.core.product import Product
from reconciler.core.shadow import compared
from reconciler.errors import Missing, ReconcilerError
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import AlertReader, Clock

if TYPE_CHECKING:  # imported only with an HTTP listener
    from reconciler.observability.metrics import Metrics

MOST_READ = 20
"""The most alerts not listed that are read by id, as they may be closed there. The others count as missing."""


class Shadow:
    """A watch. `say` takes what is wrong with it; an empty text ends that."""

    name = "shadow"
    side: Side | None = None

    def __init__(
        self,
        product: Product,
        reader: AlertReader,
        database: Database,
        clock: Clock,
        say: Callable[[str], None],
        metrics: "Metrics | None",
    ) -> None:
        self._product = product
        self._reader = reader
        self._database = database
        self._clock = clock
        self._say = say
        self._metrics = metrics

    def poll(self) -> bool:
        """Look once, and store the result. Returns whether the other product answered."""
        try:
            with calling(CallPriority.SWEEP):
                alerts = [alert for page in self._reader.open_alerts() for alert in page]
                pairs = self._open_pairs()
                found = match_all(pairs, AlertIndex(alerts))
                lost = [each for each in pairs if found.verdicts[each.alert_id].match is Match.MISSING]
                closed = [alert for pair in lost[:MOST_READ] if (alert := self._read(pair)) is not None]
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            self._say(f"ALERT_SHADOW: {self._product.name}'s alerts cannot be compared with the pairs: {error}")
            return False
        if closed:
            found = match_all(pairs, AlertIndex([*alerts, *closed]))
        result = compared(found, self._clock.now())
        with self._database.writing() as unit:
            unit.cursors.save(shadow=result)
        if self._metrics:
            self._metrics.compared(result.counts)
        self._say("")
        return True

    def _open_pairs(self) -> list[Pair]:
        """The pairs whose alerts are open."""
        with self._database.reading() as unit:
            pairs = unit.snapshot.pairs(unit.snapshot.open_ids(Side.ALERTS))
        return [pair for pair in pairs.values() if pair.alerts.open]

    def _read(self, pair: Pair) -> Alert | None:
        try:
            return self._reader.alert(pair.alert_id)
        except Missing:
            return None
