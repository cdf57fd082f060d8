"""What the staff pages work with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from ivr.callbacks.attempts import Attempts
from ivr.callbacks.audit import RequestEvents
from ivr.callbacks.counting import Counting
from ivr.callbacks.desk import Desk
from ivr.callbacks.drafts import Drafts
from ivr.callbacks.planning import Backlog
from ivr.callbacks.queue import Queue
from ivr.core.flow import Book
from ivr.directory.asking import Asked
from ivr.directory.editing import Editor
from ivr.directory.lookup import DirectoryNow
from ivr.duty.roster import Roster
from ivr.hours import HoursNow
from ivr.messages.alarm import Alarm
from ivr.messages.post import Post
from ivr.people.audit import Deeds
from ivr.people.register import Register
from ivr.people.sign_in import Entrance
from ivr.today.diary import Diary

Ring = Callable[[int, str], Awaitable[None]]  # for this attempt, at this phone (E.164)


@dataclass(frozen=True, slots=True)
class Safety:
    """What the charity does when somebody may not be safe."""

    lead: str  # who leads, and how to reach them (IVR_SAFETY_LEAD)
    steps: tuple[str, ...]  # the charity's own steps (IVR_SAFETY_STEPS)


@dataclass(frozen=True, slots=True)
class Office:
    """The parts of the house that staff use."""

    queue: Queue
    desk: Desk
    counting: Counting
    register: Register
    entrance: Entrance
    events: RequestEvents
    deeds: Deeds
    roster: Roster
    directory: DirectoryNow
    editor: Editor
    asked: Asked
    hours: HoursNow
    backlog: Backlog
    diary: Diary
    book: Callable[[], Book]  # gives the one that is served
    safety: Safety
    clock: Callable[[], datetime]  # gives the time now, aware
    public_url: str  # "" in demo mode
    demo: bool  # are drama numbers accepted?
    proxies: int  # of our own, between browsers and us
    attempts: Attempts
    drafts: Drafts
    alarm: Alarm
    post: Post
    ring: Ring | None  # rings whoever holds a request for an attempt; None: by hand only
