"""What prompts speak and services need: does anything give it? And is every prompt spoken?"""

from collections.abc import Iterator
from difflib import get_close_matches

from ivr.core.check.flaw import Flaw
from ivr.core.flow import (
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Goodbye,
    Menu,
    Prompt,
    Read,
    Slot,
    Speak,
    Step,
    Then,
)

# Given to services by the engine: the answer that was read last, and whether the last connection
# joined the two.
BY_THE_ENGINE = {"topic", "joined"}


def flaws_in_facts(book: Book) -> Iterator[Flaw]:
    """Everything wrong with what is spoken and what is asked for."""
    yield from _needs(book)
    yield from _conditions(book)
    yield from _slots(book)
    yield from _unspoken(book)


def known_facts(book: Book) -> set[str]:
    """Every fact that a call of this book may hold."""
    facts = set(book.facts)
    for service in book.services.values():
        for given in service.outcomes.values():
            facts.update(given)
    for step in book.steps.values():
        if isinstance(step, Enter | Choose):
            facts.add(step.into)
        if isinstance(step, Enter) and step.listen:
            facts.add(step.listen)
        if isinstance(step, Menu):
            for option in step.options:
                facts.update(option.sets)
        if isinstance(step, Speak):
            facts.update(step.sets)
    return facts


def _needs(book: Book) -> Iterator[Flaw]:
    known = known_facts(book) | BY_THE_ENGINE
    for name, service in book.services.items():
        for need in service.needs:
            if need not in known:
                message = f'service "{name}" needs "{need}", which nothing gives'
                yield Flaw("F008", message, "collect it, or set it", service=name)


def _conditions(book: Book) -> Iterator[Flaw]:
    known = known_facts(book)
    remedy = f"known: {', '.join(sorted(known))}"
    for place, step in book.steps.items():
        for fact in _conditions_of(step):
            if fact not in known:
                message = f'the condition speaks of "{fact}", which nothing gives'
                yield Flaw("F008", message, remedy, step=place, part=f"when {fact}")
        if isinstance(step, Connect):
            yield from _rung(step, known)


def _rung(step: Connect, known: set[str]) -> Iterator[Flaw]:
    for part, fact, what in (
        ("connect", step.number, "holds the number"),
        ("whisper", step.whisper, "names the ring"),
    ):
        if fact not in known and (fact or part == "connect"):
            message = f'"{fact}" is not a fact that anything gives'
            yield Flaw("F008", message, f"name the fact that {what}", step=step.place, part=part)


def _conditions_of(step: Step) -> Iterator[str]:
    thens: list[Then] = []
    match step:
        case Enter():
            thens = [step.then, step.heard]
        case Speak() | Read() | Choose():
            thens = [step.then]
        case AskService() | CallFlow() | Connect():
            thens = list(step.outcomes.values())
        case Menu():
            thens = [option.then for option in step.options]
            yield from (option.when.name for option in step.options if option.when)
    for then in thens:
        yield from (way.when.name for way in then if way.when)


def _slots(book: Book) -> Iterator[Flaw]:
    """A label is spoken without facts; the words around a key are given just that key or number."""
    facts, frame = known_facts(book), book.frame
    labels = {frame.person, frame.more, *book.labels()}
    for prompt in book.prompts.values():
        known = facts
        if prompt.id in labels:
            known = set()
        for own, name in ((frame.press, "key"), (frame.count, "count")):
            if prompt.id == own:
                known = {name}
                if name not in slots_of(prompt):
                    message = f'"{prompt.id}" leaves out what it is for'
                    yield Flaw("F014", message, f"let it speak of {{{name}:...}}", prompt=own)
        for name in slots_of(prompt):
            if name not in known:
                message = f'the prompt speaks of "{{{name}}}", which nothing gives'
                remedy = f"known here: {', '.join(sorted(known)) or 'no facts'}"
                yield Flaw("F008", message, remedy, prompt=prompt.id)


def slots_of(prompt: Prompt) -> tuple[str, ...]:
    """The facts that a prompt speaks of."""
    return tuple(part.name for part in prompt.parts if isinstance(part, Slot))


def _unspoken(book: Book) -> Iterator[Flaw]:
    spoken = {*spoken_anywhere(book), *book.texted()}
    # A name that a step misspells is a mistake already, and the prompt that it means is not unused.
    misspelt = spoken - set(book.prompts)
    meant = {near for name in misspelt for near in get_close_matches(name, list(book.prompts))}
    for prompt in book.prompts:
        if prompt not in spoken | meant:
            remedy = "let a step say it, or delete it"
            yield Flaw("F018", f'no step says "{prompt}"', remedy, prompt=prompt, harmless=True)


def spoken_anywhere(book: Book) -> set[str]:
    """The ids of the prompts that some call may hear."""
    frame = book.frame
    spoken = {frame.person, frame.press, frame.count, frame.slower, frame.more}
    spoken |= {frame.sorry_lost, frame.sorry_stuck}
    for step in book.steps.values():
        spoken.update(spoken_by(step))
    return spoken


def spoken_by(step: Step) -> Iterator[str]:
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
