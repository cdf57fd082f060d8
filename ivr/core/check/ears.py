"""Words for the ear: what is spoken once, to somebody who cannot look at it again.

The codes are those of our accessibility rules, which lean on W3C's pattern for voice menus and on
the NHS's way of writing; where those give no number, it is our own.
"""

import re
from collections.abc import Collection, Iterator

from ivr.core.check.facts import spoken_anywhere
from ivr.core.check.flaw import Flaw
from ivr.core.check.menus import KEY
from ivr.core.flow import Book, Prompt
from ivr.core.speaking import DIGITS

LONG, TOO_LONG = 20, 25  # words of a sentence
EVERYDAY = {"UK"}  # capitals that every voice says right
FILLER = (
    "your call is important|important to us|please listen|please note|options have changed"
    "|simply|kindly|unfortunately|we apologi[sz]e|for your convenience"
)
_FILLER = re.compile(rf"\b(?:{FILLER})\b", re.IGNORECASE)
_KEY_FIRST = re.compile(rf"{KEY.pattern}(?:\s+key)?[\s,]+(?:for|to|if)\b", re.IGNORECASE)
_IN_ONE_BREATH = re.compile(
    rf"(?!\b(?:or|and|then|to|please|just|now)\s)\b[\w'’]+,?\s+{KEY.pattern}", re.IGNORECASE
)
_CAPITALS = re.compile(r"\b[A-Z]{2,}(?:\.[A-Z]{2,})*s?\b")
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_FOR_THE_EYE = re.compile(
    r"\b(?:[\w-]+\.)+(?:uk|org|com|net|gov|info)\b"
    r"|\b(?:[A-Za-z]\.){2,}"  # e.g. and S.E.N.
    r"|\b(?:etc|eg|ie|approx|tel|hrs|mins|yrs|dept|govt|vs|incl|asap)\b"
    r"|\b\d+[.:]\d+(?:[ap]m)?\b|\b\d+[ap]m\b"  # a time, or a part of a number
    r"|\w+/\w+"  # and/or
    r"|[^\w\s.,:;?!'’‘\"“”()–—…{}-]|_",
    re.IGNORECASE,
)


def flaws_in_words(book: Book, terms: Collection[str] | None) -> Iterator[Flaw]:
    """Every prompt that is hard to follow by ear. ``terms`` are those that the lexicon holds; None
    where it could not be read."""
    spoken, labels = spoken_anywhere(book), {*book.labels(), book.frame.person, book.frame.more}
    for prompt in book.prompts.values():
        if prompt.id in spoken:
            yield from _sentences(prompt)
            if prompt.id not in labels:  # of these it is told already
                yield from _keys(prompt)
            yield from _filler(prompt)
            if terms is not None:
                yield from _unspeakable(prompt, terms)


def _sentences(prompt: Prompt) -> Iterator[Flaw]:
    for sentence in _SENTENCE.split(plain(prompt)):
        words = sentence.split()
        if len(words) > LONG:
            message = f'"{" ".join(words[:4])} ..." is a sentence of {len(words)} words'
            remedy = f"make two of it: at most {LONG} words can be followed by ear"
            harmless = len(words) <= TOO_LONG
            yield Flaw("A017", message, remedy, prompt=prompt.id, harmless=harmless)


def plain(prompt: Prompt) -> str:
    """The words of a prompt without its pauses, its facts, and digits that are dictated."""
    spoken = (part for part in prompt.parts if isinstance(part, str) and not _is_dictated(part))
    return " ".join(" ".join(spoken).split())


def _is_dictated(part: str) -> bool:
    return {word.rstrip(".,;:?!") for word in part.casefold().split()} <= set(DIGITS)


def _keys(prompt: Prompt) -> Iterator[Flaw]:
    """What a key does comes first, then a pause, then the key."""
    first = _KEY_FIRST.search(prompt.text)
    if first:
        message = f'"{first[0]}" names the key before what it does'
        remedy = 'turn it round: "For help / press 0"'
        yield Flaw("A003", message, remedy, prompt=prompt.id)
        return
    hasty = next(
        (found[0] for part in _breaths(prompt) if (found := _IN_ONE_BREATH.search(part))), ""
    )
    if hasty:
        message = f'there is no pause before the key in "{hasty}"'
        yield Flaw("A007", message, "put / before the key", prompt=prompt.id, harmless=True)


def _breaths(prompt: Prompt) -> Iterator[str]:
    return (part for part in prompt.parts if isinstance(part, str))


def _filler(prompt: Prompt) -> Iterator[Flaw]:
    found = _FILLER.search(plain(prompt))
    if found:
        message, remedy = f'"{found[0]}" helps nobody', "leave it out"
        yield Flaw("A020", message, remedy, prompt=prompt.id, harmless=True)


def _unspeakable(prompt: Prompt, terms: Collection[str]) -> Iterator[Flaw]:
    """What a voice says wrongly, or letter by letter."""
    words = " ".join(_breaths(prompt))
    for short in dict.fromkeys(_CAPITALS.findall(words)):
        if short not in EVERYDAY and short not in terms:
            message = f'a voice may say "{short}" wrongly'
            remedy = "write it in words, or say in lexicon.yaml how it is spoken"
            yield Flaw("A019", message, remedy, prompt=prompt.id, harmless=True)
    for sign in dict.fromkeys(found[0] for found in _FOR_THE_EYE.finditer(words)):
        if sign not in terms:
            message = f'"{sign}" is written for the eye'
            remedy = "write it in the words that a person would say"
            yield Flaw("A031", message, remedy, prompt=prompt.id, harmless=True)
