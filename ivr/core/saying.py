"""What is spoken, as plain data: words and pauses, gathered into lines.

A line is the unit of sound: one clip, one ``<Play>`` or one ``<Say>``. It is made of phrases, each
from one prompt, so that a recording made by a person can take the place of a whole prompt.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Words:
    """Words spoken in one breath. ``private`` words are known only during this call.

    ``mark`` is the punctuation written after them; it changes nothing in how they sound, so that
    "three", "three." and "three?" are one and the same sound.
    """

    text: str
    private: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence, in seconds at the normal pace; the slow pace doubles it."""

    seconds: float


WORDS_A_MINUTE = 150  # at the normal pace (accessibility rule R24)
HEARD_AS_A_COMMA = 0.5  # seconds: shorter pauses, between the digits of a number, are not written
SENTENCE_MARKS = (".", ",", ":", ";", "?", "!")

Piece: TypeAlias = Words | Pause


@dataclass(frozen=True, slots=True)
class Phrase:
    """What one prompt says. ``prompt`` is its id (``file/name``), or empty for a bare pause."""

    pieces: tuple[Piece, ...]
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One clip's worth of speech.

    ``private`` says whether any of its words are known only during this call. That, and its hash,
    are kept: a line is looked at far more often than it is made.
    """

    phrases: tuple[Phrase, ...]
    private: bool = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        private = any(isinstance(piece, Words) and piece.private for piece in self.pieces)
        object.__setattr__(self, "private", private)
        object.__setattr__(self, "_hash", hash(self.phrases))

    def __hash__(self) -> int:
        return self._hash

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All words and pauses, in order."""
        return tuple(piece for phrase in self.phrases for piece in phrase.pieces)

    @property
    def text(self) -> str:
        """The words as a person would read them: a pause within a sentence becomes a comma."""
        read, joint = "", ""
        for piece in self.pieces:
            if isinstance(piece, Pause):
                joint = ", " if piece.seconds >= HEARD_AS_A_COMMA else joint
            else:
                joint = " " if read.endswith(SENTENCE_MARKS) else joint
                read += (joint if read else "") + piece.text + piece.mark
                joint = " "
        return read


def silence(seconds: float) -> Line:
    """A line of nothing but a pause."""
    return Line((Phrase((Pause(seconds),)),))


def seconds(lines: Iterable[Line]) -> float:
    """How long these lines last at the normal pace, their pauses included."""
    pieces = [piece for line in lines for piece in line.pieces]
    words = sum(len(piece.text.split()) for piece in pieces if isinstance(piece, Words))
    pauses = sum(piece.seconds for piece in pieces if isinstance(piece, Pause))
    return words * 60 / WORDS_A_MINUTE + pauses
