"""What finds the routes that have a pair for an alert, or follow an incident, whichever they are."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the indexes."""
    op.create_index("pairs_any_alert", "pairs", ["alert_id"])
    op.create_index("pairs_any_incident", "pairs", ["incident_id"])
