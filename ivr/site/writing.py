"""Spoken words as they are written: no pauses, numbers in digits, nothing said twice. Pure."""

import re
from collections.abc import Iterator, Sequence

from ivr.core.check.menus import KEY
from ivr.core.flow import Gap, Prompt, Slot
from ivr.core.saying import SENTENCE_MARKS
from ivr.core.speaking import BETWEEN_GROUPS, DIGITS

LONG = BETWEEN_GROUPS.seconds  # the pause between the printed groups of a number
FEWEST = 3  # digits of a number, in words or one by one, that is written in digits
ONE = rf"(?:{'|'.join(DIGITS)}|\d)"
NUMBER = re.compile(rf"\b{ONE}(?:(?: | \| ){ONE})+\b", re.IGNORECASE)
DOT = r" (?:\| )?dot "  # a pause may stand before it
SPELLED = re.compile(rf"\b((?:[A-Za-z] )+[A-Za-z]|\w+){DOT}((?:(?:\w+){DOT})*)(U K|com|org|net)\b")
PAUSE = re.compile(r"(\S?)\s*[|~]\s*")
SENTENCE = re.compile(r"(?<=[.?!])\s+")
ONCE_MORE = "Once more."


def written(prompt: Prompt) -> tuple[str, ...]:
    """Return the sentences of a prompt, without facts, and without those that name a key: they are
    for whoever holds a phone."""
    joined = " ".join(_parts(prompt))
    text = PAUSE.sub(_joint, SPELLED.sub(_address, NUMBER.sub(_number, joined)))
    sentences = (" ".join(one.split()) for one in SENTENCE.split(text))
    return _once([one for one in sentences if one and not KEY.search(one)])


def _parts(prompt: Prompt) -> Iterator[str]:
    """The words, with a bar for a pause as long as those within a number, and a wave for others."""
    for part in prompt.parts:
        match part:
            case str():
                yield part
            case Gap(seconds) if seconds >= LONG:
                yield "|"
            case Gap():
                yield "~"
            case Slot():
                pass


def _number(found: re.Match[str]) -> str:
    """Digits spoken one by one, as a number is printed."""
    spelled = "".join(" " if word == "|" else _digit(word) for word in found[0].split())
    return spelled if len(spelled.replace(" ", "")) >= FEWEST else found[0]


def _digit(word: str) -> str:
    return word if word.isdecimal() else str(DIGITS.index(word.lower()))


def _address(found: re.Match[str]) -> str:
    """A web address that is spelled for the ear."""
    return re.sub(DOT, ".", found[0]).replace(" ", "").lower()


def _joint(found: re.Match[str]) -> str:
    """A pause within a sentence becomes a comma."""
    return f"{found[1]} " if not found[1] or found[1] in SENTENCE_MARKS else f"{found[1]}, "


def _once(sentences: Sequence[str]) -> tuple[str, ...]:
    """Every sentence once: what is to be written down is said twice for the ear."""
    return tuple(dict.fromkeys(one for one in sentences if one != ONCE_MORE))
