"""One turn of one call: unseal the position, advance, answer services, seal it again.

Everything that the engine may not know comes in here: the book in use, the keys, the services.
Nothing about a call is kept between turns.
"""

import asyncio
import logging
import secrets
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from ivr.core.call import Answered, Ask, Heard, Keys, Lost, Position, Said, Started
from ivr.core.engine import advance
from ivr.core.flow import FAILED, Book, Place
from ivr.core.saying import Line
from ivr.errors import SealError
from ivr.sealing import Sealer

SERVICE_SECONDS = 6.0  # a service that takes longer has failed: Twilio waits for 15 s in all

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A phone call: Twilio's id for it, and what it says of the call in this request."""

    sid: str
    sender: str = ""  # whom the call is from: a number, or a word for none
    is_over: bool = False

    def effect(self, ask: Ask) -> str:
        """The key of an effect: the same request, repeated or late, has the same key."""
        return f"{self.sid}:{ask.turn}:{ask.step}"


class Service(Protocol):
    """Something that a flow asks of the outside world by name.

    It may raise or be slow: the flow then goes on by the outcome ``failed``.
    """

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with one of the outcomes that the book declares for it."""
        ...


@dataclass(frozen=True, slots=True)
class Visit:
    """What a journey records of a turn: steps by name, and the kind of what was heard; never a
    number, and never which key."""

    journey: str  # a random id
    turn: int
    heard: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn came to: all that is said, and the sealed position to go on from."""

    said: Said
    lines: tuple[Line, ...]
    held: int  # how many of the first lines no key may cut short
    sealed: str
    heard: str  # its kind, as the journey has it


class Conversation:
    """The one way into a call, for Twilio and for our own handset alike.

    ``book`` gives the book of a digest, or the one that is served when it has no such book.
    ``known`` gives the facts that are known at the start of a call from this sender.
    """

    def __init__(
        self,
        book: Callable[[str], Book],
        sealer: Sealer,
        services: Mapping[str, Service],
        record: Callable[[Visit], None],
        known: Callable[[str], Mapping[str, str]],
    ) -> None:
        self._book, self._sealer, self._services, self._record = book, sealer, services, record
        self._known = known

    async def take_turn(self, call: Call, sealed: str, heard: Heard) -> Turn:
        """Take one turn of a call. ``sealed`` is empty when the call comes in."""
        position, heard = self._found(call, sealed, heard)
        book = self._book(position.book)
        position, said = advance(book, position, heard)
        lines, held, visited = said.lines, said.held, said.visited
        # Calls that came without an id must not pass for repeats of one another.
        known = call if call.sid else replace(call, sid=position.journey)
        while isinstance(said.then, Ask):
            answer = Answered(FAILED)
            if _may_ask(book, said.then, call, heard):
                answer = await self._ask(said.then, known)
            position, said = advance(book, position, answer)
            held = len(lines) + said.held if said.held else held
            lines, visited = lines + said.lines, visited + said.visited
        kind = type(heard).__name__.lower()
        self._record(Visit(position.journey, position.turn, kind, visited))
        return Turn(said, lines, held, self._sealer.seal_position(call.sid, position), kind)

    def _found(self, call: Call, sealed: str, heard: Heard) -> tuple[Position, Heard]:
        """Where the call stands. One whose position cannot be read starts again."""
        if sealed:
            try:
                return self._sealer.unseal_position(call.sid, sealed), heard
            except SealError:
                pass
        facts = self._known(call.sender)
        journey = secrets.token_hex(8)
        if not sealed:
            return Position(journey=journey), Started(facts)
        # Turns must not count from zero again: an effect of the call so far may have such a number.
        # The same unreadable address always gives the same count, so that a repeat of this request
        # is a repeat.
        turn = 1_000_000 + zlib.crc32(sealed.encode("utf-8", "replace")) % 1_000_000_000
        return Position(turn=turn, journey=journey), Lost(facts)

    async def _ask(self, ask: Ask, call: Call) -> Answered:
        """The service's answer, or ``failed`` when it raises, is slow or does not exist."""
        try:
            async with asyncio.timeout(SERVICE_SECONDS):
                return await self._services[ask.service](ask, call)
        except Exception as fault:  # whatever it is, the caller goes on
            # Only the fault's kind: its message may hold a number.
            log.error("service %s failed at %s: %s", ask.service, ask.step, type(fault).__name__)
            return Answered(FAILED)


def _may_ask(book: Book, ask: Ask, call: Call, heard: Heard) -> bool:
    """Return whether a service may be asked: no effect is begun for a call that is over, except
    by a key that arrived with this very turn (the caller pressed it and hung up)."""
    pressed = isinstance(heard, Keys) and bool(heard.digits)
    return pressed or not (call.is_over and book.services[ask.service].effect)
