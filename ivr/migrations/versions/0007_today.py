"""Closed days and other hours, and the notice that callers hear first."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "closure",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("opens", sa.Time, nullable=True),
        sa.Column("closes", sa.Time, nullable=True),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("made_at", Moment, nullable=False),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("text", sa.String(160), nullable=False),
        sa.Column("from_at", Moment, nullable=False),
        sa.Column("until_at", Moment, nullable=False, index=True),
        sa.Column("who", sa.String(64), nullable=False),
    )
