"""What a caller was hearing when they asked to be rung, and what comes next, from the book."""

from collections import deque
from dataclasses import dataclass

from ivr.callbacks.texted import TOPIC
from ivr.core.flow import (
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Menu,
    Read,
    Speak,
    Step,
)
from ivr.core.graph import anyhow
from ivr.core.wording import line

BY_TEXT = "By text"  # instead of an answer of the line


@dataclass(frozen=True, slots=True)
class Topic:
    """An answer of the line."""

    title: str  # the choice that led to it, as the caller heard it
    heard: tuple[str, ...]  # its words
    next: tuple[str, ...]  # the choices that the line offers after it


class Topics:
    """The titles of all places of a book, and their words."""

    def __init__(self, book: Book) -> None:
        """Look through the book once."""
        self._book = book
        self._titles = _titles(book)

    def title(self, place: str) -> str:
        """Return the choice that leads to a place; "" if the book has no such place."""
        return BY_TEXT if place == TOPIC else self._titles.get(place, "")

    def flows(self) -> dict[str, str]:
        """Return the flows that answers stand in, each with the title of its first place."""
        found: dict[str, str] = {}
        for place, step in self._book.steps.items():
            if isinstance(step, Read):
                flow = place.partition("/")[0]
                found.setdefault(
                    flow, self._titles.get(self._book.starts.get(flow, ""), "") or flow
                )
        return {**found, TOPIC: BY_TEXT}

    def topic(self, place: str) -> Topic | None:
        """Return what is said at a place, if the book still has it."""
        step = self._book.steps.get(place)
        if step is None:
            return None
        return Topic(self.title(place), tuple(self._words(step)), tuple(self._next(step)))

    def _words(self, step: Step) -> list[str]:
        prompts = step.parts if isinstance(step, Read) else getattr(step, "say", ())
        return [line(self._book, prompt, {}).text for prompt in prompts]

    def _next(self, step: Step) -> list[str]:
        """The choices of the first menu that a step comes to by itself."""
        seen: set[str] = set()
        while isinstance(step, Read | Speak) and step.then and step.place not in seen:
            seen.add(step.place)
            found = self._book.steps.get(step.then[-1].go)
            if found is None:
                break
            step = found
        if not isinstance(step, Menu):
            return []
        return [line(self._book, option.label, {}).text for option in step.options]


def _titles(book: Book) -> dict[str, str]:
    """Each place's title: the label of the choice on the shortest way to it."""
    titles = {book.start: ""}
    waiting = deque([book.start])
    while waiting:
        step = book.steps.get(waiting.popleft())
        if step is None:
            continue
        for place, title in _onward(book, step, titles[step.place]):
            if place not in titles:
                titles[place] = title
                waiting.append(place)
    return titles


def _onward(book: Book, step: Step, title: str) -> list[tuple[str, str]]:
    if isinstance(step, Menu):
        return [
            (way.go, line(book, option.label, {}).text.rstrip(".,"))
            for option in step.options
            for way in option.then
        ]
    if isinstance(step, Speak | Read | Enter | Choose | AskService | CallFlow | Connect):
        return [(place, title) for place in anyhow(book, step)]
    return []
