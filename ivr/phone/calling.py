"""Staff ring a caller back: whoever holds the request is rung first, and presses 1 for the caller.

Its addresses are sealed, each of one kind. Twilio learns the first two before the call has an id;
the others are bound to that call.

    answered  what whoever holds the request hears when they pick up
    key       the key that they pressed: 1 rings the caller
    over      the caller's call has ended, or they did not answer
    told      the same, told beside the call: 204
    ended     the call to whoever holds the request has ended: 204
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from ivr.callbacks.attempts import LONGEST_CALL, Attempts, Result
from ivr.carrier import Carrier
from ivr.errors import SealError
from ivr.phone.twiml import document, say
from ivr.sealing import Sealer

ANSWERED, KEY, OVER, TOLD, ENDED = KINDS = ("answered", "key", "over", "told", "ended")
OF_PARENT = "ParentCallSid"  # on the leg to the caller: the call to whoever holds the request
RINGS = "1"
KEY_SECONDS = 10  # to press it
STAFF_SECONDS, CALLER_SECONDS = 25, 30  # for which a phone rings
PATIENCE_S = 3.0  # seconds for the database
NOTHING_TO_SAY = 204

HELLO = "Helpline call-back. Press 1 to ring the caller."
RINGING = "I am ringing the caller now."
BYE = "The call has ended. Please say on the page how it went."
NO_LONGER = "This call-back is no longer yours, or is over. Please look at the page."
SORRY = "Sorry. The number cannot be looked up just now. Please try again in a minute."

# How the caller's call ended, by Twilio's word for it.
RESULTS = {
    "completed": Result.SPOKE,
    "busy": Result.ENGAGED,
    "no-answer": Result.NO_ANSWER,
    "canceled": Result.NO_ANSWER,  # whoever rang hung up first
    "failed": Result.FAILED,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calling:
    """Rings, and answers what Twilio asks about it."""

    sealer: Sealer
    attempts: Attempts
    carrier: Carrier
    public_url: str

    @property
    def can_ring(self) -> bool:
        """Whether the settings say all that is needed."""
        return self.carrier.can_ring and bool(self.public_url)

    async def begin(self, attempt: int, phone: str) -> None:
        """Ring whoever holds the request at their phone (E.164).

        Raises CarrierError, CarrierSilentError.
        """
        answered, ended = (
            f"{self.public_url}/voice/{self.sealer.seal(kind, '', str(attempt).encode())}"
            for kind in (ANSWERED, ENDED)
        )
        await self.carrier.ring(phone, answered, ended, STAFF_SECONDS)

    async def answer(
        self, sealed: str, form: Mapping[str, str], voice: str
    ) -> tuple[int, str] | None:
        """The status and the TwiML for such a request, or None if the address is not of these."""
        call = form.get("CallSid", "")
        found = self._found(sealed, call, form.get(OF_PARENT, ""))
        if found is None:
            return None
        kind, attempt = found
        match kind:
            case "answered":
                return 200, _hello(f"{voice}/{self._sealed(KEY, call, attempt)}")
            case "key":
                return 200, await self._ring(attempt, call, form.get("Digits", ""), voice)
            case "over":
                await self._end(attempt, form.get("DialCallStatus", ""))
                return 200, document(f"{say(BYE)}<Hangup/>")
            case "told":
                await self._end(attempt, form.get("CallStatus", ""))
            case _:
                await self._give_up(attempt)
        return NOTHING_TO_SAY, ""

    def _found(self, sealed: str, call: str, parent: str) -> tuple[str, int] | None:
        """Of which kind this address is, and of which attempt."""
        bound = {ANSWERED: "", KEY: call, OVER: call, TOLD: parent, ENDED: ""}
        for kind in KINDS:
            try:
                return kind, int(self.sealer.unseal(kind, bound[kind], sealed))
            except (SealError, ValueError):
                continue
        return None

    def _sealed(self, kind: str, call: str, attempt: int) -> str:
        return self.sealer.seal(kind, call, str(attempt).encode())

    async def _ring(self, attempt: int, call: str, digits: str, voice: str) -> str:
        if digits[:1] != RINGS:
            return document("<Hangup/>")
        try:
            async with asyncio.timeout(PATIENCE_S):
                number = await self.attempts.take(attempt)
        except Exception as fault:  # whatever it is, somebody listens
            log.error("a caller's number cannot be looked up: %s", type(fault).__name__)
            return document(f"{say(SORRY)}<Hangup/>")
        if not number:
            return document(f"{say(NO_LONGER)}<Hangup/>")
        over, told = (f"{voice}/{self._sealed(kind, call, attempt)}" for kind in (OVER, TOLD))
        return document(
            f"{say(RINGING)}<Dial callerId={quoteattr(self.carrier.number)} answerOnBridge="
            f'"true" timeout="{CALLER_SECONDS}" timeLimit="{LONGEST_CALL.seconds}"'
            f' action={quoteattr(over)} method="POST"><Number statusCallback={quoteattr(told)}'
            f' statusCallbackEvent="completed" statusCallbackMethod="POST">{number}</Number></Dial>'
        )

    async def _end(self, attempt: int, status: str) -> None:
        if status in RESULTS:
            await self._note(attempt, RESULTS[status])

    async def _give_up(self, attempt: int) -> None:
        """The call to whoever holds the request is over. If nothing was told of the caller's, it
        was not made, or cut off."""
        await self._note(attempt, None)

    async def _note(self, attempt: int, result: Result | None) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await (self.attempts.end(attempt, result) if result else self.attempts.cut(attempt))
        except Exception as fault:  # its lease ends it
            log.warning("the end of an attempt is not recorded: %s", type(fault).__name__)


def _hello(key: str) -> str:
    words = say(HELLO)
    return document(
        f'<Gather input="dtmf" action={quoteattr(key)} method="POST" numDigits="1"'
        f' timeout="{KEY_SECONDS}" finishOnKey="">{words}<Pause length="1"/>{words}</Gather>'
        "<Hangup/>"
    )
