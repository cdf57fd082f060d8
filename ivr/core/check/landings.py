"""Where errors lead: no wrong key, no unusable entry and no silence hangs up on anybody.

What cannot be used leads to a step that waits for one key, in which 0 is a person, and again: a
caller who keeps getting it wrong is never worse off than at the first time.
"""

import re
from collections.abc import Iterator

from ivr.core.check.flaw import Flaw
from ivr.core.check.menus import QUIET_WAITS, SPOKEN_SILENCES
from ivr.core.flow import (
    Book,
    Choose,
    Connect,
    Enter,
    Goodbye,
    Handler,
    Handlers,
    Menu,
    Place,
    Read,
    Return,
    Step,
)
from ivr.core.graph import at_once, by_silence, closure

PERSON_KEY = re.compile(r"\b(?:0|zero)\b", re.IGNORECASE)
REMEDY = "lead it to a menu, in which 0 is a person"
DEAD_ENDS = (Goodbye, Return, Enter, Connect)  # none of these waits for one key


def flaws_in_landings(book: Book) -> Iterator[Flaw]:
    """Everything wrong with where errors and silence lead."""
    onward = {place: set(at_once(book, step)) for place, step in book.steps.items()}
    inside = {  # a sub-flow that returns is an end here: what failed must be asked about before
        place: set() if isinstance(book.steps[place], Return) else targets
        for place, targets in onward.items()
    }
    unaided = {
        place: set() if isinstance(step, Menu | Choose) else set(by_silence(book, step))
        for place, step in book.steps.items()
    }
    for place, step in book.steps.items():
        for what, part, first in _errors(step):
            for end in sorted(closure([first], inside)):
                if isinstance(book.steps.get(end), DEAD_ENDS):
                    message = f'{what} leads to "{end}", which does not wait for one key'
                    yield Flaw("F020", message, REMEDY, step=place, part=part)
        if isinstance(step, Menu | Choose | Read):
            yield from _hang_ups(place, step)
        if isinstance(step, Menu | Choose):
            yield from _second_silence(book, place, step, onward)
            yield from _leaves_early(book, place, step, unaided)


def _errors(step: Step) -> Iterator[tuple[str, str, Place]]:
    """What can go wrong at a step: in words, the part that says so, and where it leads."""
    match step:
        case Enter():
            yield "an entry that cannot be used", "otherwise", step.otherwise
        case Menu() | Choose() | Read():
            for count, handler in step.wrong_key.items():
                if handler.go:
                    yield f"wrong key {count}", "wrong_key", handler.go


def _hang_ups(place: Place, step: Step) -> Iterator[Flaw]:
    for count, handler in step.wrong_key.items():
        if handler.goodbye:
            message = f"wrong key {count} ends the call"
            yield Flaw("F020", message, REMEDY, step=place, part="wrong_key")


def _taken(handlers: Handlers, count: int) -> Handler | None:
    """The handler of this count: the highest not above it."""
    reached = [number for number in handlers if number <= count]
    return handlers[max(reached)] if reached else None


def _second_silence(
    book: Book, place: Place, step: Step, onward: dict[Place, set[Place]]
) -> Iterator[Flaw]:
    handler = _taken(step.silence, SPOKEN_SILENCES)
    if handler and not (handler.goodbye or _offers_person(book, handler, onward)):
        message = "the second silence does not offer a person"
        remedy = 'let it say so, such as "For a person / press 0"'
        yield Flaw("F013", message, remedy, step=place, part="silence")


def _offers_person(book: Book, handler: Handler, onward: dict[Place, set[Place]]) -> bool:
    """Whether a handler speaks of 0 or of a person, or comes to a menu, which begins with that."""
    if handler.go:
        found = (book.steps.get(place) for place in closure([handler.go], onward))
        return any(isinstance(step, Menu | Choose) for step in found)
    prompt, person = book.prompts.get(handler.say), book.prompts.get(book.frame.person)
    if prompt is None:  # told already
        return True
    named = person is not None and person.text.casefold() in prompt.text.casefold()
    return named or bool(PERSON_KEY.search(prompt.text))


def _leaves_early(
    book: Book, place: Place, step: Step, unaided: dict[Place, set[Place]]
) -> Iterator[Flaw]:
    for count, handler in step.silence.items():
        if count > SPOKEN_SILENCES + QUIET_WAITS or not handler.go:
            continue
        for end in sorted(closure([handler.go], unaided)):
            if isinstance(book.steps.get(end), Goodbye):
                message = f'silence {count} leads to "{end}", which ends the call'
                remedy = f"let it be the {SPOKEN_SILENCES + QUIET_WAITS + 1}th, or lead to a menu"
                yield Flaw("F013", message, remedy, step=place, part="silence")
