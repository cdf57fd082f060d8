"""The clip that somebody waits for, made at once, beside whoever makes them all.

Its address may come from another machine, which has made it already: soon after a start the phone
must not be told that there is no such clip.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ivr.core.saying import Line
from ivr.speech.clips import Clips
from ivr.speech.making import Maker, every_score
from ivr.speech.score import Rest, Score
from ivr.speech.synthesis import Speaker

IN_TIME = 5.0  # seconds that a caller can be kept in silence

Texts = Callable[[], tuple[Iterable[Line], Iterable[str]]]


class OnDemand:
    """Makes clips by their names, one after another, with a speaker of its own.

    It works in a folder of its own, and clips are put in place whole: should another maker be as
    quick with the same one, neither notices.
    """

    def __init__(self, clips: Clips, texts: Texts) -> None:
        """``texts`` gives the lines of the book, and the words that may be spliced into a call."""
        self._clips, self._texts = clips, texts
        self._scores: Mapping[str, Score] = {}
        self._speakers: asyncio.Queue[Speaker] = asyncio.Queue()
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def make(self, names: Sequence[str]) -> bool:
        """Make what is missing of these clips and parts; whether all are there, within 5 s.

        A name that is not of this book is known at once. What was finished in time stays.
        """
        self._scores = self._scores or await asyncio.to_thread(self._every_score)
        parts = [name for name in names if not Rest.named(name)]
        if not all(name in self._scores for name in parts):
            return False
        try:
            async with asyncio.timeout(IN_TIME):
                await self._in_turn([self._scores[name] for name in parts])
        except (TimeoutError, OSError):  # a full disk too: the caller hears the next clip
            pass
        return all(map(self._clips.has, parts))

    def forget(self) -> None:
        """Ask for the texts anew when the next clip is wanted: there may be others now."""
        self._scores = {}

    async def _in_turn(self, scores: Sequence[Score]) -> None:
        """One at a time; the child goes when nobody waits for it any longer."""
        self._waiting += 1
        try:
            async with self._turn:
                await self._made([score for score in scores if not self._clips.has(score.name)])
        finally:
            self._waiting -= 1
            if not self._waiting and not self._speakers.empty():
                await self._speakers.get_nowait().stop()

    async def _made(self, missing: Sequence[Score]) -> None:
        if not missing:
            return
        if self._speakers.empty():
            self._speakers.put_nowait(Speaker(self._clips.voice))
        self._clips.directory.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="asked-", dir=self._clips.directory) as workshop:
            await Maker(self._clips, Path(workshop), self._speakers).make(missing)

    def _every_score(self) -> dict[str, Score]:
        """All that may be asked for: lines, and the parts that are spliced."""
        scores = every_score(self._clips, *self._texts())
        parts = (part for score in scores for part in score.parts if not isinstance(part, Rest))
        return {part.name: Score((part,), part.text) for part in parts} | {
            score.name: score for score in scores
        }
