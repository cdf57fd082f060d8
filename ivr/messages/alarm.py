"""Whoever answers for safety is texted when a request is marked urgent: they may be elsewhere."""

from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.messages.outbox import HELPLINE, Draft, Kind, Outbox


@dataclass(frozen=True)
class Alarm:
    """Puts a text for each of some phones into the outbox."""

    outbox: Outbox
    phones: tuple[str, ...]  # E.164 (IVR_SAFETY_PHONES)
    public_url: str

    async def ring(self, session: AsyncSession, request_id: int, reference: str) -> None:
        """Write the texts in the transaction that marks the request: both are kept, or neither.

        They name nobody, and say nothing of why; nor how to stop them: these phones are staff's.
        """
        body = (
            "Helpline: please look at this now.\n"
            f"Request {reference} was marked urgent.\n{self.public_url}/staff/requests/{request_id}"
        )
        marked = self.outbox.clock().isoformat()
        for phone in self.phones:
            effect = f"urgent {request_id} {marked} {phone}"
            await self.outbox.add(session, Draft(effect, Kind.ALARM, phone, body, HELPLINE))
