"""What people change in the directory, and how often callers asked for each council."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "directory_change",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("record", sa.String(9), nullable=False),
        sa.Column("follows", sa.Integer, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("old", sa.JSON, nullable=False),
        sa.Column("new", sa.JSON, nullable=False),
        sa.UniqueConstraint("record", "follows", name="directory_change_record_follows"),
    )
    op.create_table(
        "directory_asked",
        sa.Column("council", sa.String(9), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
    )
