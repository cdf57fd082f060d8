"""Which call a ring belongs to, and the calls that are over, so that a hang-up ends its rings."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the column, its index and the table; rings from before belong to no known call."""
    call_hash = sa.Column("call_hash", sa.String(64), nullable=False, server_default="")
    op.add_column("duty_ring", call_hash)
    op.create_index("duty_ring_call", "duty_ring", ["call_hash"])
    op.create_table(
        "duty_ended_call",
        sa.Column("call_hash", sa.String(64), primary_key=True),
        sa.Column("ended_at", Moment, nullable=False),
    )
