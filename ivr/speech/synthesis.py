"""Speech made outside our own process: the voice, and the children that speak with it."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from ivr.errors import HelplineError

Order: TypeAlias = Mapping[str, str | int]

PATIENCE = 20.0  # seconds for one utterance; one takes 15 ms, a new child half a second
FAREWELL = 1.0  # seconds for a child to end by itself
TRIES = 2  # the second by a new child
_HOME = Path(__file__).parents[2]  # where a child finds the same `ivr` that we are


class SpeechError(HelplineError):
    """The voice could not speak these words."""


@dataclass(frozen=True)
class Voice:
    """Who speaks, and how fast.

    The paces are what should be heard, in words a minute. The rates are the engine's own figure,
    and where it begins: 123 is heard as 150 words a minute and 102 as 125 on average, but by as
    much as a third more or less from one sentence to the next (pacing.py evens that out).
    """

    language: str = "en-gb"
    rate: int = 123
    slow_rate: int = 102
    pace: int = 150
    slow_pace: int = 125

    @cached_property
    def identity(self) -> str:
        """Everything but rate and pace that decides how words sound: a part of each clip's name."""
        return f"{self.language} {_version('pyttsx3')} {_version('espeakng-loader')}"


def _version(package: str) -> str:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return f"no {package}"


class Speaker:
    """One child that speaks: started when needed, and replaced if it hangs or dies."""

    def __init__(self, voice: Voice, patience: float = PATIENCE) -> None:
        self._voice = voice
        self._patience = patience
        self._child: Process | None = None

    async def carry_out(self, order: Order) -> None:
        """Have the file written that this order names (`speaker.py` lists what it may hold).

        Raises SpeechError with the last reason when the child failed, hung or died each time.
        """
        problem = ""
        for _ in range(TRIES):
            problem = await self._answer(order)
            if not problem:
                return
        raise SpeechError(problem)

    async def stop(self) -> None:
        """End the child. It goes by itself when no orders can come; a hung one is killed."""
        child, self._child = self._child, None
        if child is None or child.stdin is None:
            return
        child.stdin.close()
        try:
            async with asyncio.timeout(FAREWELL):
                await child.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _answer(self, order: Order) -> str:
        """Why it could not be done, or nothing. A child that did not answer is not asked again."""
        answer = b""
        try:
            self._child = self._child or await self._start()
            async with asyncio.timeout(self._patience):
                answer = await _asked(self._child, order)
            return str(json.loads(answer)["error"]) if answer else "the voice broke off"
        except TimeoutError:
            return f"the voice hung for {self._patience:g} seconds"
        except (OSError, ValueError) as error:
            return f"the voice broke off: {error}"
        finally:
            if not answer:
                await self.stop()

    async def _start(self) -> Process:
        module = ("-m", "ivr.speech.speaker", self._voice.language, str(self._patience))
        return await asyncio.create_subprocess_exec(
            sys.executable, *module, cwd=_HOME, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )


async def _asked(child: Process, order: Order) -> bytes:
    """The child's answer to this order: one line, or nothing if it ends instead."""
    if child.stdin is None or child.stdout is None:
        raise BrokenPipeError
    child.stdin.write(json.dumps(order).encode() + b"\n")
    await child.stdin.drain()
    return await child.stdout.readline()
