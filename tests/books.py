"""The two books of the tests, read once by the real loader, and a caller who goes through them.

The sample book in ``tests/sample`` is small and uses every kind of step; the real one is what
parents hear. A caller's position is sealed and unsealed between every two turns, so that nothing
can be remembered that would not also be remembered by another worker on another machine.
"""

import gc
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from heapq import heappop, heappush
from pathlib import Path
from random import Random

from cryptography.fernet import Fernet

from ivr.book import Loaded, load_book, read_book
from ivr.core.call import (
    Answered,
    Ask,
    Candidate,
    Dial,
    Dialled,
    HangUp,
    Heard,
    Keys,
    Listen,
    Position,
    Said,
    Silence,
    Spoken,
    Started,
)
from ivr.core.engine import advance
from ivr.core.flow import DIAL_OUTCOMES, FAILED, Book, Connect, Enter, Place, When
from ivr.core.graph import flow_of
from ivr.core.saying import Line
from ivr.sealing import Sealer

ROOT = Path(__file__).parent.parent
SAMPLE = Path(__file__).parent / "sample"
OWN = "+447700900123"  # the caller's own number: Ofcom keeps it for drama
SID = "CA" + "1" * 32
EVERY_FACT = {"caller_number": OWN, "texts": "yes"}  # that may be known at the start of a call

# Facts as our services give them, and as long as they get.
FACTS = {
    "number": OWN,
    "number_printed": "07700 900 123",
    "due_at": "2026-11-24T17:00:00Z",
    "due_day": "2026-11-24",
    "seen_day": "2026-11-24",
    "seen_time": "09:00",
    "due_time": "17:00",
    "text_number": OWN,
    "text_printed": "07700 900 123",
    "reference": "482 195",
    "council": "E06000058",
    "council_name": "Bournemouth, Christchurch and Poole",
    "place": "Ellesmere Port and Neston, in Cheshire West and Chester",
    "service_name": "Information, Advice and Support Service for Windsor and Maidenhead",
    "service_number": "01628 683 182",
    "service_rings": "+441628683182",
    "until": "15:30",
    "opens": "on Wednesday",
    "opens_time": "08:30",
    "website": "sendiassleicestershire.org.uk",
    "email": "sendiass@worcestershire.gov.uk",
    "branch": "north",
    "branch_name": "North Street",
    "desk_number": "+441134960123",
    "ticket": "17",
    "team_number": "+447700900456",
    "ring": "1234567",
    "tried": "1234 1235 1236",
}
NAMES = (  # what 2 2 7 leads to, which is the longest of all
    "Bournemouth, Christchurch and Poole",
    "Barking and Dagenham",
    "Barnet",
    "Barnsley",
    "Barnard Castle, in County Durham",
    "Barnes, in Richmond upon Thames",
    "Barnstaple, in Devon",
    "Barrow-in-Furness, in Westmorland and Furness",
    "Barton-upon-Humber, in North Lincolnshire",
    "Essex",
    "Basingstoke and Deane, in Hampshire",
    "Bassetlaw, in Nottinghamshire",
)
FOUND = tuple(Candidate(f"E0600{number:04}", name) for number, name in enumerate(NAMES, start=12))

LISTENING, SPOKEN = "spoken", "erm Leeds please"  # the flow in which somebody listens; a name
USABLE = ("07700900123", "533", "123456")  # what may be typed: a number, letters, a card

Answers = Mapping[str, Answered]
Answerer = Callable[[Ask], Answered]


@cache
def sample() -> Loaded:
    """The small book of the tests."""
    return load_book(SAMPLE / "flows", SAMPLE / "prompts")


@cache
def real() -> Loaded:
    """The book that parents hear."""
    return load_book(ROOT / "flows", ROOT / "prompts")


def outcomes(book: Book, service: str) -> tuple[Answered, ...]:
    """Every answer that a service may give by what the book declares of it, ``failed`` included."""
    spec = book.services[service]
    declared = (
        Answered(
            outcome,
            {name: FACTS.get(name, "1") for name in given},
            FOUND if spec.offers and not given and outcome != "none" else (),
        )
        for outcome, given in spec.outcomes.items()
    )
    return (*declared, Answered(FAILED))


def usual(book: Book) -> Answerer:
    """Services that all answer with the first outcome that the book declares."""
    return lambda ask: outcomes(book, ask.service)[0]


@cache
def sealer() -> Sealer:
    """Seals as the helpline does; its clock stands still."""
    return Sealer([Fernet.generate_key()], lambda: datetime(2026, 11, 23, 12, tzinfo=UTC))


def take(book: Book, position: Position, heard: Heard, answer: Answerer) -> tuple[Position, Said]:
    """One turn, services answered, as ``ivr.conversation`` takes it."""
    position, said = advance(book, position, heard)
    lines, held, visited = said.lines, said.held, said.visited
    while isinstance(said.then, Ask):
        position, said = advance(book, position, answer(said.then))
        held = len(lines) + said.held if said.held else held
        lines, visited = lines + said.lines, visited + said.visited
    return position, replace(said, lines=lines, held=held, visited=visited)


def text(said: Said) -> str:
    """Everything that is spoken in a turn, as a person would read it."""
    return " ".join(line.text for line in said.lines if line.text)


def prompts(said: Said) -> Iterator[str]:
    """The ids of the prompts that are spoken in a turn."""
    return (phrase.prompt for line in said.lines for phrase in line.phrases if phrase.prompt)


@dataclass
class Caller:
    """Somebody on the phone. What they press is heard, and what they hear is kept."""

    book: Book
    number: str = ""  # the caller's own number, if it is known
    answers: dict[str, Answered] = field(default_factory=dict)  # by service; else the usual one
    asked: list[Ask] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.position, self.said = Position(journey="j" * 16), Said((), HangUp())
        self.hear(Started({"caller_number": self.number} if self.number else {}))

    def hear(self, heard: Heard) -> str:
        """Take a turn, from a sealed position to a sealed position. Gives the words spoken."""
        sealed = sealer().seal_position(SID, self.position)
        position = sealer().unseal_position(SID, sealed)
        assert position == replace(self.position, hops=0)
        self.position, self.said = take(self.book, position, heard, self._answer)
        return text(self.said)

    def press(self, *presses: str) -> str:
        """Press these, one turn for each; "-" is silence. Gives the words of the last turn."""
        for keys in presses:
            self.hear(Silence() if keys == "-" else Keys(keys))
        return text(self.said)

    def _answer(self, ask: Ask) -> Answered:
        self.asked.append(ask)
        return self.answers.get(ask.service) or usual(self.book)(ask)

    @property
    def at(self) -> str:
        """The step where the call stands."""
        return self.position.at

    @property
    def then(self) -> Listen | Ask | Dial | HangUp:
        """What happens after the words."""
        return self.said.then

    @property
    def wait(self) -> int:
        """For how many seconds a key is waited for."""
        assert isinstance(self.said.then, Listen)
        return self.said.then.wait

    @property
    def effects(self) -> list[Ask]:
        """What was asked of services that do something once and for all."""
        return [ask for ask in self.asked if self.book.services[ask.service].effect]


# --- books with mistakes -------------------------------------------------------------------------

Edit = tuple[str, str | None, str]  # a file, and in it this (None: everything) into that


def findings(folder: Path) -> list[str]:
    """What is told about the book in this folder."""
    return [str(finding) for finding in read_book(folder / "flows", folder / "prompts").findings]


def edited(folder: Path, *edits: Edit) -> list[str]:
    """Copy the sample book into this folder, edit it, and give what is told about it then."""
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    for file, old, new in edits:
        path = folder / file
        before = path.read_text()
        assert old is None or before.count(old) == 1, f"{old!r} is not once in {file}"
        path.write_text(new if old is None else before.replace(old, new), encoding="utf-8")
    return findings(folder)


def mangled(folder: Path, chance: Random, edits: int) -> Path:
    """Copy the real book into this folder, and spoil some of its lines. Gives the folder."""
    for name in ("flows", "prompts"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    for _ in range(edits):
        path = chance.choice(sorted(folder.rglob("*.yaml")))
        lines = path.read_text().splitlines(keepends=True)
        number = chance.randrange(len(lines))
        line = lines[number]
        cut = chance.randrange(len(line) + 1)
        lines[number : number + 1] = chance.choice(
            (
                [],
                [line, line],
                [line[:cut]],
                [line[cut:]],
                [chance.choice(lines), line],
                [line.replace(":", "", 1)],
                ["  " + line],
                [line.replace("{", "[").replace("}", "]")],
            )
        )
        path.write_text("".join(lines) or "\n")
    return folder


# --- every way through a book --------------------------------------------------------------------

ONE_KEY = tuple("0123456789*#")


def conditions(thing: object) -> Iterator[str]:
    """The facts that anything in a book, or the book itself, makes conditions of."""
    if isinstance(thing, When):
        yield thing.name
    elif is_dataclass(thing):
        for part in fields(thing):
            yield from conditions(getattr(thing, part.name))
    elif isinstance(thing, Mapping | tuple):
        for part in thing.values() if isinstance(thing, Mapping) else thing:
            yield from conditions(part)


def entries(book: Book, place: Place) -> tuple[str, ...]:
    """What may be typed at an entry: something usable, nonsense, and a way to a person."""
    step = book.steps[place]
    assert isinstance(step, Enter)
    usable = next(text for text in USABLE if re.fullmatch(step.valid, text[: step.length]))
    return (usable, "1", "*", "0")


@dataclass
class Walk:
    """Every turn that can come about in a book: each key, silence and entry at each place, and
    each outcome of each service.

    Calls that stand at the same place are the same here, unless a condition could tell them apart,
    or one of them knows fewer facts. Silences and wrong keys in a row and the slow pace are
    followed to their end once at each place.

    Attributes:
        turns: every turn: where the call stands then, and what is said.
        stops: those of them that come to a new place, from which the walk goes on.
    """

    book: Book
    also: tuple[tuple[Position, Heard], ...] = ()  # further turns to begin with
    turns: list[tuple[Position, Said]] = field(default_factory=list)
    stops: list[tuple[Position, Said]] = field(default_factory=list)
    rings: set[tuple[Place, Heard]] = field(default_factory=set)  # where what is heard makes a Dial
    _seen: dict[object, list[frozenset[str]]] = field(default_factory=dict)
    _waiting: list[tuple[int, int, Position]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._conditions = frozenset(conditions(self.book))
        for facts in ({}, {"texts": "yes"}, {"caller_number": OWN}, EVERY_FACT):
            self._wait(self._turn(Position(), Started(facts)))
        for position, heard in self.also:
            self._wait(self._turn(position, heard))
        while self._waiting:
            position = heappop(self._waiting)[-1]
            for heard in self._heard(position):
                self._wait(self._turn(position, heard))

    def _wait(self, positions: Iterable[Position]) -> None:
        """Who knows least goes first: where they have been, nobody who knows more has to go."""
        for position in positions:
            known = sum(map(bool, position.facts.values()))
            heappush(self._waiting, (known, len(self.turns), position))

    def _heard(self, position: Position) -> Iterator[Heard]:
        yield Silence()
        if position.silences:
            return
        if position.wrong_keys or position.slow:
            yield from (Keys("8"), Keys("9"))
        elif isinstance(self.book.steps[position.at], Connect):
            yield from (Dialled(outcome) for outcome in DIAL_OUTCOMES)
        elif isinstance(self.book.steps[position.at], Enter):
            yield from (Keys(entry) for entry in entries(self.book, position.at))
            if self.book.steps[position.at].listen:
                yield Spoken(SPOKEN)
        else:
            yield from (Keys(key) for key in ONE_KEY)

    def _turn(self, position: Position, heard: Heard) -> Iterator[Position]:
        """Take a turn with every answer of the services. Gives the new places to go on from."""
        asking = [advance(self.book, position, heard)]
        while asking:
            now, said = asking.pop()
            self.turns.append((now, said))
            if isinstance(said.then, Ask):
                answers = outcomes(self.book, said.then.service)
                asking.extend(advance(self.book, now, answer) for answer in answers)
                continue
            if isinstance(said.then, Dial):
                self.rings.add((position.at, heard))
            if not isinstance(said.then, HangUp) and self._is_new(_not_listening(now)):
                self.stops.append((_not_listening(now), said))
                yield _not_listening(now)

    def lines(self) -> Iterator[Line]:
        """Every line that is said; most are the same object in many turns, and come once."""
        yield from {id(line): line for _, said in self.turns for line in said.lines}.values()

    def _is_new(self, now: Position) -> bool:
        known = frozenset(name for name, value in now.facts.items() if value)
        disturbed = (now.silences, min(now.wrong_keys, 3), now.slow)
        state: tuple[object, ...] = (now.at, now.part, now.stack, disturbed)
        if not any(disturbed):
            state = (*state, known & self._conditions, bool(now.candidates))
        seen = self._seen.setdefault(state, [])
        if any(before <= known or any(disturbed) for before in seen):
            return False
        seen.append(known)
        return True


def _not_listening(now: Position) -> Position:
    """The position of a call that has left the flow in which somebody listens. It makes no
    difference elsewhere, and so no way is gone a second time for it."""
    if "listens" not in now.facts or flow_of(now.at) == LISTENING:
        return now
    facts = {name: value for name, value in now.facts.items() if name != "listens"}
    trail = tuple(stop for stop in now.trail if flow_of(stop.at) != LISTENING)
    return replace(now, facts=facts, trail=trail)


@contextmanager
def unwatched() -> Iterator[None]:
    """Do this at full speed: lines are not counted, and rubbish is not looked for.

    For sweeps of many thousand turns, through lines that other tests count.
    """
    watching = sys.gettrace()
    sys.settrace(None)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        sys.settrace(watching)


@cache
def walk() -> Walk:
    """Every way through the real book. It is kept to the end, and not searched for rubbish."""
    book = real().book
    listened_to = Position(at="council/guess", book=book.digest, facts={"listens": "yes"})
    with unwatched():
        made = Walk(book, ((listened_to, Answered("none")),))
        gc.freeze()
        return made
