"""What is known for sure at each step, whichever way a call came there.

Forward from the start: a step knows what every way to it gives. A service gives what its outcome
declares, an entry and a choice what they fill, a condition what it asks for. What a call begins
with (``facts`` of the book) may be unknown, and so may what a service needs: it can do without.
Star and hash lead back to steps that were come to with these facts, which only ``set`` can clear.
"""

from collections.abc import Iterator, Mapping

from ivr.core.check.facts import known_facts, slots_of, spoken_by
from ivr.core.check.flaw import Flaw
from ivr.core.flow import (
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Menu,
    Option,
    Place,
    Read,
    Return,
    Speak,
    Step,
    Then,
    When,
)
from ivr.core.graph import flow_of

Known = frozenset[str]
Onward = Iterator[tuple[Place, Known]]  # where ways lead, and what is known on each of them

REMEDY = "lead here only when it is known, or say it without"


def flaws_in_knowledge(book: Book) -> Iterator[Flaw]:
    """Every fact that is spoken or rung where it may not be known."""
    found, somewhere = known_everywhere(book), known_facts(book)
    labels = {book.frame.person, book.frame.more, *book.labels()}
    for place, step in book.steps.items():
        if place not in found:
            continue
        for what, fact in _wanted(book, step, labels):
            if fact in somewhere - found[place]:
                source = _source(book, found, place, fact)
                message = f'{what} "{fact}", which a call that comes {source} may not know'
                yield Flaw("F023", message, REMEDY, step=place)
    frame = book.frame
    for name in (frame.slower, frame.sorry_lost, frame.sorry_stuck):
        for fact in _slots(book, name):
            if fact in somewhere:
                message = f'"{name}" can be said anywhere, and speaks of "{fact}"'
                yield Flaw("F023", message, "say it without", prompt=name)


def known_everywhere(book: Book) -> Mapping[Place, Known]:
    """What is known for sure at each step that a call can come to."""
    found: dict[Place, Known] = {book.start: frozenset()}
    cleared = _cleared(book)
    settled = False
    while not settled:
        settled = True
        for place, step in book.steps.items():
            if place not in found:
                continue
            for target, known in _onward(book, step, found, cleared):
                before = found.get(target, known)
                if target not in found or before - known:
                    found[target] = before & known
                    settled = False
    return found


def _onward(book: Book, step: Step, found: Mapping[Place, Known], cleared: Known) -> Onward:
    """Where a step leads, whatever is heard, and what is known then."""
    known = found[step.place]
    match step:
        case Read():
            yield from _ways(step.then, known)
        case Speak():
            yield from _ways(step.then, _after(step.sets, known))
        case Enter():
            yield from _ways(step.then, known | {step.into})
            yield from _ways(step.heard, known)  # what was spoken is never said back
            yield step.otherwise, known
        case Choose():
            yield from _ways(step.then, known | {step.into})
        case Menu():
            for option in step.options:
                yield from _ways(option.then, _chosen(option, known))
        case AskService():
            service = book.services.get(step.service)
            for outcome, then in step.outcomes.items():
                given = service.outcomes.get(outcome, ()) if service else ()
                yield from _ways(then, known.union(given))
            yield book.frame.trouble, known
        case Connect():
            for then in step.outcomes.values():
                yield from _ways(then, known)
        case CallFlow():
            yield book.starts.get(step.flow, ""), known
        case Return():
            yield from _returns(book, step, found, cleared)
    yield from _handled(book, step, known)


def _ways(then: Then, known: Known) -> Onward:
    for way in then:
        holds, fails = _tried(way.when, known)
        yield way.go, holds
        if way.when is None:
            return
        known = fails


def _tried(when: When | None, known: Known) -> tuple[Known, Known]:
    """What is known when a condition holds, and when it fails."""
    if when is None:
        return known, known
    yes, no = known | {when.name}, known - {when.name}
    return (no, yes) if when.negated else (yes, no)


def _chosen(option: Option, known: Known) -> Known:
    """What is known when this option was chosen."""
    offered, _ = _tried(option.when, known)
    return _after(option.sets, offered)


def _after(sets: Mapping[str, str], known: Known) -> Known:
    """What is known after this ``set``: an empty one clears a fact."""
    return known - set(sets) | {fact for fact, value in sets.items() if value}


def _cleared(book: Book) -> Known:
    """The facts that some step clears."""
    sets = (each for step in book.steps.values() for each in _sets(step))
    return frozenset(fact for each in sets for fact, value in each.items() if not value)


def _sets(step: Step) -> Iterator[Mapping[str, str]]:
    if isinstance(step, Menu):
        yield from (option.sets for option in step.options)
    if isinstance(step, Speak):
        yield step.sets


def _returns(book: Book, step: Return, found: Mapping[Place, Known], cleared: Known) -> Onward:
    """Behind each step that calls this flow: what it knew itself is still known there, too."""
    for caller in book.steps.values():
        if (
            isinstance(caller, CallFlow)
            and caller.flow == flow_of(step.place)
            and caller.place in found
        ):
            known = found[step.place] | (found[caller.place] - cleared)
            yield from _ways(caller.outcomes.get(step.outcome, ()), known)


def _handled(book: Book, step: Step, known: Known) -> Onward:
    """What wrong keys, silence and 0 lead to."""
    one_key = isinstance(step, Menu | Choose | Read)
    if one_key or (isinstance(step, Enter) and step.letters):
        yield book.frame.person_at, known
    silence = step.silence.values() if isinstance(step, Menu | Choose) else ()
    wrong_key = step.wrong_key.values() if one_key else ()
    for handler in (*silence, *wrong_key):
        if handler.go:
            yield handler.go, known


def _wanted(book: Book, step: Step, labels: set[str]) -> Iterator[tuple[str, str]]:
    """The facts that a step speaks or rings, each with the words for it."""
    for prompt in dict.fromkeys(spoken_by(step)):
        if prompt not in labels:
            for fact in dict.fromkeys(_slots(book, prompt)):
                yield f'"{prompt}" speaks of', fact
    if isinstance(step, Connect):
        yield "this rings", step.number
        if step.whisper:
            yield "this rings by", step.whisper


def _slots(book: Book, prompt: str) -> tuple[str, ...]:
    found = book.prompts.get(prompt)
    return slots_of(found) if found else ()


def _source(book: Book, found: Mapping[Place, Known], place: Place, fact: str) -> str:
    """Where a call comes from that does not know this fact here."""
    cleared = _cleared(book)
    for source, step in book.steps.items():
        ways = _onward(book, step, found, cleared) if source in found else ()
        if any(target == place and fact not in known for target, known in ways):
            return f'from "{source}"'
    return "in"
