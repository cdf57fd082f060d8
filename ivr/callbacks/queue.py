"""What staff read of the call-back requests, as plain records. Numbers are masked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from ivr.callbacks.keys import Keys, UnreadableNumberError
from ivr.callbacks.numbers import masked, printed
from ivr.callbacks.service import utc_text
from ivr.callbacks.tables import (
    BY_DUE,
    IS_OPEN,
    CallBackEffect,
    CallBackEvent,
    CallBackRequest,
    event,
)
from ivr.database import Database

UNREADABLE = "unreadable"  # instead of a number whose key is lost
ERASED = "erased"  # instead of one that was kept long enough


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
class Happening:
    """One thing that happened to a request."""

    at: str  # UTC, ISO 8601
    who: str
    what: str
    note: str  # "" if there is none, or if it is not for whoever asks


@dataclass(frozen=True)
class Queue:
    """Reads the call-back requests."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware

    async def open(self) -> list[CallBack]:
        """Return all requests that still need a call, the next due first."""
        return await self._shown(IS_OPEN)

    async def all(self) -> list[CallBack]:
        """Return every request, the next due first."""
        return await self._shown()

    async def find(self, reference: str) -> list[CallBack]:
        """Return every request for which a caller was told this reference; "482 195" will do."""
        return await self._shown(_told(reference))

    async def ids(self, reference: str) -> list[int]:
        """Return the ids of the same requests, the next due first."""
        async with self.database.reading() as session:
            found = await self._requests(session, _told(reference))
        return [one.id for one in found if one.id is not None]

    async def one(self, request_id: int) -> CallBack:
        """Return the request with this id."""
        (found,) = await self._shown(col(CallBackRequest.id) == request_id)
        return found

    async def reveal(self, reference: str, who: str) -> list[CallBack]:
        """Return the same with the whole numbers, after recording who asked to see them.

        Raises UnreadableNumberError if a number's key is lost.
        """
        return await self._revealed(who, _told(reference))

    async def reveal_one(self, request_id: int, who: str) -> CallBack:
        """Return the request with this id and its whole number, as ``reveal`` does."""
        (found,) = await self._revealed(who, col(CallBackRequest.id) == request_id)
        return found

    async def history(self, request_id: int, notes: bool = False) -> list[Happening]:
        """Return what happened to a request, in order; with the notes of staff if wanted.

        Raises UnreadableNumberError if a note's key is lost.
        """
        query = select(CallBackEvent).where(col(CallBackEvent.request_id) == request_id)
        async with self.database.reading() as session:
            found = (await session.exec(query.order_by(col(CallBackEvent.id)))).all()
        return [
            Happening(
                at=utc_text(one.at),
                who=one.who,
                what=one.what,
                note=self.keys.unseal(one.note) if notes and one.note else "",
            )
            for one in found
        ]

    async def _revealed(self, who: str, *conditions: Any) -> list[CallBack]:
        now = self.clock()
        async with self.database.writing() as session:
            requests = await self._requests(session, *conditions)
            for request in requests:
                session.add(event(request, now, who, "number revealed"))
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

    def _masked(self, request: CallBackRequest) -> str:
        if not request.number:
            return ERASED
        try:
            return masked(self.keys.unseal(request.number))
        except UnreadableNumberError:
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
            repeats=request.repeats,
            attempts=request.attempts,
            holder=request.holder,
        )


def _told(reference: str) -> Any:
    """Match the requests for which this reference was told, the first time or a later one."""
    digits = "".join(reference.split())
    told = select(CallBackEffect.request_id).where(col(CallBackEffect.reference) == digits)
    return col(CallBackRequest.id).in_(told)
