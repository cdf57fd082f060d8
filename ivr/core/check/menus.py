"""Keys, choices, and what silence does."""

import re
from collections.abc import Iterator

from ivr.core.check.flaw import Flaw
from ivr.core.flow import (
    MAX_CHOICES,
    AskService,
    Book,
    Choose,
    Connect,
    Enter,
    Menu,
    Place,
    Read,
    Step,
)
from ivr.core.graph import at_once, closure

SPOKEN_SILENCES, QUIET_WAITS = 2, 10  # "take your time" and a person; then nothing but waiting
LONG_WAIT = 20  # seconds
KEY = re.compile(
    r"\b(?:press|push|hit|key)[\s/]+(?:the\s+)?(?:(?:key|button|number)\s+)?"
    r"(?:[0-9*#]|(?:zero|one(?!\s+key)|two|three|four|five|six|seven|eight|nine|star|hash|pound|square)\b)",
    re.IGNORECASE,
)


def flaws_in_menus(book: Book) -> Iterator[Flaw]:
    """Everything wrong with choices, and with what happens when none is made."""
    yield from _menus(book)
    yield from _labels(book)
    yield from _choices(book)
    yield from _handlers(book)
    yield from _deeds(book)


def _menus(book: Book) -> Iterator[Flaw]:
    for place, step in book.steps.items():
        if not isinstance(step, Menu):
            continue
        options = step.options[_zeros(book, step) :]
        keys = [option.key for option in options]
        if not keys:
            yield Flaw("F006", "this menu offers nothing", "give it an option 1", step=place)
        odd = next((key for number, key in enumerate(keys, start=1) if key != str(number)), "")
        if odd:
            message = f"the keys are {', '.join(keys)}, not 1, 2, 3 ... without a gap"
            remedy = "number the options in the order they are said"
            yield Flaw("F016", message, remedy, step=place, part=f"option {odd}")
        if len(keys) > MAX_CHOICES:
            message = f"{len(keys)} choices are too many to remember"
            yield Flaw("F017", message, f"offer at most {MAX_CHOICES}", step=place)
        always = [option.when is None for option in options]
        if always != sorted(always, reverse=True):
            message = "a choice that is not always offered comes before one that is"
            part = f"option {keys[always.index(False)]}"
            remedy = "put it last, so that no key renumbers"
            yield Flaw("F016", message, remedy, step=place, part=part)


def _zeros(book: Book, step: Menu) -> int:
    """How many choices stand before 1: key 0, where 0 itself has led. Elsewhere it is a person."""
    first = step.options[:1]
    return int(step.place in book.person_menus and [option.key for option in first] == ["0"])


def _labels(book: Book) -> Iterator[Flaw]:
    """The key is said after each label, by the book: a label that names one may name another."""
    for label in sorted({book.frame.person, book.frame.more, *book.labels()}):
        prompt = book.prompts.get(label)
        found = KEY.search(prompt.text) if prompt else None
        if found:
            message = f'the label of a choice says "{found[0]}" itself'
            remedy = "leave the key out: it is said after the label"
            yield Flaw("F021", message, remedy, prompt=label)


def _choices(book: Book) -> Iterator[Flaw]:
    """What a ``choose`` step offers must come from a service that finds such things."""
    for place, step in book.steps.items():
        service = book.services.get(step.service) if isinstance(step, AskService) else None
        if not isinstance(step, AskService) or service is None or service.offers:
            continue
        for outcome, way in ((name, way) for name, then in step.outcomes.items() for way in then):
            if isinstance(book.steps.get(way.go), Choose):
                message = f'service "{step.service}" finds nothing that "{way.go}" could offer'
                remedy = "let the service say `offers: true`"
                yield Flaw("F008", message, remedy, step=place, part=f"outcome {outcome}")


def _handlers(book: Book) -> Iterator[Flaw]:
    for place, step in book.steps.items():
        if not isinstance(step, Menu | Choose):
            continue
        for name, handlers in (("silence", step.silence), ("wrong key", step.wrong_key)):
            if not handlers or min(handlers) > 1:
                message = f"nothing happens on the first {name}"
                yield Flaw("F013", message, "give it a handler 1", step=place)
        if not any(handler.goodbye or handler.go for handler in step.silence.values()):
            message = "silence goes on for ever here"
            yield Flaw("F013", message, "end it with a goodbye after ten waits", step=place)
        yield from _hasty(book, place, step)


def _hasty(book: Book, place: Place, step: Menu | Choose) -> Iterator[Flaw]:
    """Silence ends a call only after ten quiet waits of 20 s, behind the two that say something
    (WCAG 2.2.1, by analogy: ten extensions, twenty seconds each)."""
    ends = [count for count, handler in step.silence.items() if handler.goodbye]
    if not ends:
        return
    last = min(ends)
    if last <= SPOKEN_SILENCES + QUIET_WAITS:
        message = f"silence ends the call after {last - 1} waits"
        remedy = f"let the goodbye be the {SPOKEN_SILENCES + QUIET_WAITS + 1}th, or a later one"
        yield Flaw("F013", message, remedy, step=place)
    waits = [
        handler.wait or step.wait or book.wait
        for count, handler in step.silence.items()
        if count < last and handler.say and not handler.go and not handler.again
    ]
    if waits and min(waits) < LONG_WAIT:
        message = f"after a silence only {min(waits)} s are waited"
        yield Flaw("F013", message, f"let it be {LONG_WAIT} or more", step=place)


def _deeds(book: Book) -> Iterator[Flaw]:
    """Only a key press saves something or rings somebody."""
    edges = {place: set(at_once(book, step)) for place, step in book.steps.items()}
    for place, step in book.steps.items():
        for deed in sorted(closure(_waited_for(step), edges)):
            if _is_deed(book, book.steps.get(deed)):
                message = f'silence alone would lead to "{deed}", which does something'
                yield Flaw("F013", message, "put a menu before it", step=place)


def _waited_for(step: Step) -> Iterator[Place]:
    """Where a step leads after it waited and nobody pressed a key."""
    match step:
        case Read() if len(step.parts) > 1:
            yield from (way.go for way in step.then)
        case Enter():
            yield step.otherwise
        case Menu() | Choose():
            yield from (handler.go for handler in step.silence.values() if handler.go)


def _is_deed(book: Book, step: Step | None) -> bool:
    service = book.services.get(step.service) if isinstance(step, AskService) else None
    return isinstance(step, Connect) or (service is not None and service.effect)
