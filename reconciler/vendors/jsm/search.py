"""How JSM's search finds given alerts again: by the time of their creation.

Nothing says that JSM's search knows `alertId`; clients in use search by `createdAt`, in milliseconds. Alerts that
were created at the same time are told apart by the ids in the rows.
"""

from datetime import UTC, datetime, timedelta

from reconciler.core.model import Alert
from reconciler.vendors.ports import AlertSearch

SECOND = 1_000
"""Milliseconds: what a time of whole seconds may hide."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _created(alert: Alert) -> str:
    at = (alert.created_at - _EPOCH) // timedelta(milliseconds=1)
    last = at + SECOND - 1 if at % SECOND == 0 else at
    return f"(createdAt>={at} AND createdAt<={last})"


SEARCH = AlertSearch(term=_created, stamp=lambda alert: alert.created_at)
