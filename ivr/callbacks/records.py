"""What staff read of the call-back requests, as plain records. Numbers are masked. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ivr.callbacks.states import State

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
    urgent: bool
    outcome: str  # of the last attempt
    claimed_until: datetime | None
    is_open: bool
    is_retry: bool  # it was tried in vain: it is due from its time, and not by it

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
