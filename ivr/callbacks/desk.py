"""What staff do with a call-back request. Two people never ring the same caller.

Every change is one conditional UPDATE whose row count decides who was first, and one event, in the
same transaction: the same statements on SQLite and PostgreSQL. A claim has a token, so that nobody
goes on with a claim that expired and was taken by somebody else meanwhile.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import case, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.callbacks import states
from ivr.callbacks.attempts import was_dialled
from ivr.callbacks.keys import Keys
from ivr.callbacks.states import ENDED, OUTCOMES, Move, Outcome, State
from ivr.callbacks.tables import (
    BY_DUE,
    IS_OPEN,
    IS_RETRY,
    IS_URGENT,
    UNHELD,
    CallBackRequest,
    event,
)
from ivr.database import Database
from ivr.errors import HelplineError
from ivr.hours import HoursNow

CLAIM_LASTS = timedelta(minutes=15)  # people need minutes; a claim is renewed while they talk
A_DAY = timedelta(days=1)  # a chosen time that has just passed means the next staffed hour
FURTHEST = timedelta(days=60)  # a request is rung again before that
LOOK_AT = 20  # requests of the queue's top that are tried, should others be quicker


class NotYoursError(HelplineError):
    """You do not hold this call-back: the claim expired, was taken over, or is finished."""


class UnknownOutcomeError(HelplineError):
    """There is no such outcome."""


class CannotReopenError(HelplineError):
    """It cannot be opened again: it is erased, or the caller has another open request."""


class NoteNeededError(HelplineError):
    """This outcome needs a note, so that the next person knows why."""


class WrongTimeError(HelplineError):
    """It cannot be rung again then: choose a time within the next 60 days."""


class NotAgainError(HelplineError):
    """This outcome ends the request, so it cannot be rung again at the chosen time."""


#: Alarms the safeguarding phones, within a transaction, about a request by its id and reference;
#: returns how many phones the alarm goes to.
Alarm: TypeAlias = Callable[[AsyncSession, int, str], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A request in somebody's hands."""

    request_id: int
    reference: str
    holder: str
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Desk:
    """Claims requests, lets go of them, and records how attempts ended."""

    database: Database
    keys: Keys
    hours: HoursNow
    clock: Callable[[], datetime]  # gives the time now, aware
    alarm: Alarm | None = None  # tells of a request that is marked urgent

    async def claim(self, request_id: int, who: str) -> Claim | None:
        """Claim a request; None if somebody else was quicker, or it is not waiting."""
        return await self._claimed(request_id, who, states.CLAIM, self._free())

    async def claim_next(self, who: str) -> Claim | None:
        """Claim the request that is first in the queue's order; None if there is none to ring now.

        Urgent requests come first, then the others that asked for this time of day or for any, in
        the order of the queue. A caller who was tried without success is not rung again before that
        is due.
        """
        return await self._claim_next(who, self._wanted_now()) or await self._claim_next(who)

    async def _claim_next(self, who: str, *conditions: Any) -> Claim | None:
        ripe = or_(~IS_RETRY, col(CallBackRequest.due_at) <= self.clock())
        free = select(CallBackRequest.id).where(IS_OPEN, self._free(), ripe, *conditions)
        query = free.order_by(*BY_DUE).limit(LOOK_AT)
        while True:
            async with self.database.reading() as session:
                ids = (await session.exec(query)).all()
            if not ids:
                return None
            for request_id in ids:
                claim = await self.claim(request_id or 0, who)
                if claim is not None:
                    return claim

    async def take_over(self, request_id: int, who: str) -> Claim | None:
        """Take a claim from whoever holds it, which is recorded; None if nobody does."""
        held = col(CallBackRequest.state).in_(_values(states.TAKE_OVER))
        return await self._claimed(request_id, who, states.TAKE_OVER, held)

    async def held(self, request_id: int, who: str) -> Claim | None:
        """The claim that this person holds on a request, if they do."""
        query = select(CallBackRequest).where(
            col(CallBackRequest.id) == request_id,
            col(CallBackRequest.holder) == who,
            col(CallBackRequest.state).in_(_values(states.FINISH)),
        )
        async with self.database.reading() as session:
            request = (await session.exec(query)).one_or_none()
        return _claim(request) if request else None

    async def renew(self, claim: Claim) -> Claim:
        """Hold on to a claim for longer: while the caller is rung it lasts longer already, and is
        never made shorter. Raises NotYoursError."""
        later, kept = self.clock() + CLAIM_LASTS, col(CallBackRequest.claim_expires_at)
        longest = {"claim_expires_at": case((kept > later, kept), else_=later)}
        async with self.database.writing() as session:
            return _claim(await self._held(session, claim, states.RENEW, longest))

    async def hand_over(self, claim: Claim, to: str, note: str = "") -> None:
        """Give a claim to a colleague, who has as long for it as if they had claimed it. Raises
        NotYoursError."""
        theirs = self._holding(to)
        async with self.database.writing() as session:
            request = await self._held(session, claim, states.HAND_OVER, theirs)
            what = f"{states.HAND_OVER.name} to {to}"
            session.add(event(request, self.clock(), claim.holder, what, self._sealed(note)))

    async def note(self, request_id: int, who: str, what: str) -> None:
        """Write down what somebody did for a request that changes nothing in it."""
        async with self.database.writing() as session:
            request = await session.get(CallBackRequest, request_id)
            if request is not None:
                session.add(event(request, self.clock(), who, what))

    async def release(self, claim: Claim, note: str = "") -> None:
        """Give a request back to the queue, where it keeps its place. Raises NotYoursError."""
        async with self.database.writing() as session:
            request = await self._held(session, claim, states.RELEASE, UNHELD)
            request.state = (State.DUE_AGAIN if request.outcome else State.WAITING).value
            what = states.RELEASE.name
            session.add(event(request, self.clock(), claim.holder, what, self._sealed(note)))

    async def reopen(self, request_id: int, who: str) -> None:
        """Open a request again that was ended by mistake; it is due at once. Raises
        CannotReopenError."""
        change = (
            update(CallBackRequest)
            .where(
                col(CallBackRequest.id) == request_id,
                col(CallBackRequest.state).in_(_values(states.REOPEN)),
                col(CallBackRequest.erased_at).is_(None),
            )
            .values(
                state=State.DUE_AGAIN.value,
                outcome="",
                ended_at=None,
                due_at=self.clock(),
                promised_at=func.coalesce(CallBackRequest.promised_at, CallBackRequest.due_at),
            )
            .returning(CallBackRequest)
        )
        try:
            async with self.database.writing() as session:
                request = (await session.exec(change)).scalar_one_or_none()
                if request is None:
                    raise CannotReopenError
                session.add(event(request, self.clock(), who, states.REOPEN.name))
        except IntegrityError:  # one open request for each number
            raise CannotReopenError from None

    async def mark(self, request_id: int, who: str, urgent: bool, note: str) -> int:
        """Mark a request urgent because somebody may not be safe, or not urgent any more. Return to
        how many phones the alarm goes.

        An urgent one comes before all others, and is not erased. Raises NoteNeededError.
        """
        what = states.URGENT if urgent else states.NOT_URGENT
        if not note.strip():
            raise NoteNeededError(f'"{what}" needs a note, so that the next person knows why.')
        change = update(CallBackRequest).where(col(CallBackRequest.id) == request_id)
        async with self.database.writing() as session:
            marked = change.values(urgent=urgent).returning(CallBackRequest)
            request = (await session.exec(marked)).scalar_one()
            session.add(event(request, self.clock(), who, what, self._sealed(note)))
            if urgent and self.alarm:
                return await self.alarm(session, request_id, request.reference)
        return 0

    async def finish(
        self,
        claim: Claim,
        outcome: str,
        note: str = "",
        again_at: datetime | None = None,
        by_hand: str = "",
    ) -> CallBackRequest:
        """Record how an attempt ended, and when it is due again if it is, in one transaction.

        ``again_at`` is when to ring again, if not after the outcome's own time; either is moved
        into staffed hours, and the outcome's own time into the caller's slot too. With it, "spoke"
        does not end the request.
        ``by_hand`` says how the caller was rung, and why not from the page, if so.

        Raises NotYoursError, UnknownOutcomeError, NoteNeededError, NotAgainError, WrongTimeError.
        """
        ended = _outcome(outcome)
        if ended.needs_note and not note.strip():
            raise NoteNeededError(f'"{outcome}" needs a note, so that the next person knows why.')
        if again_at and not -A_DAY <= again_at - self.clock() < FURTHEST:
            raise WrongTimeError
        if again_at and ended.leads in ENDED:
            if not ended.may_follow_up:
                raise NotAgainError(f'"{outcome}" ends the request: it is not rung again.')
            ended = replace(ended, leads=State.DUE_AGAIN)
        now = self.clock()
        async with self.database.writing() as session:
            request = await self._held(session, claim, states.FINISH, UNHELD)
            request.state, request.outcome = ended.leads.value, ended.name
            dialled = await was_dialled(session, claim.request_id, claim.token)
            request.attempts += ended.counts and not dialled
            if ended.leads in ENDED:
                request.ended_at = now
            else:
                request.promised_at = request.promised_at or request.due_at
                request.due_at = self._due_again(ended, request.slot, again_at)
            if by_hand.strip():
                how = self._sealed(by_hand)
                session.add(event(request, now, claim.holder, states.BY_HAND, how))
            session.add(event(request, now, claim.holder, ended.name, self._sealed(note)))
        return request

    def _due_again(self, outcome: Outcome, slot: str, again_at: datetime | None) -> datetime:
        """When a request that stays open after this outcome is rung again."""
        now, hours = self.clock(), self.hours()
        if again_at is not None:
            return hours.within(max(again_at, now), "any")
        return hours.within(now + (outcome.retry_after or timedelta()), slot)

    async def _claimed(self, request_id: int, who: str, move: Move, free: Any) -> Claim | None:
        change = update(CallBackRequest).where(col(CallBackRequest.id) == request_id, free)
        async with self.database.writing() as session:
            returning = change.values(self._holding(who)).returning(CallBackRequest)
            request = (await session.exec(returning)).scalar_one_or_none()
            if request is None:
                return None
            session.add(event(request, self.clock(), who, move.name))
        return _claim(request)

    def _holding(self, who: str) -> Mapping[str, Any]:
        """What a request has that somebody just claimed."""
        return {
            "state": State.CLAIMED.value,
            "holder": who,
            "claim_token": secrets.token_hex(8),
            "claim_expires_at": self.clock() + CLAIM_LASTS,
        }

    def _sealed(self, note: str) -> str:
        return self.keys.seal(note.strip()) if note.strip() else ""

    async def _held(
        self, session: AsyncSession, claim: Claim, move: Move, values: Mapping[str, Any]
    ) -> CallBackRequest:
        """Change a request that is held under this claim, expired or not, as long as nobody else
        has claimed it."""
        change = (
            update(CallBackRequest)
            .where(
                col(CallBackRequest.id) == claim.request_id,
                col(CallBackRequest.claim_token) == claim.token,
                col(CallBackRequest.state).in_(_values(move)),
            )
            .values(dict(values))
            .returning(CallBackRequest)
        )
        request: CallBackRequest | None = (await session.exec(change)).scalar_one_or_none()
        if request is None:
            raise NotYoursError
        return request

    def _wanted_now(self) -> Any:
        """It is the time of day that the caller chose, or is late, or urgent."""
        now = self.clock()
        slot, due = col(CallBackRequest.slot), col(CallBackRequest.due_at)
        return or_(slot.in_(("any", self.hours().half(now))), due <= now, IS_URGENT)

    def _free(self) -> Any:
        """Nobody holds it, or whoever did has let the claim expire."""
        state, expires = col(CallBackRequest.state), col(CallBackRequest.claim_expires_at)
        expired = state.in_(_values(states.RENEW)) & (expires <= self.clock())
        return or_(state.in_(_values(states.CLAIM)), expired)


def _values(move: Move) -> list[str]:
    return [state.value for state in move.origins]


def _claim(request: CallBackRequest) -> Claim:
    if request.id is None or request.claim_expires_at is None:
        raise NotYoursError
    return Claim(
        request_id=request.id,
        reference=request.reference,
        holder=request.holder,
        token=request.claim_token,
        expires_at=request.claim_expires_at,
    )


def _outcome(name: str) -> Outcome:
    if name not in OUTCOMES:
        raise UnknownOutcomeError(f'There is no outcome "{name}"; there are {", ".join(OUTCOMES)}.')
    return OUTCOMES[name]
