"""A parent who returns a missed call: who was it that rang?"""

from dataclasses import dataclass

from sqlmodel import col, select

from ivr.callbacks import states
from ivr.callbacks.keys import Keys
from ivr.callbacks.states import OUTCOMES
from ivr.callbacks.tables import IS_OPEN, CallBackEvent, CallBackRequest
from ivr.database import Database

IN_HAND = (states.CLAIM.name, states.TAKE_OVER.name, *OUTCOMES)


@dataclass(frozen=True)
class Returned:
    """Knows who had an open request last."""

    database: Database
    keys: Keys

    async def last_rang(self, number: str) -> str:
        """Return the name of whoever holds the open request of this number (E.164), or else held
        it or rang last; "" if nobody did. Raises NoDatabaseError."""
        theirs = (IS_OPEN, col(CallBackRequest.number_hash) == self.keys.number_hash(number))
        query = select(CallBackRequest).where(*theirs)
        async with self.database.reading() as session:
            request = (await session.exec(query)).one_or_none()
            if request is None or request.holder:
                return request.holder if request else ""
            last = select(CallBackEvent.who).where(
                col(CallBackEvent.request_id) == request.id, col(CallBackEvent.what).in_(IN_HAND)
            )
            newest = last.order_by(col(CallBackEvent.id).desc()).limit(1)
            return (await session.exec(newest)).first() or ""
