"""The clips on disk: which are there, what they hold, and how to join them.

Each is two files, ``<name>.wav`` and its words, ``<name>.txt``. The words are put there first, so
where there is sound there are words; and both by renaming, so where there is a file it is whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr.core.saying import Line, Phrase, Piece, Words
from ivr.speech import mulaw
from ivr.speech.score import Notation, Part, Recorded, Rest, Score, is_name

MEMORY = 20_000  # scores of fixed lines kept in mind; a book has some hundreds


@dataclass(frozen=True, slots=True)
class Length:
    """How long a clip is, in seconds, and how much of it is written pauses."""

    name: str
    text: str
    slow: bool
    seconds: float
    pauses: float

    @property
    def words_per_minute(self) -> float:
        """As measured, without the written pauses."""
        speech = self.seconds - self.pauses
        return 60 * len(self.text.split()) / speech if speech > 0 else 0.0


class Clips:
    """All clips of one book, as its notation names them, in one directory.

    Every method is quick: at most a few small files are read.
    """

    def __init__(self, directory: Path, notation: Notation) -> None:
        self.directory = directory.absolute()
        self.voice = notation.voice
        self._notation = notation
        self._scores: dict[tuple[Line, bool], Score] = {}
        self._seen: set[str] = set()  # clips do not go away while we run

    # --- fixed lines -------------------------------------------------------------------------

    def score(self, line: Line, slow: bool) -> Score:
        """The parts of this line. One with private words is not remembered."""
        score = self._scores.get((line, slow))
        if score is None:
            score = self._notation.score(line, slow)
            if not line.private and len(self._scores) < MEMORY:
                self._scores[line, slow] = score
        return score

    def name(self, line: Line, slow: bool) -> str:
        """What the clip of this fixed line is called; ValueError if any of it is private."""
        if line.private:
            raise ValueError("a line with private words has no clip; its fragments are spliced")
        return self.score(line, slow).name

    def ready(self, line: Line, slow: bool) -> bool:
        """Whether this fixed line has been made."""
        return not line.private and self.has(self.name(line, slow))

    def has(self, name: str) -> bool:
        """Whether a clip of this name is there."""
        if name not in self._seen and self._size(name) > mulaw.HEADER_BYTES:
            self._seen.add(name)
        return name in self._seen

    def wav(self, name: str) -> bytes | None:
        """The clip's file, or None."""
        return self._read(name, ".wav")

    def text(self, name: str) -> str | None:
        """The clip's words, or None."""
        words = self._read(name, ".txt")
        return None if words is None else words.decode()

    # --- words known only during the call ----------------------------------------------------

    def fragments(self, line: Line, slow: bool) -> tuple[str, ...] | None:
        """The names of the parts to splice for this line, or None while any is missing."""
        parts = self.usable(self.score(line, slow).parts)
        if all(isinstance(part, Rest) or self.has(part.name) for part in parts):
            return tuple(part.name for part in parts)
        return None

    def usable(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """The same, with the voice in place of each recording that could not be used."""
        usable: list[Part] = []
        for part in parts:
            missing = isinstance(part, Recorded) and not self.has(part.name)
            usable.extend(part.instead if isinstance(part, Recorded) and missing else (part,))
        return tuple(usable)

    def splice(self, sequence: Sequence[str]) -> bytes | None:
        """One WAV file of these parts, no gap but the written pauses; None if any is missing."""
        sounds = []
        for name in sequence:
            if rest := Rest.named(name):
                sounds.append(mulaw.silence(rest.seconds))
            elif wav := self.wav(name):
                sounds.append(mulaw.unwrap(wav))
            else:
                return None
        return mulaw.wrap(b"".join(sounds))

    def words(self, sequence: Sequence[str]) -> str | None:
        """What this sequence says, as a line's text has it; None if any of it is missing."""
        pieces: list[Piece] = []
        for name in sequence:
            if rest := Rest.named(name):
                pieces.append(rest.pause)
            elif (text := self.text(name)) is not None:
                pieces.append(Words(text))
            else:
                return None
        return Line((Phrase(tuple(pieces)),)).text

    # --- keeping and measuring -----------------------------------------------------------------

    def adopt(self, made: Path, name: str, text: str) -> None:
        """Take in a finished file and its words under this name; ValueError if not whole."""
        mulaw.unwrap(made.read_bytes())
        words = made.with_suffix(".txt")
        words.write_text(text, "utf-8")
        words.replace(self._path(name, ".txt"))
        made.replace(self._path(name))

    def lengths(self, lines: Iterable[Line], slow: bool) -> list[Length]:
        """How long each of these fixed lines is, in their order, without those not yet made."""
        scores = [self.score(line, slow) for line in lines]
        return [
            Length(
                *(score.name, score.text, slow),
                *(mulaw.seconds(self._size(score.name)), score.rests),
            )
            for score in scores
            if self.has(score.name)
        ]

    def _path(self, name: str, kind: str = ".wav") -> Path:
        return self.directory / f"{name}{kind}"

    def _size(self, name: str) -> int:
        try:
            return self._path(name).stat().st_size
        except OSError:
            return 0

    def _read(self, name: str, kind: str) -> bytes | None:
        if not is_name(name):  # it came from an address, and must not become another path
            return None
        try:
            return self._path(name, kind).read_bytes()
        except OSError:
            self._seen.discard(name)  # should it have gone after all, it can be made again
            return None
