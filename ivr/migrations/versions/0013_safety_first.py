"""Who pressed that someone is not safe, the order of the queue by it, and drafts of staff."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0013"
down_revision = "0012"

IS_OPEN = sa.text("state NOT IN ('done', 'closed')")
IS_PRESSED = sa.text("safety <> ''")
HAS_ENDED = sa.text("ended_at IS NOT NULL")


def upgrade() -> None:
    """Add the column, an index for each order, and the table."""
    op.add_column(
        "callback_request", sa.Column("safety", sa.String(16), nullable=False, server_default="")
    )
    op.create_index(
        "callback_request_pressed",
        "callback_request",
        ["due_at"],
        sqlite_where=IS_PRESSED,
        postgresql_where=IS_PRESSED,
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
    op.create_table(
        "callback_draft",
        sa.Column("request_id", sa.Integer, sa.ForeignKey("callback_request.id"), primary_key=True),
        sa.Column("who", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("typed", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
