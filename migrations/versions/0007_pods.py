"""The processes that share the routes of a PostgreSQL database."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table. Each process adds its row with its next beat."""
    moment = sa.DateTime(timezone=False)
    op.create_table(
        "pods",
        sa.Column("holder", sa.Text, primary_key=True),
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("seen_at", moment, nullable=False),
        sa.Column("knows", sa.Text, nullable=False),
    )
