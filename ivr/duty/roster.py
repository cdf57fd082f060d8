"""Who is on duty, whose turn it is to be rung, and who is on a call.

A person is reserved by one conditional UPDATE whose row count decides, the same on SQLite and
PostgreSQL, so that two callers never ring the same person. A reservation is a lease: if the end of
a ring never reaches us (a killed worker, a lost status), the person is free again when it runs out.
"""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import case, exists, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database, NoDatabaseError
from ivr.duty.ended_calls import EndedCalls, has_ended
from ivr.duty.keys import Keys
from ivr.duty.tables import Duty, EndedCall, Ring
from ivr.errors import HelplineError
from ivr.names import BARRED, name_key
from ivr.numbers import masked
from ivr.vault import UnreadableError

RINGS_FOR = timedelta(minutes=2)  # the lease while a phone rings; it rings for 15 s
TALKS_FOR = timedelta(minutes=75)  # the lease on a call: a connection is ended after an hour
REST = timedelta(minutes=10)  # after a call, before the next one
LONGEST_NAME = 64
EVERY_S = 3600  # seconds between two times of forgetting
NOBODY = {"ring_id": None, "held_until": None}
GONE = {"number": "", "number_hash": ""}  # what somebody has who is off duty


class BadNameError(HelplineError):
    """A name has 2 to 64 characters: the one under which this person works with call-backs."""


class PhoneTakenError(HelplineError):
    """Somebody else is on duty with this phone; it would ring for two people."""


class NotOnDutyError(HelplineError):
    """Nobody of this name is on duty; `ivr duty list` shows who is."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty, as others see them."""

    name: str
    number: str  # masked
    since: datetime
    until: datetime
    state: str  # free, being rung, on a call, resting after one, or ringing a caller back


@dataclass(frozen=True, slots=True)
class Called:
    """Whom to ring: the ring's id, theirs, and their number in E.164."""

    ring: int
    person: int
    number: str


#: Gives the names of those who are on other calls, or had one less than so long ago.
Elsewhere: TypeAlias = Callable[[timedelta], Awaitable[Collection[str]]]


async def _nobody(rest: timedelta) -> Collection[str]:
    return ()


@dataclass(frozen=True)
class Roster:
    """Knows who is on duty, and reserves whoever is to be rung."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware
    elsewhere: Elsewhere = _nobody
    barred: frozenset[str] = BARRED  # keys of names that are not rung

    # --- going on and off duty ------------------------------------------------------------------

    async def on(self, name: str, number: str, until: datetime) -> None:
        """Let somebody be rung at this number (E.164) until then. On duty already, they change
        both. Raises BadNameError, PhoneTakenError."""
        shown, now = " ".join(unicodedata.normalize("NFKC", name).split()), self.clock()
        if not 2 <= len(shown) <= LONGEST_NAME:
            raise BadNameError
        if name_key(name) in self.barred:
            raise BadNameError(
                f'"{shown}" is the account of demo mode, and is not rung here; give the name under'
                " which this person works with call-backs."
            )
        known_by = self.keys.number_hash(number)
        try:
            async with self.database.writing() as session:
                await session.exec(_forgotten(now))
                before = await _person(session, name)
                person = before or Duty(
                    name=shown,
                    name_key=name_key(name),
                    number="",
                    number_hash="",
                    since=now,
                    until=until,
                )
                if not person.number:  # they were off duty
                    person.since = now
                person.name, person.until = shown, until
                person.number, person.number_hash = self.keys.seal(number), known_by
                session.add(person)
        except IntegrityError:
            raise PhoneTakenError from None

    async def off(self, name: str) -> None:
        """Let somebody be rung no more, and forget their number. A call that they have goes on.
        Raises NotOnDutyError."""
        now = self.clock()
        on_duty = update(Duty).where(col(Duty.name_key) == name_key(name), *_on_duty(now))
        async with self.database.writing() as session:
            if not (await session.exec(on_duty.values(**GONE, until=now))).rowcount:
                raise NotOnDutyError

    async def forget(self) -> None:
        """Erase the numbers of those whose time on duty is over, and the ended calls that no late
        webhook can belong to. Raises NoDatabaseError."""
        async with self.database.writing() as session:
            await session.exec(_forgotten(self.clock()))
        await self._ended_calls.forget()

    async def run(self) -> None:
        """Forget every hour, until cancelled."""
        while True:
            with suppress(NoDatabaseError):  # the eraser says so, and the next hour comes
                await self.forget()
            await asyncio.sleep(EVERY_S)

    async def listed(self) -> list[OnDuty]:
        """Return everybody on duty, in the order in which they will be rung."""
        now, busy = self.clock(), await self._busy()
        query = select(Duty).where(*_on_duty(now)).order_by(*_fairly())
        async with self.database.reading() as session:
            found = (await session.exec(query)).all()
            rings = [one.ring_id for one in found]
            taken = (
                await session.exec(select(Ring.id).where(col(Ring.id).in_(rings), TAKEN))
            ).all()
        return [
            OnDuty(
                name=one.name,
                number=self._masked(one),
                since=one.since,
                until=one.until,
                state=self._state(one, busy, one.ring_id in taken),
            )
            for one in found
        ]

    def _state(self, person: Duty, busy: Collection[str], taken: bool) -> str:
        if person.name_key in self.barred:
            return "not rung: demo mode only"
        if person.name_key in busy:
            return "ringing a caller back"
        return _state(person, taken, self.clock())

    def _masked(self, person: Duty) -> str:
        try:
            return masked(self.keys.unseal(person.number))
        except UnreadableError:
            return "unreadable"

    async def number_of(self, name: str) -> str:
        """Return the number at which somebody is on duty (E.164); "" if they are not."""
        mine = select(Duty).where(col(Duty.name_key) == name_key(name), *_on_duty(self.clock()))
        async with self.database.reading() as session:
            person = (await session.exec(mine)).one_or_none()
        return self._number(person) if person else ""

    # --- ringing --------------------------------------------------------------------------------

    async def anybody_free(self) -> bool:
        """Whether somebody could be rung now."""
        unavailable = await self._unavailable()
        async with self.database.reading() as session:
            query = select(Duty.id).where(*_free(self.clock(), unavailable)).limit(1)
            return (await session.exec(query)).first() is not None

    async def reserve(
        self, effect: str, tried: Collection[int] = (), first: str = "", call: str = ""
    ) -> Called | None:
        """Reserve the person to be rung next for this call (Twilio's id), or return None if no one
        is free or the call has ended.

        The person who was rung longest ago comes first, but ``first`` (a name) before all; those
        whose ids are among ``tried`` are passed over. The same effect (call, turn, step) again
        reserves no one else and gets the same answer, until the call has ended.
        """
        known_by, call_hash = self.keys.effect_hash(effect), self.keys.call_hash(call)
        called = await self._reserved_once(known_by, call_hash, tried, first)
        # Looked up after the commit of the ring: ``call_ended`` says why.
        if called is not None and await self._ended_calls.has(call_hash):
            await self.end(called.ring)
            return None
        return called

    async def _reserved_once(
        self, effect: str, call_hash: str, tried: Collection[int], first: str
    ) -> Called | None:
        """Reserve a person, unless the same effect did so before or the call has ended."""
        unavailable = await self._unavailable()
        while True:
            try:
                async with self.database.writing() as session:
                    query = select(Ring).where(col(Ring.effect) == effect)
                    ring = (await session.exec(query)).one_or_none()
                    if ring is not None:
                        return await self._called(session, ring)
                    if await has_ended(session, call_hash):
                        return None
                    ring = Ring(effect=effect, call_hash=call_hash, began_at=self.clock())
                    return await self._reserved(session, ring, tried, first, unavailable)
            except IntegrityError:  # the same effect at the same moment: now it is there
                continue

    async def _reserved(
        self,
        session: AsyncSession,
        ring: Ring,
        tried: Collection[int],
        first: str,
        unavailable: Collection[str],
    ) -> Called | None:
        now = ring.began_at
        session.add(ring)
        await session.flush()  # a repeat waits here until this one is done
        theirs = {"ring_id": ring.id, "held_until": now + RINGS_FOR, "rung_at": now}
        free = select(Duty).where(*_free(now, unavailable), col(Duty.id).not_in(tried))
        for person in (await session.exec(free.order_by(*_fairly(first)))).all():
            number = self._number(person)
            reserving = update(Duty).where(col(Duty.id) == person.id, *_free(now)).values(theirs)
            if number and (await session.exec(reserving)).rowcount:
                ring.duty_id = person.id
                return Called(ring.id or 0, person.id or 0, number)
        return None

    async def _called(self, session: AsyncSession, ring: Ring) -> Called | None:
        """Whom a ring that was reserved before is to, if they can still be rung."""
        person = await session.get(Duty, ring.duty_id) if ring.duty_id else None
        number = self._number(person) if person else ""
        return Called(ring.id or 0, person.id or 0, number) if person and number else None

    async def _busy(self) -> Collection[str]:
        """Who is on a call that did not come by the roster, by the keys of their names."""
        return [name_key(name) for name in await self.elsewhere(REST)]

    async def _unavailable(self) -> Collection[str]:
        """The keys of the names that are not rung now: on other calls, or barred."""
        return {*await self._busy(), *self.barred}

    def _number(self, person: Duty) -> str:
        """Their number; "" if it is gone, or its key is lost: the others can still be rung."""
        try:
            return self.keys.unseal(person.number) if person.number else ""
        except UnreadableError:
            return ""

    async def take(self, ring_id: int) -> bool:
        """Record that the person who was rung takes the call: they pressed 1. Return whether it is
        theirs, which it is not if the ring or the caller's call has ended before. Idempotent."""
        now = self.clock()
        is_open = (~TAKEN, col(Ring.ended_at).is_(None), ~HAS_CALL_ENDED)
        taking = update(Ring).where(col(Ring.id) == ring_id, *is_open)
        async with self.database.writing() as session:
            if (await session.exec(taking.values(taken_at=now))).rowcount:
                theirs = update(Duty).where(col(Duty.ring_id) == ring_id)
                await session.exec(theirs.values(held_until=now + TALKS_FOR))
            return await _was_taken(session, ring_id)

    async def end(self, ring_id: int) -> bool:
        """Record that a ring is over, and free whoever was rung, unless another ring has them by
        now. Return whether they had taken it; again is the same as once."""
        now = self.clock()
        ending = update(Ring).where(col(Ring.id) == ring_id, col(Ring.ended_at).is_(None))
        async with self.database.writing() as session:
            ended = (await session.exec(ending.values(ended_at=now))).rowcount
            taken = await _was_taken(session, ring_id)
            if ended:
                theirs = update(Duty).where(col(Duty.ring_id) == ring_id)
                rests = {"call_ended_at": now} if taken else {}
                await session.exec(theirs.values({**NOBODY, **rests}))
            return taken

    # --- the end of a caller's call --------------------------------------------------------------

    async def call_ended(self, call: str) -> None:
        """Record that a caller's call (Twilio's id) is over: its rings end, the people who were
        rung are free, and no other ring is reserved for it. Idempotent. Raises NoDatabaseError.

        A late or repeated turn may be reserving a ring at this moment, in another process. Here
        the end of the call is committed before the rings are looked up; ``reserve`` commits its
        ring before it looks up the end of the call. Each look-up is a transaction of its own that
        sees all that was committed before it began. So if ``reserve`` does not see the end, the
        end was committed after that look-up, hence after the ring, and the ring is seen here.
        While no one is on duty, no one can be reserved, and nothing is written.
        """
        call_hash = self.keys.call_hash(call)
        if not call_hash:
            return
        if await self._is_anybody_on_duty():
            await self._ended_calls.add(call_hash)
        for ring_id in await self._open_rings(call_hash):
            await self.end(ring_id)

    async def _is_anybody_on_duty(self) -> bool:
        async with self.database.reading() as session:
            query = select(Duty.id).where(*_on_duty(self.clock())).limit(1)
            return (await session.exec(query)).first() is not None

    async def _open_rings(self, call_hash: str) -> Collection[int]:
        async with self.database.reading() as session:
            still_open = (col(Ring.call_hash) == call_hash, col(Ring.ended_at).is_(None))
            found = (await session.exec(select(Ring.id).where(*still_open))).all()
            return [ring_id for ring_id in found if ring_id is not None]

    @property
    def _ended_calls(self) -> EndedCalls:
        return EndedCalls(self.database, self.clock)


TAKEN: Any = col(Ring.taken_at).is_not(None)
HAS_CALL_ENDED: Any = exists().where(col(EndedCall.call_hash) == col(Ring.call_hash))


def _on_duty(now: datetime) -> tuple[Any, ...]:
    return (col(Duty.number) != "", col(Duty.until) > now)


def _forgotten(now: datetime) -> Any:
    """The statement that erases the numbers of those whose time on duty is over."""
    over = update(Duty).where(col(Duty.number) != "", col(Duty.until) <= now)
    return over.values(GONE)


def _free(now: datetime, unavailable: Collection[str] = ()) -> tuple[Any, ...]:
    """On duty, available, held by no ring or by one whose lease ran out, and no call in the last
    minutes."""
    held, ended = col(Duty.held_until), col(Duty.call_ended_at)
    return (
        *_on_duty(now),
        or_(held.is_(None), held <= now),
        or_(ended.is_(None), ended <= now - REST),
        col(Duty.name_key).not_in(unavailable),
    )


def _fairly(first: str = "") -> tuple[Any, ...]:
    """Whoever was rung longest ago, or never; this person before all."""
    theirs = case((col(Duty.name_key) == name_key(first), 0), else_=1)
    never = case((col(Duty.rung_at).is_(None), 0), else_=1)
    return (theirs, never, col(Duty.rung_at), col(Duty.since), col(Duty.id))


def _state(person: Duty, taken: bool, now: datetime) -> str:
    if person.held_until and person.held_until > now:
        return "on a call" if taken else "being rung"
    resting = person.call_ended_at and person.call_ended_at > now - REST
    return "resting" if resting else "free"


async def _person(session: AsyncSession, name: str) -> Duty | None:
    return (
        await session.exec(select(Duty).where(col(Duty.name_key) == name_key(name)))
    ).one_or_none()


async def _was_taken(session: AsyncSession, ring_id: int) -> bool:
    query = select(Ring.id).where(col(Ring.id) == ring_id, TAKEN)
    return (await session.exec(query)).first() is not None
