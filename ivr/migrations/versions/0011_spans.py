"""Finding what happened in some days or minutes without reading all that came before."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("callback_request_asked", "callback_request", ["requested_at"])
    op.create_index("callback_event_what", "callback_event", ["what", "at"])
    op.create_index("callback_attempt_began", "callback_attempt", ["began_at"])
