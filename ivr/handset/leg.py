"""The other leg of a call: somebody whom the line rings for the caller.

Twilio asks a Number's ``url`` for a document when the phone is answered, and joins the caller when
that document, or the one that a key leads to, ends without a hang-up. It does not say how a
``<Dial>`` ends whose answered leg was hung up in the whisper; here that is ``completed``, with
nobody joined (``DialBridged=false``), which is also how a voicemail ends.
"""

from dataclasses import dataclass

from ivr.handset.twiml import read
from ivr.handset.verbs import Dial, Gather, Hangup, Redirect, Say, Verb, entered
from ivr.handset.webhook import Caller, Leg, Webhook
from ivr.handset.wire import Wire

ANSWERS = ("completed", "failed")  # how a Dial can end that was answered: taken, or refused
TAKES, REFUSES = "1", ""  # the key that whoever answers presses, if any
MAX_DOCUMENTS = 5  # for whoever answers


@dataclass(frozen=True, slots=True)
class Ended:
    """How a leg ended, and what whoever answered heard before."""

    fields: dict[str, str]  # for the Dial's action
    heard: tuple[str, ...] = ()


class Answering:
    """Plays one leg of a Dial to its end, with a status callback for each event asked for."""

    def __init__(self, wire: Wire, caller: Caller, dial: Dial) -> None:
        self._wire, self._dial = wire, dial
        self._leg: Leg = caller.leg(dial.numbers[0])
        self._heard: list[str] = []

    async def end(self, status: str) -> Ended:
        """Let it end with this ``DialCallStatus``; ``failed`` is somebody who does not take it, if
        the line asks them."""
        joined = status == "completed"
        if self._dial.leg.url and status in ANSWERS:
            await self._tell("answered", "in-progress")
            joined, status = await self._hear(TAKES if joined else REFUSES), "completed"
        await self._tell("completed", status)
        fields = {"DialCallStatus": status, "DialCallSid": self._leg.call_sid}
        if status == "completed":
            talked = {"DialCallDuration": "60"} if joined else {}
            fields |= {"DialBridged": str(joined).lower(), **talked}
        return Ended(fields, tuple(self._heard))

    async def _hear(self, key: str) -> bool:
        """What whoever answers hears; whether the caller is joined to them after it."""
        url, fields = self._dial.leg.url, dict[str, str]()
        for _ in range(MAX_DOCUMENTS):
            form = self._leg.form("in-progress", fields)
            verbs = read(await self._wire.deliver(Webhook(url, form)), url)
            gather = self._listen(verbs)
            digits = entered(gather, key).digits if gather else ""
            if gather is None or not digits:
                return not any(isinstance(verb, Hangup | Redirect) for verb in verbs)
            url, fields = gather.action, {"Digits": digits}
        return False

    def _listen(self, verbs: tuple[Verb, ...]) -> Gather | None:
        """Hear a document as far as its Gather, if it has one."""
        for verb in verbs:
            spoken = verb.spoken if isinstance(verb, Gather) else (verb,)
            self._heard.extend(it.line.text for it in spoken if isinstance(it, Say))
            if isinstance(verb, Gather):
                return verb
        return None

    async def _tell(self, event: str, status: str) -> None:
        if self._dial.leg.status_callback and event in self._dial.leg.events:
            form = self._leg.form(status, {"CallbackSource": "call-progress-events"})
            await self._wire.notify(Webhook(self._dial.leg.status_callback, form))
