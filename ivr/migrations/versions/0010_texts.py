"""Text messages, and the numbers that want none."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0010"
down_revision = "0009"

IS_DUE = sa.text("state IN ('waiting', 'sending')")
IS_KEPT = sa.text("erased_at IS NULL")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "text_message",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("effect", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("request_id", sa.Integer, nullable=True),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("number", sa.String(255), nullable=False),
        sa.Column("number_hash", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sid", sa.String(64), nullable=False),
        sa.Column("error", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("next_at", Moment, nullable=False),
        sa.Column("told_at", Moment, nullable=True),
        sa.Column("erased_at", Moment, nullable=True),
    )
    op.create_index(
        "text_message_due",
        "text_message",
        ["next_at"],
        sqlite_where=IS_DUE,
        postgresql_where=IS_DUE,
    )
    op.create_index("text_message_request", "text_message", ["request_id", "id"])
    op.create_index("text_message_number", "text_message", ["number_hash", "made_at"])
    op.create_index(
        "text_message_kept",
        "text_message",
        ["made_at"],
        sqlite_where=IS_KEPT,
        postgresql_where=IS_KEPT,
    )
    op.create_table(
        "text_opt_out",
        sa.Column("number_hash", sa.String(64), primary_key=True),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
    )
