"""Where a call stands, what came from the caller, and what we answer: plain data, no behaviour.

``heard`` is what came in this turn; ``said`` is what goes out. A position holds everything about a
call; nothing about it is kept in a process between turns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ivr.core.flow import Place
from ivr.core.saying import Line

# --- where a call stands ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that a service found: its value, and its words."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A step that star goes back to, with the sub-flows that were under way there."""

    at: Place
    stack: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a call stands between two turns."""

    at: Place = ""
    turn: int = 0  # never goes back, not even on star
    part: int = 0  # of an answer being read, or page of the candidates
    trail: tuple[Stop, ...] = ()  # the steps that star goes back through
    stack: tuple[Place, ...] = ()  # sub-flows under way: the steps that called them
    slow: bool = False
    silences: int = 0  # in a row, at this step
    wrong_keys: int = 0  # at this step
    answer: Place = ""  # the answer that was read last: what # repeats after it, and the topic
    facts: Mapping[str, str] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()
    book: str = ""  # digest of the book that the call goes by
    journey: str = ""  # random id, not the call's
    hops: int = 0  # steps gone through in this turn; not sealed


# --- what came from the caller, or from outside ----------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """A call comes in. ``facts`` are what is known of it (``caller_number`` ...)."""

    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lost:
    """A call comes back with a position that cannot be read: it starts again, with an apology."""

    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keys:
    """One or more keys were pressed."""

    digits: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something was said, in the words that the network took it for. They can be anything: they
    go to the service that is asked about them, and nowhere else."""

    words: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was pressed in time."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The call comes back after a fault of ours: the step is said again, nothing is counted."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A service answered: its outcome, facts for the call, and things to choose from."""

    outcome: str
    facts: Mapping[str, str] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connected call ended: ``completed``, ``busy``, ``no-answer`` or ``failed``; and whether the
    two were joined, where the network says so."""

    outcome: str
    joined: bool = False


Heard: TypeAlias = Started | Lost | Keys | Spoken | Silence | Resumed | Answered | Dialled


# --- what we answer --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for keys: how many at most, and for how many seconds. In an ``entry`` digits are data,
    and star ends it at once. What may be spoken at the same moment is named by its fact."""

    digits: int
    wait: int
    entry: bool = False
    spoken: str = ""  # empty: nobody listens for words


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a service before the turn can go on. (turn, step) makes an effect's key."""

    service: str
    facts: Mapping[str, str]
    step: Place
    turn: int


@dataclass(frozen=True, slots=True)
class Dial:
    """Put the caller through to this number (E.164). With a ``ring`` to somebody of ours, whoever
    answers is asked to press 1 first, and is not joined to the caller before."""

    number: str
    ring: str = ""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is spoken, and what happens then."""

    lines: tuple[Line, ...]
    then: Listen | Ask | Dial | HangUp
    held: int = 0  # how many of the first lines may not be cut short by a key
    slow: bool = False
    visited: tuple[Place, ...] = ()  # the steps gone through, for the journey
