"""The first schema: pairs, notes, actions, cursors."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the four tables."""
    moment = sa.DateTime(timezone=False)
    op.create_table(
        "pairs",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("tiny_id", sa.Text, nullable=False),
        sa.Column("tracked", sa.Boolean, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("incident_id", sa.Text),
        sa.Column("incident_number", sa.Integer),
        sa.Column("opsgenie", sa.Text, nullable=False),
        sa.Column("pagerduty", sa.Text),
        sa.Column("swept_at", moment, nullable=False),
    )
    op.create_index("pairs_incident", "pairs", ["route", "incident_id"])
    op.create_index("pairs_sweep", "pairs", ["route", "open", "swept_at"])
    op.create_table(
        "notes",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("note_id", sa.Text, primary_key=True),
    )
    op.create_table(
        "actions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("urgency", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("plain", sa.Boolean, nullable=False),
        sa.Column("not_before", moment),
        sa.Column("sent_at", moment),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("result_id", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("planned_at", moment, nullable=False),
        sa.Column("settled_at", moment),
        sqlite_autoincrement=True,
    )
    op.create_index("actions_key", "actions", ["route", "key"], unique=True)
    op.create_index("actions_status", "actions", ["route", "status"])
    op.create_index("actions_alert", "actions", ["route", "alert_id"])
    op.create_table(
        "cursors",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
