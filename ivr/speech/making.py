"""Making clips: what is missing, by a few children at once, by one process at a time."""

import asyncio
import fcntl
import itertools
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from ivr.core.saying import Line, Phrase, Words
from ivr.errors import SettingsError
from ivr.speech.clips import Clips
from ivr.speech.score import Fragment, Part, Recorded, Rest, Score
from ivr.speech.synthesis import PATIENCE, Order, Speaker, SpeechError, Voice

MOST_SPEAKERS = 4
A_PROCESSOR = 2  # speakers: each waits half its time for its engine to be done
WORKSHOP = "making-"  # how the directory of a maker begins
LOCK_POLL = 0.1  # seconds; a blocking lock could not be cancelled

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """Words, or a recording's path, that could not be made into sound, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it: how many clips were made and how many were there, in how many seconds."""

    made: int
    reused: int
    failed: tuple[Failure, ...]
    seconds: float


def ignore(done: int, total: int) -> None:
    """Show no progress."""


async def make(
    clips: Clips,
    lines: Iterable[Line],
    fragments: Iterable[str] = (),
    progress: Progress = ignore,
    patience: float = PATIENCE,
) -> Made:
    """Make every clip that is missing, at both paces, the normal one first; say what was done.

    ``lines`` are all lines of a book; of one with private words only the other parts are made.
    ``fragments`` are the words that may be spliced into a call: digits, days, names of councils.
    ``progress`` is told how many of how many clips are dealt with. ``patience`` is how long one
    utterance may take, in seconds. Cancelling ends the children; what was finished stays.

    Raises SettingsError if the directory cannot be written to.
    """
    started = time.monotonic()
    wanted = await asyncio.to_thread(every_score, clips, lines, fragments)
    missing = await asyncio.to_thread(_missing, clips, wanted)
    absent: list[Score] = []
    failures: list[Failure] = []
    one_more = _counting(progress, missing, wanted)
    try:
        if missing:
            async with _the_only_maker(clips.directory) as workshop:
                absent = [score for score in missing if not clips.has(score.name)]
                async with _speakers(clips.voice, patience) as speakers:
                    failures = await Maker(clips, workshop, speakers).make(missing, one_more)
    except OSError as error:
        raise SettingsError(
            f"clips cannot be kept in {clips.directory} ({error}); "
            "set IVR_VAR to a directory that can be written to"
        ) from error
    made = sum(clips.has(score.name) for score in absent)
    seconds = time.monotonic() - started
    return Made(made, len(wanted) - len(absent), tuple(dict.fromkeys(failures)), seconds)


def every_score(clips: Clips, lines: Iterable[Line], fragments: Iterable[str]) -> list[Score]:
    """What these ask for, each thing once; all at the normal pace, then all at the slow."""
    lines = [*lines, *map(_spoken, fragments)]
    scores = (
        score
        for slow in (False, True)
        for line in lines
        for score in _public(clips.score(line, slow), line.private)
    )
    return list({score.name: score for score in scores}.values())


def _spoken(text: str) -> Line:
    return Line((Phrase((Words(text),)),))


def _public(score: Score, private: bool) -> Iterator[Score]:
    """The score, or if some of it is private, a score for each of its other parts."""
    if not private:
        yield score
        return
    for part in score.parts:
        if isinstance(part, Recorded) or (isinstance(part, Fragment) and not part.private):
            yield Score((part,), part.text)


def _missing(clips: Clips, scores: Iterable[Score]) -> list[Score]:
    """Those not yet made, and those with a recording that could not be used: it is tried again."""
    return [
        score
        for score in scores
        if not clips.has(score.name)
        or any(isinstance(part, Recorded) and not clips.has(part.name) for part in score.parts)
    ]


def _counting(
    progress: Progress, missing: Sequence[Score], wanted: Sequence[Score]
) -> Callable[[], None]:
    """What to call after each of the missing ones; tells how many there are already."""
    done = itertools.count(len(wanted) - len(missing))

    def one_more() -> None:
        progress(next(done), len(wanted))

    one_more()
    return one_more


@asynccontextmanager
async def _the_only_maker(directory: Path) -> AsyncIterator[Path]:
    """Wait until nobody else makes clips here; yields an empty directory to work in.

    The lock is the kernel's, so a process that died does not hold it.
    """
    with _lock_of(directory) as lock:
        while not _locked(lock):  # noqa: ASYNC110 - nothing tells us that a file is unlocked
            await asyncio.sleep(LOCK_POLL)
        with _workshop(directory) as workshop:
            yield workshop


def _lock_of(directory: Path) -> TextIO:
    directory.mkdir(parents=True, exist_ok=True)
    return (directory / "lock").open("w")


@contextmanager
def _workshop(directory: Path) -> Iterator[Path]:
    """A directory to work in. That of a maker who died is removed: a child that outlives it for a
    moment finds nothing to write into."""
    for left_over in directory.glob(f"{WORKSHOP}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with TemporaryDirectory(prefix=WORKSHOP, dir=directory, ignore_cleanup_errors=True) as made:
        yield Path(made)


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def _speakers(voice: Voice, patience: float) -> AsyncIterator[asyncio.Queue[Speaker]]:
    """As many as this machine can use, for as long as the block lasts."""
    idle: asyncio.Queue[Speaker] = asyncio.Queue()
    async with AsyncExitStack() as speakers:
        for _ in range(min(A_PROCESSOR * (os.cpu_count() or 1), MOST_SPEAKERS)):
            speaker = Speaker(voice, patience)
            speakers.push_async_callback(speaker.stop)
            idle.put_nowait(speaker)
        yield idle


class Maker:
    """Makes scores, all at once; each part only once, by whichever speaker is free first.

    Speakers are given out in the order in which they are asked for, so the first lines are the
    first to be ready.
    """

    def __init__(self, clips: Clips, workshop: Path, idle: asyncio.Queue[Speaker]) -> None:
        """``workshop`` is a directory that nobody else uses; ``idle`` speakers are given back."""
        self._clips = clips
        self._workshop = workshop
        self._tasks = asyncio.TaskGroup()
        self._idle = idle
        self._begun: dict[str, asyncio.Task[bool]] = {}
        self._failures: list[Failure] = []

    async def make(
        self, scores: Iterable[Score], one_more: Callable[[], None] = lambda: None
    ) -> list[Failure]:
        """Make these, once; ``one_more`` is called after each. Says what could not be made."""
        async with self._tasks:
            for score in scores:
                task = self._tasks.create_task(self._score(score))
                task.add_done_callback(lambda _: one_more())
                await asyncio.sleep(0)  # whatever else this process does comes first
        return self._failures

    async def _score(self, score: Score) -> None:
        await self._all(score.parts)
        parts = self._clips.usable(score.parts)
        if await self._all(parts) and not self._clips.has(score.name):
            with self._telling(score.text):
                await asyncio.to_thread(self._splice, score, parts)

    async def _all(self, parts: Iterable[Part]) -> bool:
        """Make these parts, unless it was tried already; whether they are there now."""
        begun = [self._begin(part) for part in parts if not isinstance(part, Rest)]
        return all([await task for task in begun])

    def _begin(self, part: Fragment | Recorded) -> asyncio.Task[bool]:
        if part.name not in self._begun:
            self._begun[part.name] = self._tasks.create_task(self._part(part))
        return self._begun[part.name]

    async def _part(self, part: Fragment | Recorded) -> bool:
        if not self._clips.has(part.name):
            into = self._workshop / f"{part.name}.wav"
            with self._telling(str(part.path) if isinstance(part, Recorded) else part.text):
                await self._ordered({"into": str(into), **_order(part)})
                await asyncio.to_thread(self._clips.adopt, into, part.name, part.text)
        return self._clips.has(part.name)

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """What goes wrong with one clip is told at the end; the others are made all the same."""
        try:
            yield
        except (SpeechError, ValueError, OSError) as error:
            self._failures.append(Failure(what, str(error)))

    async def _ordered(self, order: Order) -> None:
        speaker = await self._idle.get()
        try:
            await speaker.carry_out(order)
        finally:
            self._idle.put_nowait(speaker)

    def _splice(self, score: Score, parts: Iterable[Part]) -> None:
        into = self._workshop / f"{score.name}.wav"
        into.write_bytes(self._clips.splice([part.name for part in parts]) or b"")
        self._clips.adopt(into, score.name, score.text)


def _order(part: Fragment | Recorded) -> Order:
    if isinstance(part, Recorded):
        return {"recording": str(part.path)}
    words = len(part.text.split())
    return {"say": part.say, "rate": part.rate, "words": words, "pace": part.pace}
