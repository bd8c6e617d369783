"""The tables and their column types. Every table has a `route`, except `pods`."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "0009"
"""The newest migration; a test compares it with migrations/versions."""


class Utc(TypeDecorator[datetime]):
    """An aware time, stored as UTC without a zone, because SQLite has no time zones."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> Any:
        """Convert to the database's type."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Convert from the database's type."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()

pairs = Table(
    "pairs",
    metadata,
    Column("route", Text, primary_key=True),
    Column("alert_id", Text, primary_key=True),
    Column("tiny_id", Text, nullable=False),
    Column("tracked", Boolean, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("incident_id", Text),
    Column("incident_number", Integer),
    Column("opsgenie", Text, nullable=False),  # AlertBaseline as JSON
    Column("pagerduty", Text),  # IncidentBaseline as JSON
    Column("swept_at", Utc, nullable=False),
    Column("title", Text, nullable=False, server_default=""),  # the alert's message, for display
    Column("unexplained_since", Utc),
    Column("unpaged", Text, nullable=False, server_default=""),  # why nobody is paged; empty if somebody is
    Column("next_look_at", Utc),  # when the sweep reads the pair; null: never again
    Column("alias", Text, nullable=False, server_default=""),  # the alert's; empty if it was never read
    Column("created_at", Utc),  # the alert's; null if it was never read
    Index("pairs_incident", "route", "incident_id"),
    Index("pairs_over", "route", "open", "swept_at"),
    Index("pairs_any_alert", "alert_id"),  # of all routes: see `store.key_routes`
    Index("pairs_any_incident", "incident_id"),
)

moved = Table(
    "moved",
    metadata,
    Column("route", Text, primary_key=True),
    Column("old_id", Text, primary_key=True),  # the alert's id in the product that was left
    Column("new_id", Text, nullable=False),  # its id in the product that was moved to
    Column("at", Utc, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("route", Text, primary_key=True),
    Column("alert_id", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("note_id", Text, primary_key=True),
)

actions = Table(
    "actions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("route", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("alert_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("person", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("priority", Text, nullable=False, server_default=""),  # PagerDuty's, by name; empty: none
    Column("mark", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("plain", Boolean, nullable=False),
    Column("not_before", Utc),
    Column("failing_since", Utc),
    Column("sent_at", Utc),
    Column("request_id", Text, nullable=False),
    Column("result_id", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("planned_at", Utc, nullable=False),
    Column("settled_at", Utc),
    Index("actions_key", "route", "key", unique=True),
    Index("actions_status", "route", "status"),
    Index("actions_alert", "route", "alert_id"),
    sqlite_autoincrement=True,
)

Index(
    "pairs_unexplained",
    pairs.c.route,
    sqlite_where=pairs.c.unexplained_since.is_not(None),
    postgresql_where=pairs.c.unexplained_since.is_not(None),
)
Index(
    "pairs_unpaged",
    pairs.c.route,
    sqlite_where=pairs.c.unpaged != "",
    postgresql_where=pairs.c.unpaged != "",
)

Index(
    "pairs_next_look",
    pairs.c.route,
    pairs.c.open,
    pairs.c.next_look_at,
    sqlite_where=pairs.c.next_look_at.is_not(None),
    postgresql_where=pairs.c.next_look_at.is_not(None),
)

work = Table(
    "work",
    metadata,
    Column("route", Text, primary_key=True),
    Column("alert_id", Text, primary_key=True),
    Column("priority", Integer, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("reasons", Text, nullable=False),  # a JSON list
    Column("request", Text, nullable=False),  # ReadRequest as JSON
    Column("attempts", Integer, nullable=False),
    Column("generation", BigInteger, nullable=False),  # counts the row's changes
    Column("external", Boolean, nullable=False),  # added by another process, such as `retry`
)
Index("work_external", work.c.route, sqlite_where=work.c.external, postgresql_where=work.c.external)

cursors = Table(
    "cursors",
    metadata,
    Column("route", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

troubles = Table(  # lasting problems as the daemon logs them, because `status` asks no vendor
    "troubles",
    metadata,
    Column("route", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("since", Utc, nullable=False),
    Column("words", Text, nullable=False),
)

leader = Table(
    "leader",
    metadata,
    Column("route", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),  # counts the takeovers
    Column("holder", Text, nullable=False),  # host, process id and a random number
)

journal = Table(  # append-only, one row a decision; deleted with its pair
    "journal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("route", Text, nullable=False),
    Column("alert_id", Text, nullable=False),  # empty: concerns no single pair
    Column("at", Utc, nullable=False),
    Column("event", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("action_key", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Index("journal_alert", "route", "alert_id"),
    sqlite_autoincrement=True,
)

pauses = Table(
    "pauses",
    metadata,
    Column("route", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("since", Utc, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("pages", Boolean, nullable=False),  # pages wait too
    Column("until", Utc),  # null: until `resume`
)

pods = Table(  # PostgreSQL: the processes that share the routes; times are the server's
    "pods",
    metadata,
    Column("holder", Text, primary_key=True),  # host, process id and a random number
    Column("session", Integer, nullable=False),  # the server's number of the session that holds its locks
    Column("started_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),  # its last beat
    Column("knows", Text, nullable=False),  # digest of the names of the routes that it shares with others
)
