"""How a line will sound: the parts it is made of, each with a name that says all about it.

A part is a fragment (words in one breath, at one pace), a recording by a person, or a rest. A name
is a hash of everything that can be heard, so what has a name never changes: it may be kept for a
year, and is made again only when its words, pace, voice, lexicon or recording did change.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

from ivr.core.saying import Line, Pause, Phrase, Piece, Words
from ivr.speech.pacing import ENOUGH_WORDS
from ivr.speech.synthesis import Voice

SHAPE = "2"  # raise it when shaping.py or pacing.py makes the same words sound different
SLOW_PAUSES = 2  # times as long
_NAME_LENGTH = 16  # hexadecimal digits
_NAME = re.compile(rf"[0-9a-f]{{{_NAME_LENGTH}}}")
_REST = re.compile(r"_(\d{1,6})(s?)")


def is_name(text: str) -> bool:
    """Whether this is a name of ours, and so may become part of a path."""
    return _NAME.fullmatch(text) is not None


def _name(*heard: str) -> str:
    digest = hashlib.sha256("\0".join((SHAPE, *heard)).encode())
    return digest.hexdigest()[:_NAME_LENGTH]


@dataclass(frozen=True, slots=True)
class Rest:
    """A pause, in milliseconds as it is written; the slow pace doubles it."""

    milliseconds: int
    slow: bool

    @property
    def name(self) -> str:
        """Short, because sequences travel in addresses: ``_500``, slow ``_500s``."""
        return f"_{self.milliseconds}{'s' if self.slow else ''}"

    @classmethod
    def named(cls, name: str) -> Self | None:
        """The rest of this name, if it is one."""
        match = _REST.fullmatch(name)
        return cls(int(match[1]), match[2] == "s") if match else None

    @property
    def pause(self) -> Pause:
        """As it is written."""
        return Pause(self.milliseconds / 1000)

    @property
    def seconds(self) -> float:
        """As it is heard."""
        return self.milliseconds / 1000 * (SLOW_PAUSES if self.slow else 1)


@dataclass(frozen=True, slots=True)
class Fragment:
    """Words in one breath: ``text`` as they are read, ``say`` as this voice must be told them.

    ``rate`` is what the engine is told first, ``pace`` how many words a minute should be heard; 0
    if the words are too few to have a pace.
    """

    name: str
    text: str
    say: str
    rate: int
    pace: int
    private: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """A whole prompt spoken by a person; ``instead`` is for the voice, if it cannot be used."""

    name: str
    text: str
    path: Path
    instead: "tuple[Fragment | Rest, ...]"


Part: TypeAlias = Fragment | Recorded | Rest


@dataclass(frozen=True, slots=True)
class Score:
    """A whole line at one pace. A line that is a single fragment is that fragment, by its name."""

    parts: tuple[Part, ...]
    text: str

    @property
    def name(self) -> str:
        """What its clip is called."""
        match self.parts:
            case (Fragment() as only,):
                return only.name
            case parts:
                return _name(*(part.name for part in parts))

    @property
    def rests(self) -> float:
        """How long its written pauses are heard, in seconds."""
        return sum(part.seconds for part in self.parts if isinstance(part, Rest))


class Notation:
    """Writes the score of a line, for one voice, one lexicon and one set of recordings.

    The lexicon gives the spelling that makes this voice say a term right. Recordings are looked for
    once, here: what is put there later is found by the next one.
    """

    def __init__(self, voice: Voice, lexicon: Mapping[str, str], recordings: Path) -> None:
        self.voice = voice
        self._lexicon = dict(lexicon)
        self._terms = _whole_words(lexicon)
        self._recordings = {
            path.relative_to(recordings).with_suffix("").as_posix(): (path, _digest(path))
            for path in sorted(recordings.glob("*/*.wav"))
            if path.is_file()
        }

    def score(self, line: Line, slow: bool) -> Score:
        """The parts of this line at this pace."""
        parts = (part for phrase in line.phrases for part in self._phrase(phrase, slow))
        return Score(tuple(parts), line.text)

    def _phrase(self, phrase: Phrase, slow: bool) -> tuple[Part, ...]:
        spoken = tuple(self._part(piece, slow) for piece in phrase.pieces)
        line = Line((phrase,))
        if phrase.prompt not in self._recordings or line.private:
            return spoken
        path, digest = self._recordings[phrase.prompt]
        name = _name("recorded", digest, *(part.name for part in spoken))
        return (Recorded(name, line.text, path, spoken),)

    def _part(self, piece: Piece, slow: bool) -> Fragment | Rest:
        if isinstance(piece, Pause):
            return Rest(round(piece.seconds * 1000), slow)
        say, rate = self._said(piece), self.voice.slow_rate if slow else self.voice.rate
        pace = self.voice.slow_pace if slow else self.voice.pace
        pace = pace if len(piece.text.split()) >= ENOUGH_WORDS else 0
        name = _name(self.voice.identity, str(rate), str(pace), piece.text, say)
        return Fragment(name, piece.text, say, rate, pace, piece.private)

    def _said(self, words: Words) -> str:
        return self._terms.sub(lambda term: self._lexicon[term[0]], words.text)


def _whole_words(terms: Iterable[str]) -> re.Pattern[str]:
    """Any of these terms where it stands as a word of its own; the longest first. Case counts."""
    either = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)" if either else r"(?!)")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
