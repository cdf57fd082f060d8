"""Plots as inline SVG: bars and lines by day, and bars with names. Pure.

A drawing is 320 units wide, so that its words can be read on the narrowest screen. Colours are in
``staff.css``; nothing is told by colour alone: each panel and each bar has its name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import count

WIDTH, LEFT, RIGHT = 320, 44, 8  # units; the names of ticks stand on the left
PANEL, HEAD, FOOT = 82, 32, 20  # heights: of a panel's field, its name above, the days below
ROW, BAR = 36, 12  # heights: of a named bar with its name above, and of the bar alone
MOST_STEPS = 4  # from one tick to the next
MOST_DAYS = 4  # that are named
EVERY = (1, 2, 7, 14, 28)  # days between two that are named
FIELD = WIDTH - LEFT - RIGHT


@dataclass(frozen=True, slots=True)
class Words:
    """What a drawing says to whoever does not see it."""

    name: str  # unique on the page
    title: str
    told: str  # the same in a sentence


@dataclass(frozen=True, slots=True)
class Panel:
    """One row of values, a value for each day; None: there is none."""

    name: str
    values: Sequence[float | None]
    is_line: bool = False


def ticks(highest: float, whole: bool = True) -> list[float]:
    """Return round numbers from 0 on, at most five, of which only the last reaches ``highest``.

    The steps are 1, 2 or 5 times a power of ten; ``whole`` ones are 1 at least.
    """
    for power in count(0 if whole else -2):
        for step in (1, 2, 5):
            found = [_scaled(number * step, power) for number in range(MOST_STEPS + 1)]
            if found[-1] >= highest:
                enough = next(at for at, tick in enumerate(found) if at and tick >= highest)
                return found[: enough + 1]
    raise AssertionError("count has no end")


def written(tick: float) -> str:
    """Return a tick as it is written: "0.5", "1,000"."""
    return f"{tick:,.2f}".rstrip("0").rstrip(".")


def by_day(words: Words, days: Sequence[date], panels: Sequence[Panel], whole: bool = True) -> str:
    """Draw panels above each other, on one scale, with the days below."""
    values = [value for panel in panels for value in panel.values if value is not None]
    scale = ticks(max(values, default=0), whole)
    parts: list[str] = []
    for number, panel in enumerate(panels):
        top = number * (HEAD + PANEL) + HEAD
        parts.append(f'<text class="name" x="0" y="{top - 12}">{escape(panel.name)}</text>')
        parts.extend(_scale_of(scale, top))
        parts.extend(_line(panel, scale, top) if panel.is_line else _bars(panel, scale, top))
    bottom = len(panels) * (HEAD + PANEL)
    parts.extend(_named_days(days, bottom + 15))
    return _drawing(words, bottom + FOOT, parts)


def across(words: Words, rows: Sequence[tuple[str, int]]) -> str:
    """Draw a bar for each name, with its number, one below the other."""
    scale = ticks(max((value for _, value in rows), default=0))
    bottom = len(rows) * ROW
    wide = WIDTH - 4 * RIGHT  # half of the last number stands out on the right
    parts = []
    for tick in scale:
        x = RIGHT + wide * tick / scale[-1]
        parts.append(f'<path class="grid" d="M{_short(x)} 0V{bottom}"/>')
        parts.append(
            f'<text class="middle" x="{_short(x)}" y="{bottom + 15}">{written(tick)}</text>'
        )
    for number, (name, value) in enumerate(rows):
        y = number * ROW + 16
        parts.append(f'<text class="name" x="{RIGHT}" y="{y}">{escape(name)}: {value:,}</text>')
        box = _box(RIGHT, y + 4, wide * value / scale[-1], BAR)
        parts.append(f'<path class="bars" d="{box}"/>')
    return _drawing(words, bottom + FOOT, parts)


# --- parts -------------------------------------------------------------------------------------


def _drawing(words: Words, height: int, parts: Sequence[str]) -> str:
    named = f'aria-labelledby="{words.name}-title {words.name}-told"'
    return (
        f'<svg class="plot" role="img" {named} viewBox="0 0 {WIDTH} {height}"'
        ' xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{words.name}-title">{escape(words.title)}</title>'
        f'<desc id="{words.name}-told">{escape(words.told)}</desc>{"".join(parts)}</svg>'
    )


def _scale_of(scale: Sequence[float], top: int) -> Iterator[str]:
    for tick in scale:
        y = _short(top + PANEL - _high(tick, scale))
        yield f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
        yield f'<text class="end" x="{LEFT - 5}" y="{_short(float(y) + 4)}">{written(tick)}</text>'


def _bars(panel: Panel, scale: Sequence[float], top: int) -> Iterator[str]:
    slot = FIELD / len(panel.values)
    boxes = [
        _box(LEFT + (at + 0.1) * slot, top + PANEL - high, 0.8 * slot, high)
        for at, value in enumerate(panel.values)
        if value and (high := _high(value, scale))
    ]
    if boxes:
        yield f'<path class="bars" d="{"".join(boxes)}"/>'


def _line(panel: Panel, scale: Sequence[float], top: int) -> Iterator[str]:
    """A dot for each value, and a line from each day to the next if both have one."""
    slot = FIELD / len(panel.values)
    line, dots, before = "", "", False
    for at, value in enumerate(panel.values):
        if value is not None:
            x, y = _short(LEFT + (at + 0.5) * slot), _short(top + PANEL - _high(value, scale))
            line += f"{'L' if before else 'M'}{x} {y}"
            dots += f"M{x} {y}h0"
        before = value is not None
    if dots:
        yield f'<path class="line" d="{line}"/>'
        yield f'<path class="{"dots" if slot > 5 else "dots small"}" d="{dots}"/>'


def _named_days(days: Sequence[date], y: int) -> Iterator[str]:
    slot = FIELD / len(days)
    every = next(each for each in EVERY if len(days) <= each * MOST_DAYS)
    for at in range(0, len(days), every):
        x = LEFT + (at + 0.5) * slot
        side = "middle" if x - 20 > LEFT and x + 20 < WIDTH else "start" if at == 0 else "end"
        place = {"middle": x, "start": LEFT, "end": WIDTH}[side]
        day = days[at]
        yield f'<text class="{side}" x="{_short(place)}" y="{y}">{day.day} {day:%b}</text>'


def _high(value: float, scale: Sequence[float]) -> float:
    return PANEL * value / scale[-1]


def _box(x: float, y: float, wide: float, high: float) -> str:
    return f"M{_short(x)} {_short(y)}h{_short(wide)}v{_short(high)}h-{_short(wide)}z"


def _scaled(number: int, power: int) -> float:
    return float(number * 10**power) if power >= 0 else number / 10**-power


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
