"""Clips aloud, with whatever player this computer has."""

import shutil
import struct
from asyncio import create_subprocess_exec
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from tempfile import NamedTemporaryFile

from ivr.handset.verbs import HandsetError

PLAYERS = {  # each with the options that make it play one file, quietly, and end
    "paplay": (),
    "aplay": ("-q",),
    "afplay": (),
    "ffplay": ("-autoexit", "-nodisp", "-loglevel", "quiet"),
}


def player() -> tuple[str, ...]:
    """The command that plays a file: the first of `PLAYERS` that is installed, or empty."""
    for name, options in PLAYERS.items():
        if program := shutil.which(name):
            return (program, *options)
    return ()


def seconds(wav: bytes) -> float:
    """How long a WAV file lasts; `HandsetError` if this is none.

    Read from the header by hand: the standard library's `wave` knows no mu-law.
    """
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise HandsetError("A clip is not a WAV file.")
    rate, at = 0, 12
    while at + 8 <= len(wav):
        name, size = struct.unpack_from("<4sI", wav, at)
        if name == b"fmt " and size >= 12:
            (rate,) = struct.unpack_from("<I", wav, at + 16)  # bytes a second
        elif name == b"data" and rate:
            return float(size / rate)
        at += 8 + size + size % 2
    raise HandsetError("A clip is a WAV file without sound.")


@asynccontextmanager
async def playing(command: tuple[str, ...], wav: bytes) -> AsyncIterator[None]:
    """Play a clip in a process of its own, which ends with the block at the latest."""
    with NamedTemporaryFile(suffix=".wav") as file:
        file.write(wav)
        file.flush()
        process = await create_subprocess_exec(
            *command, file.name, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
