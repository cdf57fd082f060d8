"""Telephone numbers in running words, in figures or dictated: where one begins and ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ivr.core.speaking import DIGITS

RELAY = "18001"  # before any number: the call goes by text relay
SHORTEST = 3  # digits of a number
LONG = 7  # digits that begin with zero; fewer are a count, or keys
CODES = ("0", "+", RELAY, "116", "118")  # what numbers of several groups begin with

_DIGIT = {**{word: str(value) for value, word in enumerate(DIGITS)}, "oh": "0", "nought": "0"}
_TIMES = {"double": 2, "treble": 3, "triple": 3}
_FIGURES = re.compile(r"(?:\+|\(\+)?[\d().–-]*\d\)?")
_DAY_OR_TIME = re.compile(r"\d{1,2}[-.]\d{1,2}[-.]\d{2,4}|\d{4}-\d\d-\d\d|\d{1,2}\.\d\d?")
_PAUSES = ("/", "//")
_ENDS = (".", "?", "!")
_QUOTES = "\"'“”‘’"
_MARKS = ".,;:?!" + _QUOTES
_RING = {"ring", "call", "phone", "dial", "text", "telephone", "tel"}
_BETWEEN = {"on", "us", "is", "the", "at", "to", "them", "it", "number", "a", "now"}
_PRESS = {"press", "push", "type", "key", "keys"}


def numbers(text: str) -> Iterator[str]:
    """The telephone numbers in a text, digits alone, however they are written: "0800 1111", "zero
    eight zero zero // one one one one", "+44 (0)20 7450 4000", "nine nine nine".

    Keys to press ("press 5 3 3", "the keys are 5 3 3"), years, sums and counts are none.
    """
    for run in _runs(text):
        digits = re.sub(r"^\+440?", "0", run.digits).lstrip("+")
        if digits != RELAY:
            digits = digits.removeprefix(RELAY)
        if _is_number(run, digits):
            half = digits[: len(digits) // 2]
            yield from (half, half) if len(half) >= LONG and half * 2 == digits else (digits,)


@dataclass(slots=True)
class _Run:
    """Digits that belong together, and the words before them in their sentence."""

    digits: str
    before: tuple[str, ...]
    single: bool  # digit by digit, as a number is dictated
    joint: bool = False  # only a comma or a pause stands between it and the digits before it
    lone: bool = False  # its digits stand each by itself, with commas or pauses between them


def _is_number(run: _Run, digits: str) -> bool:
    if len(digits) < SHORTEST or _are_keys(run.before, digits):
        return False
    return (
        run.single
        or _is_rung(run.before)
        or (digits.startswith("0") and len(digits) >= LONG)
        or len(digits) > LONG + 1
        or re.fullmatch(r"11[68]\d{3}", digits) is not None
    )


def _are_keys(before: tuple[str, ...], digits: str) -> bool:
    """Whether these are keys to press, and too few for a number that begins with its code."""
    named = before[-2:] in (("keys", "are"), ("key", "is")) or bool({*before[-1:]} & _PRESS)
    return named and len(digits) <= LONG


def _is_rung(before: tuple[str, ...]) -> bool:
    """Whether the words before say that a number comes: "ring us on", "the number is"."""
    if before[-2:] == ("number", "is"):
        return True
    for word in reversed(before[-4:]):
        if word in _RING:
            return True
        if word not in _BETWEEN:
            return False
    return False


def _runs(text: str) -> Iterator[_Run]:
    """Digits that stand together, over commas and pauses too."""
    whole: _Run | None = None
    for run in _groups(text):
        if whole and run.joint and _goes_on(whole, run):
            whole.digits += run.digits
            whole.single = whole.single and run.single
        else:
            if whole:
                yield whole
            whole, run.lone = run, len(run.digits) == 1
    if whole:
        yield whole


def _goes_on(whole: _Run, run: _Run) -> bool:
    """Whether a number goes on over a comma or a pause: groups do behind a code, and single digits
    ("one, two, three") only where the words say that a number comes."""
    if len(run.digits) == 1:
        return whole.lone and _is_rung(whole.before)
    return not whole.lone and whole.digits.startswith(CODES)


def _groups(text: str) -> Iterator[_Run]:
    """Digits with nothing but spaces between them."""
    before: tuple[str, ...] = ()
    group: _Run | None = None
    joint, times = False, 1
    for token in re.findall(r"\{[^{}]*\}|[^\s{}]+", text.casefold()):
        word = token.strip(_QUOTES).rstrip(_MARKS)
        digits = _digits_of(word, inside=group is not None) * times
        if digits:
            group = group or _Run("", before, single=True, joint=joint)
            group.digits += digits
            group.single = group.single and (len(digits) == times or word in _DIGIT)
        times = 1 if digits else _TIMES.get(word, 1)
        if token == word and (digits or times > 1):
            continue  # more of it may come
        if group:
            yield group
        pauses = token in _PAUSES or token.endswith(",")
        joint = pauses and (group is not None or joint)
        group = None
        if not digits and token not in _PAUSES:
            before = (*before[-4:], word)
        if token.endswith(_ENDS):
            before = ()
    if group:
        yield group


def _digits_of(word: str, inside: bool) -> str:
    """The digits that a word stands for, or nothing. ``inside``: digits stand before it."""
    if word in _DIGIT:
        return _DIGIT[word]
    if word == "hundred" and inside:
        return "00"
    if _FIGURES.fullmatch(word) and not _DAY_OR_TIME.fullmatch(word):
        return re.sub(r"[^\d+]", "", word)
    return ""
