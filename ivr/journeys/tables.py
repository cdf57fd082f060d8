"""The tables of journeys and of feedback. Neither knows whose call it was."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from ivr.database import Moment

LONGEST_ID, LONGEST_PLACE, LONGEST_HEARD = 64, 128, 16  # characters


class JourneyStep(SQLModel, table=True):
    """One step that a call went through: ``part`` counts the steps of one turn."""

    __tablename__ = "journey_step"
    __table_args__ = (Index("journey_step_at", "at"),)

    journey: str = Field(primary_key=True, max_length=LONGEST_ID)
    turn: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    part: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    place: str = Field(max_length=LONGEST_PLACE)
    heard: str = Field(max_length=LONGEST_HEARD)  # kind of input: keys, silence, ... never which
    at: datetime = Field(sa_type=Moment)


class JourneyFeedback(SQLModel, table=True):
    """One answer to "did that help?"."""

    __tablename__ = "journey_feedback"

    effect: str = Field(primary_key=True, max_length=64)  # keyed hash of call, turn and step
    helped: bool
    topic: str = Field(max_length=LONGEST_PLACE)
    at: datetime = Field(sa_type=Moment)
