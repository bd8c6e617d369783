"""How Opsgenie's search finds given alerts again: by `alertId`, which is one of its documented fields."""

from reconciler.vendors.ports import AlertSearch

SEARCH = AlertSearch(term=lambda alert: f"alertId: {alert.id}", stamp=lambda alert: alert.updated_at)
