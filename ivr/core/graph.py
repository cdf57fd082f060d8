"""Where a call can go: the steps of a book as a graph.

Global keys are edges too: 0 leads from every one-key step to the person's flow. Star and hash only
lead back to where the call has been.
"""

from collections.abc import Iterable, Iterator, Mapping

from ivr.core.flow import (
    FAILED,
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Menu,
    Place,
    Read,
    Return,
    Speak,
    Step,
    Then,
)

Edges = Mapping[Place, set[Place]]


def flow_of(place: Place) -> str:
    """The flow that a step stands in."""
    return place.split("/")[0]


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
                if isinstance(caller, CallFlow) and caller.flow == flow_of(step.place):
                    yield from _places(caller.outcomes.get(step.outcome, ()))


def by_silence(book: Book, step: Step) -> Iterator[Place]:
    """Where a step leads when nobody presses a key, at once or after waiting."""
    yield from at_once(book, step)
    match step:
        case Read():
            yield from _places(step.then)
        case Enter():
            yield step.otherwise
        case Menu() | Choose():
            yield from (handler.go for handler in step.silence.values() if handler.go)
        case Connect():
            yield from _places(step.outcomes.get(FAILED, ()))


def anyhow(book: Book, step: Step) -> Iterator[Place]:
    """Where a step leads, whatever is heard: keys, an entry, silence, a Dial's end."""
    yield from by_silence(book, step)
    match step:
        case Menu():
            for option in step.options:
                yield from _places(option.then)
        case Enter():
            yield from _places((*step.then, *step.heard))
        case Choose():
            yield from _places(step.then)
        case Connect():
            for then in step.outcomes.values():
                yield from _places(then)
    if isinstance(step, Menu | Choose | Read) or (isinstance(step, Enter) and step.letters):
        yield book.frame.person_at
    if isinstance(step, Menu | Choose | Read):
        yield from (handler.go for handler in step.wrong_key.values() if handler.go)


def person_menus(steps: Mapping[Place, Step], person_at: Place) -> frozenset[Place]:
    """The menus that 0 itself comes to: at once, or by what a service answers there."""
    found, waiting = set[Place](), [person_at]
    while waiting:
        place = waiting.pop()
        step = steps.get(place)
        if place in found or step is None:
            continue
        found.add(place)
        match step:
            case Speak():
                waiting.extend(_places(step.then))
            case AskService():
                for then in step.outcomes.values():
                    waiting.extend(_places(then))
    return frozenset(place for place in found if isinstance(steps[place], Menu))


def closure(starts: Iterable[Place], edges: Edges) -> set[Place]:
    """Every step that can be come to from these, themselves included."""
    found: set[Place] = set()
    waiting = list(starts)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.extend(edges.get(place, ()))
    return found


def reachable(book: Book) -> set[Place]:
    """Every step that some call can come to."""
    edges = {place: set(anyhow(book, step)) for place, step in book.steps.items()}
    return closure([book.start], edges)
