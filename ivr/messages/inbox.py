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

from ivr.hours import LONDON
from ivr.messages import replies
from ivr.messages.keys import Keys
from ivr.messages.limits import answered_enough, helped
from ivr.messages.outbox import CALLER, HELPLINE, Draft, Kind
from ivr.messages.post import Post
from ivr.messages.rules import Word, word_of
from ivr.spool import Delivery, Spool

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


class Inbox(Delivery[Incoming, None]):
    """Takes what comes in, and delivers what is in the spool while ``run`` runs.

    ``request`` enters a text among the call-back requests: its number, words, effect and time.
    ``safety_phones`` (E.164) are those of staff, who are texted and ask for nothing.
    """

    def __init__(
        self,
        post: Post,
        request: Callable[[str, str, str, datetime], Awaitable[Entered]],
        spool: Spool[Incoming],
        safety_phones: tuple[str, ...] = (),
    ) -> None:
        super().__init__(spool, self._take, "texts")
        self._post, self._request = post, request
        self._safety_phones = safety_phones

    async def receive(self, text: Incoming) -> None:
        """Take a text; when this returns it is durable, here or in the database.

        Raises OSError when neither takes it.
        """
        try:
            await self.enter(text)
        except Exception:  # whatever it is: Twilio tells of a text once
            await asyncio.to_thread(self.spool.put, text)

    # --- what a text says -------------------------------------------------------------------------

    async def _take(self, text: Incoming) -> None:
        """Do what a text asks for. The same text again changes nothing."""
        match text.told or word_of(text.words):  # what Twilio does stands
            case Word.STOP:
                if text.number in self._safety_phones:
                    log.error("a phone of IVR_SAFETY_PHONES said STOP: no alarm reaches it")
                await self._post.optouts.stop(text.number, CALLER, text.at)
            case Word.START:
                await self._post.optouts.start(text.number, CALLER, text.at)
            case _ if text.number in self._safety_phones:
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
        words = self._post.finish(replies.help_())
        draft = Draft(f"help {text.effect}", Kind.HELP, text.number, words, HELPLINE)
        outbox = self._post.outbox
        can_answer = self._post.can_text and not await helped(outbox, draft)
        if not can_answer or (await outbox.put(draft)).stopped:
            await self._ask(text)

    async def _ask(self, text: Incoming) -> None:
        entered = await self._request(text.number, text.words, f"text {text.effect}", text.at)
        request = entered.request_id
        draft = Draft(f"in {text.effect}", Kind.INBOUND, text.number, text.words, CALLER, request)
        await self._post.outbox.received(draft, text.at)
        words = replies.taken(entered.due_at)
        await self._reply(text, words, request)

    async def _reply(self, text: Incoming, words: str, request: int) -> None:
        """Answer once a day about the same request."""
        if not self._post.can_text:
            return
        effect = f"{Kind.REPLY} {request} {text.at.astimezone(LONDON).date()}"
        body = self._post.finish(words)
        draft = Draft(effect, Kind.REPLY, text.number, body, HELPLINE, request)
        if not await answered_enough(self._post.outbox, draft):
            await self._post.outbox.put(draft)
