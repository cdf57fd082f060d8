"""Reads the call-back requests for staff. Numbers are masked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlmodel import col, func, select

from ivr.callbacks.keys import Keys
from ivr.callbacks.records import (
    ERASED,
    HEARD,
    RETRY_LASTS,
    SAFETY_FLOW,
    UNREADABLE,
    CallBack,
    Happening,
    Looking,
    Shown,
    View,
)
from ivr.callbacks.service import utc_text
from ivr.callbacks.states import CLAIM, ENDED, State
from ivr.callbacks.tables import (
    BY_DUE,
    BY_END,
    IS_OPEN,
    IS_PRESSED,
    IS_RETRY,
    IS_URGENT,
    CallBackEffect,
    CallBackEvent,
    CallBackRequest,
    event,
    is_retry,
)
from ivr.database import Database
from ivr.hours import LONDON
from ivr.numbers import masked, printed, usable
from ivr.vault import UnreadableError

REVEALED = "number revealed"  # the event
MANY = 1_000  # counting stops here, so that a page takes as long however many there are


@dataclass(frozen=True)
class Queue:
    """Reads the call-back requests."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware

    async def open(self) -> list[CallBack]:
        """Return all requests that still need a call, in the order of the queue."""
        return await self._shown(IS_OPEN)

    async def all(self) -> list[CallBack]:
        """Return every request, in the order of the queue."""
        return await self._shown()

    async def page(self, looking: Looking, first: int, most: int) -> list[Shown]:
        """Return some of the requests that somebody wants to see: urgent ones first, then the next
        due; of those that have ended, the last ended."""
        ended = looking.view is View.ENDED
        order = BY_END if ended else BY_DUE
        query = select(CallBackRequest).where(*self._conditions(looking)).order_by(*order)
        async with self.database.reading() as session:
            found = (await session.exec(query.offset(first).limit(most))).all()
        return [self._page_row(one) for one in found]

    async def count(self, looking: Looking) -> int:
        """Return how many there are; from a thousand on, a thousand and one."""
        some = select(CallBackRequest.id).where(*self._conditions(looking)).limit(MANY + 1)
        async with self.database.reading() as session:
            return (await session.exec(select(func.count()).select_from(some.subquery()))).one()

    async def search(self, text: str) -> list[Shown]:
        """Return the requests with this reference, or of this whole number: urgent ones first, then
        the newest."""
        digits = "".join(letter for letter in text if letter.isdecimal() or letter == "+")
        number = usable(digits, demo=True)
        of_number = col(CallBackRequest.number_hash) == self.keys.number_hash(number)
        query = select(CallBackRequest).where(of_number if number else _told(digits))
        urgent, asked = col(CallBackRequest.urgent), col(CallBackRequest.requested_at)
        newest = query.order_by(urgent.desc(), asked.desc()).limit(50)
        async with self.database.reading() as session:
            return [self._page_row(one) for one in (await session.exec(newest)).all()]

    async def shown(self, request_id: int) -> Shown | None:
        """Return the request with this id, if there is one."""
        async with self.database.reading() as session:
            found = await session.get(CallBackRequest, request_id)
        return self._page_row(found) if found else None

    async def number(self, request_id: int) -> str:
        """Return a whole number in its printed grouping. Only for whoever holds the request: that
        they saw it is recorded with their claim."""
        async with self.database.reading() as session:
            found = await session.get(CallBackRequest, request_id)
        return printed(self._unsealed(found.number)) if found and found.number else ERASED

    async def saw(self, request_id: int, who: str) -> None:
        """Record that somebody is shown the whole number of a request."""
        async with self.database.writing() as session:
            request = await session.get(CallBackRequest, request_id)
            if request is not None:
                session.add(event(request, self.clock(), who, REVEALED))

    async def last_event(self) -> int:
        """Return the number of the last thing that happened to any request."""
        async with self.database.reading() as session:
            return (await session.exec(select(func.max(CallBackEvent.id)))).one() or 0

    async def claimed_after(self, event_id: int, who: str) -> int:
        """Return the id of the request that somebody claimed last after this event, if they hold
        it still; 0 if there is none."""
        query = (
            select(CallBackEvent.request_id)
            .join(CallBackRequest, col(CallBackRequest.id) == col(CallBackEvent.request_id))
            .where(
                col(CallBackEvent.id) > event_id,
                col(CallBackEvent.who) == who,
                col(CallBackEvent.what) == CLAIM.name,
                col(CallBackRequest.holder) == who,
            )
        )
        newest = query.order_by(col(CallBackEvent.id).desc()).limit(1)
        async with self.database.reading() as session:
            return (await session.exec(newest)).first() or 0

    async def find(self, reference: str) -> list[CallBack]:
        """Return every request for which a caller was told this reference; "482 195" will do."""
        return await self._shown(_told(reference))

    async def ids(self, reference: str) -> list[int]:
        """Return the ids of the same requests, in the order of the queue."""
        async with self.database.reading() as session:
            found = await self._requests(session, _told(reference))
        return [one.id for one in found if one.id is not None]

    async def one(self, request_id: int) -> CallBack:
        """Return the request with this id."""
        (found,) = await self._shown(col(CallBackRequest.id) == request_id)
        return found

    async def reveal(self, reference: str, who: str) -> list[CallBack]:
        """Return the same with the whole numbers, after recording who asked to see them.

        Raises UnreadableError if a number's key is lost.
        """
        return await self._revealed(who, _told(reference))

    async def reveal_one(self, request_id: int, who: str) -> CallBack:
        """Return the request with this id and its whole number, as ``reveal`` does."""
        (found,) = await self._revealed(who, col(CallBackRequest.id) == request_id)
        return found

    async def history(self, request_id: int, notes: bool = False) -> list[Happening]:
        """Return what happened to a request, in order; with the notes of staff if wanted."""
        query = select(CallBackEvent).where(col(CallBackEvent.request_id) == request_id)
        async with self.database.reading() as session:
            found = (await session.exec(query.order_by(col(CallBackEvent.id)))).all()
        return [
            Happening(
                at=utc_text(one.at),
                who=one.who,
                what=one.what,
                note=self._unsealed(one.note) if notes and one.note else "",
            )
            for one in found
        ]

    def _conditions(self, looking: Looking) -> list[Any]:
        now, due = self.clock(), col(CallBackRequest.due_at)
        midnight = datetime.combine(now.astimezone(LONDON) + timedelta(days=1), time(), LONDON)
        parts: dict[View, list[Any]] = {
            View.OPEN: [IS_OPEN],
            View.TODAY: [IS_OPEN, due < midnight],
            View.MISSED: [IS_OPEN, due < now, ~IS_RETRY | (due < now - RETRY_LASTS)],
            View.URGENT: [IS_OPEN, IS_URGENT],
            View.SAFETY: [IS_OPEN, IS_PRESSED],
            View.MINE: [IS_OPEN, col(CallBackRequest.holder) == looking.who],
            View.ENDED: [col(CallBackRequest.ended_at).is_not(None)],
        }
        conditions = parts[looking.view]
        if looking.flow:
            topic = col(CallBackRequest.topic)
            inside = topic.startswith(f"{looking.flow}/", autoescape=True)
            conditions.append(inside | (topic == looking.flow))
        if looking.council:
            conditions.append(col(CallBackRequest.council) == looking.council)
        return conditions

    def _page_row(self, request: CallBackRequest) -> Shown:
        return Shown(
            id=request.id or 0,
            record=self._record(request, self._masked(request)),
            requested_at=request.requested_at,
            due_at=request.due_at,
            slot=request.slot,
            outcome=request.outcome,
            claimed_until=request.claim_expires_at,
            is_open=State(request.state) not in ENDED,
            is_retry=is_retry(request),
        )

    async def _revealed(self, who: str, *conditions: Any) -> list[CallBack]:
        now = self.clock()
        async with self.database.writing() as session:
            requests = await self._requests(session, *conditions)
            for request in requests:
                session.add(event(request, now, who, REVEALED))
        return [
            self._record(one, printed(self.keys.unseal(one.number)) if one.number else ERASED)
            for one in requests
        ]

    async def _shown(self, *conditions: Any) -> list[CallBack]:
        async with self.database.reading() as session:
            requests = await self._requests(session, *conditions)
        return [self._record(request, self._masked(request)) for request in requests]

    async def _requests(self, session: Any, *conditions: Any) -> Sequence[CallBackRequest]:
        query = select(CallBackRequest).where(*conditions)
        return list((await session.exec(query.order_by(*BY_DUE))).all())

    def _unsealed(self, sealed: str) -> str:
        """What was sealed, or a word for it if its key is lost: the rest can still be worked on."""
        try:
            return self.keys.unseal(sealed)
        except UnreadableError:
            return UNREADABLE

    def _masked(self, request: CallBackRequest) -> str:
        if not request.number:
            return ERASED
        try:
            return masked(self.keys.unseal(request.number))
        except UnreadableError:
            return UNREADABLE

    def _record(self, request: CallBackRequest, number: str) -> CallBack:
        return CallBack(
            reference=request.reference,
            state=request.state,
            number=number,
            requested_at=utc_text(request.requested_at),
            due_at=utc_text(request.due_at),
            topic=request.topic,
            council=request.council,
            access=request.access,
            urgent=request.urgent,
            safety=_safety(request),
            repeats=request.repeats,
            attempts=request.attempts,
            holder=request.holder,
        )


def _safety(request: CallBackRequest) -> str:
    """Whether safety was pressed or only heard; "" for neither."""
    heard = request.topic.partition("/")[0] == SAFETY_FLOW
    return request.safety or (HEARD if heard else "")


def _told(reference: str) -> Any:
    """Match the requests for which this reference was told, the first time or a later one."""
    digits = "".join(reference.split())
    told = select(CallBackEffect.request_id).where(col(CallBackEffect.reference) == digits)
    return col(CallBackRequest.id).in_(told)
