"""Keys that prompts name in their own words: do they do there what was said?"""

from collections.abc import Iterator

from ivr.core.check.flaw import Flaw
from ivr.core.check.menus import KEY
from ivr.core.flow import MAX_CHOICES, Book, Choose, Enter, Goodbye, Menu, Place, Read, Speak, Step
from ivr.core.graph import at_once, closure
from ivr.core.speaking import DIGITS

EVERYWHERE = {"0", "9"}  # and star and hash: they do the same in every one-key step
CARRY_ON = "1"  # between the parts of an answer


def flaws_in_named_keys(book: Book) -> Iterator[Flaw]:
    """Every "press 5" where 5 is no choice. The book itself names the keys of choices."""
    edges = {
        place: set[Place]() if isinstance(step, Read) else set(at_once(book, step))
        for place, step in book.steps.items()
    }
    for step in book.steps.values():
        open_keys = _open(book, step, edges)
        if open_keys is None:
            continue
        for name in _said(step):
            prompt = book.prompts.get(name)
            for key in _named(prompt.text) if prompt else ():
                if key not in open_keys | EVERYWHERE:
                    message = f'this names key {key}, which is no choice at "{step.place}"'
                    remedy = "leave it out: a menu says its keys itself"
                    yield Flaw("A016", message, remedy, prompt=name)


def _said(step: Step) -> Iterator[str]:
    match step:
        case Menu() | Choose():
            yield from (*step.say, *step.closing)
        case Read():
            yield from step.parts
        case Speak() | Goodbye():
            yield from step.say
    handlers = (*step.silence.values(), *step.wrong_key.values())
    yield from (handler.say for handler in handlers if handler.say and not handler.go)


def _named(text: str) -> Iterator[str]:
    """The number keys that a text says to press."""
    for found in KEY.finditer(text):
        word = found[0].split()[-1].casefold()
        key = str(DIGITS.index(word)) if word in DIGITS else word
        if key.isdecimal():
            yield key


def _open(book: Book, step: Step, edges: dict[Place, set[Place]]) -> set[str] | None:
    """The keys that can be pressed at a step or where it leads at once; None: anything may be
    typed there, or nobody knows."""
    match step:
        case Goodbye():
            return set()
        case Menu() | Choose():
            return _choices(step)
        case Read():
            ahead = closure((way.go for way in step.then), edges)
            own = {CARRY_ON} if len(step.parts) > 1 else set[str]()
        case Speak():
            ahead, own = closure((way.go for way in step.then), edges), set[str]()
        case _:
            return None
    landings = [book.steps.get(place) for place in ahead]
    if any(isinstance(each, Enter) for each in landings):
        return None
    menus = [each for each in landings if isinstance(each, Menu | Choose)]
    reads = any(isinstance(each, Read) for each in landings)
    return own.union(*map(_choices, menus), {CARRY_ON} if reads else ()) if menus or reads else None


def _choices(step: Menu | Choose) -> set[str]:
    if isinstance(step, Menu):
        return {option.key for option in step.options}
    return {str(number) for number in range(1, MAX_CHOICES + 1)}
