"""Where a call-back request can stand, what moves it, how an attempt can end: as tables.

Nothing else in the house decides what may follow on what.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class State(StrEnum):
    """Where a call-back request stands."""

    WAITING = "waiting"
    CLAIMED = "claimed"  # by a holder, until the claim expires
    CALLING = "calling"  # the holder is ringing the caller
    DUE_AGAIN = "due again"  # we tried, and try again at its due time
    DONE = "done"
    CLOSED = "closed"


OPEN = (State.WAITING, State.CLAIMED, State.CALLING, State.DUE_AGAIN)
ENDED = (State.DONE, State.CLOSED)
UNCLAIMED = (State.WAITING, State.DUE_AGAIN)


@dataclass(frozen=True, slots=True)
class Move:
    """What somebody does with a request: from where it may be done, and where it leads."""

    name: str  # as the event that records it
    origins: tuple[State, ...]
    leads: State | None = None  # None: an outcome or the past decides


#: A claim that has expired counts as none: see ``Desk.claim``.
CLAIM = Move("claimed", UNCLAIMED, State.CLAIMED)
TAKE_OVER = Move("taken over", (State.CLAIMED,), State.CLAIMED)
HAND_OVER = Move("handed over", (State.CLAIMED,), State.CLAIMED)
REOPEN = Move("reopened", ENDED, State.DUE_AGAIN)  # it was ended by mistake
CALL = Move("calling", (State.CLAIMED,), State.CALLING)
HANG_UP = Move("hung up", (State.CALLING,), State.CLAIMED)
RENEW = Move("renewed", (State.CLAIMED, State.CALLING))
RELEASE = Move("released", (State.CLAIMED,))
FINISH = Move("finished", (State.CLAIMED, State.CALLING))
CANCEL = Move("cancelled", (State.WAITING, State.CLAIMED, State.DUE_AGAIN), State.CLOSED)

URGENT, NOT_URGENT = "marked urgent", "not urgent"  # beside every state: no move

ALARM_LOST = "an alarm text did not arrive"  # an event: no move

BY_HAND = "rang another way"  # an attempt that no page made: no move

MOVES = (CLAIM, TAKE_OVER, HAND_OVER, REOPEN, CALL, HANG_UP, RENEW, RELEASE, FINISH, CANCEL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt to reach a caller ended."""

    name: str
    leads: State  # DONE and CLOSED complete the request; DUE_AGAIN is tried again
    retry_after: timedelta | None = None  # for DUE_AGAIN, moved into staffed hours and the slot
    counts: bool = True  # as an attempt
    needs_note: bool = False
    may_follow_up: bool = False  # with a time for another call, a request that it ends stays open


OUTCOMES = {
    outcome.name: outcome
    for outcome in (
        Outcome("spoke", State.DONE, may_follow_up=True),
        Outcome("no answer", State.DUE_AGAIN, timedelta(hours=2)),
        Outcome("engaged", State.DUE_AGAIN, timedelta(minutes=20)),
        Outcome("left message", State.DUE_AGAIN, timedelta(days=1)),
        Outcome("wrong number", State.CLOSED, needs_note=True),
        Outcome("asked not to be called", State.CLOSED),
        Outcome("abusive", State.CLOSED, needs_note=True),
        Outcome("other", State.DUE_AGAIN, timedelta(days=1), counts=False, needs_note=True),
    )
}
