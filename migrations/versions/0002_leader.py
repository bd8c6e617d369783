"""Who works on a route, and since which epoch: what an earlier one still tries to write is refused."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of leaders."""
    op.create_table(
        "leader",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
    )
