"""A call made by a person at a terminal.

Plain lines, top to bottom, with no colour and no cursor movement, so that a screen reader, a
braille line or a log shows all of it. Time is real: words take as long as saying them would.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import TextIO

from ivr.core.saying import SENTENCE_MARKS, WORDS_A_MINUTE, Pause
from ivr.handset import sound
from ivr.handset.keyboard import SPEAK, Keyboard, keyboard
from ivr.handset.phone import Moment, Phone, Sound, Speech
from ivr.handset.verbs import Dial, Gather, Record, Waits, entered

WORDS_A_SECOND = WORDS_A_MINUTE / 60
SECONDS_A_MARK = 0.5  # a full stop or a comma is a pause
START_UP = 0.3  # seconds that a player may take before it is heard

OUTCOMES = {"1": "completed", "2": "busy", "3": "no-answer", "4": "failed"}


class Terminal:
    """A call on this phone, shown and answered at a terminal.

    ``aloud`` also plays the clips. ``pace`` stretches or shortens all waiting; 1 is real time.
    """

    def __init__(
        self,
        phone: Phone,
        *,
        aloud: bool = False,
        source: TextIO | None = None,
        out: TextIO | None = None,
        pace: float = 1.0,
    ) -> None:
        self._phone = phone
        self._phone.listener = self._hear_out
        self._player = sound.player() if aloud else ()
        self._aloud = aloud
        self._source = source or sys.stdin
        self._out = out or sys.stdout
        self._pace = pace
        self._keys = Keyboard()

    async def call(self) -> None:
        """Ring, and talk until either side hangs up; `HandsetError` if the line lets us down."""
        with keyboard(self._source) as self._keys:
            self._show("Ringing. Keys: 0 to 9, * and #. To hang up, press h.")
            if self._aloud and not self._player:
                wanted = ", ".join(sound.PLAYERS)
                self._show(f"(No sound: none of {wanted} is installed.)")
            talk = asyncio.create_task(self._talk())
            gone = asyncio.create_task(self._keys.hung_up.wait())
            try:
                await asyncio.wait({talk, gone}, return_when=asyncio.FIRST_COMPLETED)
                over = talk.done()
            finally:
                talk.cancel()
                gone.cancel()
                await asyncio.gather(talk, gone, return_exceptions=True)
        if over:
            talk.result()
        self._show("The helpline has hung up." if over else "\nYou have hung up.")

    async def _talk(self) -> None:
        moment = await self._phone.dial()
        while moment.waits:
            self._keys.forget()
            self._keys.takes_words = "speech" in getattr(moment.waits, "takes", ())
            moment = await self._answer(moment.waits, moment.during)

    async def _answer(self, waits: Waits, during: tuple[Sound, ...]) -> Moment:
        match waits:
            case Gather() as gather:
                keys = await self._enter(gather, during)
                if keys.endswith(SPEAK):
                    return await self._speak()
                return await (self._phone.press(keys) if keys else self._phone.silence())
            case Dial(numbers, timeout=timeout):
                self._show(f"(Ringing {' and '.join(numbers)}. How does that end? 1 they answer,")
                self._show(" 2 engaged, 3 nobody answers, 4 the call fails.)")
                key = await self._key(timeout)
                return await self._phone.dial_result(OUTCOMES.get(key, "no-answer"))
            case Record(timeout=timeout):
                self._show("(Recording. Any key ends it.)")
                key = await self._key(timeout)
                return await (self._phone.press(key) if key else self._phone.silence())

    async def _enter(self, gather: Gather, during: tuple[Sound, ...]) -> str:
        """The keys that the caller presses while the line speaks or, after that, waits."""
        key = ""
        for it in during:
            key = await self._hear(it, interrupt=True)
            if key:
                break
        if not key:
            self._show(f"({_invitation(gather)})")
            key = await self._key(gather.timeout)
        keys = key
        if keys:
            self._show(f"> {keys}", end="")
        while key not in ("", SPEAK) and not entered(gather, keys).complete:
            key = await self._key(gather.timeout)
            self._show(key, end="")
            keys += key
        if keys and key != SPEAK:
            self._show("")
        return keys

    async def _speak(self) -> Moment:
        """What the caller says; keys pressed before it are lost, as on a phone."""
        words = await self._keys.words()
        self._show(f'{words}"')
        return await self._phone.say(words)

    async def _hear_out(self, it: Sound) -> None:
        """Hear something that no key cuts short."""
        await self._hear(it, interrupt=False)

    async def _hear(self, it: Sound, interrupt: bool) -> str:
        """Show and, if asked, play it, as long as it lasts; the key that cut it short, if any."""
        if isinstance(it, Speech) and it.text:
            self._show(it.text)
        async with AsyncExitStack() as until_heard:
            lasts = _seconds(it)
            if self._player and isinstance(it, Speech) and it.clip:
                wav = await self._phone.clip(it.clip)
                lasts = sound.seconds(wav) + START_UP
                await until_heard.enter_async_context(sound.playing(self._player, wav))
            if interrupt:
                return await self._key(lasts)
            await asyncio.sleep(lasts * self._pace)
        return ""

    async def _key(self, seconds: float) -> str:
        return await self._keys.key(seconds * self._pace)

    def _show(self, text: str, end: str = "\n") -> None:
        try:
            print(text, end=end, file=self._out, flush=True)
        except OSError:  # the window, or the reader of the pipe, is gone: nobody is on the phone
            self._keys.hung_up.set()


def _seconds(it: Sound) -> float:
    """How long it takes to say."""
    if isinstance(it, Pause):
        return it.seconds
    marks = sum(it.text.count(mark) for mark in SENTENCE_MARKS)
    return len(it.text.split()) / WORDS_A_SECOND + marks * SECONDS_A_MARK


def _invitation(gather: Gather) -> str:
    if "dtmf" not in gather.takes:
        return f"listening for words, {gather.timeout} seconds"
    how_many = {1: "one key", None: "any number of keys"}
    keys = how_many.get(gather.num_digits, f"up to {gather.num_digits} keys")
    if "speech" in gather.takes:
        keys += ', or words: type " and them, then Enter'
    return f"{keys}, {gather.timeout} seconds"
