"""The people who ring back, their sessions, failed sign-ins, and what people did."""

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables, and the indexes of the queue's parts; an event may name somebody."""
    op.create_table(
        "person",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.Column("is_temporary", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("code_secret", sa.String(255), nullable=False),
        sa.Column("code_used", sa.Integer, nullable=False),
        sa.Column("added_at", Moment, nullable=False),
        sa.Column("removed_at", Moment, nullable=True),
    )
    op.create_table(
        "staff_session",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("place", sa.String(64), primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("began_at", Moment, nullable=False),
    )
    op.create_table(
        "staff_event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("about", sa.String(128), nullable=False),
    )
    with op.batch_alter_table("callback_event") as event:
        event.alter_column("what", type_=sa.String(96))
    op.create_index("callback_request_holder", "callback_request", ["holder"])
    op.create_index(
        "callback_request_urgent",
        "callback_request",
        ["due_at"],
        sqlite_where=sa.text("urgent"),
        postgresql_where=sa.text("urgent"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION callback_event_happened() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_notify('callback_event', ''); RETURN NULL; END $$"
        )
        op.execute(
            "CREATE TRIGGER callback_event_happened AFTER INSERT ON callback_event"
            " FOR EACH STATEMENT EXECUTE FUNCTION callback_event_happened()"
        )
