"""The tables of people on duty and of rings: the calls to them on a caller's behalf."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from ivr.database import Moment

HAS_PHONE = text("number_hash <> ''")


class Duty(SQLModel, table=True):
    """Somebody who is, or was, on duty. The number is encrypted, and erased when they go off."""

    __tablename__ = "duty"
    __table_args__ = (
        Index(
            "duty_phone",  # one phone is never rung for two people at once
            "number_hash",
            unique=True,
            sqlite_where=HAS_PHONE,
            postgresql_where=HAS_PHONE,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64)  # as call-backs name their holders
    name_key: str = Field(max_length=64, unique=True)  # the same, however it is typed
    number: str = Field(max_length=255)  # E.164, sealed; "" when off duty
    number_hash: str = Field(max_length=64)
    since: datetime = Field(sa_type=Moment)
    until: datetime = Field(sa_type=Moment)
    ring_id: int | None = Field(default=None)  # the ring that has them now
    held_until: datetime | None = Field(default=None, sa_type=Moment)  # if nobody lets go of them
    rung_at: datetime | None = Field(default=None, sa_type=Moment)  # last
    call_ended_at: datetime | None = Field(default=None, sa_type=Moment)  # the last that they took


class Ring(SQLModel, table=True):
    """One time that somebody was to be rung, and what came of it. A repeat finds it here."""

    __tablename__ = "duty_ring"
    __table_args__ = (Index("duty_ring_call", "call_hash"),)

    id: int | None = Field(default=None, primary_key=True)
    effect: str = Field(max_length=64, unique=True)  # keyed hash of call, turn and step
    call_hash: str = Field(default="", max_length=64)  # keyed hash of the caller's call
    duty_id: int | None = Field(default=None, foreign_key="duty.id")  # None: nobody was free
    began_at: datetime = Field(sa_type=Moment)
    taken_at: datetime | None = Field(default=None, sa_type=Moment)  # they pressed 1
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class EndedCall(SQLModel, table=True):
    """A caller's call that Twilio says is over: no ring may be reserved for it any more."""

    __tablename__ = "duty_ended_call"

    call_hash: str = Field(max_length=64, primary_key=True)  # as in ``Ring``
    ended_at: datetime = Field(sa_type=Moment)
