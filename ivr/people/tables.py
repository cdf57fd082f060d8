"""The tables of people, of their sessions, of failed sign-ins, and of what people did."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import false
from sqlmodel import Field, SQLModel

from ivr.database import Moment


class Role(StrEnum):
    """What a person may do; each may do all that those before it may."""

    ADVISER = "adviser"  # works through the call-backs
    SUPERVISOR = "supervisor"  # and reads reports and the audit, and changes the day's hours
    ADMINISTRATOR = "administrator"  # and manages people

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what the other may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class Person(SQLModel, table=True):
    """Somebody who works with the call-backs. Who was removed stays, for what they did."""

    __tablename__ = "person"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64)  # as colleagues see it, and as it is signed in with
    name_key: str = Field(max_length=64, unique=True)  # the same, however it is typed
    role: str = Field(max_length=16)
    password: str = Field(max_length=255)  # its argon2 hash
    is_temporary: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    code_secret: str = Field(default="", max_length=255)  # of one-time codes, sealed; "": none
    code_used: int = 0  # the half minute of the last code: a code is good once
    added_at: datetime = Field(sa_type=Moment)
    removed_at: datetime | None = Field(default=None, sa_type=Moment)


class Session(SQLModel, table=True):
    """A browser in which somebody is signed in."""

    __tablename__ = "staff_session"

    token_hash: str = Field(primary_key=True, max_length=64)
    person_id: int = Field(foreign_key="person.id", index=True)
    began_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)


class Failures(SQLModel, table=True):
    """How often it was tried in vain to sign in, from one place, lately."""

    __tablename__ = "sign_in_failures"

    place: str = Field(primary_key=True, max_length=64)  # keyed hash: a name, and from where
    tries: int
    began_at: datetime = Field(sa_type=Moment)


class Deed(SQLModel, table=True):
    """What somebody did that is not about one request. Rows are only ever added."""

    __tablename__ = "staff_event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Moment)
    who: str = Field(max_length=64)
    what: str = Field(max_length=64)
    about: str = Field(default="", max_length=128)
