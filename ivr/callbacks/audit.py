"""Who did what to the requests and when, the newest first. Without notes and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlmodel import col, select

from ivr.callbacks.tables import CallBackEvent, CallBackRequest
from ivr.database import Database

Span: TypeAlias = tuple[datetime, datetime]  # from the first moment until before the second


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """One thing that happened to a request."""

    id: int
    at: datetime
    who: str
    what: str
    request_id: int
    reference: str


@dataclass(frozen=True)
class RequestEvents:
    """Reads what happened to all requests. Goes back by the primary key, in the order in which it
    was written down: a page takes as long however much there is."""

    database: Database

    async def older(
        self, than: int, most: int, who: str = "", span: Span | None = None
    ) -> Sequence[RequestEvent]:
        """Return some of what was written down before the event with this id: of one person, in
        one span of time."""
        one = CallBackEvent
        # The typing of ``select`` ends at four columns.
        columns = (one.id, one.at, one.who, one.what, one.request_id, CallBackRequest.reference)
        query = select(*columns).join(CallBackRequest).where(col(one.id) < than)  # type: ignore[call-overload]
        if who:
            query = query.where(col(one.who) == who)
        if span:
            query = query.where(col(one.at) >= span[0], col(one.at) < span[1])
        async with self.database.reading() as session:
            found = await session.exec(query.order_by(col(one.id).desc()).limit(most))
            return [RequestEvent(*row) for row in found.all()]

    async def names(self) -> set[str]:
        """Return everybody who did anything."""
        async with self.database.reading() as session:
            return set((await session.exec(select(CallBackEvent.who).distinct())).all())
