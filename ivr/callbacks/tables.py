"""The tables of call-back requests, of what was promised for them, and of what happened to them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, false, text
from sqlmodel import Field, SQLModel, col

from ivr.callbacks.states import State
from ivr.database import Moment

EMPTY = {"server_default": ""}
# As the migrations have it: in a query it lets the indexes of open requests be used.
IS_OPEN = text("state NOT IN ('done', 'closed')")
IS_URGENT = text("urgent")
IS_PRESSED = text("safety <> ''")  # the caller pressed that someone is not safe
HAS_ENDED = text("ended_at IS NOT NULL")


class CallBackRequest(SQLModel, table=True):
    """A caller's wish to be phoned. The number is encrypted; its keyed hash finds it."""

    __tablename__ = "callback_request"
    __table_args__ = (
        Index("callback_request_due", "due_at", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
        Index(
            "callback_request_urgent",
            "due_at",
            sqlite_where=IS_URGENT,
            postgresql_where=IS_URGENT,
        ),
        Index(
            "callback_request_pressed",
            "due_at",
            sqlite_where=IS_PRESSED,
            postgresql_where=IS_PRESSED,
        ),
        Index("callback_request_holder", "holder"),
        Index("callback_request_number", "number_hash"),
        Index("callback_request_ended", "ended_at"),
        Index("callback_request_asked", "requested_at"),
        Index(
            "callback_request_open",  # one open request for each number
            "number_hash",
            unique=True,
            sqlite_where=IS_OPEN,
            postgresql_where=IS_OPEN,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    reference: str = Field(max_length=6)  # the first one told; callback_effect has every one
    state: str = Field(default=State.WAITING.value, max_length=16)
    number: str = Field(max_length=255)  # E.164, sealed
    number_hash: str = Field(max_length=64)
    requested_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment)  # by when we said that we would ring: see IS_RETRY
    promised_at: datetime | None = Field(default=None, sa_type=Moment)  # that, once we tried again
    slot: str = Field(max_length=16)  # any, morning or afternoon
    topic: str = Field(default="", max_length=128)  # the place of the answer heard last
    council: str = Field(default="", max_length=9)  # GSS code
    access: list[str] = Field(default_factory=list, sa_type=JSON)  # access needs
    repeats: int = 0  # how often the caller asked again
    attempts: int = 0  # how often we rang
    holder: str = Field(default="", max_length=64)  # who has claimed it
    claim_token: str = Field(default="", max_length=16, sa_column_kwargs=EMPTY)  # of this claim
    claim_expires_at: datetime | None = Field(default=None, sa_type=Moment)
    outcome: str = Field(default="", max_length=32, sa_column_kwargs=EMPTY)  # of the last attempt
    urgent: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    safety: str = Field(default="", max_length=16, sa_column_kwargs=EMPTY)  # PRESSED, or ""
    ended_at: datetime | None = Field(default=None, sa_type=Moment)  # done or closed
    erased_at: datetime | None = Field(default=None, sa_type=Moment)  # it has no number since


class CallBackEffect(SQLModel, table=True):
    """One wish that a caller was told of: a repeat of it finds its outcome here."""

    __tablename__ = "callback_effect"
    __table_args__ = (Index("callback_effect_reference", "reference"),)

    effect: str = Field(primary_key=True, max_length=64)  # keyed hash of call, turn and step
    outcome: str = Field(max_length=16)
    reference: str = Field(max_length=6)
    request_id: int = Field(foreign_key="callback_request.id")
    at: datetime = Field(sa_type=Moment)


class CallBackEvent(SQLModel, table=True):
    """What happened to a request, when, and who did it. Rows are only ever added."""

    __tablename__ = "callback_event"
    __table_args__ = (
        Index("callback_event_request", "request_id", "id"),
        Index("callback_event_what", "what", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="callback_request.id")
    at: datetime = Field(sa_type=Moment)
    who: str = Field(max_length=64)  # "caller", or a name on this machine
    what: str = Field(max_length=96)
    note: str = Field(default="", sa_type=Text, sa_column_kwargs=EMPTY)  # of staff, sealed


class CallBackDraft(SQLModel, table=True):
    """What one person has typed on the page of one request and has not saved yet."""

    __tablename__ = "callback_draft"

    request_id: int = Field(primary_key=True, foreign_key="callback_request.id")
    who: str = Field(primary_key=True, max_length=64)
    version: int  # one more with each change: a page knows by it whether it shows the last one
    typed: str = Field(sa_type=Text)  # the fields as JSON, sealed
    at: datetime = Field(sa_type=Moment)  # of the last change


class CallBackAttempt(SQLModel, table=True):
    """One try to reach a caller through Twilio: it rings whoever holds the request, then them."""

    __tablename__ = "callback_attempt"
    __table_args__ = (
        Index("callback_attempt_request", "request_id", "id"),
        Index("callback_attempt_began", "began_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="callback_request.id")
    who: str = Field(max_length=64)  # whoever holds it
    claim_token: str = Field(max_length=16)  # of the claim under which it was made
    began_at: datetime = Field(sa_type=Moment)
    taken_at: datetime | None = Field(default=None, sa_type=Moment)  # they pressed 1
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    result: str = Field(default="", max_length=16)  # a ``Result``, once it has ended


#: It was tried in vain: its due time is from when it is tried again. Of the others it is by when we
#: said that we would ring.
IS_RETRY: Any = (col(CallBackRequest.outcome) != "") | (
    col(CallBackRequest.state) == State.DUE_AGAIN.value
)


def is_retry(request: CallBackRequest) -> bool:
    """Whether a request is one of those that IS_RETRY finds."""
    return bool(request.outcome) or request.state == State.DUE_AGAIN


#: What a request has whose claim has ended.
UNHELD: Mapping[str, Any] = {"holder": "", "claim_token": "", "claim_expires_at": None}

#: The order of the queue: urgent requests, then those whose caller pressed that someone is not
#: safe, then the earliest due time, which a missed promise has.
BY_DUE = (
    col(CallBackRequest.urgent).desc(),
    col(CallBackRequest.safety).desc(),
    col(CallBackRequest.due_at),
    col(CallBackRequest.requested_at),
    col(CallBackRequest.id),
)

Index("callback_request_order", *BY_DUE, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)

#: The order of what has ended: urgent requests, then the one that ended last.
BY_END = (
    col(CallBackRequest.urgent).desc(),
    col(CallBackRequest.ended_at).desc(),
    col(CallBackRequest.id).desc(),
)
Index("callback_request_over", *BY_END, sqlite_where=HAS_ENDED, postgresql_where=HAS_ENDED)


def event(
    request: CallBackRequest, at: datetime, who: str, what: str, note: str = ""
) -> CallBackEvent:
    """Make the event that this happened to a request, which must have been flushed. The note must
    have been sealed."""
    if request.id is None:
        raise ValueError("a request has no events before it is kept")
    return CallBackEvent(request_id=request.id, at=at, who=who[:64], what=what, note=note)
