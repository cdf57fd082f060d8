"""The one place where a caller's wish changes the database: exactly once, however often it comes.

A number has at most one open request; the database's own unique index sees to that. A second wish
joins the first, which keeps its place. Wishes may come late and out of order, from a spool: what
comes of them depends on when they were wished.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.callbacks.keys import Keys
from ivr.callbacks.states import CANCEL, OPEN, State
from ivr.callbacks.tables import UNHELD, CallBackEffect, CallBackRequest, event
from ivr.callbacks.wishes import Kept, Kind, Wish
from ivr.database import Database
from ivr.spool import NotYetError

CALLER = "caller"  # who did it, in an event
BY_TEXT = "asked by text"  # the event
NOT_SAFE = "pressed: not safe"  # the event
# What lets others know of the call-back. Whoever typed the number of somebody who had asked before
# cannot give that leave in their place.
CONSENTS = ("message", "someone-else")
TRIES = 5  # a race is lost to a wish that was entered, so one more try finds it


class Ledger:
    """Enters wishes into the database."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database, self._keys = database, keys

    async def enter(self, wish: Wish) -> Kept:
        """Enter a wish; when this returns, it is durable.

        The outcome is ``saved``, ``already`` (joined to an open request), ``kept``, ``cancelled``,
        ``noted`` (a need), or ``none`` when there is no open request to keep or cancel.

        Raises NoDatabaseError; NotYetError if it adds to a wish that has not been entered.
        """
        for _ in range(TRIES):
            try:
                async with self.database.writing() as session:
                    return await self._entered(session, wish)
            except IntegrityError as race:  # the same effect, or another wish of this number
                lost = race
        raise lost

    async def open(self, number: str) -> CallBackRequest | None:
        """Return this number's open request, if there is one."""
        query = select(CallBackRequest).where(*self._open(number))
        async with self.database.reading() as session:
            return (await session.exec(query)).one_or_none()

    async def _entered(self, session: AsyncSession, wish: Wish) -> Kept:
        told = await session.get(CallBackEffect, wish.effect)
        if told is not None:
            return Kept(told.outcome, told.reference)
        request, outcome = await self._changed(session, wish)
        if request is None:  # nothing is changed, now or when the wish is repeated
            session.add(_effect(wish, outcome, wish.request))
            return Kept(wish.told or outcome, wish.reference)
        await session.flush()  # gives a new request its id
        if wish.safety and not request.safety:  # once; nothing takes it back
            request.safety = wish.safety
            session.add(event(request, wish.at, CALLER, NOT_SAFE))
        if wish.kind is not Kind.SAFETY:
            told_as = _told_as(wish, outcome)
            session.add(event(request, wish.at, CALLER, told_as, self._words(wish)))
        effect = _effect(wish, outcome, request.id or 0)
        session.add(effect)
        return Kept(effect.outcome, effect.reference)

    async def _changed(
        self, session: AsyncSession, wish: Wish
    ) -> tuple[CallBackRequest | None, str]:
        """The request as this wish leaves it, and what is to be told."""
        if wish.kind is Kind.NEED:
            return await _with_need(session, wish), "noted"
        if wish.kind is Kind.SAFETY:
            return await self._pressed(session, wish), "noted"
        cancels = wish.kind is Kind.CANCEL
        states = CANCEL.origins if cancels else OPEN
        conditions = self._open(wish.number, states)
        opens = wish.kind in (Kind.SAVE, Kind.TEXT)
        if not opens:  # that one, and none which was asked for since
            conditions = (*conditions, col(CallBackRequest.id) == wish.request)
        request = await _taken(session, *conditions)
        if request is None:
            if not opens:
                return None, "none"
            request = self._new(wish)
            session.add(request)
            return request, "saved"
        last = await _last_wish(session, request)
        if cancels:
            return (None, "none") if last > wish.at else (_cancelled(request, wish), CANCEL.name)
        request.repeats += 1
        if wish.kind is Kind.KEEP:
            return request, "kept"
        if wish.kind is Kind.TEXT:
            request.access = _with(request.access, wish)
        else:
            join(request, wish, last)
        return request, "already"

    async def _pressed(self, session: AsyncSession, wish: Wish) -> CallBackRequest | None:
        """The request to be tagged: that of the earlier wish, or the open one that was told of."""
        if wish.of:
            return (await _of_earlier(session, wish))[0]
        theirs = (*self._open(wish.number), col(CallBackRequest.id) == wish.request)
        return await _taken(session, *theirs)

    def _words(self, wish: Wish) -> str:
        return self._keys.seal(wish.words) if wish.words else ""

    def _open(self, number: str, states: Sequence[State] = OPEN) -> tuple[Any, ...]:
        return (
            col(CallBackRequest.number_hash) == self._keys.number_hash(number),
            col(CallBackRequest.state).in_([state.value for state in states]),
        )

    def _new(self, wish: Wish) -> CallBackRequest:
        if wish.due_at is None:
            raise ValueError("a call-back without a time was to be saved")
        return CallBackRequest(
            reference=wish.reference,
            number=self._keys.seal(wish.number),
            number_hash=self._keys.number_hash(wish.number),
            requested_at=wish.at,
            due_at=wish.due_at,
            slot=wish.slot,
            topic=wish.topic,
            council=wish.council,
            access=_with([], wish) if wish.kind is Kind.TEXT else [],
        )


def join(request: CallBackRequest, wish: Wish, last: datetime) -> None:
    """Add a wish to an open request; ``last`` is when its latest wish so far was made.

    The place is that of the first wish. What was chosen last counts; for the same slot the earlier
    promise stands.
    """
    latest = wish.at >= last
    sooner = bool(wish.due_at and wish.slot == request.slot and wish.due_at < request.due_at)
    moved = bool(wish.due_at and wish.slot != request.slot and latest)
    if wish.due_at and (sooner or moved):
        _promise(request, wish.slot, wish.due_at)
    for name, told in (("topic", wish.topic), ("council", wish.council)):
        if told and (latest or not getattr(request, name)):
            setattr(request, name, told)
    if wish.at < request.requested_at:
        request.requested_at, request.reference = wish.at, wish.reference


def _promise(request: CallBackRequest, slot: str, due_at: datetime) -> None:
    """We ring by then, as if it had not been tried before."""
    request.slot, request.due_at, request.outcome = slot, due_at, ""
    if request.state == State.DUE_AGAIN:
        request.state = State.WAITING.value


def _effect(wish: Wish, outcome: str, request_id: int) -> CallBackEffect:
    return CallBackEffect(
        effect=wish.effect,
        outcome=wish.told or outcome,
        reference=wish.reference,
        request_id=request_id,
        at=wish.at,
    )


def _cancelled(request: CallBackRequest, wish: Wish) -> CallBackRequest:
    """The request, closed. (One that was asked for anew since then is not: see the caller.)"""
    closed = {"state": State.CLOSED.value, "outcome": CANCEL.name, "ended_at": wish.at}
    for name, value in {**UNHELD, **closed}.items():
        setattr(request, name, value)
    return request


async def _taken(session: AsyncSession, *conditions: Any) -> CallBackRequest | None:
    """The request that meets these conditions. By being written to, it is ours until the
    transaction ends: whoever wants it too waits, and looks again."""
    change = update(CallBackRequest).where(*conditions).values(repeats=CallBackRequest.repeats)
    return (await session.exec(change.returning(CallBackRequest))).scalar_one_or_none()


async def _of_earlier(session: AsyncSession, wish: Wish) -> tuple[CallBackRequest, CallBackEffect]:
    """The request of the earlier wish that this one adds to, and that wish's effect. Raises
    NotYetError while it has not been entered."""
    earlier = await session.get(CallBackEffect, wish.of)
    if earlier is None:
        raise NotYetError
    request = await _taken(session, col(CallBackRequest.id) == earlier.request_id)
    if request is None:
        raise NotYetError
    return request, earlier


async def _with_need(session: AsyncSession, wish: Wish) -> CallBackRequest:
    """The request of the earlier wish, with this need or without it."""
    request, earlier = await _of_earlier(session, wish)
    joined = earlier.reference != request.reference
    if joined and not wish.own and wish.wanted and wish.need in CONSENTS:
        return request  # staff read in the history that somebody has said so
    request.access = _with(request.access, wish)
    return request


def _with(access: Sequence[str], wish: Wish) -> list[str]:
    """These needs and that of the wish, or without it."""
    others = [need for need in access if need != wish.need]
    return [*others, wish.need] if wish.wanted else others


def _told_as(wish: Wish, outcome: str) -> str:
    """What the history says of a wish."""
    if wish.kind is Kind.NEED:
        return f"{wish.need}: {'yes' if wish.wanted else 'no'}"
    return BY_TEXT if wish.kind is Kind.TEXT else outcome


async def _last_wish(session: AsyncSession, request: CallBackRequest) -> datetime:
    newest = select(func.max(CallBackEffect.at)).where(col(CallBackEffect.request_id) == request.id)
    return (await session.exec(newest)).one() or request.requested_at
