"""What finds an alert again in another product, and the alerts that a move gave another id."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns and the table. Aliases and creation times are filled in by the next read of each alert."""
    moment = sa.DateTime(timezone=False)
    op.add_column("pairs", sa.Column("alias", sa.Text, nullable=False, server_default=""))
    op.add_column("pairs", sa.Column("created_at", moment))
    op.create_table(
        "moved",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("old_id", sa.Text, primary_key=True),
        sa.Column("new_id", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
    )
