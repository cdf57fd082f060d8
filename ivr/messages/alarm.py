"""The safeguarding alarm: a text to each safeguarding phone when a request is marked urgent.

An alarm that reaches none of the phones must be told at once, wherever somebody looks: it is known
here which phones can be reached, and which alarms reached none.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import groupby

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.messages.outbox import HELPLINE, Draft, Kind, Outbox
from ivr.messages.states import State
from ivr.messages.tables import IS_KEPT, TextMessage

RECENT = timedelta(days=1)  # in which an alarm that reached no phone is told to all who look
UNDER_WAY = (State.WAITING, State.SENDING, State.QUEUED, State.SENT)

NO_PHONES = "no phone is set in IVR_SAFETY_PHONES"
NO_TEXTS = "texts are not set up (IVR_TEXT_FROM and the account at Twilio)"


class Reach(StrEnum):
    """How far the last alarm of a request has come."""

    NO_TEXT = "no text"  # none was written: there was no phone, or no way to send
    UNDER_WAY = "under way"
    DELIVERED = "delivered"  # to one phone at least
    NO_PHONE = "no phone"  # failed, stopped, or unknown, for each of them


@dataclass(frozen=True)
class Alarm:
    """Writes alarms into the outbox, and knows whom they reach."""

    outbox: Outbox
    phones: tuple[str, ...]  # E.164 (IVR_SAFETY_PHONES)
    public_url: str
    can_text: bool

    async def ring(self, session: AsyncSession, request_id: int, reference: str) -> int:
        """Write the texts in the transaction that marks the request: both are kept, or neither.
        Return to how many phones they go: a phone that said STOP gets none.

        They hold nothing of the caller and no reason; nor how to stop them: the phones are staff's.
        """
        body = (
            "Helpline: please look at this now.\n"
            f"Request {reference} was marked urgent.\n{self.public_url}/staff/requests/{request_id}"
        )
        marked, reached = self.outbox.clock(), 0
        for phone in self.phones if self.can_text else ():
            effect = f"urgent {request_id} {marked.isoformat()} {phone}"
            draft = Draft(effect, Kind.ALARM, phone, body, HELPLINE, request_id)
            put = await self.outbox.add(session, draft, marked)
            reached += not put.stopped
        return reached

    async def reach(self, request_id: int) -> Reach:
        """Return how far the last alarm of a request has come. Raises NoDatabaseError."""
        made = col(TextMessage.made_at)
        query = (
            select(TextMessage.made_at, TextMessage.state)
            .where(
                col(TextMessage.request_id) == request_id,
                col(TextMessage.kind) == Kind.ALARM.value,
            )
            .order_by(made.desc())
        )
        async with self.outbox.database.reading() as session:
            found = (await session.exec(query)).all()
        return _reach([State(state) for at, state in found if at == found[0][0]])

    async def fault(self) -> str:
        """Return why alarms do not reach every phone, in words that name phones by their place in
        the setting; "" if nothing is known to be wrong. Raises NoDatabaseError."""
        if not (self.phones and self.can_text):
            why = NO_TEXTS if self.phones else NO_PHONES
            return f"an alarm can be sent to nobody, as {why}"
        stopped = await self._stopped()
        if stopped:
            return (
                f"no alarm reaches phone {', '.join(stopped)} of IVR_SAFETY_PHONES: it said STOP,"
                " and must send START to the helpline"
            )
        lost = await self._lost()
        alarms = "1 alarm" if lost == 1 else f"{lost} alarms"
        return f"{alarms} of the last day reached no phone" if lost else ""

    async def _stopped(self) -> list[str]:
        """The places in the setting of the phones that said STOP."""
        has = self.outbox.wants_none
        return [str(place) for place, phone in enumerate(self.phones, 1) if await has(phone)]

    async def _lost(self) -> int:
        """How many of the recent alarms reached none of their phones."""
        request, made = col(TextMessage.request_id), col(TextMessage.made_at)
        query = (
            select(TextMessage.request_id, TextMessage.made_at, TextMessage.state)
            .where(
                IS_KEPT,
                col(TextMessage.kind) == Kind.ALARM.value,
                made > self.outbox.clock() - RECENT,
            )
            .order_by(request, made)
        )
        async with self.outbox.database.reading() as session:
            found = (await session.exec(query)).all()
        alarms = groupby(found, key=lambda row: (row[0], row[1]))
        return sum(_reach([State(row[2]) for row in rows]) is Reach.NO_PHONE for _, rows in alarms)


def _reach(states: list[State]) -> Reach:
    """How far an alarm has come whose texts stand in these states."""
    if not states:
        return Reach.NO_TEXT
    if State.DELIVERED in states:
        return Reach.DELIVERED
    under_way = any(state in UNDER_WAY for state in states)
    return Reach.UNDER_WAY if under_way else Reach.NO_PHONE
