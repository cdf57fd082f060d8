"""Claims with their tokens, how attempts ended, urgency, and notes beside events."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0003"
down_revision = "0002"

IS_OPEN = sa.text("state NOT IN ('done', 'closed')")


def upgrade() -> None:
    """Add the columns, and an index in the order of the queue."""
    for column in (
        sa.Column("claim_token", sa.String(16), nullable=False, server_default=""),
        sa.Column("claim_expires_at", Moment, nullable=True),
        sa.Column("outcome", sa.String(32), nullable=False, server_default=""),
        sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()),
    ):
        op.add_column("callback_request", column)
    op.drop_index("callback_request_queue", "callback_request")
    op.create_index(
        "callback_request_due",
        "callback_request",
        ["due_at"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.add_column("callback_event", sa.Column("note", sa.Text, nullable=False, server_default=""))
