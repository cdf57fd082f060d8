"""The first tables: call-back requests with their effects and events, and journeys."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of the first release."""
    _callbacks()
    _journeys()


def _callbacks() -> None:
    op.create_table(
        "callback_request",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("reference", sa.String(6), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("number", sa.String(255), nullable=False),
        sa.Column("number_hash", sa.String(64), nullable=False),
        sa.Column("requested_at", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("slot", sa.String(16), nullable=False),
        sa.Column("topic", sa.String(128), nullable=False),
        sa.Column("council", sa.String(9), nullable=False),
        sa.Column("access", sa.JSON, nullable=False),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
    )
    op.create_index("callback_request_queue", "callback_request", ["state", "due_at", "id"])
    op.create_index("callback_request_number", "callback_request", ["number_hash"])
    op.create_table(
        "callback_effect",
        sa.Column("effect", sa.String(64), primary_key=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(6), nullable=False),
        sa.Column("request_id", sa.Integer, sa.ForeignKey("callback_request.id"), nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("callback_effect_reference", "callback_effect", ["reference"])
    op.create_table(
        "callback_event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("request_id", sa.Integer, sa.ForeignKey("callback_request.id"), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
    )
    op.create_index("callback_event_request", "callback_event", ["request_id", "id"])


def _journeys() -> None:
    op.create_table(
        "journey_step",
        sa.Column("journey", sa.String(64), primary_key=True),
        sa.Column("turn", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("place", sa.String(128), nullable=False),
        sa.Column("heard", sa.String(16), nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("journey_step_at", "journey_step", ["at"])
    op.create_table(
        "journey_feedback",
        sa.Column("effect", sa.String(64), primary_key=True),
        sa.Column("helped", sa.Boolean, nullable=False),
        sa.Column("topic", sa.String(128), nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
