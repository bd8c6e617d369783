"""Lists of alerts: those of a query, in an order, as they were some seconds ago."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from reconciler.sandbox.opsgenie import query
from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.state import Alert


class Search:
    """Finds the alerts that `sees` lets through."""

    def __init__(self, account: Account, sees: Callable[[Alert], bool]) -> None:
        self._account = account
        self._sees = sees
        self._cached: tuple[object, list[Alert]] | None = None

    def found(self, text: str, sort: Callable[[Alert], Any], *, descending: bool) -> list[Alert]:
        """The alerts of a query in order, as they were `list_lag` seconds ago: the search index lags (reported).

        Cached until something changes: reading page after page is quick. ValueError for a query that is not valid.
        """
        account, settings = self._account, self._account.settings
        horizon = account.clock.now() - timedelta(seconds=settings.list_lag)
        seen = (settings.blind, settings.team_tags, settings.jsm_blind_teams)
        key = (text, sort, descending, account.alerts.revision, seen)
        changed_at = account.alerts.changed_at
        is_final = changed_at is None or changed_at <= horizon
        if is_final and self._cached and self._cached[0] == key:
            return self._cached[1]
        matches = query.parse(text)
        found = [alert for alert in account.alerts.as_of(horizon) if self._sees(alert) and matches(alert)]
        found.sort(key=sort, reverse=descending)
        self._cached = (key, found) if is_final else None
        return found
