"""Sends what is in the outbox: each message once, or not at all, and the truth about which."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from ivr.carrier import Carrier, CarrierBusyError, CarrierError, CarrierSilentError
from ivr.database import NoDatabaseError
from ivr.messages.outbox import Outbox, Taken

EVERY_S = 1.0  # seconds between two looks into the outbox
AT_ONCE = 20  # messages of one look
REST_S = 10.0  # seconds after Twilio could not be reached, or did not answer

log = logging.getLogger(__name__)


@dataclass
class Sender:
    """Takes messages from the outbox and hands them to Twilio, one after another."""

    outbox: Outbox
    carrier: Carrier
    status_url: Callable[[int], str]  # where Twilio tells how this message fares
    _round: "asyncio.Task[float] | None" = None
    _closing: bool = False
    _down: bool = False

    async def run(self) -> None:
        """Send what is due, every second, until cancelled."""
        while not self._closing:
            self._round = asyncio.create_task(self._send_and_rest())
            # Who stops us must not cut a request in two: see ``close``.
            await asyncio.sleep(await asyncio.shield(self._round))

    async def close(self) -> None:
        """Wait until what is being sent is sent, and noted."""
        self._closing = True
        if self._round:
            await asyncio.gather(self._round, return_exceptions=True)

    async def _send_and_rest(self) -> float:
        """Send what is due, and return for how many seconds to rest then."""
        try:
            await self.outbox.abandoned()
            answered = await self.send_due()
            self._down = False
        except NoDatabaseError:
            if not self._down:
                log.warning("texts wait: the database cannot be used")
            self._down = True
            return EVERY_S
        return EVERY_S if answered else REST_S

    async def send_due(self) -> bool:
        """Send what is due; whether Twilio answered each time. Raises NoDatabaseError."""
        for message in await self.outbox.due(AT_ONCE):
            if self._closing:
                break
            if not await self._send(message):
                return False
        return True

    async def _send(self, message: int) -> bool:
        taken = await self.outbox.take(message)
        return taken is None or await self._ask(taken)

    async def _ask(self, taken: Taken) -> bool:
        """Ask Twilio once, and note what it says; whether it answered."""
        try:
            sid = await self.carrier.send(taken.number, taken.body, self.status_url(taken.id))
        except CarrierBusyError as busy:
            if busy.code:
                log.warning("text %d waits: Twilio's error %d", taken.id, busy.code)
            await self.outbox.unreached(taken.id)
            return False
        except CarrierError as refused:
            log.warning("text %d is refused: Twilio's error %d", taken.id, refused.code)
            await self.outbox.refused(taken.id, refused.code)
            return True
        except CarrierSilentError:
            log.warning("nobody can say whether text %d was sent", taken.id)
            await self.outbox.silent(taken.id)
            return False
        await self.outbox.accepted(taken.id, sid)
        return True
