"""`reconciler retry`: puts dead actions back into the outbox. Needs only the database."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reconciler.core.follow_up import outbox_item
from reconciler.core.journal import Event
from reconciler.core.journal_entries import of_action
from reconciler.core.model import Status
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import Misconfigured
from reconciler.observability.logs import printable
from reconciler.observability.naming import counted
from reconciler.operations import status
from reconciler.operations.status import Entry
from reconciler.store.database import Database
from reconciler.store.overview import find


def put_back(database: Database, given: Collection[str] | None, who: str) -> tuple[Entry, ...]:
    """Put back the dead actions of these alerts and incidents, or all for None; returns them.

    `who` is the operator, for the journal. Misconfigured if an alert or incident is unknown; then nothing is put
    back.
    """
    with database.writing() as unit:
        dead = unit.outbox.with_status(Status.DEAD, status.UNLIMITED)
        if given is not None:
            found = {each: find(unit, each) for each in given}
            unknown = [each for each, alert_ids in found.items() if not alert_ids]
            if unknown:
                raise Misconfigured(unknown_words(unknown))
            wanted = {alert_id for alert_ids in found.values() for alert_id in alert_ids}
            dead = [action for action in dead if action.alert_id in wanted]
        entries = status.entries(unit, dead)
        if dead:
            unit.outbox.retry([action.id for action in dead])
            now = datetime.now(UTC)
            unit.work.add((outbox_item(action.alert_id, [action], now) for action in dead), external=True)
            retried = (of_action(action, Event.RETRIED, now, f"it was dead: {action.error}") for action in dead)
            unit.journal.append(replace(entry, who=who) for entry in retried)
    return entries


def unknown_words(given: Collection[str]) -> str:
    """What is said of ids that are known nowhere."""
    return (
        f"retry: {', '.join(given)}: no alert or incident of that id or number is known here; "
        "`reconciler status` lists what is dead"
    )


def as_data(entries: Collection[Entry], product: Product = OPSGENIE) -> dict[str, Any]:
    """The document that `retry --json` prints: each action as it was before."""
    now = datetime.now(UTC)
    return {"retried": [status.entry_data(now, entry, product) for entry in entries]}


def as_text(entries: Collection[Entry], product: Product = OPSGENIE) -> str:
    """The text that `retry` prints."""
    if not entries:
        return "Nothing is dead there: nothing to put back."
    now = datetime.now(UTC)
    lines = [status.entry_text(now, entry, product) for entry in entries]
    lines.append(f"Put back: {counted(len(entries), 'action')}; a running daemon tries again within seconds.")
    return "\n".join(printable(line) for line in lines)
