"""What is wrong with a book as a whole, though each line of it may be right.

Searches forward from the start (what can never be heard) and backward from the endings (where a
caller could never get out), and looks for loops that no key press or silence would break. Global
keys are edges too: 0 leads from every one-key step to the person's flow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ivr.core.flow import (
    MAX_CHOICES,
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Goodbye,
    Handler,
    Menu,
    Place,
    Prompt,
    Read,
    Return,
    Slot,
    Speak,
    Step,
    Then,
)

GIVEN_BY_THE_ENGINE = frozenset({"topic", "key", "count"})


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with the book: at a step or in a prompt."""

    code: str
    message: str
    remedy: str
    step: Place = ""
    prompt: str = ""


def flaws(book: Book) -> Iterator[Flaw]:
    """Everything wrong with the book as a whole."""
    yield from _start(book)
    yield from _unreachable(book)
    yield from _no_way_out(book)
    yield from _loops(book)
    yield from _sub_flows(book)
    yield from _menus(book)
    yield from _silences(book)
    yield from _facts(book)


# --- the graph -----------------------------------------------------------------------------------


def _places(then: Then) -> Iterator[Place]:
    return (way.go for way in then)


def at_once(book: Book, step: Step) -> Iterator[Place]:
    """Where a step leads in the same turn, with nothing heard in between."""
    match step:
        case Speak():
            yield from _places(step.then)
        case Read() if len(step.parts) == 1:
            yield from _places(step.then)
        case AskService():
            for then in step.outcomes.values():
                yield from _places(then)
            yield book.frame.trouble
        case CallFlow():
            yield book.starts.get(step.flow, "")
        case Return():
            for caller in book.steps.values():
                if isinstance(caller, CallFlow) and caller.flow == step.place.split("/")[0]:
                    yield from _places(caller.outcomes.get(step.outcome, ()))


def after_waiting(book: Book, step: Step) -> Iterator[Place]:
    """Where a step leads when something was heard: a key, an entry, a silence, a Dial's end."""
    match step:
        case Menu():
            for option in step.options:
                yield from _places(option.then)
        case Read() | Choose():
            yield from _places(step.then)
        case Enter():
            yield from _places(step.then)
            yield step.otherwise
        case Connect():
            for then in step.outcomes.values():
                yield from _places(then)
    if isinstance(step, Menu | Choose | Read):
        yield book.frame.person_at
    if isinstance(step, Menu | Choose):
        yield from (handler.go for handler in step.silence.values() if handler.go)
        yield from (handler.go for handler in step.wrong_key.values() if handler.go)


def _leads_to(book: Book, step: Step) -> set[Place]:
    return {*at_once(book, step), *after_waiting(book, step)}


def _closure(starts: Iterable[Place], edges: Mapping[Place, set[Place]]) -> set[Place]:
    found, waiting = set(), list(starts)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.extend(edges.get(place, ()))
    return found


def reachable(book: Book) -> set[Place]:
    """Every step that some call can come to."""
    edges = {place: _leads_to(book, step) for place, step in book.steps.items()}
    return _closure([book.start], edges)


# --- the checks ----------------------------------------------------------------------------------


def _start(book: Book) -> Iterator[Flaw]:
    """Calls land at these two when all else fails, so they must come to a menu by themselves."""
    for landing in (book.start, book.frame.person_at):
        step = book.steps.get(landing)
        while isinstance(step, Speak) and len(step.then) == 1:
            step = book.steps.get(step.then[0].go)
        if not isinstance(step, Menu):
            remedy = "let it be a menu, or speak and go on to one"
            yield Flaw("F015", f'"{landing}" does not come to a menu', remedy, step=landing)


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
        for target in _leads_to(book, step):
            back.setdefault(target, set()).add(place)
    escapes = _closure(ends, back)
    for place in book.steps:
        if place not in escapes:
            remedy = "lead on to a menu or a goodbye"
            yield Flaw("F011", f'no call can end after "{place}"', remedy, step=place)


def _loops(book: Book) -> Iterator[Flaw]:
    edges = {place: set(at_once(book, step)) for place, step in book.steps.items()}
    for place, targets in edges.items():
        if place in _closure(targets, edges):
            remedy = "put a step that waits for a key into it"
            yield Flaw("F012", f'"{place}" comes back to itself without a key', remedy, step=place)


def _sub_flows(book: Book) -> Iterator[Flaw]:
    returns: dict[str, set[str]] = {}
    for step in book.steps.values():
        if isinstance(step, Return):
            returns.setdefault(step.place.split("/")[0], set()).add(step.outcome)
    for place, step in book.steps.items():
        if not isinstance(step, CallFlow):
            continue
        given = returns.get(step.flow, set())
        for name in sorted(given - set(step.outcomes)):
            message = f'flow "{step.flow}" can return "{name}", which has no branch here'
            yield Flaw("F009", message, f"add `{name}: <step>`", step=place)
        for name in sorted(set(step.outcomes) - given):
            message = f'flow "{step.flow}" never returns "{name}"'
            yield Flaw("F009", message, "take the branch out", step=place)


def _menus(book: Book) -> Iterator[Flaw]:
    for place, step in book.steps.items():
        if not isinstance(step, Menu):
            continue
        keys = [option.key for option in step.options]
        if keys != [str(number) for number in range(1, len(keys) + 1)]:
            message = f"the keys are {', '.join(keys)}, not 1, 2, 3 ... without a gap"
            yield Flaw("F016", message, "number the options in the order they are said", step=place)
        if len(keys) > MAX_CHOICES:
            message = f"{len(keys)} choices are too many to remember"
            yield Flaw("F017", message, f"offer at most {MAX_CHOICES}", step=place)
        conditions = [option.when is not None for option in step.options]
        if conditions != sorted(conditions):
            message = "a choice that is not always offered comes before one that is"
            yield Flaw("F016", message, "put it last, so that no key renumbers", step=place)


def _silences(book: Book) -> Iterator[Flaw]:
    for place, step in book.steps.items():
        if not isinstance(step, Menu | Choose):
            continue
        for name, handlers in (("silence", step.silence), ("wrong key", step.wrong_key)):
            if not handlers or min(handlers) > 1:
                message = f"nothing happens on the first {name}"
                yield Flaw("F013", message, "give it a handler 1", step=place)
        for count, handler in step.silence.items():
            if not _does_something(handler):
                message = f"silence {count} has neither words nor a way on"
                yield Flaw("F013", message, "say, go or goodbye", step=place)
        if not any(handler.goodbye or handler.go for handler in step.silence.values()):
            message = "silence goes on for ever here"
            yield Flaw("F013", message, "end it with a goodbye after ten waits", step=place)


def _does_something(handler: Handler) -> bool:
    return bool(handler.say or handler.go or handler.goodbye or handler.again)


def spoken_prompts(book: Book, step: Step) -> Iterator[str]:
    """The ids of the prompts that a step can say, its silences and wrong keys included."""
    match step:
        case Speak() | Enter() | Connect() | Goodbye():
            yield from step.say
        case Menu():
            yield from (*step.say, *(option.label for option in step.options), *step.closing)
        case Read():
            yield from step.parts
        case Choose():
            yield from (*step.say, *step.closing)
    for handler in (*step.silence.values(), *step.wrong_key.values()):
        yield from (prompt for prompt in (handler.say, handler.goodbye) if prompt)


def known_facts(book: Book) -> set[str]:
    """Every fact that a call of this book may hold."""
    facts = {*book.facts, *GIVEN_BY_THE_ENGINE}
    for service in book.services.values():
        for given in service.outcomes.values():
            facts.update(given)
    for step in book.steps.values():
        if isinstance(step, Enter | Choose):
            facts.add(step.into)
        if isinstance(step, Menu):
            for option in step.options:
                facts.update(option.sets)
    return facts


def _facts(book: Book) -> Iterator[Flaw]:
    known = known_facts(book)
    for name, service in book.services.items():
        for need in service.needs:
            if need not in known:
                message = f'service "{name}" needs "{need}", which nothing gives'
                yield Flaw("F008", message, "collect it, or set it", step=book.start)
    for place, step in book.steps.items():
        for fact in _conditions(step):
            if fact not in known:
                message = f'the condition speaks of "{fact}", which nothing gives'
                yield Flaw("F008", message, f"known: {', '.join(sorted(known))}", step=place)
        if isinstance(step, Connect) and step.number not in known:
            message = f'"{step.number}" is not a fact that anything gives'
            yield Flaw("F008", message, "name the fact that holds the number", step=place)
    for prompt in book.prompts.values():
        for slot in _slots(prompt):
            if slot.name not in known:
                message = f'the prompt speaks of "{{{slot.name}}}", which nothing gives'
                remedy = f"known: {', '.join(sorted(known))}"
                yield Flaw("F008", message, remedy, prompt=prompt.id)


def _slots(prompt: Prompt) -> Iterator[Slot]:
    return (part for part in prompt.parts if isinstance(part, Slot))


def _conditions(step: Step) -> Iterator[str]:
    thens: list[Then] = []
    match step:
        case Speak() | Read() | Enter() | Choose():
            thens = [step.then]
        case AskService() | CallFlow() | Connect():
            thens = list(step.outcomes.values())
        case Menu():
            thens = [option.then for option in step.options]
            yield from (option.when.name for option in step.options if option.when)
    for then in thens:
        yield from (way.when.name for way in then if way.when)
