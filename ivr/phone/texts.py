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
from ivr.messages.inbox import Incoming, Receiver
from ivr.messages.outbox import Outbox
from ivr.messages.rules import Word
from ivr.numbers import caller_number, mobile
from ivr.phone.twiml import document
from ivr.sealing import Sealer

STATUS = "text status"  # the kind of the address
GOOD_FOR = 7 * 24 * 3600  # seconds: the network may try for days
PATIENCE_S = 3.0  # seconds for the database
NOTHING_TO_SAY = 204
LONGEST = 2_000  # characters of a text: Twilio joins up to 1,600

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Texts:
    """Answers what Twilio tells and asks about texts."""

    sealer: Sealer
    outbox: Outbox
    inbox: Receiver
    public_url: str
    demo: bool  # are drama numbers accepted?

    def status_url(self, message: int) -> str:
        """The address at which Twilio tells how this message fares."""
        return f"{self.public_url}/sms/status/{self.sealer.seal(STATUS, '', str(message).encode())}"

    async def answer(self, rest: str, form: Mapping[str, str]) -> tuple[int, str]:
        """The status and the TwiML for a signed request for ``/sms/<rest>``."""
        what, _, sealed = rest.partition("/")
        if what == "status":
            await self._told(sealed, form)
            return NOTHING_TO_SAY, ""
        if not rest:
            await self._receive(form)
        return 200, document("")

    async def _receive(self, form: Mapping[str, str]) -> None:
        sender = form.get("From", "")
        number = mobile(sender, self.demo) if caller_number(sender, self.demo) else ""
        if not number:
            log.info("a text was dropped: it did not come from a UK mobile")
            return
        words = _words(form)
        sid = form.get("MessageSid", "") or form.get("SmsSid", "") or f"{number} {words}"
        text = Incoming(
            effect=self.outbox.keys.effect_hash(sid),
            at=self.outbox.clock(),
            number=number,
            words=words,
            told=_told(form),
        )
        try:
            await self.inbox.receive(text)
        except Exception as fault:  # neither database nor disk: Twilio's log has it still
            log.error("a text is lost: %s", type(fault).__name__)

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


def _told(form: Mapping[str, str]) -> Word | None:
    """How Twilio itself took a text, and answered it: STOP, START or HELP; None if it did not."""
    try:
        return Word(form.get("OptOutType", "").lower())
    except ValueError:
        return None


def _words(form: Mapping[str, str]) -> str:
    """What a text says. Pictures and the like are left with Twilio, and that is said."""
    words = form.get("Body", "").replace("\0", "").strip()[:LONGEST]
    with_files = form.get("NumMedia", "") not in ("", "0")
    said = [words] if words else [] if with_files else ["(There was nothing in it.)"]
    return "\n".join((*said, *(["(It came with something that is not shown.)"] * with_files)))
