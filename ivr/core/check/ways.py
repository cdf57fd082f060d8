"""The ways through a book.

Searches forward from the start (what can never be heard) and backward from the endings (where a
caller could never get out), and looks for loops that no key press would break.
"""

from collections.abc import Iterator

from ivr.core.check.flaw import Flaw
from ivr.core.flow import (
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Goodbye,
    Menu,
    Place,
    Read,
    Return,
    Speak,
    Step,
)
from ivr.core.graph import anyhow, at_once, by_silence, closure, flow_of, reachable


def flaws_in_ways(book: Book) -> Iterator[Flaw]:
    """Everything wrong with where the steps lead."""
    yield from _start(book)
    yield from _unreachable(book)
    yield from _no_way_out(book)
    yield from _loops(book)
    yield from _sub_flows(book)
    yield from _repeats(book)


def _start(book: Book) -> Iterator[Flaw]:
    """Calls land at these two when all else fails, so they must come to a menu by themselves."""
    for landing in (book.start, book.frame.person_at):
        if not _comes_to_a_menu(book, landing, ()):
            remedy = "let it be a menu, or speak and go on to one"
            yield Flaw("F015", f'"{landing}" does not come to a menu', remedy, step=landing)


def _comes_to_a_menu(book: Book, place: Place, passed: tuple[Place, ...]) -> bool:
    """Whether every way from here does so: by what is only said, and by services that have no
    effect, whatever they answer."""
    step = book.steps.get(place)
    if isinstance(step, Menu):
        return True
    harmless = isinstance(step, AskService) and not _has_effect(book, step)
    if step is None or place in passed or not (harmless or isinstance(step, Speak)):
        return False
    return all(_comes_to_a_menu(book, target, (*passed, place)) for target in at_once(book, step))


def _has_effect(book: Book, step: AskService) -> bool:
    service = book.services.get(step.service)
    return service is None or service.effect


def _unreachable(book: Book) -> Iterator[Flaw]:
    found = reachable(book)
    for place in book.steps:
        if place not in found:
            remedy = "lead to it from a menu, or delete it"
            yield Flaw("F010", f'no call can ever come to "{place}"', remedy, step=place)


def _no_way_out(book: Book) -> Iterator[Flaw]:
    back: dict[Place, set[Place]] = {}
    ends: set[Place] = set()
    for place, step in book.steps.items():
        handlers = (*step.silence.values(), *step.wrong_key.values())
        if isinstance(step, Goodbye) or (
            isinstance(step, Menu | Choose) and any(handler.goodbye for handler in handlers)
        ):
            ends.add(place)
        for target in anyhow(book, step):
            back.setdefault(target, set()).add(place)
    escapes = closure(ends, back)
    for place in book.steps:
        if place not in escapes:
            remedy = "lead on to a menu or a goodbye"
            yield Flaw("F011", f'no call can end after "{place}"', remedy, step=place)


def _loops(book: Book) -> Iterator[Flaw]:
    """Silence must not go round for ever either, or a phone left lying would never be hung up."""
    edges = {place: set(by_silence(book, step)) for place, step in book.steps.items()}
    for place, targets in edges.items():
        if place in closure(targets, edges):
            remedy = "put a menu into it, where silence comes to an end"
            yield Flaw("F012", f'"{place}" comes back to itself without a key', remedy, step=place)
    yield from _rings_for_ever(book)


def _rings_for_ever(book: Book) -> Iterator[Flaw]:
    """Ringing may go on by itself to the next phone, but only as a service says, which can end."""
    edges = {place: set(_after(book, step)) for place, step in book.steps.items()}
    for place, step in book.steps.items():
        if isinstance(step, Connect) and place in closure(edges[place], edges):
            remedy = "ask a service whom to ring next, or put a menu into it"
            yield Flaw("F012", f'"{place}" rings again without a key', remedy, step=place)


def _after(book: Book, step: Step) -> Iterator[Place]:
    """Where a step leads with nothing heard but the end of a connection, and no service asked."""
    if isinstance(step, Connect):
        yield from (way.go for then in step.outcomes.values() for way in then)
    elif not isinstance(step, AskService):
        yield from at_once(book, step)


def _sub_flows(book: Book) -> Iterator[Flaw]:
    returns: dict[str, set[str]] = {}
    for step in book.steps.values():
        if isinstance(step, Return):
            returns.setdefault(flow_of(step.place), set()).add(step.outcome)
    for place, step in book.steps.items():
        if not isinstance(step, CallFlow):
            continue
        given = returns.get(step.flow, set())
        for name in sorted(given - set(step.outcomes)):
            message = f'flow "{step.flow}" can return "{name}", which has no branch here'
            yield Flaw("F009", message, f"add `{name}: <step>`", step=place, part="outcomes")
        for name in sorted(set(step.outcomes) - given):
            message = f'flow "{step.flow}" never returns "{name}"'
            remedy = "take the branch out"
            yield Flaw("F009", message, remedy, step=place, part=f"outcome {name}")


def _repeats(book: Book) -> Iterator[Flaw]:
    """What # leads to in place of an answer comes back to it, without a key, and does nothing."""
    edges = {place: set(at_once(book, step)) for place, step in book.steps.items()}
    for place, step in book.steps.items():
        if not isinstance(step, Read) or not step.again:
            continue
        passed = closure([step.again], {**edges, place: set()})
        asked = [found for one in passed if isinstance(found := book.steps.get(one), AskService)]
        if place not in passed:
            message = f'# leads to "{step.again}", which does not come back to this answer'
            remedy = "let it be the step that asks before the answer is read"
            yield Flaw("F027", message, remedy, step=place, part="again")
        elif any(_has_effect(book, each) for each in asked):
            message = f'# leads to "{step.again}", where something is done once more'
            yield Flaw("F027", message, "# only repeats", step=place, part="again")
