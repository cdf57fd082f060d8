"""The tables of closures and of notices."""

from datetime import date, datetime, time

from sqlmodel import Field, SQLModel

from ivr.database import Moment


class Closure(SQLModel, table=True):
    """A day with other hours than its day of the week, or with none: then both times are empty."""

    __tablename__ = "closure"

    day: date = Field(primary_key=True)  # London's
    opens: time | None = None  # London's clock
    closes: time | None = None
    reason: str = Field(max_length=120)  # for colleagues; callers do not hear it
    who: str = Field(max_length=64)
    made_at: datetime = Field(sa_type=Moment)


class Notice(SQLModel, table=True):
    """A text that every caller heard after "hello", from one moment until another."""

    __tablename__ = "notice"

    id: int | None = Field(default=None, primary_key=True)
    text: str = Field(max_length=160)
    from_at: datetime = Field(sa_type=Moment)
    until_at: datetime = Field(sa_type=Moment, index=True)  # earlier, once it is taken down
    who: str = Field(max_length=64)
