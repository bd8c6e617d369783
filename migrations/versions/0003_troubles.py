"""What is wrong and since when: pairs that page nobody or are not explained yet, failing actions, troubles."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns, their partial indexes and the table of troubles."""
    moment = sa.DateTime(timezone=False)
    op.add_column("pairs", sa.Column("title", sa.Text, nullable=False, server_default=""))
    op.add_column("pairs", sa.Column("unexplained_since", moment))
    op.add_column("pairs", sa.Column("unpaged", sa.Text, nullable=False, server_default=""))
    op.add_column("actions", sa.Column("failing_since", moment))
    unexplained, unpaged = sa.text("unexplained_since IS NOT NULL"), sa.text("unpaged != ''")
    op.create_index(
        "pairs_unexplained", "pairs", ["route"], sqlite_where=unexplained, postgresql_where=unexplained
    )
    op.create_index("pairs_unpaged", "pairs", ["route"], sqlite_where=unpaged, postgresql_where=unpaged)
    op.create_table(
        "troubles",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("since", moment, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
    )
