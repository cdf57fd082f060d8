"""Text this: whoever holds a request writes to the caller, or sends what they heard."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any

from quart import Response, g, request

from ivr.callbacks.desk import NotYoursError
from ivr.callbacks.records import SAFETY_FLOW, Shown
from ivr.errors import HelplineError
from ivr.gsm import UnsendableError
from ivr.messages.outbox import Draft, Kind
from ivr.messages.replies import from_staff
from ivr.messages.rules import check
from ivr.numbers import mobile
from ivr.people.tables import Role
from ivr.staff import words
from ivr.staff.door import DRAFT_CLAIM, Door, field
from ivr.staff.office import Office

# What can be sent beside one's own words. Where there is a contact, nobody needs other ways.
CHOICES = (
    (Kind.CONTACT, "How to reach their advice service"),
    (Kind.WAY, "How to find their advice service"),
    (Kind.ANSWER, "What they heard"),
)
OWN = ("", "own")  # the choice of one's own words
LONGEST = 2_000  # characters that are looked at; far fewer fit
SENT, NO_TEXTS, TEXTS_AGAIN = "sent a text", "wants no texts", "wants texts again"  # events

Page = Callable[..., Awaitable[Response]]  # the page of a request


class TextPages:
    """What can be done with texts on the page of a request."""

    def __init__(self, door: Door, office: Office, one: str, page: Page) -> None:
        """Take the address of a request's page, and what shows it."""
        self._door, self._office, self._page = door, office, page
        done = {"text": self.text, "text-again": self.text_again, "no-texts": self.no_texts}
        for what, view in done.items():
            door.page(f"{one}/{what}", Role.ADVISER, "POST")(view)

    async def text(self, number: int) -> Response:
        """Show what would be sent; or send it."""
        form = await request.form
        shown = await self._office.queue.shown(number)
        to = await self._mine(number)
        if shown is None or to is None:
            return await self._page(number, 409, form, {"claim": str(NotYoursError())})
        if not to or not self._office.post.can_text:
            return await self._page(number, 422, form, {"text_words": "No text can be sent there."})
        once = field(form, "once")[:32]
        sends = field(form, "do") == "send" and bool(once)
        which, written = _chosen(form, "seen_" if sends and "seen" in form else "")
        try:
            body = self._body(shown, which, written)
        except UnsendableError as wrong:
            return await self._page(number, 422, form, {"text_words": str(wrong)})
        if not sends:
            return await self._page(number, form=form, preview=True)
        if field(form, "seen") not in ("", _digest(body)):  # a number was changed meanwhile
            changed = {"text_words": "What would be sent has changed. Please look at it again."}
            return await self._page(number, 409, form, changed, preview=True)
        draft = Draft(f"staff {number} {once}", Kind.STAFF, to, body, g.member.name, number)
        put = await self._office.post.outbox.put(draft)
        if put.is_new and not put.stopped:
            await self._office.desk.note(number, g.member.name, SENT)
        if which in OWN:
            claim, me = field(form, DRAFT_CLAIM), g.member.name
            await self._office.drafts.saved(number, me, claim, {"text_words": written})
        which_now, written_now = _chosen(form)
        kept_choice = which == which_now or (which in OWN and which_now in OWN)
        edited = not kept_choice or written != written_now  # since it was seen
        done = "texts-stopped" if put.stopped else "text-edited" if edited else "text"
        return self._door.go(f"/requests/{number}", done=done)

    async def text_again(self, number: int) -> Response:
        """Nobody can say whether it was sent: send it again."""
        which = field(await request.form, "text")
        if await self._mine(number) is None:
            return await self._page(number, 409, errors={"claim": str(NotYoursError())})
        message = int(which) if which.isascii() and which.isdecimal() and len(which) < 10 else 0
        again = await self._office.post.thread.again(message, number, g.member.name)
        if again:
            await self._office.desk.note(number, g.member.name, SENT)
        return self._door.go(f"/requests/{number}", done="text" if again else "text-settled")

    async def no_texts(self, number: int) -> Response:
        """They want no texts; or want them again."""
        again = "1" in (await request.form).getlist("again")  # beside the time of that name
        to = await self._mine(number)
        if to is None:
            return await self._page(number, 409, errors={"claim": str(NotYoursError())})
        if to:
            optouts, who = self._office.post.optouts, g.member.name
            await (optouts.start(to, who) if again else optouts.stop(to, who))
            await self._office.desk.note(number, who, TEXTS_AGAIN if again else NO_TEXTS)
        return self._door.go(f"/requests/{number}", done="texts" if again else "no-texts")

    async def shown(
        self, shown: Shown, mine: bool, seen: bool, form: Mapping[str, str], preview: bool
    ) -> Any:
        """What the page of a request shows of texts. ``mine``: whoever looks holds it; ``seen``:
        they may see what is private; ``preview``: they asked how their text would look."""
        post = self._office.post
        found: dict[str, Any] = {
            "thread": await post.thread.of(shown.id, seen),
            "states": words.TEXT_STATES,
            "can_text": post.can_text and mine,
        }
        if not found["can_text"]:
            return found
        to = await self._mine(shown.id)
        found["is_mobile"] = bool(to)
        found["wants_none"] = bool(to) and await post.optouts.has(to or "")
        found["choices"] = self._choices(shown)
        found["preview"] = self._preview(shown, form) if preview else None
        return found

    async def _mine(self, number: int) -> str | None:
        """The mobile of a request that whoever looks holds; "" if it has none, None if they do not
        hold it."""
        if await self._office.desk.held(number, g.member.name) is None:
            return None
        return mobile(await self._office.queue.number(number), self._office.demo)

    def _choices(self, shown: Shown) -> list[tuple[str, str]]:
        """What can be sent beside one's own words."""
        found = [(kind, label) for kind, label in CHOICES if self._may_send(shown, kind)]
        has_contact = found[:1] == list(CHOICES[:1])
        return [one for one in found if not (has_contact and one[0] == Kind.WAY)]

    def _may_send(self, shown: Shown, kind: str) -> bool:
        """Whether there is a text of this kind for this request. What was heard of safety is none:
        another person who reads it would learn of it."""
        of_safety = kind == Kind.ANSWER and shown.record.topic.startswith(f"{SAFETY_FLOW}/")
        return not of_safety and bool(self._composed(shown, kind))

    def _composed(self, shown: Shown, kind: str) -> str:
        """A text of this kind for this request; "" if there is none."""
        about = shown.record.topic if kind == Kind.ANSWER else shown.record.council
        composer = self._office.post.composers.get(kind)
        try:
            return composer(about) if composer and about else ""
        except (LookupError, HelplineError):  # there is none, or it cannot be sent
            return ""

    def _body(self, shown: Shown, which: str, written: str) -> str:
        """The whole text that was chosen or written. Raises UnsendableError."""
        known = [kind for kind, _ in self._choices(shown)]
        if which in known:
            return self._office.post.finish(self._composed(shown, which))
        if which not in OWN:  # what they wrote beside it was not chosen
            raise UnsendableError("That text cannot be sent any longer. Choose another.")
        if not written:
            raise UnsendableError("There is nothing in it. Write a few words, or choose a text.")
        return self._office.post.finish(from_staff(written))

    def _preview(self, shown: Shown, form: Mapping[str, str]) -> dict[str, Any] | None:
        """What would be sent, and in how many parts; None if it cannot be."""
        which, written = _chosen(form)
        try:
            body = self._body(shown, which, written)
        except UnsendableError:
            return None
        return {
            "body": body,
            "parts": check(body),
            "once": secrets.token_hex(8),
            "seen": _digest(body),
            "which": which,
            "written": written,
        }


def _digest(body: str) -> str:
    """What tells whether the text that is sent is the one that was shown."""
    return sha256(body.encode()).hexdigest()[:32]


def _chosen(form: Mapping[str, str], seen: str = "") -> tuple[str, str]:
    """Which text was chosen, and one's own words; with the prefix, as they were shown before."""
    return field(form, f"{seen}which"), field(form, f"{seen}text_words")[:LONGEST]
