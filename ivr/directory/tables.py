"""The tables of what people change in the directory, and of how often callers asked for it."""

from datetime import date, datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from ivr.database import Moment

LONGEST_CODE = 9  # of a council


class DirectoryChange(SQLModel, table=True):
    """A change of one record. None is ever removed: what was undone was changed twice."""

    __tablename__ = "directory_change"
    # Of two who change the same record at once, the later one cannot.
    __table_args__ = (
        UniqueConstraint("record", "follows", name="directory_change_record_follows"),
    )

    id: int | None = Field(default=None, primary_key=True)
    record: str = Field(max_length=LONGEST_CODE)
    follows: int  # the change of this record before; 0: what the file says
    who: str = Field(max_length=64)
    at: datetime = Field(sa_type=Moment)
    why: str = Field(max_length=16)
    old: dict[str, str] = Field(sa_type=JSON)  # all values, by column
    new: dict[str, str] = Field(sa_type=JSON)


class DirectoryAsked(SQLModel, table=True):
    """How often callers came to one council's service, on one day of London's."""

    __tablename__ = "directory_asked"

    council: str = Field(primary_key=True, max_length=LONGEST_CODE)
    day: date = Field(primary_key=True)
    times: int
