"""The name of the PagerDuty priority that an incident is to have."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column. What was planned before has no priority."""
    op.add_column("actions", sa.Column("priority", sa.Text, nullable=False, server_default=""))
