"""Who pressed that someone is not safe, and the order of the queue: urgent, pressed, then due."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"

IS_OPEN = sa.text("state NOT IN ('done', 'closed')")
HAS_ENDED = sa.text("ended_at IS NOT NULL")


def upgrade() -> None:
    """Add the column, and an index for each order."""
    op.add_column(
        "callback_request", sa.Column("safety", sa.String(16), nullable=False, server_default="")
    )
    op.create_index(
        "callback_request_order",
        "callback_request",
        [sa.text("urgent DESC"), sa.text("safety DESC"), "due_at", "requested_at", "id"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_index(
        "callback_request_over",
        "callback_request",
        [sa.text("urgent DESC"), sa.text("ended_at DESC"), sa.text("id DESC")],
        sqlite_where=HAS_ENDED,
        postgresql_where=HAS_ENDED,
    )
