"""When an advice service can be rung: its hours as they are printed, where those are plain.

"Advice line Mon-Fri 9am-4pm; aim to contact within 2 working days" is understood; "Office hours,
all year" is not, and nothing is said of it then: it is better not to know than to send somebody to
a phone that nobody answers. Pure functions.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from ivr.hours import LONDON, Hours, Opening

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TODAY, TOMORROW = "today", "tomorrow"
#: Every way of saying on which day a service opens.
OPENS = (TODAY, TOMORROW, *(f"on {day}" for day in WEEKDAYS))
#: What may stand beside days and times without changing what they mean.
BESIDE = frozenset("advice and enquiry from helpline inquiry line open phone telephone".split())
NEAR = timedelta(days=7)  # a weekday's name means the next one
QUARTERS = (0, 15, 30, 45)  # minutes that are spoken
NARROWS = re.compile(r"clos|except|holiday|only|term|until")  # then less is true than it seems

_DAY = r"(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?)?"
# Digits are those of our clocks: of other scripts' it is better not to know.
_CLOCK = r"[0-9]{1,2}(?:[:.][0-9]{2})?\s*(?:am|pm)|[0-9]{1,2}:[0-9]{2}|noon|midday"
_TO = r"\s*(?:-|–|to)\s*"
_PARTS = re.compile(
    rf"(?P<days>\b{_DAY}\b(?:{_TO}{_DAY}\b)?)|(?P<times>(?:{_CLOCK}){_TO}(?:{_CLOCK}))"
    r"|(?P<word>[a-z]+)|(?P<mark>[,:&/\s]+)|(?P<other>.)"
)


def understood(printed: str) -> Hours | None:
    """Return the hours that a printed text tells, or None where it is not plain."""
    text = printed.lower()
    tokens = list(_tokens(in_short(text).replace(";", ",")))
    kinds = "".join(kind for kind, _ in tokens)
    if kinds == "TD":
        tokens, kinds = tokens[::-1], "DT"
    if NARROWS.search(text) or not re.fullmatch(r"(?:D+T)+", kinds):
        return None
    return _week(tokens)


def in_short(printed: str) -> str:
    """Return printed hours without what follows a semicolon, which mostly tells of answerphones and
    the like; where it tells of further days or times, all of it."""
    first, _, further = printed.partition(";")
    return printed if any(kind != "?" for kind, _ in _tokens(further.lower())) else first


def _week(tokens: Sequence[tuple[str, str]]) -> Hours | None:
    """The hours of days that are each followed by their times; None if a day has two, or a time
    cannot be."""
    week: dict[int, Opening] = {}
    waiting: list[int] = []
    for kind, text in tokens:
        if kind == "D":
            waiting += _days(text)
            continue
        opening = _opening(text)
        if opening is None or len({*week, *waiting}) < len(week) + len(waiting):
            return None
        week |= dict.fromkeys(waiting, opening)
        waiting = []
    return Hours(week)


def next_opening(hours: Hours, now: datetime) -> datetime | None:
    """Return when they next open, in London's time; None if that is a week or more ahead."""
    local = now.astimezone(LONDON)
    for begin, _ in hours.windows(local.date(), "any"):
        if begin > now:
            return begin.astimezone(LONDON) if begin < now + NEAR else None
    return None


def day_in_words(day: datetime, now: datetime) -> str:
    """Say on which day, less than a week ahead: "today", "tomorrow", "on Monday"."""
    ahead = (day.date() - now.astimezone(LONDON).date()).days
    return {0: TODAY, 1: TOMORROW}.get(ahead) or f"on {WEEKDAYS[day.weekday()]}"


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Days (D) and times (T) in order; a word that may change what they mean is another (?)."""
    for found in _PARTS.finditer(text):
        if found["days"]:
            yield "D", found["days"]
        elif found["times"]:
            yield "T", found["times"]
        elif found["other"] or (found["word"] and found["word"] not in BESIDE):
            yield "?", found[0]


def _days(text: str) -> list[int]:
    """The days of the week (0 is Monday) of "mon-fri" or "saturday"."""
    first, *rest = (DAYS.index(name[:3]) for name in re.findall(_DAY, text))
    last = rest[0] if rest else first
    return [(first + ahead) % 7 for ahead in range((last - first) % 7 + 1)]


def _opening(text: str) -> Opening | None:
    opens, closes = (_clock(one) for one in re.findall(_CLOCK, text))
    if opens is None or closes is None or opens >= closes:
        return None
    return Opening(opens, closes)


def _clock(text: str) -> time | None:
    """The time of day of "8:30am", "15:30" or "noon"."""
    if not text[0].isdigit():
        return time(12)
    hour, minute = (int(number) for number in [*re.findall(r"[0-9]+", text), "0"][:2])
    if text.endswith(("am", "pm")):
        if not 1 <= hour <= 12 or (hour == 12 and text.endswith("am")):  # was noon meant?
            return None
        hour = hour % 12 + 12 * text.endswith("pm")
    return time(hour, minute) if hour < 24 and minute in QUARTERS else None
