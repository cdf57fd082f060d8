"""Telephone numbers that are written into a book: has somebody vouched for each?

Who hears a number rings it. So a prompt, a text or a ``set`` gives only those that the book lists
(``numbers``), and the few that everybody knows; none that costs more than it seems to; and one to
write down is said twice.
"""

from collections.abc import Iterator

from ivr.core.check.dictated import RELAY, numbers
from ivr.core.check.flaw import Flaw
from ivr.core.flow import Book, Menu, Read, Speak, Step

EVERYBODYS = {"999", "111", "116123", RELAY}
COSTLY = ("084", "087", "09", "118")
WRITTEN_DOWN = 8  # digits: whoever hears as many needs a pen
REMEDY = "when somebody has checked it, list it in flows/book.yaml under `numbers`"


def flaws_in_numbers(book: Book) -> Iterator[Flaw]:
    """Every number that no caller may be given, or that is given too fast to note."""
    for prompt in book.prompts.values():
        for number in dict.fromkeys(numbers(prompt.text)):
            code, message = _unfit(book, number)
            if code:
                yield Flaw(code, message, _remedy(code), prompt=prompt.id)
    for place, step in book.steps.items():
        for part, value in _set_by(step):
            for number in numbers(value):
                code, message = _unfit(book, number)
                if code:
                    yield Flaw(code, message, _remedy(code), step=place, part=part)
        if isinstance(step, Read):
            yield from _said_once(book, step)


def _unfit(book: Book, number: str) -> tuple[str, str]:
    """The code and the message for a number that nobody may be given, or nothing."""
    if number.startswith(COSTLY):
        return "A029", f"{number} costs more than a usual call"
    if number not in EVERYBODYS | book.numbers:
        return "A027", f"nobody vouched for the number {number}"
    return "", ""


def _remedy(code: str) -> str:
    return "give one that begins with 01, 02, 03 or 080" if code == "A029" else REMEDY


def _set_by(step: Step) -> Iterator[tuple[str, str]]:
    """The values that a step puts into facts, and the part of the step that does so."""
    if isinstance(step, Speak):
        yield from (("set", value) for value in step.sets.values())
    if isinstance(step, Menu):
        for option in step.options:
            yield from ((f"option {option.key}", value) for value in option.sets.values())


def _said_once(book: Book, step: Read) -> Iterator[Flaw]:
    parts = [name for name in step.parts if name in book.prompts]
    said = [(name, number) for name in parts for number in numbers(book.prompts[name].text)]
    for name, number in said:
        times = [each for _, each in said].count(number)
        if len(number) >= WRITTEN_DOWN and times == 1:
            message, remedy = (
                f"{number} is said only once",
                "say whose it is, and the number, twice",
            )
            yield Flaw("A032", message, remedy, prompt=name, harmless=True)
