"""``flows/book.yaml``: where a call starts, the global keys, waits, silences and services."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ivr.core.flow import Frame, Handler, Place, ServiceSpec, TextFrame
from ivr.flowfile.names import (
    ENTRY_SECONDS,
    KEY_SECONDS,
    Names,
    read_handlers,
    read_silences,
    read_wait,
)
from ivr.yamlfile import Value, Where


@dataclass(slots=True)
class Settled:
    """What ``flows/book.yaml`` settles for the whole book."""

    start: Place
    language: str
    facts: frozenset[str]
    frame: Frame
    silence: dict[int, Handler]
    wrong_key: dict[int, Handler]
    services: dict[str, ServiceSpec]
    wait: int
    entry_wait: int
    read_wait: int
    texts: TextFrame | None = None
    numbers: frozenset[str] = frozenset()  # that prompts may give, digits alone
    services_at: dict[str, Where] = field(default_factory=dict)  # where each is declared


_FRAME = ("press", "count", "slower", "more", "sorry_lost", "sorry_stuck")
# What is waited where nothing is said of it; nowhere is it less.
_WAITS = {"wait": KEY_SECONDS, "entry_wait": ENTRY_SECONDS, "read_wait": 2}
_BOOK_NEEDS = ("start", "language", "person", *_FRAME, "trouble", "silence", "wrong_key")


def read_book(content: Value, names: Names) -> Settled | None:
    """What the book file settles, or None when too much of it is missing to go on."""
    known = (*_BOOK_NEEDS, "facts", "closing", "services", "texts", "numbers", *_WAITS)
    fields = content.fields(known, needed=_BOOK_NEEDS)
    if any(name not in fields for name in _BOOK_NEEDS):
        return None
    person = fields["person"].fields(("label", "go"), needed=("label", "go"))
    if len(person) < 2:
        return None
    waits = {
        name: read_wait(fields[name], usual) if name in fields else usual
        for name, usual in _WAITS.items()
    }
    frame = Frame(
        person=names.prompt(person["label"]),
        person_at=names.step(person["go"]),
        closing=names.prompts(fields.get("closing")),
        trouble=names.step(fields["trouble"]),
        **{name: names.prompt(fields[name]) for name in _FRAME},
    )
    return Settled(
        start=names.step(fields["start"]),
        language=fields["language"].text(),
        facts=frozenset(item.text() for item in fields["facts"].list())
        if "facts" in fields
        else frozenset(),
        frame=frame,
        silence=read_silences(fields["silence"], names),
        wrong_key=read_handlers(fields["wrong_key"], names),
        services=dict(_services(fields.get("services"))),
        wait=waits["wait"],
        entry_wait=waits["entry_wait"],
        read_wait=waits["read_wait"],
        texts=_texts(fields.get("texts"), names),
        numbers=frozenset(_numbers(fields.get("numbers"))),
        services_at={key.text(): key.where for key, _ in _declared(fields.get("services"))},
    )


def _texts(value: Value | None, names: Names) -> TextFrame | None:
    """The words around every text message; None when there are none, or not all of them."""
    if value is None:
        return None
    wanted = ("first_line", "more")
    fields = value.fields(wanted, needed=wanted)
    if any(name not in fields for name in wanted):
        return None
    return TextFrame(names.prompt(fields["first_line"]), names.prompt(fields["more"]))


def _numbers(value: Value | None) -> Iterator[str]:
    """The telephone numbers that prompts may give: ``0800 1111: whose it is, and who said so``."""
    for key, whose in _declared(value):
        digits = "".join(key.text().split())
        if not digits.isdecimal():
            message = f'"{key.text()}" is not a phone number'
            key.error("F007", message, "write it as it is printed in the UK: 0800 1111")
        elif not whose.text().strip():
            whose.error("F006", "whose number is this?", "say whose it is, and where it was found")
        else:
            yield digits


def _declared(value: Value | None) -> Iterable[tuple[Value, Value]]:
    return value.pairs() if value else ()


def _services(value: Value | None) -> Iterable[tuple[str, ServiceSpec]]:
    for key, what in _declared(value):
        fields = what.fields(("needs", "offers", "effect", "outcomes"), needed=("outcomes",))
        outcomes = fields["outcomes"].pairs() if "outcomes" in fields else ()
        yield (
            key.text(),
            ServiceSpec(
                outcomes={
                    outcome.text(): tuple(fact.text() for fact in facts.list())
                    for outcome, facts in outcomes
                },
                needs=tuple(need.text() for need in fields["needs"].list())
                if "needs" in fields
                else (),
                offers=fields["offers"].flag() if "offers" in fields else False,
                effect=fields["effect"].flag() if "effect" in fields else False,
            ),
        )
