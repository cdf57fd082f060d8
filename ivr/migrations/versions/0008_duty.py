"""The people on duty, and the rings to them."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0008"
down_revision = "0007"

HAS_PHONE = sa.text("number_hash <> ''")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "duty",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(64), nullable=False, unique=True),
        sa.Column("number", sa.String(255), nullable=False),
        sa.Column("number_hash", sa.String(64), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.Column("ring_id", sa.Integer, nullable=True),
        sa.Column("held_until", Moment, nullable=True),
        sa.Column("rung_at", Moment, nullable=True),
        sa.Column("call_ended_at", Moment, nullable=True),
    )
    op.create_index(
        "duty_phone",
        "duty",
        ["number_hash"],
        unique=True,
        sqlite_where=HAS_PHONE,
        postgresql_where=HAS_PHONE,
    )
    op.create_table(
        "duty_ring",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("effect", sa.String(64), nullable=False, unique=True),
        sa.Column("duty_id", sa.Integer, sa.ForeignKey("duty.id"), nullable=True),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("taken_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
    )
