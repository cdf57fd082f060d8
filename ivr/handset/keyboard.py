"""The keys of this computer as the keys of a phone: one press at a time, or by the line."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TextIO

PHONE_KEYS = frozenset("0123456789*#")
HANG_UP = frozenset("hH\x03\x04")  # h, and where the terminal gives them as characters: ^C, ^D
CONTROL = frozenset("\x03\x04")
SPEAK = '"'  # begins words, which Enter or another one ends
ENDS_WORDS = frozenset('"\r\n')
RUBS_OUT = frozenset("\x08\x7f")


class Keyboard:
    """Keys that were pressed and not yet heard; and whether the caller has hung up."""

    def __init__(self) -> None:
        self.hung_up = asyncio.Event()
        self.takes_words = False  # whether the line listens for words now
        self._pressed: asyncio.Queue[str] = asyncio.Queue()
        self._spoken: asyncio.Queue[str] = asyncio.Queue()
        self._words: str | None = None  # those being typed
        self._unheard = False  # whether they began while nobody listened for them

    def type(self, characters: str) -> None:
        """Take what was typed; characters that no phone has are passed over. What stands between
        a ``"`` and Enter is spoken, and heard only while the line takes words."""
        for character in characters:
            if self._words is not None and character not in CONTROL:
                self._speak(character)
            elif character in HANG_UP:
                self.hung_up.set()
            elif character in PHONE_KEYS:
                self._pressed.put_nowait(character)
            elif character == SPEAK:
                self._words, self._unheard = "", not self.takes_words
                if self.takes_words:
                    self._pressed.put_nowait(SPEAK)

    def _speak(self, character: str) -> None:
        """One more character of words: they are whole when they end."""
        words = self._words or ""
        if character in RUBS_OUT:
            self._words = words[:-1]
        elif character not in ENDS_WORDS:
            self._words = words + character
        else:
            if not self._unheard:
                self._spoken.put_nowait(words)
            self._words, self._unheard = None, False

    async def key(self, seconds: float) -> str:
        """The next key, or nothing if none is pressed in that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._pressed.get()
        return ""

    async def words(self) -> str:
        """What is spoken, after the key ``"``: nobody is cut short while they type it."""
        return await self._spoken.get()

    def forget(self) -> None:
        """Lose the keys and the words that came while the line was not listening."""
        for waiting in (self._pressed, self._spoken):
            while not waiting.empty():
                waiting.get_nowait()
        self._unheard = self._words is not None


@contextmanager
def keyboard(source: TextIO) -> Iterator[Keyboard]:
    """Listen to this source while the block lasts.

    On a terminal each key counts as it is pressed, and the terminal is put back as it was in the
    end, whatever happens. Elsewhere (Windows, a pipe) keys count when Enter is pressed.
    """
    keys = Keyboard()
    with ExitStack() as undo:
        undo.enter_context(_hanging_up_on_signals(keys))
        undo.enter_context(
            _single_keys(keys, source)
            if sys.platform != "win32" and source.isatty()
            else _lines(keys, source)
        )
        yield keys


@contextmanager
def _single_keys(keys: Keyboard, source: TextIO) -> Iterator[None]:
    import termios
    import tty

    loop, fd = asyncio.get_running_loop(), source.fileno()

    def pressed() -> None:
        try:
            typed = os.read(fd, 1024).decode(errors="ignore")
        except OSError:  # the terminal's window is gone
            typed = ""
        keys.type(typed)
        if not typed:
            keys.hung_up.set()
            loop.remove_reader(fd)

    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        loop.add_reader(fd, pressed)
        yield
    finally:
        loop.remove_reader(fd)
        with suppress(termios.error):  # nothing to restore in a window that is gone
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextmanager
def _lines(keys: Keyboard, source: TextIO) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def read() -> None:
        with suppress(RuntimeError, ValueError):  # the call is over: loop or source is closed
            for line in source:
                loop.call_soon_threadsafe(keys.type, line)
            loop.call_soon_threadsafe(keys.hung_up.set)

    # A daemon: nobody can interrupt its reading, and it must not keep the program open.
    threading.Thread(target=read, daemon=True).start()
    yield


@contextmanager
def _hanging_up_on_signals(keys: Keyboard) -> Iterator[None]:
    """Ctrl-C, and being told to stop, hang up; so there is time to put the terminal back."""
    loop = asyncio.get_running_loop()
    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            number = getattr(signal, name)  # Windows, or another thread than the main one, has none
            before[number] = signal.getsignal(number)
            loop.add_signal_handler(number, keys.hung_up.set)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
