"""The outbox: what is to be sent is written down first, and sent by whoever takes it.

Every change is one conditional UPDATE, the same on SQLite and PostgreSQL: two senders never have
the same message, and news of it may come twice, late and out of order.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database
from ivr.messages.keys import Keys
from ivr.messages.optouts import note, wants_none
from ivr.messages.states import TOLD, State, before
from ivr.messages.tables import IS_DUE, IS_KEPT, TextMessage, TextOptOut
from ivr.vault import UnreadableError

LEASE = timedelta(minutes=1)  # a sender asks for ten seconds at most: after that it was killed
PAUSES_S = (5, 30, 120, 600, 3600)  # seconds between tries while Twilio takes nothing
TOO_LATE = timedelta(days=1)  # an answer that is a day old helps nobody
OPTED_OUT = 21610  # Twilio's error: they answered STOP, and Twilio keeps that too
CALLER, HELPLINE, TWILIO = "caller", "helpline", "Twilio"  # who did it, beside staff

log = logging.getLogger(__name__)

#: Takes, within a transaction, the id of the request whose alarm text did not arrive.
AlarmLost: TypeAlias = Callable[[AsyncSession, int], Awaitable[None]]


class Kind(StrEnum):
    """Why a message was written."""

    ANSWER = "answer"  # the caller chose to have by text what they heard
    CONTACT = "contact"  # or how to reach their advice service
    WAY = "way"  # or another way, where nobody vouched for one
    REPLY = "reply"  # to a text that came in
    HELP = "help"  # to the word HELP
    ALARM = "alarm"  # whoever answers for safety is to look at a request
    STAFF = "staff"  # somebody of the staff wrote or chose it
    INBOUND = "inbound"  # it came in


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be sent. The same effect twice is one message."""

    effect: str = field(repr=False)  # it may hold the number
    kind: Kind
    number: str = field(repr=False)  # E.164
    body: str = field(repr=False)  # as the rules have it
    who: str
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """What came of a draft."""

    is_new: bool  # False: the same effect was there before
    stopped: bool  # that number wants no texts
    failed: bool = False  # it was there before, and did not arrive

    @property
    def is_on_its_way(self) -> bool:
        """Whether it is there to be sent, or has been sent already."""
        return not (self.stopped or self.failed)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is ours to send."""

    id: int
    number: str = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True)
class Outbox:
    """Keeps what is to be sent, and how it went."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware
    alarm_lost: AlarmLost | None = None  # records with a request that an alarm text did not arrive

    async def wants_none(self, number: str) -> bool:
        """Whether this number (E.164) said STOP. Raises NoDatabaseError."""
        async with self.database.reading() as session:
            return await wants_none(session, self.keys.number_hash(number))

    async def put(self, draft: Draft) -> Put:
        """Write down a message; when this returns, it is durable. Raises NoDatabaseError."""
        while True:
            try:
                async with self.database.writing() as session:
                    return await self.add(session, draft)
            except IntegrityError:  # the same effect at the same moment: now it is there
                continue

    async def add(
        self, session: AsyncSession, draft: Draft, made_at: datetime | None = None
    ) -> Put:
        """The same within a transaction of somebody else's, and kept with it."""
        effect = self.keys.effect_hash(draft.effect)
        known = select(TextMessage.state).where(col(TextMessage.effect) == effect)
        state = (await session.exec(known)).first()
        if state is not None:
            failed = state in (State.FAILED, State.UNDELIVERED)
            return Put(False, state == State.STOPPED, failed)
        number_hash = self.keys.number_hash(draft.number)
        stopped = await wants_none(session, number_hash)
        session.add(self._row(draft, State.STOPPED if stopped else State.WAITING, made_at))
        return Put(True, stopped)

    async def received(self, draft: Draft, at: datetime) -> None:
        """Write down a message that came in; the same effect once. Raises NoDatabaseError."""
        row = self._row(draft, State.RECEIVED, at)
        try:
            async with self.database.writing() as session:
                session.add(row)
        except IntegrityError:  # it is there
            return

    def _row(self, draft: Draft, state: State, at: datetime | None = None) -> TextMessage:
        """The row of a message in this state, made now or at another moment."""
        made = at or self.clock()
        return TextMessage(
            effect=self.keys.effect_hash(draft.effect),
            kind=draft.kind.value,
            request_id=draft.request_id,
            who=draft.who[:64],
            number=self.keys.seal(draft.number),
            number_hash=self.keys.number_hash(draft.number),
            body=self.keys.seal(draft.body),
            state=state.value,
            made_at=made,
            next_at=made,
        )

    # --- sending --------------------------------------------------------------------------------

    async def due(self, most: int) -> list[int]:
        """Return the ids of some of the messages that are to be sent now."""
        query = select(TextMessage.id).where(
            IS_DUE,
            IS_KEPT,
            col(TextMessage.state) == State.WAITING.value,
            col(TextMessage.next_at) <= self.clock(),
        )
        async with self.database.reading() as session:
            found = await session.exec(query.order_by(col(TextMessage.next_at)).limit(most))
            return [one for one in found if one is not None]

    async def take(self, message_id: int) -> Taken | None:
        """Take a message to send it, or return None: somebody else has it, the number wants no
        texts, it is a day old, or it cannot be read."""
        now = self.clock()
        async with self.database.writing() as session:
            mine = _from(message_id, State.WAITING)
            row = await _changed(session, mine, state=State.SENDING.value, next_at=now + LEASE)
            if row is None:
                return None
            taken = await self._readable(session, row)
            if taken is None:
                await self._note_lost_alarm(session, row)
            return taken

    async def _readable(self, session: AsyncSession, row: TextMessage) -> Taken | None:
        """What is to be sent of a message; None, and its state says why, if nothing is."""
        if await wants_none(session, row.number_hash):
            row.state = State.STOPPED.value
            return None
        try:
            number, body = self.keys.unseal(row.number), self.keys.unseal(row.body)
        except UnreadableError:
            log.error("text %d is not sent: its key is not in IVR_SECRET_KEYS", row.id)
            row.state = State.FAILED.value
            return None
        if row.made_at <= self.clock() - TOO_LATE:
            row.state = State.FAILED.value
            return None
        return Taken(row.id or 0, number, body)

    async def _note_lost_alarm(self, session: AsyncSession, row: TextMessage | None) -> None:
        """Record with its request that an alarm text did not arrive, or may not have."""
        if row is None or row.kind != Kind.ALARM or row.request_id is None:
            return
        if self.alarm_lost is not None:
            await self.alarm_lost(session, row.request_id)

    async def accepted(self, message_id: int, sid: str) -> None:
        """Twilio has taken it, and calls it so."""
        async with self.database.writing() as session:
            await _changed(session, _unnamed(message_id), sid=sid[:64])
            await _changed(session, _onto(message_id, State.QUEUED), state=State.QUEUED.value)

    async def refused(self, message_id: int, error: int) -> None:
        """Twilio has not taken it, and never will."""
        await self._failed(message_id, State.FAILED, error)

    async def unreached(self, message_id: int) -> None:
        """Twilio has not taken it, and may later: it waits, each time for longer."""
        async with self.database.writing() as session:
            row = await session.get(TextMessage, message_id)
            pause = PAUSES_S[min(row.tries if row else 0, len(PAUSES_S) - 1)]
            await _changed(
                session,
                _from(message_id, State.SENDING),
                state=State.WAITING.value,
                tries=TextMessage.tries + 1,
                next_at=self.clock() + timedelta(seconds=pause),
            )

    async def silent(self, message_id: int) -> None:
        """Nobody can say whether Twilio has taken it. It is never sent again by itself."""
        async with self.database.writing() as session:
            sending = _from(message_id, State.SENDING)
            row = await _changed(session, sending, state=State.UNKNOWN.value)
            await self._note_lost_alarm(session, row)

    async def abandoned(self) -> int:
        """Note of what senders took and never told of (they were killed) that nobody knows whether
        it was sent; return how many."""
        lost = (
            IS_DUE,
            col(TextMessage.state) == State.SENDING.value,
            col(TextMessage.next_at) <= self.clock(),
        )
        async with self.database.reading() as session:
            if (await session.exec(select(TextMessage.id).where(*lost).limit(1))).first() is None:
                return 0
        async with self.database.writing() as session:
            gone = update(TextMessage).where(*lost).values(state=State.UNKNOWN.value)
            rows = (await session.exec(gone.returning(TextMessage))).scalars().all()
            for row in rows:
                await self._note_lost_alarm(session, row)
            return len(rows)

    # --- news -----------------------------------------------------------------------------------

    async def told(self, message_id: int, status: str, sid: str, error: str) -> None:
        """Note what Twilio says of a message. What is final stays. Raises NoDatabaseError."""
        state = TOLD.get(status)
        if state in (State.FAILED, State.UNDELIVERED):
            await self._failed(message_id, state, _error(error))
        elif state is not None:
            async with self.database.writing() as session:
                onto = _onto(message_id, state)
                await _changed(session, onto, state=state.value, told_at=self.clock())
                await _changed(session, _unnamed(message_id), sid=sid[:64])

    async def _failed(self, message_id: int, state: State, error: int) -> None:
        now = self.clock()
        async with self.database.writing() as session:
            onto = _onto(message_id, state)
            row = await _changed(session, onto, state=state.value, error=error, told_at=now)
            await self._note_lost_alarm(session, row)
            if row is not None and error == OPTED_OUT:
                stop = TextOptOut(number_hash=row.number_hash, stopped=True, at=now, who=TWILIO)
                await note(session, stop)


def _error(told: str) -> int:
    """Twilio's error number, or 0."""
    return int(told) if re.fullmatch("[0-9]{1,5}", told) else 0


def _unnamed(message_id: int) -> tuple[Any, ...]:
    """The message, as long as we do not know how Twilio calls it."""
    return (col(TextMessage.id) == message_id, col(TextMessage.sid) == "")


def _from(message_id: int, state: State) -> tuple[Any, ...]:
    return (col(TextMessage.id) == message_id, col(TextMessage.state) == state.value)


def _onto(message_id: int, state: State) -> tuple[Any, ...]:
    """The message, if this state may follow on the one that it has."""
    return (col(TextMessage.id) == message_id, col(TextMessage.state).in_(before(state)))


async def _changed(
    session: AsyncSession, conditions: tuple[Any, ...], **values: Any
) -> TextMessage | None:
    """Change the message that meets these conditions, and return it; None if there is none."""
    change = update(TextMessage).where(*conditions).values(values).returning(TextMessage)
    found: TextMessage | None = (await session.exec(change)).scalar_one_or_none()
    return found
