"""How JSM's search finds given alerts again: by the time of their creation.

Nothing says that JSM's search knows `alertId`; clients in use search by `createdAt`, in milliseconds. Alerts that
were created at the same time are told apart by the ids in the rows.
"""

from reconciler.core.model import Alert
from reconciler.vendors.ports import AlertSearch

SECOND = 1_000
"""Milliseconds: what a time of whole seconds may hide."""


def _created(alert: Alert) -> str:
    at = int(alert.created_at.timestamp() * SECOND)
    last = at + SECOND - 1 if at % SECOND == 0 else at
    return f"(createdAt>={at} AND createdAt<={last})"


SEARCH = AlertSearch(term=_created, stamp=lambda alert: alert.created_at)
