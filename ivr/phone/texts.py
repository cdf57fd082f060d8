"""The texts' side of Twilio: how a message fares, and what comes in.

    /sms                    a text comes in: 200, with nothing to say, whatever happens
    /sms/status/<sealed>    how a message of ours fares: 204, whatever happens

The address of a status is sealed, of a kind of its own, and names the message.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from ivr.errors import SealError
from ivr.messages.outbox import Outbox
from ivr.phone.twiml import document
from ivr.sealing import Sealer

STATUS = "text status"  # the kind of the address
GOOD_FOR = 7 * 24 * 3600  # seconds: the network may try for days
PATIENCE_S = 3.0  # seconds for the database
NOTHING_TO_SAY = 204

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Texts:
    """Answers what Twilio tells and asks about texts."""

    sealer: Sealer
    outbox: Outbox
    public_url: str

    def status_url(self, message: int) -> str:
        """The address at which Twilio tells how this message fares."""
        return f"{self.public_url}/sms/status/{self.sealer.seal(STATUS, '', str(message).encode())}"

    async def answer(self, rest: str, form: Mapping[str, str]) -> tuple[int, str]:
        """The status and the TwiML for a signed request for ``/sms/<rest>``."""
        what, _, sealed = rest.partition("/")
        if what == "status":
            await self._told(sealed, form)
            return NOTHING_TO_SAY, ""
        return 200, document("")

    async def _told(self, sealed: str, form: Mapping[str, str]) -> None:
        try:
            message = int(self.sealer.unseal(STATUS, "", sealed, GOOD_FOR))
        except (SealError, ValueError):
            return
        status = form.get("MessageStatus", "") or form.get("SmsStatus", "")
        sid, error = form.get("MessageSid", ""), form.get("ErrorCode", "")
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.outbox.told(message, status, sid.replace("\0", ""), error)
        except Exception as fault:  # Twilio tells it once: the message stays as it was known
            log.warning("how text %d fares is not recorded: %s", message, type(fault).__name__)
