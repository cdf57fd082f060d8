"""One call: it follows the helpline's documents until it is the caller's turn, and again."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import httpx

from ivr.core.saying import Pause
from ivr.handset.leg import Answering
from ivr.handset.twiml import read
from ivr.handset.verbs import (
    Dial,
    Entry,
    Gather,
    HandsetError,
    Hangup,
    Play,
    Record,
    Redirect,
    Say,
    Spoken,
    Verb,
    Waits,
    entered,
)
from ivr.handset.webhook import Caller, Webhook, new_sid
from ivr.handset.wire import Wire

ENDED = "completed"  # Twilio's CallStatus of a call that was answered and is over
MAX_REDIRECTS = 20  # documents in a row without the caller's turn: more is a loop


@dataclass(frozen=True, slots=True)
class Speech:
    """Words that the caller hears; ``clip`` is where their sound is, if it is a clip."""

    text: str
    clip: str = ""


Sound: TypeAlias = Speech | Pause


@dataclass(frozen=True, slots=True)
class Moment:
    """The caller's turn: what was heard since the last one, and what the line waits for."""

    before: tuple[Sound, ...]  # heard to the end: keys pressed meanwhile are lost
    during: tuple[Sound, ...]  # a key cuts these short
    waits: Waits | None  # None: the line is closed
    whispered: tuple[str, ...] = ()  # what whoever was rung heard before

    @property
    def said(self) -> tuple[str, ...]:
        """The words, line by line."""
        sounds = self.before + self.during
        return tuple(it.text for it in sounds if isinstance(it, Speech) and it.text)


async def _in_no_time(sound: Sound) -> None:
    """A listener to whom words and pauses take no time."""


class Phone:
    """A phone that has our number. Each thing the caller does leads to the next `Moment`.

        async with Phone("http://127.0.0.1:8000", token) as phone:
            moment = await phone.dial()
            moment = await phone.press("1")

    ``public_url`` is what Twilio would call (and sign), when it differs from ``base_url``, which is
    dialled. ``transport`` replaces the network (`httpx.ASGITransport`). The attribute ``listener``
    is awaited for each sound that cannot be cut short, before the phone goes on.

    Twilio does not say what a bare finish key does in a Gather with ``actionOnEmptyResult``. Here
    it falls through without a request, or with ``bare_finish_key_posts`` arrives as empty digits:
    a call must survive both.

    Whatever would have lost a real caller raises `HandsetError`.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        caller: Caller | None = None,
        *,
        public_url: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        bare_finish_key_posts: bool = False,
    ) -> None:
        self.caller = caller or Caller()
        self.listener: Callable[[Sound], Awaitable[None]] = _in_no_time
        self.waits: Waits | None = None  # what the line waits for now
        self.last: Webhook | None = None  # what was sent last
        self._public = (public_url or base_url).rstrip("/")
        self._wire = Wire(base_url.rstrip("/"), self._public, token, transport)
        self._verbs: tuple[Verb, ...] = ()  # the rest of the document
        self._is_up = False  # whether the call was answered, and its end not reported yet
        self._bare_finish_key_posts = bare_finish_key_posts

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._wire.close()

    # --- what the caller does ----------------------------------------------------------------

    async def dial(self) -> Moment:
        """Ring the helpline."""
        await self._fetch(f"{self._public}/voice", status="ringing")
        self._is_up = True
        return await self._follow()

    async def press(self, keys: str) -> Moment:
        """Press these keys one after another; those that the line does not take are lost."""
        match self.waits:
            case Gather() as gather:
                await self._finish(gather, entered(gather, keys))
            case Record() as record:
                heeded = (key for key in keys if key in record.finish_on_key)
                await self._recorded(record, next(heeded, ""))
            case _:
                raise self._cannot("press a key")
        return await self._follow()

    async def say(self, words: str) -> Moment:
        """Say something. A line that does not listen for words hears nothing."""
        match self.waits:
            case Gather(takes=takes) as gather if "speech" in takes:
                await self._send(gather, SpeechResult=words, Confidence="0.9")
            case Gather() as gather:
                await self._finish(gather, Entry(""))
            case Record() as record:
                await self._recorded(record, "")
            case _:
                raise self._cannot("speak")
        return await self._follow()

    async def silence(self) -> Moment:
        """Say and press nothing until the line stops waiting; nobody answers what it rings."""
        match self.waits:
            case Gather() as gather:
                await self._finish(gather, Entry(""))
            case Dial():
                return await self.dial_result("no-answer")
            case None:
                raise self._cannot("be silent")
        return await self._follow()  # a Record that heard nothing goes on with the next verb

    async def dial_result(self, status: str) -> Moment:
        """The call that the line put through has ended so: Twilio's ``DialCallStatus``.

        Where the line asks whoever answers first (a Number's ``url``), they press 1, or for
        ``failed`` nothing. The moment tells what they heard.
        """
        if not isinstance(self.waits, Dial):
            raise self._cannot("be put through")
        dial = self.waits
        ended = await Answering(self._wire, self.caller, dial).end(status)
        if dial.action:
            await self._send(dial, **ended.fields)
        return replace(await self._follow(), whispered=ended.heard)

    async def hang_up(self) -> None:
        """Report the end of the call as Twilio does, whichever side ended it: if a phone rings for
        the caller, by the status of that leg (canceled) and the action of its Dial; then by the
        status callback of the call. Once for each call.

        No one listens any more, so an answer that would have lost a caller is no error.
        """
        if not self._is_up:
            return
        self._is_up, waits, self.waits = False, self.waits, None
        with suppress(HandsetError):
            if isinstance(waits, Dial):
                leg = await Answering(self._wire, self.caller, waits).end("canceled")
                if waits.action:
                    form = self.caller.form(ENDED, leg.fields)
                    await self._wire.deliver(Webhook(waits.action, form, waits.method))
        with suppress(HandsetError):
            form = self.caller.form(ENDED, {"CallbackSource": "call-progress-events"})
            await self._wire.notify(Webhook(f"{self._public}/voice/status", form))

    async def again(self) -> bytes:
        """Send the last request once more, as Twilio may; the call itself does not move.

        Returns the document, to compare. To send an older one, keep `last` and `deliver` it.
        """
        if self.last is None:
            raise HandsetError("Nothing has been sent yet: dial first.")
        return await self.deliver(self.last)

    async def deliver(self, webhook: Webhook) -> bytes:
        """Send a signed request and return the document; the call itself does not move."""
        return await self._wire.deliver(webhook)

    async def clip(self, url: str) -> bytes:
        """The sound of a clip (`Speech.clip`)."""
        return await self._wire.clip(url)

    # --- what the line does ------------------------------------------------------------------

    async def _follow(self) -> Moment:
        """Go through the verbs, and the documents they lead to, until it is the caller's turn."""
        heard: list[Sound] = []
        redirects = 0
        self.waits = None
        while self._verbs:
            verb, *rest = self._verbs
            self._verbs = tuple(rest)
            match verb:
                case Say() | Play() | Pause():
                    sound = await self._sound(verb)
                    heard.append(sound)
                    await self.listener(sound)
                case Redirect():
                    redirects += 1
                    if redirects > MAX_REDIRECTS:
                        raise HandsetError(f"{verb.url}: {redirects} redirects without a key")
                    await self._fetch(verb.url, verb.method)
                case Hangup():
                    self._verbs = ()
                case Gather():
                    during = [await self._sound(spoken) for spoken in verb.spoken]
                    self.waits = verb
                    return Moment(tuple(heard), tuple(during), verb)
                case Dial() | Record():
                    self.waits = verb
                    return Moment(tuple(heard), (), verb)
        return Moment(tuple(heard), (), None)

    async def _sound(self, spoken: Spoken) -> Sound:
        match spoken:
            case Say(line):
                return Speech(line.text)
            case Play(url):
                return Speech(await self._wire.words(url), clip=url)
            case Pause():
                return spoken

    async def _finish(self, gather: Gather, entry: Entry) -> None:
        """The Gather has ended: send what was entered, or fall through to the next verb."""
        empty_too = gather.action_on_empty_result
        if entry.finished_on:
            empty_too = empty_too and self._bare_finish_key_posts
        if entry.digits or empty_too:
            await self._send(gather, Digits=entry.digits, FinishedOnKey=entry.finished_on)

    async def _recorded(self, record: Record, key: str) -> None:
        recording = f"https://api.twilio.com/Recordings/{new_sid('RE')}"
        await self._send(record, RecordingUrl=recording, RecordingDuration="5", Digits=key)

    async def _send(self, waits: Waits, **fields: str) -> None:
        await self._fetch(waits.action, waits.method, **fields)

    async def _fetch(
        self, url: str, method: str = "POST", status: str = "in-progress", **fields: str
    ) -> None:
        """Ask for the document that the call goes on with; until it is here, nothing waits."""
        self.waits, self._verbs = None, ()
        self.last = Webhook(url, self.caller.form(status, fields), method)
        self._verbs = read(await self.deliver(self.last), url)

    def _cannot(self, deed: str) -> HandsetError:
        doing = f"waits in a {type(self.waits).__name__}" if self.waits else "is closed"
        return HandsetError(f"The caller cannot {deed} now: the line {doing}.")
