"""Attempts: ringing a caller through Twilio. Whoever holds the request is rung first.

What comes of an attempt is told by Twilio's webhooks, which may come twice, late and out of order:
each step is one conditional UPDATE, and what was told first stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.callbacks import states
from ivr.callbacks.keys import Keys
from ivr.callbacks.states import State
from ivr.callbacks.tables import CallBackAttempt, CallBackRequest, event
from ivr.database import Database

LONGEST_CALL = timedelta(hours=1)  # Twilio ends the call then
CALL_LASTS = LONGEST_CALL + timedelta(minutes=15)  # the lease, should its end never be told
ANSWERING = timedelta(minutes=2)  # in which whoever holds a request picks up and presses 1
WRITING_UP = timedelta(minutes=15)  # the claim, after a call: as long as at first


class Result(StrEnum):
    """How an attempt ended, as far as the telephone can tell."""

    SPOKE = "spoke"  # they were joined: that they talked, only a person can say
    ENGAGED = "engaged"
    NO_ANSWER = "no answer"
    FAILED = "failed"  # the caller's phone could not be rung
    NOT_TAKEN = "not taken"  # whoever holds the request did not press 1
    CUT_OFF = "cut off"  # it ended, and nobody told us how


DIALLED = (
    Result.SPOKE,
    Result.ENGAGED,
    Result.NO_ANSWER,
    Result.CUT_OFF,
)  # the caller's phone was rung


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt, as pages show it."""

    id: int
    request_id: int
    who: str
    claim_token: str  # of the claim under which it was made
    began_at: datetime
    taken_at: datetime | None
    ended_at: datetime | None
    result: str


@dataclass(frozen=True)
class Attempts:
    """Begins attempts, and records what is told of them."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware

    async def begin(self, request_id: int, who: str) -> Attempt | None:
        """Begin an attempt, if this person holds the request and none is under way."""
        now = self.clock()
        calling = (
            update(CallBackRequest)
            .where(
                col(CallBackRequest.id) == request_id,
                col(CallBackRequest.holder) == who,
                col(CallBackRequest.state).in_([state.value for state in states.CALL.origins]),
            )
            .values(state=State.CALLING.value, claim_expires_at=now + CALL_LASTS)
            .returning(CallBackRequest)
        )
        async with self.database.writing() as session:
            request = (await session.exec(calling)).scalar_one_or_none()
            if request is None:
                return None
            attempt = CallBackAttempt(
                request_id=request_id, who=who, claim_token=request.claim_token, began_at=now
            )
            session.add(attempt)
            session.add(event(request, now, who, states.CALL.name))
            await session.flush()
            return _attempt(attempt)

    async def take(self, attempt_id: int) -> str:
        """Record that whoever holds the request pressed 1, and return the number to ring (E.164);
        "" if the attempt is over. Again is the same as once."""
        taking = update(CallBackAttempt).where(
            col(CallBackAttempt.id) == attempt_id, col(CallBackAttempt.taken_at).is_(None)
        )
        async with self.database.writing() as session:
            await session.exec(taking.values(taken_at=self.clock()))
            attempt = await session.get(CallBackAttempt, attempt_id)
            if attempt is None or attempt.ended_at is not None:
                return ""
            request = await session.get(CallBackRequest, attempt.request_id)
            if request is None or request.claim_token != attempt.claim_token:
                return ""
            return self.keys.unseal(request.number) if request.number else ""

    async def end(self, attempt_id: int, result: Result) -> None:
        """Record how an attempt ended. What was told first stands."""
        now = self.clock()
        ending = (
            update(CallBackAttempt)
            .where(col(CallBackAttempt.id) == attempt_id, col(CallBackAttempt.ended_at).is_(None))
            .values(ended_at=now, result=result.value)
            .returning(CallBackAttempt)
        )
        async with self.database.writing() as session:
            attempt = (await session.exec(ending)).scalar_one_or_none()
            if attempt is None:
                return
            dialled = int(result in DIALLED)
            back = (
                update(CallBackRequest)
                .where(
                    col(CallBackRequest.id) == attempt.request_id,
                    col(CallBackRequest.claim_token) == attempt.claim_token,
                    col(CallBackRequest.state) == State.CALLING.value,
                )
                .values(
                    state=State.CLAIMED.value,
                    claim_expires_at=now + WRITING_UP,
                    attempts=CallBackRequest.attempts + dialled,
                )
                .returning(CallBackRequest)
            )
            request = (await session.exec(back)).scalar_one_or_none()
            if request is not None:
                what = f"{states.HANG_UP.name}: {result.value}"
                session.add(event(request, now, attempt.who, what))

    async def cut(self, attempt_id: int) -> None:
        """Record that the call to whoever holds the request is over: if nothing was told of the
        caller's own, it was not made, or nobody knows how it ended."""
        async with self.database.reading() as session:
            attempt = await session.get(CallBackAttempt, attempt_id)
        if attempt is not None and attempt.ended_at is None:
            taken = attempt.taken_at is not None
            await self.end(attempt_id, Result.CUT_OFF if taken else Result.NOT_TAKEN)

    async def last(self, request_id: int) -> Attempt | None:
        """Return the last attempt to reach this caller, if there was one."""
        query = select(CallBackAttempt).where(col(CallBackAttempt.request_id) == request_id)
        async with self.database.reading() as session:
            newest = query.order_by(col(CallBackAttempt.id).desc()).limit(1)
            found = (await session.exec(newest)).one_or_none()
        return _attempt(found) if found else None


@dataclass(frozen=True)
class OnCalls:
    """Knows who rings a caller back, so that nobody else is put through to them meanwhile."""

    database: Database
    clock: Callable[[], datetime]  # gives the time now, aware

    async def __call__(self, rest: timedelta) -> set[str]:
        """Return the names of those whose phone is rung for an attempt, who are on a call with a
        caller, or whose last talk ended less than ``rest`` ago. Raises NoDatabaseError."""
        now = self.clock()
        began, taken = col(CallBackAttempt.began_at), col(CallBackAttempt.taken_at)
        ended, result = col(CallBackAttempt.ended_at), col(CallBackAttempt.result)
        under_way = or_(taken.is_not(None), began > now - ANSWERING)
        talked = result.in_([Result.SPOKE.value, Result.CUT_OFF.value])
        query = select(CallBackAttempt.who).where(
            began > now - CALL_LASTS - rest,
            or_(and_(ended.is_(None), under_way), and_(talked, ended > now - rest)),
        )
        async with self.database.reading() as session:
            return set((await session.exec(query)).all())


async def was_dialled(session: AsyncSession, request_id: int, claim_token: str) -> bool:
    """Whether the caller's phone was rung under this claim: that counted as an attempt then."""
    query: Any = select(CallBackAttempt.id).where(
        col(CallBackAttempt.request_id) == request_id,
        col(CallBackAttempt.claim_token) == claim_token,
        col(CallBackAttempt.result).in_([result.value for result in DIALLED]),
    )
    return (await session.exec(query.limit(1))).first() is not None


def _attempt(row: CallBackAttempt) -> Attempt:
    return Attempt(
        id=row.id or 0,
        request_id=row.request_id,
        who=row.who,
        claim_token=row.claim_token,
        began_at=row.began_at,
        taken_at=row.taken_at,
        ended_at=row.ended_at,
        result=row.result,
    )
