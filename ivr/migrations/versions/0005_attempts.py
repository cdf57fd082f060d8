"""Attempts to reach a caller through Twilio."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "callback_attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("request_id", sa.Integer, sa.ForeignKey("callback_request.id"), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("claim_token", sa.String(16), nullable=False),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("taken_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("result", sa.String(16), nullable=False),
    )
    op.create_index("callback_attempt_request", "callback_attempt", ["request_id", "id"])
