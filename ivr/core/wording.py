"""Prompts into words: facts are filled in by named ways of speaking, and menus speak themselves.

How numbers and names are spoken: each digit as a word ("zero", never "oh" or "double"), 0.3 s
between digits and 1 s between printed groups (NHS and GOV.UK grouping; pauses are our own rule).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeGuard

from ivr.core.flow import MAX_CHOICES, Book, Gap, Menu, Option, Prompt, Slot, Step
from ivr.core.saying import SENTENCE_MARKS, Line, Pause, Phrase, Piece, Words, silence

BEFORE_A_KEY = Pause(0.5)
AFTER_A_CHOICE = Pause(1.0)
AFTER_A_PROMPT = Pause(0.5)
AFTER_A_KEY = silence(0.5)  # the phone returns to the ear (accessibility rule R25)
BETWEEN_DIGITS = Pause(0.3)
BETWEEN_GROUPS = Pause(1.0)
MIN_GROUP = 2  # digits; one alone is a word: "One. Through the school."

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NUMBERS = (*DIGITS, "ten", "eleven", "twelve")
ZERO = "0"
KEY_NAMES = {"*": "star", "#": "hash"}
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
MARKS = {".": "dot", "-": "dash", "_": "underscore", "/": "slash", "@": "at"}
KNOWN_WORDS = ("co", "gov", "org", "com", "net")  # of web addresses: nobody spells them
HALF = 30  # minutes; later than that, the next hour is named
QUARTERS = {0: "", 15: "quarter past ", HALF: "half past ", 45: "quarter to "}
FIVES = {
    **{5: "five past", 10: "ten past", 20: "twenty past", 25: "twenty-five past"},
    **{35: "twenty-five to", 40: "twenty to", 50: "ten to", 55: "five to"},
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January February March April May June July August September October November December".split()
)
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first "
    "twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh "
    "twenty-eighth twenty-ninth thirtieth thirty-first"
).split()


# --- named ways of speaking a fact -------------------------------------------------------------


def _digits(value: str) -> Iterator[Piece]:
    for number, group in enumerate(value.split()):
        if number:
            yield BETWEEN_GROUPS
        for place, digit in enumerate(character for character in group if character.isdecimal()):
            if place:
                yield BETWEEN_DIGITS
            yield Words(DIGITS[int(digit)], private=True)


def _last_three(value: str) -> Iterator[Piece]:
    yield from _digits("".join(value.split())[-3:])


def _threes(value: str) -> Iterator[Piece]:
    digits = "".join(value.split())
    yield from _digits(" ".join(digits[start : start + 3] for start in range(0, len(digits), 3)))


def _name(value: str) -> Iterator[Piece]:
    yield Words(value, private=True)


def _day(value: str) -> Iterator[Piece]:
    day = date.fromisoformat(value)
    yield Words(WEEKDAYS[day.weekday()], private=True)
    yield Words(f"the {ORDINALS[day.day - 1]}", private=True)
    yield Words(f"of {MONTHS[day.month - 1]}", private=True)


def _clock(hour: int, minute: int) -> tuple[str, ...]:
    """The words of a time; those of a minute that is no quarter stand apart, so that few clips do
    for many times. Raises KeyError for a minute that no five minutes end with."""
    if (hour, minute) == (12, 0):
        return ("twelve noon",)
    part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    spoken = hour + 1 if minute > HALF else hour
    on_the_hour = f"{NUMBERS[(spoken - 1) % 12 + 1]} in the {part}"
    if minute in QUARTERS:
        return (f"{QUARTERS[minute]}{on_the_hour}",)
    return (FIVES[minute], on_the_hour)


def _time(value: str) -> Iterator[Piece]:
    hour, minute = value.split(":")
    for words in _clock(int(hour), int(minute)):
        yield Words(words, private=True)


def _number(value: str) -> Iterator[Piece]:
    yield Words(NUMBERS[int(value)].capitalize())


def _months(value: str) -> Iterator[Piece]:
    yield Words(_some_months(int(value)), private=True)


def _some_months(number: int) -> str:
    return f"{NUMBERS[number]} month{'' if number == 1 else 's'}"


def _spelled(value: str) -> Iterator[Piece]:
    """A web or email address: letters in groups of three, its marks and endings as words."""
    yielded = False
    for part in re.findall(
        rf"(?<![a-z])(?:{'|'.join(KNOWN_WORDS)})(?![a-z])|[a-z]{{1,3}}|.", value
    ):
        if yielded:
            yield BETWEEN_GROUPS
        yielded = True
        word = part if part in KNOWN_WORDS else MARKS.get(part, "")
        if word:
            yield Words(word, private=True)
            continue
        for place, letter in enumerate(part):
            if place:
                yield BETWEEN_DIGITS
            yield Words(DIGITS[int(letter)] if letter.isdecimal() else letter.upper(), private=True)


def _key(value: str) -> Iterator[Piece]:
    yield Words(KEY_NAMES.get(value, value))


WAYS: Mapping[str, Callable[[str], Iterator[Piece]]] = {
    "digits": _digits,
    "threes": _threes,
    "last-three": _last_three,
    "name": _name,
    "day": _day,
    "time": _time,
    "months": _months,
    "spelled": _spelled,
    "number": _number,
    "key": _key,
}


def vocabulary() -> tuple[str, ...]:
    """Every word that ``digits``, ``day``, ``time``, ``months`` and ``spelled`` can speak, so that
    clips exist.

    ``name`` speaks whatever a service found: those words come from the service's own room.
    """
    days = [f"the {ordinal}" for ordinal in ORDINALS]
    months = [f"of {month}" for month in MONTHS]
    clocks = (_clock(hour, minute) for hour in range(6, 23) for minute in range(0, 60, 5))
    times = dict.fromkeys(words for clock in clocks for words in clock)
    spans = [_some_months(number) for number in range(1, 13)]
    spelling = (*LETTERS, *MARKS.values(), *KNOWN_WORDS)
    return (*DIGITS, *WEEKDAYS, *days, *months, *times, *spans, *spelling)


# --- prompts and menus -------------------------------------------------------------------------


def _spoken(slot_way: str, value: str) -> tuple[Piece, ...]:
    """A fact in its way of speaking. One that does not fit is spoken as it stands, and one that
    is not known not at all."""
    if not value:
        return ()
    try:
        return tuple(WAYS[slot_way](value))
    except (ValueError, IndexError, KeyError):
        return (Words(value, private=True),)


def phrase(prompt: Prompt, facts: Mapping[str, str]) -> Phrase:
    """What a prompt says with these facts filled in.

    Fixed words that follow on fixed words are spoken in one breath: "press" and "1". Words on the
    two sides of a fact never are, even where the fact is not known: their clips stay the same.
    """
    pieces: list[Piece] = []
    fact_between = False
    for part in prompt.parts:
        spoken = list(_pieces(part, facts))
        last, first = pieces[-1:], spoken[:1]
        if not fact_between and _is_fixed(last) and _is_fixed(first):
            pieces[-1:] = [
                Words(f"{last[0].text}{last[0].mark} {first[0].text}", mark=first[0].mark)
            ]
            spoken = spoken[1:]
        pieces.extend(spoken)
        fact_between = not (spoken or first)
    return Phrase(tuple(pieces), prompt.id)


def _is_fixed(piece: list[Piece]) -> TypeGuard[list[Words]]:
    """Whether there is a piece here, and it is words that are known before any call."""
    return bool(piece) and isinstance(piece[0], Words) and not piece[0].private


def _pieces(part: str | Slot | Gap, facts: Mapping[str, str]) -> Iterator[Piece]:
    if isinstance(part, Gap):
        yield Pause(part.seconds)
    elif isinstance(part, Slot):
        yield from _marked(_spoken(part.way, facts.get(part.name, "")), part.mark)
    else:
        yield from _fixed(part)


def _fixed(text: str) -> Iterator[Piece]:
    """Words as they are written. A group of a phone number, which stands between two pauses, is
    spoken as one that is known only in the call: digit by digit."""
    words = text.split()
    bare = [word.rstrip("".join(SENTENCE_MARKS)) for word in words]
    if len(words) < MIN_GROUP or not set(bare) <= set(DIGITS):
        yield Words(text)
        return
    for place, digit in enumerate(bare):
        if place:
            yield BETWEEN_DIGITS
        yield Words(digit, mark=words[place].removeprefix(digit))


def _marked(pieces: Sequence[Piece], mark: str) -> Iterator[Piece]:
    """The pieces, with the punctuation that is written after the last words."""
    for number, piece in enumerate(pieces, start=1):
        if number == len(pieces) and isinstance(piece, Words):
            yield Words(piece.text, piece.private, mark)
        else:
            yield piece


def _pause(seconds: Pause) -> Phrase:
    return Phrase((seconds,))


def line(book: Book, prompt: str, facts: Mapping[str, str]) -> Line:
    """A whole prompt as one line, with a breath after it."""
    return book.fixed.get((prompt, "")) or _kept(book, (prompt, ""), _line(book, prompt, facts))


def _line(book: Book, prompt: str, facts: Mapping[str, str]) -> Line:
    return Line((phrase(book.prompts[prompt], facts), _pause(AFTER_A_PROMPT)))


def _kept(book: Book, name: tuple[str, str], made: Line) -> Line:
    """Keep a line that is the same in every call: most are, and are said again and again."""
    prompt = book.prompts[name[0]]
    if name[1] or not any(isinstance(part, Slot) for part in prompt.parts):
        book.fixed[name] = made
    return made


def choice(book: Book, label: Phrase, key: str) -> Line:
    """One choice: what it is, a pause, then the key, which comes last (accessibility rule R3)."""
    press = phrase(book.prompts[book.frame.press], {"key": key})
    return Line((label, _pause(BEFORE_A_KEY), press, _pause(AFTER_A_CHOICE)))


def labelled(book: Book, prompt: str, key: str) -> Line:
    """A choice whose label is a prompt."""
    kept = book.fixed.get((prompt, key))
    return kept or _kept(book, (prompt, key), choice(book, named(book, prompt), key))


def counted(book: Book, number: int) -> Line:
    """How many choices there are (accessibility rule R16)."""
    name = (book.frame.count, str(number))
    if name not in book.fixed:
        words = phrase(book.prompts[book.frame.count], {"count": name[1]})
        _kept(book, name, Line((words, _pause(BEFORE_A_KEY))))
    return book.fixed[name]


def named(book: Book, prompt: str) -> Phrase:
    """A label of a choice."""
    return phrase(book.prompts[prompt], {})


def menu(
    book: Book,
    intro: Sequence[str],
    choices: Sequence[Line],
    closing: Sequence[str],
    facts: Mapping[str, str],
    zero: Line | None = None,
) -> Iterator[Line]:
    """The words of a menu, made from its choices, in order.

    0 comes first (rule R4), then how many other choices there are (R16), then each of them.
    """
    yield from (line(book, prompt, facts) for prompt in intro)
    if zero is not None:
        yield zero
    if len(choices) > 1:
        yield counted(book, len(choices))
    yield from choices
    yield from (line(book, prompt, facts) for prompt in closing)


def zero(book: Book, step: Step) -> Line | None:
    """What 0 does here, and that it is pressed for it; in a menu that 0 itself led to, nothing is
    said of it unless it is a choice there."""
    if step.place not in book.person_menus:
        return labelled(book, book.frame.person, ZERO)
    options = step.options if isinstance(step, Menu) else ()
    own = next((option for option in options if option.key == ZERO), None)
    return labelled(book, own.label, ZERO) if own else None


def offered(options: Sequence[Option], facts: Mapping[str, str]) -> tuple[Option, ...]:
    """The options of a menu that hold in this call."""
    return tuple(option for option in options if option.when is None or option.when.holds(facts))


def every_line(book: Book) -> Iterator[Line]:
    """Every line that a call of this book can hear, so that its clips can be made beforehand.

    In lines that hold facts, the facts are left out: of those only the fixed words are known.
    """
    yield AFTER_A_KEY
    someone = Phrase((Words("", private=True),))
    yield labelled(book, book.frame.person, ZERO)
    yield labelled(book, book.frame.more, str(MAX_CHOICES))
    for number in range(1, MAX_CHOICES + 1):
        yield choice(book, someone, str(number))
        if number > 1:
            yield counted(book, number)
    for step in book.steps.values():
        if isinstance(step, Menu):
            for option in step.options:
                yield labelled(book, option.label, option.key)
    labels = {
        *book.labels(),
        book.frame.person,
        book.frame.more,
        book.frame.press,
        book.frame.count,
    }
    never_spoken = set(book.texted())
    for prompt in book.prompts:
        if prompt not in labels | never_spoken:
            yield line(book, prompt, {})
