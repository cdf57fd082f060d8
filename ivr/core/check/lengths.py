"""How long callers listen before they may act, and how many menus lie before an answer.

What is known only in the call, such as a name, takes no time here: nothing is found too long that
is not.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from math import ceil

from ivr.core import wording
from ivr.core.check.dictated import numbers
from ivr.core.check.flaw import Flaw
from ivr.core.check.numbers import WRITTEN_DOWN
from ivr.core.flow import (
    MAX_CHOICES,
    Book,
    Choose,
    Connect,
    Enter,
    Goodbye,
    Menu,
    Place,
    Read,
    Speak,
    Step,
)
from ivr.core.graph import anyhow
from ivr.core.saying import seconds

MENU, CHUNK = 20, 30  # seconds at the normal pace
LEVELS = 3  # menus before an answer


def flaws_in_lengths(book: Book) -> Iterator[Flaw]:
    """Every menu, and all else that is said in one go, that is too long to be kept in mind."""
    for step in book.steps.values():
        if isinstance(step, Menu):
            yield from _menu(book, step)
        if isinstance(step, Read):
            for part in step.parts:
                yield from _chunk(book, step, (part,))
        elif isinstance(step, Speak | Menu | Enter | Choose | Connect | Goodbye):
            yield from _chunk(book, step, step.say)


def _menu(book: Book, step: Menu) -> Iterator[Flaw]:
    """From "for a person" to the last key."""
    frame = book.frame
    if not {frame.person, frame.press, frame.count, *_labels(step)} <= book.prompts.keys():
        return  # that is told already
    choices = [
        wording.labelled(book, option.label, option.key)
        for option in step.options
        if option.key != wording.ZERO
    ]
    lines = wording.menu(book, (), choices, (), {}, wording.zero(book, step))
    long = seconds(lines) - wording.AFTER_A_CHOICE.seconds
    if long > MENU and len(choices) <= MAX_CHOICES:  # of more it is told already
        message = f"this menu takes {ceil(long)} s, and more than {MENU} cannot be kept in mind"
        remedy = "give its choices shorter labels, or offer fewer"
        yield Flaw("A021", message, remedy, step=step.place)


def _labels(step: Menu) -> Iterator[str]:
    return (option.label for option in step.options)


def _chunk(book: Book, step: Step, prompts: Iterable[str]) -> Iterator[Flaw]:
    """A number to write down takes the time that it takes."""
    said = [name for name in prompts if name in book.prompts]
    long = seconds(wording.line(book, name, {}) for name in said)
    if long > CHUNK and not any(_is_contact(book, name) for name in said):
        message = (
            f"{ceil(long)} s are spoken in one go, and more than {CHUNK} cannot be kept in mind"
        )
        remedy = "cut it into parts, with a chance to go on or to hear it again"
        if isinstance(step, Read):
            yield Flaw("A021", message, remedy, prompt=said[0])
        else:
            yield Flaw("A021", message, remedy, step=step.place)


def _is_contact(book: Book, name: str) -> bool:
    return any(len(number) >= WRITTEN_DOWN for number in numbers(book.prompts[name].text))


def flaws_in_levels(book: Book) -> Iterator[Flaw]:
    """Every answer behind more than three menus. A typed entry and a list of names are tasks of
    their own: what comes after them is not counted, nor is what an answer offers afterwards."""
    for place, levels in _levels(book).items():
        if isinstance(book.steps[place], Read) and levels > LEVELS:
            message = f"{levels} menus lie before this answer"
            remedy = f"offer it within {LEVELS}"
            yield Flaw("A002", message, remedy, step=place, harmless=True)


def _levels(book: Book) -> dict[Place, int]:
    """How many menus lie before each step, on the shortest way."""
    found: dict[Place, int] = {}
    waiting = deque([(book.start, 0)])
    while waiting:
        place, levels = waiting.popleft()
        step = book.steps.get(place)
        if step is None or place in found:
            continue
        found[place] = levels
        if isinstance(step, Read | Enter | Choose):
            continue
        for target in anyhow(book, step):
            if target != book.frame.person_at:
                if isinstance(step, Menu):
                    waiting.append((target, levels + 1))
                else:
                    waiting.appendleft((target, levels))
    return found
