"""The safeguarding alarm: a text to each safeguarding phone when a request is marked urgent.

Pages, health checks and metrics report an alarm that reaches none of the phones at once. This
module knows which phones can be reached, and how far each alarm has come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.messages.outbox import HELPLINE, Draft, Kind, Outbox
from ivr.messages.states import State
from ivr.messages.tables import IS_KEPT, TextMessage
from ivr.numbers import is_drama

RECENT = timedelta(days=1)  # an alarm that reached no phone is a fault for so long
SLOW = timedelta(minutes=3)  # an alarm that has not arrived by then is late
WITH_US = (State.WAITING, State.SENDING)  # Twilio does not have it
UNDER_WAY = (*WITH_US, State.QUEUED, State.SENT)

NO_PHONES = "no phone is set in IVR_SAFETY_PHONES"
NO_TEXTS = "texts are not set up (IVR_TEXT_FROM and the account at Twilio)"


class Reach(StrEnum):
    """How far the last alarm of a request has come."""

    NO_TEXT = "no text"  # none was written: there was no phone, or no way to send
    UNKNOWN = "unknown"  # alarms from before they named their request cannot be told apart
    UNDER_WAY = "under way"
    LATE = "late"  # under way for too long
    DELIVERED = "delivered"  # to one phone at least
    NO_PHONE = "no phone"  # failed, stopped, or unknown, for each of them


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of an alarm."""

    made_at: datetime  # the same for all texts of one alarm
    state: State
    tries: int  # how often Twilio could not be reached


@dataclass(frozen=True)
class Alarm:
    """Writes alarms into the outbox, and knows whom they reach."""

    outbox: Outbox
    phones: tuple[str, ...]  # E.164 (IVR_SAFETY_PHONES)
    public_url: str
    can_text: bool

    async def ring(self, session: AsyncSession, request_id: int, reference: str) -> int:
        """Write the texts in the transaction that marks the request: both are kept, or neither.
        Return to how many phones they go: a phone that said STOP gets none, nor does a number that
        Ofcom keeps for drama.

        They hold nothing of the caller and no reason; nor how to stop them: the phones are staff's.
        """
        body = (
            "Helpline: please look at this now.\n"
            f"Request {reference} was marked urgent.\n{self.public_url}/staff/requests/{request_id}"
        )
        marked, reached = self.outbox.clock(), 0
        for phone in self.phones if self.can_text else ():
            if is_drama(phone):
                continue
            effect = f"urgent {request_id} {marked.isoformat()} {phone}"
            draft = Draft(effect, Kind.ALARM, phone, body, HELPLINE, request_id)
            put = await self.outbox.add(session, draft, marked)
            reached += not put.stopped
        return reached

    async def reach(self, request_id: int) -> Reach:
        """Return how far the last alarm of a request has come. Raises NoDatabaseError."""
        request, kind = col(TextMessage.request_id), col(TextMessage.kind)
        newest = col(TextMessage.made_at).desc()
        query = _ALARMS.where(request == request_id).order_by(newest)
        unnamed = select(TextMessage.id).where(kind == Kind.ALARM.value, request.is_(None))
        async with self.outbox.database.reading() as session:
            found = [_text(row) for row in (await session.exec(query)).all()]
            if not found and (await session.exec(unnamed.limit(1))).first() is not None:
                return Reach.UNKNOWN
        return self._reach([one for one in found if one.made_at == found[0].made_at])

    async def fault(self) -> str:
        """Return why alarms do not reach every phone, in words that name phones by their place in
        the setting; "" if nothing is known to be wrong. Raises NoDatabaseError."""
        if not (self.phones and self.can_text):
            why = NO_TEXTS if self.phones else NO_PHONES
            return f"an alarm can be sent to nobody, as {why}"
        drama = [str(place) for place, phone in enumerate(self.phones, 1) if is_drama(phone)]
        if drama:
            return (
                f"no alarm reaches phone {', '.join(drama)} of IVR_SAFETY_PHONES: it is one of"
                " Ofcom's numbers for drama, which are nobody's"
            )
        stopped = await self._stopped()
        if stopped:
            return (
                f"no alarm reaches phone {', '.join(stopped)} of IVR_SAFETY_PHONES: it wants no"
                " texts (STOP), and must send START to the helpline"
            )
        lost = await self._lost()
        alarms = "1 alarm" if lost == 1 else f"{lost} alarms"
        return f"{alarms} of the last day reached no phone" if lost else ""

    async def _stopped(self) -> list[str]:
        """The places in the setting of the phones that said STOP."""
        has = self.outbox.wants_none
        return [str(place) for place, phone in enumerate(self.phones, 1) if await has(phone)]

    async def _lost(self) -> int:
        """How many of the recent alarms reached none of their phones, or are still with us though
        they are late."""
        request, made = col(TextMessage.request_id), col(TextMessage.made_at)
        recent = _ALARMS.where(IS_KEPT, made > self.outbox.clock() - RECENT)
        async with self.outbox.database.reading() as session:
            found = (await session.exec(recent.order_by(request, made))).all()
        alarms = groupby(found, key=lambda row: (row[0], row[1]))
        return sum(self._is_lost([_text(row) for row in rows]) for _, rows in alarms)

    def _is_lost(self, texts: list[_Text]) -> bool:
        reach = self._reach(texts)
        stuck = all(one.state in WITH_US for one in texts)
        return reach is Reach.NO_PHONE or (reach is Reach.LATE and stuck)

    def _reach(self, texts: list[_Text]) -> Reach:
        """How far an alarm has come that has these texts."""
        if not texts:
            return Reach.NO_TEXT
        states = [one.state for one in texts]
        if State.DELIVERED in states:
            return Reach.DELIVERED
        if not any(state in UNDER_WAY for state in states):
            return Reach.NO_PHONE
        is_slow = texts[0].made_at <= self.outbox.clock() - SLOW
        is_slow |= all(one.tries > 0 for one in texts)
        return Reach.LATE if is_slow else Reach.UNDER_WAY


# Of a text that was sent again, only the last sending counts.
_ALARMS: Any = select(
    TextMessage.request_id, TextMessage.made_at, TextMessage.state, TextMessage.tries
).where(
    col(TextMessage.kind) == Kind.ALARM.value,
    col(TextMessage.state) != State.REPEATED.value,
)


def _text(row: Any) -> _Text:
    _, made_at, state, tries = row
    return _Text(made_at, State(state), tries)
