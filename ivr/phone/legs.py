"""The other leg of a call: somebody of ours is rung, and asked to press 1 before they are joined.

Each of its addresses is sealed, of one kind (whisper, bridge, status), and bound to the caller's
call, which Twilio names as ``ParentCallSid`` there. What is sealed is the ring's id alone.

    whisper   what whoever answers hears, before the caller is joined to them
    bridge    the key that they pressed: 1 is recorded, and the two are joined
    status    the phone was answered, or it is over: 204

A voicemail that answers presses nothing; that leg is hung up, and the next person is rung.
"""

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ivr.errors import SealError
from ivr.phone.hearing import is_over
from ivr.phone.twiml import Leg, document, say
from ivr.sealing import Sealer

WHISPER, BRIDGE, STATUS = "whisper", "bridge", "status"  # the kinds of addresses
WORDS = "Helpline call. Press 1 to take it."
TAKES = "1"
KEY_SECONDS = 10  # to press it
PATIENCE_S = 2.5  # seconds for the database: the whole request is answered within 3 s
E164 = re.compile(r"\+[0-9]{7,15}")
NOTHING_TO_SAY = 204

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Rings(Protocol):
    """Where it is kept whether a ring was taken, and that it or the caller's call is over."""

    async def take(self, ring_id: int) -> bool:
        """Record that it was taken; whether that came in time."""
        ...

    async def end(self, ring_id: int) -> bool:
        """Record that it is over."""
        ...

    async def call_ended(self, call: str) -> None:
        """Record that the caller's call (Twilio's id) is over, and end its rings."""
        ...


@dataclass(frozen=True, slots=True)
class Legs:
    """Makes the addresses of a leg, and answers what Twilio asks there."""

    sealer: Sealer
    rings: Rings
    caller_id: str  # the helpline's own number; unset, the one that was dialled

    def leg(self, ring: str, form: Mapping[str, str], voice: str) -> Leg | None:
        """How somebody is rung for the caller of this form. ``voice`` is the address of the voice
        routes.

        None if there is no number of ours to show, for a parent's own is shown to nobody, or no id
        of their call, to which the addresses could be bound.
        """
        caller_id, call = self.caller_id or form.get("To", ""), form.get("CallSid", "")
        if not call or not E164.fullmatch(caller_id):
            return None
        whisper, status = (
            f"{voice}/{self.sealer.seal(kind, call, ring.encode())}" for kind in (WHISPER, STATUS)
        )
        return Leg(caller_id, whisper, status)

    async def answer(
        self, sealed: str, form: Mapping[str, str], voice: str
    ) -> tuple[int, str] | None:
        """The status and the TwiML for a leg's request, or None if the address is not a leg's."""
        call = form.get("ParentCallSid", "")
        for kind in (WHISPER, BRIDGE, STATUS):
            try:
                ring = int(self.sealer.unseal(kind, call, sealed))
            except (SealError, ValueError):
                continue
            if kind == STATUS:
                if is_over(form):
                    await _recorded(self.rings.end(ring), "the end of a ring")
                return NOTHING_TO_SAY, ""
            if kind == BRIDGE:
                return 200, await self._bridge(ring, form.get("Digits", ""))
            bridge = self.sealer.seal(BRIDGE, call, str(ring).encode())
            return 200, _whisper(f"{voice}/{bridge}")
        return None

    def is_turn(self, sealed: str, form: Mapping[str, str]) -> bool:
        """Whether this is an address of the caller's own turns, after all."""
        try:
            self.sealer.unseal_position(form.get("CallSid", ""), sealed)
        except SealError:
            return False
        return True

    async def call_ended(self, form: Mapping[str, str]) -> None:
        """Free the people who were rung for this call, if Twilio says that it is over; from then
        on no one is reserved for it."""
        if is_over(form):
            await _recorded(self.rings.call_ended(form.get("CallSid", "")), "the end of a call")

    async def _bridge(self, ring: int, digits: str) -> str:
        """Nothing more to say joins the two; a hang-up leaves the caller to the next person."""
        if digits[:1] != TAKES:
            return document("<Hangup/>")
        try:
            taken = await _in_time(self.rings.take(ring))
        except Exception as fault:  # somebody is there, for a caller who waits: they come first
            log.error("a call that was taken is not recorded: %s", type(fault).__name__)
            taken = True
        return document("" if taken else "<Hangup/>")


async def _recorded(change: Coroutine[Any, Any, object], what: str) -> None:
    """Wait for a change to be recorded. If it fails, the people who are rung are free when their
    lease runs out."""
    try:
        await _in_time(change)
    except Exception as fault:  # only its kind: its message may hold a number
        log.warning("%s is not recorded: %s", what, type(fault).__name__)


_under_way: set[asyncio.Task[Any]] = set()  # the event loop itself keeps only weak references


async def _in_time(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what this comes to. Raises what it raises, and TimeoutError after ``PATIENCE_S``.

    ``asyncio.timeout`` is no bound: it also waits for the driver to clean up, and with a server
    that takes connections and does not answer this takes seconds more.
    """
    task = asyncio.create_task(work)
    _under_way.add(task)
    task.add_done_callback(_finished)
    await asyncio.wait({task}, timeout=PATIENCE_S)
    if not task.done():
        task.cancel()
        raise TimeoutError
    return task.result()


def _finished(task: asyncio.Task[Any]) -> None:
    _under_way.discard(task)
    if not task.cancelled():
        task.exception()  # retrieved, lest asyncio log its message


def _whisper(bridge: str) -> str:
    words = say(WORDS)
    return document(
        f'<Gather input="dtmf" action="{bridge}" method="POST" numDigits="1"'
        f' timeout="{KEY_SECONDS}" finishOnKey="">{words}<Pause length="1"/>{words}</Gather>'
        "<Hangup/>"
    )
