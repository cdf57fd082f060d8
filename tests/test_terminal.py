"""A person at a terminal rings by keys and words, with and without sound."""

import asyncio
import io
import os
import pty
import shutil
import struct
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pytest

from ivr.handset import (
    HandsetError,
    Terminal,
)
from ivr.handset import sound as sounds
from ivr.handset.keyboard import Keyboard
from tests.handwritten import ONE_KEY, TOKEN, Helpline, handwritten
from tests.helplines import PATIENCE


@pytest.fixture
async def helpline() -> AsyncIterator[Helpline]:
    async with handwritten() as line:
        yield line


# --- a person at a terminal --------------------------------------------------------------------


class Screen:
    """The other side of a pseudo-terminal or pipe: what is shown, and where keys are pressed."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.shown = ""
        self._more = asyncio.Event()
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read)

    def _read(self) -> None:
        try:
            read = os.read(self.fd, 4096)
        except OSError:  # the other side is closed
            read = b""
        if not read:
            asyncio.get_running_loop().remove_reader(self.fd)
        self.shown += read.decode().replace("\r\n", "\n")
        self._more.set()

    async def until(self, words: str) -> None:
        """Wait until these words are shown."""
        async with asyncio.timeout(PATIENCE):
            while words not in self.shown:
                self._more.clear()
                await self._more.wait()

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self.fd, keys.encode())

    def close(self) -> None:
        """Close this side."""
        if self.fd >= 0:
            asyncio.get_running_loop().remove_reader(self.fd)
            os.close(self.fd)
        self.fd = -1


@dataclass
class Desk:
    """A screen, and the terminal behind it."""

    screen: Screen
    tty: TextIO

    @asynccontextmanager
    async def calling(self, line: Helpline, **settings: Any) -> AsyncIterator[asyncio.Task[None]]:
        """A call under way at this desk; it must be over by the end of the block, or soon."""
        async with line.phone() as phone:
            terminal = Terminal(phone, source=self.tty, out=self.tty, **settings)
            call = asyncio.create_task(terminal.call())
            try:
                yield call
                async with asyncio.timeout(PATIENCE):
                    await call
            finally:
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)

    def is_as_before(self) -> bool:
        """Whether the terminal echoes and gathers lines, as it did at first."""
        local = termios.tcgetattr(self.tty.fileno())[3]
        return bool(local & termios.ECHO and local & termios.ICANON)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A pseudo-terminal."""
    master, slave = pty.openpty()
    screen = Screen(master)
    tty = io.TextIOWrapper(io.FileIO(slave, "r+"), write_through=True, newline="\n")
    yield Desk(screen, tty)
    with suppress(OSError):  # a closed window takes no more words
        tty.close()
    screen.close()


ENDLESS = 'timeout="3600"'
LONG = "So many words that they take a long time to say. " * 50


async def test_a_key_cuts_the_words_short(helpline: Helpline, desk: Desk) -> None:
    """What has not been said yet is not shown, and no Enter is needed."""
    helpline.says(
        f'<Gather {ONE_KEY} {ENDLESS} action="/one"><Say>{LONG}</Say><Say>Unsaid.</Say></Gather>'
    )
    helpline.says("<Hangup/>", at="/one")
    async with desk.calling(helpline):
        await desk.screen.until("long time")
        desk.screen.press("4")
        await desk.screen.until("The helpline has hung up.")
    assert helpline.form["Digits"] == "4"
    assert "Unsaid." not in desk.screen.shown
    assert "> 4\n" in desk.screen.shown
    assert desk.is_as_before()


async def test_a_number_is_typed_digit_by_digit(helpline: Helpline, desk: Desk) -> None:
    """Each is echoed; the entry ends when it is complete, or on the finish key; letters are
    passed over."""
    helpline.says(f'<Gather numDigits="4" {ENDLESS} action="/two"/>')
    helpline.says(f'<Gather {ENDLESS} action="/end"/>', at="/two")
    helpline.says("<Hangup/>", at="/end")
    async with desk.calling(helpline):
        await desk.screen.until("(up to 4 keys, 3600 seconds)")
        desk.screen.press("12")
        await desk.screen.until("> 12")
        desk.screen.press("x34")
        await desk.screen.until("(any number of keys, 3600 seconds)")
        desk.screen.press("56#")
    assert [asked.form["Digits"] for asked in helpline.asked[1:]] == ["1234", "56"]
    assert "> 1234\n" in desk.screen.shown


async def test_silence_is_waited_out_and_pauses_too(helpline: Helpline, desk: Desk) -> None:
    """With no time at all between, a silent caller hears everything."""
    helpline.says("<Say>Hello.</Say><Pause/><Gather><Say>Press 1.</Say></Gather><Say>Bye.</Say>")
    async with desk.calling(helpline, pace=0):
        await desk.screen.until("The helpline has hung up.")
    words = "Hello.\nPress 1.\n(any number of keys, 5 seconds)\nBye.\nThe helpline has hung up.\n"
    assert desk.screen.shown.endswith(words)


async def test_words_are_typed_behind_a_quotation_mark(helpline: Helpline, desk: Desk) -> None:
    """No letter among them hangs up; it cuts the words short, like a key; where the line does not
    listen for words nothing is heard."""
    listening = f'<Gather input="dtmf speech" numDigits="3" {ENDLESS} action="/two">'
    helpline.says(f"{listening}<Say>{LONG}</Say><Say>Unsaid.</Say></Gather>")
    helpline.says(f"{listening}<Say>Again.</Say></Gather>", at="/two")
    async with desk.calling(helpline):
        await desk.screen.until("long time")
        desk.screen.press('"north hulx\x7fl\n')
        await desk.screen.until('(up to 3 keys, or words: type " and them, then Enter, 3600')
        assert helpline.form["SpeechResult"] == "north hull"
        assert '> "north hull"\n' in desk.screen.shown
        helpline.says(f'<Gather {ONE_KEY} {ENDLESS} action="/end"/>', at="/two")
        helpline.says("<Hangup/>", at="/end")
        desk.screen.press('5"leeds"')
        await desk.screen.until("(one key, 3600 seconds)")
        assert helpline.form["SpeechResult"] == "leeds"
        assert "Digits" not in helpline.form
        desk.screen.press('"oh hello\n7')
    assert helpline.form["Digits"] == "7"
    assert "Unsaid." not in desk.screen.shown


async def test_words_that_began_while_nobody_listened_are_lost() -> None:
    """However late they end; and then keys are keys again."""
    keys = Keyboard()
    keys.takes_words = True
    keys.type('"hel')
    keys.forget()
    keys.type("lo\n4")
    assert [await keys.key(0), await keys.key(0)] == ["4", ""]
    assert not keys.hung_up.is_set()
    keys.type('"hull\n')
    assert (await keys.key(0), await keys.words()) == ('"', "hull")
    keys.type('"hull\x03')
    assert keys.hung_up.is_set()


async def test_a_number_left_unfinished_is_sent_after_a_while(
    helpline: Helpline, desk: Desk
) -> None:
    """The wait between keys is the Gather's."""
    helpline.says(f'<Gather numDigits="3" timeout="1" action="/two"><Say>{LONG}</Say></Gather>')
    helpline.says("<Hangup/>", at="/two")
    async with desk.calling(helpline, pace=0.2):
        await desk.screen.until("long time")
        desk.screen.press("12")
    assert helpline.form["Digits"] == "12"


async def test_keys_pressed_while_nobody_listens_are_lost() -> None:
    """So a key meant for one menu never answers the next."""
    keys = Keyboard()
    keys.type("1 x2")
    keys.forget()
    assert await keys.key(0) == ""
    keys.type("*")
    assert await keys.key(0) == "*"


@pytest.mark.parametrize("typed", ["h", "\x04"])
async def test_hanging_up_is_polite_and_leaves_the_terminal_as_it_was(
    helpline: Helpline, desk: Desk, typed: str
) -> None:
    """In the middle of the words, by h or Ctrl-D."""
    helpline.says(f"<Say>{LONG}</Say>")
    async with desk.calling(helpline):
        await desk.screen.until("long time")
        assert not desk.is_as_before()
        desk.screen.press(typed)
        await desk.screen.until("You have hung up.")
    assert desk.is_as_before()


async def test_ctrl_c_hangs_up_and_leaves_the_terminal_as_it_was(
    helpline: Helpline, desk: Desk
) -> None:
    """A real one: a signal to a process whose terminal this is."""
    helpline.says(f"<Say>{LONG}</Say>")
    program = f"""
import asyncio, fcntl, termios
from ivr.handset import Phone, Terminal
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
async def call():
    async with Phone({helpline.url!r}, {TOKEN!r}) as phone:
        await Terminal(phone).call()
asyncio.run(call())
"""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        stdin=desk.tty,
        stdout=desk.tty,
        stderr=desk.tty,
        start_new_session=True,
    )
    await desk.screen.until("long time")
    assert not desk.is_as_before()
    desk.screen.press("\x03")
    await desk.screen.until("You have hung up.")
    assert await process.wait() == 0
    assert "Traceback" not in desk.screen.shown
    assert desk.is_as_before()


async def test_a_lost_caller_leaves_the_terminal_as_it_was(helpline: Helpline, desk: Desk) -> None:
    """The error is raised after it is put back."""
    helpline.statuses["/voice"] = 500
    with pytest.raises(HandsetError, match="answered 500"):
        async with desk.calling(helpline):
            pass
    assert desk.is_as_before()


async def test_a_closed_window_hangs_up(helpline: Helpline, desk: Desk) -> None:
    """There is nobody left to talk to, and nobody to tell so."""
    helpline.says(f"<Gather {ENDLESS}/>")
    async with desk.calling(helpline):
        await desk.screen.until("any number of keys")
        desk.screen.close()


async def test_a_reader_who_has_gone_hangs_up(helpline: Helpline) -> None:
    """As with `ivr call | head -1`."""
    helpline.says(f"<Gather {ENDLESS}/>")
    source, typing = os.pipe()
    seen, showing = os.pipe()
    os.close(seen)
    with os.fdopen(source) as lines, os.fdopen(typing, "w"):
        out = io.TextIOWrapper(io.FileIO(showing, "w"), write_through=True)
        async with helpline.phone() as phone, asyncio.timeout(PATIENCE):
            await Terminal(phone, source=lines, out=out).call()
    with suppress(OSError):  # there is still no reader
        out.close()


async def test_the_person_at_the_terminal_says_how_a_dial_ends(
    helpline: Helpline, desk: Desk
) -> None:
    """There is nobody else to ask."""
    helpline.says(f'<Dial {ENDLESS} action="/after">+441632960001</Dial>')
    helpline.says(f'<Record {ENDLESS} action="/end"/>', at="/after")
    helpline.says("<Hangup/>", at="/end")
    async with desk.calling(helpline):
        await desk.screen.until("4 the call fails.)")
        desk.screen.press("2")
        await desk.screen.until("Any key ends it.")
        desk.screen.press("#")
    assert helpline.asked[1].form["DialCallStatus"] == "busy"
    assert helpline.asked[2].form["Digits"] == "#"


async def test_without_a_terminal_keys_count_when_enter_is_pressed(helpline: Helpline) -> None:
    """As on Windows; the end of the input hangs up."""
    helpline.says(f'<Gather numDigits="2" {ENDLESS} action="/two"/>')
    helpline.says(f"<Gather input='speech' {ENDLESS}/>", at="/two")
    (source, typing), (seen, showing) = os.pipe(), os.pipe()
    screen = Screen(seen)
    with os.fdopen(source) as lines, os.fdopen(showing, "w") as out:
        async with helpline.phone() as phone:
            call = asyncio.create_task(Terminal(phone, source=lines, out=out).call())
            await screen.until("(up to 2 keys")
            os.write(typing, b"42\n")
            await screen.until("(listening for words")
            os.close(typing)
            async with asyncio.timeout(PATIENCE):
                await call
    assert helpline.form["Digits"] == "42"
    await screen.until("You have hung up.")
    screen.close()


# --- sound -------------------------------------------------------------------------------------


def mu_law(seconds: float) -> bytes:
    """A clip as ours are: 8 kHz, mono, mu-law; with a chunk that nobody needs before the sound."""
    sound = b"\xff" * int(8000 * seconds)
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, 8000, 8000, 1, 8, 0)
    chunks = form + struct.pack("<4sI3sx", b"note", 3, b"odd")
    chunks += struct.pack("<4sI", b"data", len(sound)) + sound
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def test_a_clip_s_length_is_read_from_its_header() -> None:
    """Mu-law included, which the standard library cannot read."""
    assert sounds.seconds(mu_law(2.5)) == 2.5
    for wrong in (b"", b"RIFF0000WAVE", b"ID3"):
        with pytest.raises(HandsetError):
            sounds.seconds(wrong)


@pytest.fixture
def players(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A computer whose only player, aplay, tells a pipe its process id and plays for ever."""
    heard = tmp_path / "heard"
    os.mkfifo(heard)
    sleep = shutil.which("sleep")
    player = tmp_path / "aplay"
    player.write_text(f'#!/bin/sh\necho "$$ $*" > {heard}\nexec {sleep} 3600\n')
    player.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    yield heard


async def test_a_clip_is_played_and_a_key_stops_it(
    helpline: Helpline, desk: Desk, players: Path
) -> None:
    """By the first player found; it has ended before the call goes on."""
    helpline.says(f'<Gather {ONE_KEY} action="/one"><Play>/hello.wav</Play></Gather>')
    helpline.pages |= {"/hello.txt": "Hello.", "/hello.wav": mu_law(3600)}
    helpline.says("<Hangup/>", at="/one")
    pipe = Screen(os.open(players, os.O_RDWR))
    async with desk.calling(helpline, aloud=True):
        await pipe.until("\n")
        desk.screen.press("1")
    process, option, clip = pipe.shown.split()
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)
    assert (option, Path(clip).suffix, Path(clip).exists()) == ("-q", ".wav", False)
    pipe.close()


async def test_without_a_player_the_words_must_do(
    helpline: Helpline, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And it is said why there is no sound."""
    monkeypatch.setenv("PATH", str(tmp_path))
    helpline.says("<Play>/hello.wav</Play>")
    helpline.pages |= {"/hello.txt": "Hello."}
    async with desk.calling(helpline, aloud=True, pace=0):
        await desk.screen.until("Hello.")
    assert "(No sound: none of paplay, aplay, afplay, ffplay is installed.)" in desk.screen.shown
