"""What comes in: a text opens or joins a call-back request, and STOP is obeyed. Exactly once.

Twilio tells of a text once. It is entered into the database, or goes, sealed and synced, into a
spool of this machine until the database is back. So that no two machines ever talk to each other
for ever, a request is answered once a day, and so is HELP; and a number a few times at most.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter

from ivr.database import NoDatabaseError
from ivr.hours import LONDON
from ivr.messages import replies
from ivr.messages.keys import Keys
from ivr.messages.limits import answered_enough, helped
from ivr.messages.outbox import CALLER, HELPLINE, Draft, Kind
from ivr.messages.post import Post
from ivr.messages.rules import Word, word_of
from ivr.spool import Spool

PATIENCE_S = 3.0  # seconds that Twilio waits for the database
DELIVERY_S = 10.0  # seconds for one text from the spool
EVERY_S = 2.0  # seconds between two looks into the spool

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text that came in."""

    effect: str  # keyed hash of Twilio's id
    at: datetime
    number: str = field(repr=False)  # a UK mobile (E.164)
    words: str = field(repr=False)
    told: Word | None = None  # how Twilio itself took it, which has answered it then


class Entered(Protocol):
    """The call-back request that a text belongs to."""

    @property
    def request_id(self) -> int:
        """Its id."""
        ...

    @property
    def reference(self) -> str:
        """The reference of this text."""
        ...

    @property
    def due_at(self) -> datetime | None:
        """By when we answer; None: we cannot say, or it is past."""
        ...


_JSON = TypeAdapter(Incoming)


def text_spool(folder: Path, keys: Keys) -> Spool[Incoming]:
    """The spool of texts in this folder."""
    return Spool(folder, keys, _JSON.dump_json, _JSON.validate_json)


class Receiver(Protocol):
    """Whatever takes texts."""

    async def receive(self, text: Incoming) -> None:
        """Take a text; when this returns it is durable. Raises OSError when nothing takes it."""
        ...


@dataclass(frozen=True)
class Letterbox:
    """Keeps what comes in while nothing else of a helpline can be used: it waits in the spool for
    the next one that starts."""

    spool: Spool[Incoming]

    async def receive(self, text: Incoming) -> None:
        """Take a text; when this returns it is on the disk. Raises OSError when it is not."""
        await asyncio.to_thread(self.spool.put, text)


@dataclass
class Inbox:
    """Takes what comes in, and delivers what is in the spool while ``run`` runs."""

    post: Post
    enter: Callable[[str, str, str, datetime], Awaitable[Entered]]  # number, words, effect, when
    spool: Spool[Incoming]
    number: str  # the helpline's own (E.164), or ""
    safety_phones: tuple[str, ...] = ()  # E.164: those of staff, who are texted and ask for nothing
    _under_way: set["asyncio.Task[None]"] = field(default_factory=set)
    _down: bool = False

    async def receive(self, text: Incoming) -> None:
        """Take a text; when this returns it is durable, here or in the database.

        Raises OSError when neither takes it.
        """
        attempt = asyncio.create_task(self._enter(text))
        self._under_way.add(attempt)
        attempt.add_done_callback(self._over)
        await asyncio.wait({attempt}, timeout=PATIENCE_S)
        if not attempt.done() or attempt.exception() is not None:
            # An attempt that goes on may still succeed: the same text again changes nothing then.
            await asyncio.to_thread(self.spool.put, text)

    async def run(self) -> None:
        """Deliver what is in the spool, every two seconds, until cancelled."""
        await asyncio.to_thread(self.spool.tidy)
        while True:
            await self.deliver()
            await asyncio.sleep(EVERY_S)

    async def deliver(self) -> None:
        """Enter the texts of the spool, in order. Nothing is raised: what the database cannot take
        now waits on."""
        try:
            for path in await asyncio.to_thread(self.spool.waiting):
                async with asyncio.timeout(DELIVERY_S):
                    await self._deliver(path)
                self._down = False
        except (NoDatabaseError, TimeoutError, OSError) as problem:
            if not self._down:
                log.warning("texts wait in the spool: %s", type(problem).__name__)
            self._down = True

    async def _deliver(self, path: Path) -> None:
        try:
            text = await asyncio.to_thread(self.spool.read, path)
            if text is not None:
                await self._enter(text)
                await asyncio.to_thread(self.spool.delivered, path)
        except (NoDatabaseError, OSError):
            raise
        except Exception as problem:  # this one cannot go in; the others must
            log.error("a text was set aside as %s.aside: %s", path.stem, type(problem).__name__)
            await asyncio.to_thread(self.spool.set_aside, path)

    async def close(self) -> None:
        """Give up what nobody waits for any more; it is in the spool."""
        for attempt in self._under_way:
            attempt.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _over(self, attempt: "asyncio.Task[None]") -> None:
        self._under_way.discard(attempt)
        if not attempt.cancelled():
            attempt.exception()  # whoever waited has seen it; of the others it is in the spool

    # --- what a text says -------------------------------------------------------------------------

    async def _enter(self, text: Incoming) -> None:
        """Do what a text asks for. The same text again changes nothing."""
        match text.told or word_of(text.words):  # what Twilio does stands
            case Word.STOP:
                await self.post.optouts.stop(text.number, CALLER, text.at)
            case Word.START:
                await self.post.optouts.start(text.number, CALLER, text.at)
            case _ if text.number in self.safety_phones:
                log.warning("a text from a phone of IVR_SAFETY_PHONES was dropped")
            case Word.HELP if text.told is None:
                await self._help(text)
            case None:
                await self._ask(text)
            case _:
                pass  # Twilio has answered HELP

    async def _help(self, text: Incoming) -> None:
        """Answer HELP once a day; where it is not answered it is a text like any other: "Help!" may
        be a frightened parent."""
        words = self.post.finish(replies.help_(self.number))
        draft = Draft(f"help {text.effect}", Kind.HELP, text.number, words, HELPLINE)
        outbox = self.post.outbox
        can_answer = self.post.can_text and not await helped(outbox, draft)
        if not can_answer or (await outbox.put(draft)).stopped:
            await self._ask(text)

    async def _ask(self, text: Incoming) -> None:
        entered = await self.enter(text.number, text.words, f"text {text.effect}", text.at)
        request = entered.request_id
        draft = Draft(f"in {text.effect}", Kind.INBOUND, text.number, text.words, CALLER, request)
        await self.post.outbox.received(draft, text.at)
        words = replies.taken(entered.reference, entered.due_at)
        await self._reply(text, words, request)

    async def _reply(self, text: Incoming, words: str, request: int) -> None:
        """Answer once a day about the same request."""
        if not self.post.can_text:
            return
        effect = f"{Kind.REPLY} {request} {text.at.astimezone(LONDON).date()}"
        body = self.post.finish(words)
        draft = Draft(effect, Kind.REPLY, text.number, body, HELPLINE, request)
        if not await answered_enough(self.post.outbox, draft):
            await self.post.outbox.put(draft)
