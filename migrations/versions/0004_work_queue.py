"""The work queue, and when each pair is looked at next although nothing is known to have happened."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table and the column. What older cursors list as unread or to be adopted is found by the sweep."""
    moment = sa.DateTime(timezone=False)
    op.create_table(
        "work",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("external", sa.Boolean, nullable=False),
    )
    external = sa.text("external")
    op.create_index("work_external", "work", ["route"], sqlite_where=external, postgresql_where=external)
    op.add_column("pairs", sa.Column("next_look_at", moment))
    op.execute("UPDATE pairs SET next_look_at = swept_at")
    op.drop_index("pairs_sweep", "pairs")
    due = sa.text("next_look_at IS NOT NULL")
    order = ["route", "open", "next_look_at"]
    op.create_index("pairs_next_look", "pairs", order, sqlite_where=due, postgresql_where=due)
    op.create_index("pairs_over", "pairs", ["route", "open", "swept_at"])
    op.execute("DELETE FROM cursors WHERE name IN ('again', 'adopt', 'finished')")
