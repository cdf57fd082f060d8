"""What reports need: the promise as it stood when we first tried."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column. For what was tried again before this, the due time must do."""
    op.add_column("callback_request", sa.Column("promised_at", Moment, nullable=True))
