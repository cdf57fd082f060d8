"""The tables of text messages, and of the numbers that want none."""

from datetime import datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from ivr.database import Moment
from ivr.messages.states import State

# As the migration has it: in a query it lets the index of what is to be sent be used.
IS_DUE = text("state IN ('waiting', 'sending')")
IS_KEPT = text("erased_at IS NULL")


class TextMessage(SQLModel, table=True):
    """One text message, to somebody or from them. Number and words are encrypted."""

    __tablename__ = "text_message"
    __table_args__ = (
        Index("text_message_due", "next_at", sqlite_where=IS_DUE, postgresql_where=IS_DUE),
        Index("text_message_request", "request_id", "id"),
        Index("text_message_number", "number_hash", "made_at"),
        Index("text_message_kept", "made_at", sqlite_where=IS_KEPT, postgresql_where=IS_KEPT),
    )

    id: int | None = Field(default=None, primary_key=True)
    effect: str = Field(max_length=64, unique=True)  # keyed hash: the same effect is one message
    kind: str = Field(max_length=16)  # a ``Kind``
    request_id: int | None = Field(default=None)  # the call-back request that it belongs to
    who: str = Field(max_length=64)  # "caller", "helpline", or one of the staff
    number: str = Field(max_length=255)  # E.164, sealed
    number_hash: str = Field(max_length=64)
    body: str = Field(sa_type=Text)  # sealed
    state: str = Field(default=State.WAITING.value, max_length=16)
    sid: str = Field(default="", max_length=64)  # Twilio's id
    error: int = 0  # Twilio's error number
    tries: int = 0  # how often Twilio could not be reached
    made_at: datetime = Field(sa_type=Moment)
    next_at: datetime = Field(sa_type=Moment)  # when it is to be sent; while it is sent, until when
    told_at: datetime | None = Field(default=None, sa_type=Moment)  # the last news of it
    erased_at: datetime | None = Field(default=None, sa_type=Moment)


class TextOptOut(SQLModel, table=True):
    """What a number last said about texts: it wants none, or wants them again."""

    __tablename__ = "text_opt_out"

    number_hash: str = Field(primary_key=True, max_length=64)
    stopped: bool
    at: datetime = Field(sa_type=Moment)
    who: str = Field(max_length=64)  # "caller", "Twilio", or one of the staff
