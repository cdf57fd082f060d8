"""Facts into words, by named ways of speaking: a number digit by digit, a day, a time, a name.

Each digit is a word ("zero", never "oh" or "double"), with 0.3 s between digits and 1 s between
printed groups (NHS and GOV.UK grouping; pauses are our own rule).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from ivr.core.saying import Pause, Piece, Words

BETWEEN_DIGITS = Pause(0.3)
BETWEEN_GROUPS = Pause(1.0)

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NUMBERS = (*DIGITS, "ten", "eleven", "twelve")
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


def spoken(way: str, value: str) -> tuple[Piece, ...]:
    """A fact in its way of speaking. One that does not fit is spoken as it stands, and one that
    is not known not at all."""
    if not value:
        return ()
    try:
        return tuple(WAYS[way](value))
    except (ValueError, IndexError, KeyError):
        return (Words(value, private=True),)


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
