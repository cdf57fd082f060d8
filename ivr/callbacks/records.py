"""What staff read of the call-back requests, as plain records. Numbers are masked. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ivr.callbacks.states import State
from ivr.callbacks.wishes import PRESSED

SAFETY_FLOW = "safety"  # whose answers tell whom to ring when someone is not safe
HEARD = "heard"  # an answer of that flow was heard, and nothing was pressed
UNREADABLE = "unreadable"  # instead of a number whose key is lost
ERASED = "erased"  # instead of one that was kept long enough
RETRY_LASTS = timedelta(hours=1)  # after which whoever is to be tried again was left too long


@dataclass(frozen=True, slots=True)
class CallBack:
    """One call-back request as it is shown: the fields are the columns of ``--json``."""

    reference: str
    state: str
    number: str  # masked, or in its printed grouping where it was revealed
    requested_at: str  # UTC, ISO 8601
    due_at: str  # UTC, ISO 8601
    topic: str
    council: str
    access: list[str]
    urgent: bool  # a person marked it
    safety: str  # PRESSED: the caller pressed that someone is not safe; HEARD: they heard of it
    repeats: int
    attempts: int
    holder: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as the pages show it: the same, and what they need beside it."""

    id: int
    record: CallBack
    requested_at: datetime
    due_at: datetime
    slot: str
    outcome: str  # of the last attempt
    claimed_until: datetime | None
    is_open: bool
    is_retry: bool  # it was tried in vain: it is due from its time, and not by it

    @property
    def urgent(self) -> bool:
        """Whether a person marked it urgent."""
        return self.record.urgent

    @property
    def pressed(self) -> bool:
        """Whether the caller pressed that someone is not safe."""
        return self.record.safety == PRESSED

    @property
    def late_at(self) -> datetime:
        """From when it is late, as long as it is open."""
        return self.due_at + RETRY_LASTS if self.is_retry else self.due_at

    def is_rung(self, now: datetime) -> bool:
        """Whether the caller is being rung, as far as we were told."""
        until = self.claimed_until
        return self.record.state == State.CALLING and until is not None and now < until


class View(StrEnum):
    """A part of the queue to look at."""

    OPEN = "open"
    TODAY = "today"  # due by the end of today, missed ones among them
    MISSED = "missed"
    URGENT = "urgent"
    SAFETY = "safety"  # the caller pressed that someone is not safe
    MINE = "mine"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Looking:
    """Which requests somebody wants to see: a view, narrowed down."""

    view: View = View.OPEN
    who: str = ""  # for ``MINE``
    flow: str = ""  # of the topic
    council: str = ""  # GSS code


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a request."""

    at: str  # UTC, ISO 8601
    who: str
    what: str
    note: str  # "" if there is none, or if it is not for whoever asks

    @property
    def moment(self) -> datetime:
        """When it happened."""
        return datetime.fromisoformat(self.at)
