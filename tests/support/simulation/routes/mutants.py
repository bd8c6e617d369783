"""What the lives of many routes must catch: parts of the product that are missing or wrong."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from reconciler.core import sharing
from reconciler.runtime import pod_shares
from reconciler.runtime.route_jobs import RouteJobs
from reconciler.sources.shared_alerts import SharedAlerts, SharedReader
from reconciler.store import database
from reconciler.store.cursors import Cursors
from tests.support.simulation.routes.life import SMALL, play
from tests.support.simulation.routes.pod import PodDatabase
from tests.support.simulation.routes.world import Parts


@contextmanager
def _unfenced(self: PodDatabase) -> Iterator[Connection]:
    with self.connected(immediate=True) as connection:
        yield connection
        if self._epoch is not None:
            self._pod.world.wrote(self.route, self._leader(connection), (self._epoch, self.holder))


def _own_list(_self: Any, _name: str, own: Any, since: Any, _seen: Any) -> Any:
    return own.changes(since, None)


MUTANTS: dict[str, tuple[Parts, str]] = {
    "no fencing": (Parts(((PodDatabase, "_led", _unfenced),)), "LED BY TWO"),
    "no lock check": (Parts(((pod_shares._PodLock, "acquire", lambda _self: True),)), "SHARE"),
    "quota ignored": (Parts(((sharing, "quota", lambda routes, _pods: routes),)), "SHARE"),
    "ownership decided by nobody": (
        Parts(
            (
                (SharedAlerts, "changes", _own_list),
                (SharedAlerts, "_mine", lambda _self, _setup, _member, rows: list(rows)),
            )
        ),
        "MISROUTED",
    ),
    "hand-over without draining": (Parts(((RouteJobs, "hand_over", RouteJobs.end),)), "WITHOUT LOCK"),
    "elsewhere ignored": (Parts(((SharedReader, "elsewhere", lambda _self, _ids: set()),)), "TWICE"),
    "shared cursors": (
        Parts(((database, "Cursors", lambda connection, _route: Cursors(connection, "all")),)),
        "NO START",
    ),
}
"""By name: what is replaced, and the kind of finding that it must have."""


def caught(name: str, seeds: Iterable[int]) -> str:
    """The first finding of the mutant's kind in these lives; empty if there is none."""
    parts, word = MUTANTS[name]
    found = (line for seed in seeds for line in play(seed, SMALL, parts) if line.startswith(word))
    return next(found, "")
