"""A book as a page: headings and answers, in the order of its menus. Pure.

A heading is the label of a choice; an answer stands under the choice on the shortest way to it.
What a menu offers after an answer, such as a number, belongs to that answer. Words that are known
only in a call, such as a council's number, are left out, and so is what is shared by many answers.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ivr.core.flow import (
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Menu,
    Place,
    Read,
    Slot,
    Speak,
    Step,
)
from ivr.core.graph import at_once, flow_of
from ivr.core.texting import anchor
from ivr.site.writing import written

SHARED = "shared"  # the file of the prompts that stand around answers

Paragraphs = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """The words of one step."""

    anchor: str
    paragraphs: Paragraphs


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what stands under it, and the headings beneath."""

    title: str
    anchor: str
    passages: tuple[Passage, ...]
    sections: tuple["Section", ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything that the line says to everybody."""

    title: str  # what the line calls itself
    sections: tuple[Section, ...]


@dataclass(slots=True)
class _Node:
    """A step, found on the shortest way to it; with a title, if a choice led there."""

    place: Place
    title: str
    onward: list["_Node"] = field(default_factory=list)


def guide(book: Book) -> Guide:
    """Return what a book says to everybody, as headings and answers."""
    root = _tree(book)
    start = book.steps[book.start]
    greeting = [
        sentence
        for prompt in (start.say if isinstance(start, Speak) else ())
        for sentence in written(book.prompts[prompt])
    ]
    title = greeting[-1].rstrip(".!") if greeting else ""
    return Guide(title, tuple(_sections(book, root)))


def _tree(book: Book) -> _Node:
    """Every step that a call can come to by its own choices, under the one that led there first."""
    root = _Node(book.start, "")
    found, waiting = {book.start}, deque([root])
    while waiting:
        node = waiting.popleft()
        step = book.steps.get(node.place)
        for place, title in _onward(book, step) if step else ():
            if place not in found:
                found.add(place)
                node.onward.append(_Node(place, title))
                waiting.append(node.onward[-1])
    return root


def _onward(book: Book, step: Step) -> Iterator[tuple[Place, str]]:
    """Where a step leads, and the choice that leads there. What follows on an answer has none."""
    match step:
        case Menu():
            for option in step.options:
                label = " ".join(written(book.prompts[option.label])).rstrip(".")
                title = "" if step.again == "answer" else label
                yield from ((way.go, title) for way in option.then)
        case Speak() | AskService() | CallFlow():
            yield from ((place, "") for place in at_once(book, step))
        case Read() | Choose():
            yield from ((way.go, "") for way in step.then)
        case Enter():
            yield from ((way.go, "") for way in step.then)
            yield step.otherwise, ""
        case Connect():
            yield from ((way.go, "") for then in step.outcomes.values() for way in then)


def _sections(book: Book, node: _Node) -> Iterator[Section]:
    """The sections that begin beneath this step."""
    for below in node.onward:
        if not below.title:
            yield from _sections(book, below)
            continue
        passages = tuple(_passages(book, below))
        sections = tuple(_sections(book, below))
        if sections or any(_is_answer(book, passage) for passage in passages):
            yield Section(below.title, anchor(below.place), passages, sections)


def _passages(book: Book, node: _Node) -> Iterator[Passage]:
    """The words under one heading: its own step, and those that follow without another choice."""
    step = book.steps.get(node.place)
    prompts = step.parts if isinstance(step, Read) else step.say if isinstance(step, Speak) else ()
    paragraphs = (written(book.prompts[name]) for name in prompts if _for_all(book, name))
    text = tuple(" ".join(sentences) for sentences in paragraphs if sentences)
    if text:
        yield Passage(anchor(node.place), text)
    for below in node.onward:
        if not below.title:
            yield from _passages(book, below)


def _for_all(book: Book, name: str) -> bool:
    """Whether a prompt says the same to everybody, and belongs to one answer."""
    has_facts = any(isinstance(part, Slot) for part in book.prompts[name].parts)
    return not has_facts and flow_of(name) != SHARED


def _is_answer(book: Book, passage: Passage) -> bool:
    return any(
        isinstance(step, Read) and anchor(place) == passage.anchor
        for place, step in book.steps.items()
    )
