"""A book as plain data: its flows, their steps, and what is said when nobody answers.

One class per kind of step. The loader (``ivr.flowfile``) makes these from YAML; the engine
(``ivr.core.engine``) moves through them. Names of places are ``flow/step``; names of prompts are
``file/prompt``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ivr.core.saying import Line

Place: TypeAlias = str  # "flow/step"

MAX_CHOICES = 4  # a menu offers at most this many, the global keys apart (accessibility rule R1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A gap in a prompt's text: ``{name:way}``, filled by a fact and spoken in a named way."""

    name: str
    way: str
    mark: str = ""  # the punctuation written after it


@dataclass(frozen=True, slots=True)
class Gap:
    """A written pause in a prompt, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Prompt:
    """A named text, cut where it pauses and where facts go in."""

    id: str
    text: str
    parts: tuple[str | Slot | Gap, ...]
    covers: tuple[str, ...] = ()
    source: str = ""
    review_by: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """A condition: the fact ``name`` is known, or with ``negated`` it is not."""

    name: str
    negated: bool = False

    def holds(self, facts: Mapping[str, str]) -> bool:
        """Whether the condition is true of these facts; an empty fact counts as unknown."""
        return bool(facts.get(self.name)) is not self.negated


@dataclass(frozen=True, slots=True)
class Way:
    """Where to go on; with ``when``, only if it holds."""

    go: Place
    when: When | None = None


Then: TypeAlias = tuple[Way, ...]  # the first way that holds is taken; the last is unconditional


@dataclass(frozen=True, slots=True)
class Handler:
    """What happens on the n-th silence or wrong key: say something and wait, or go elsewhere."""

    say: str = ""
    wait: int | None = None  # seconds, at the normal pace; None is the step's own wait
    again: bool = False  # after ``say``, say the whole step again
    go: Place = ""
    goodbye: str = ""  # say this prompt and end the call


Handlers: TypeAlias = Mapping[int, Handler]  # by count: the highest not above the current count


@dataclass(frozen=True, slots=True)
class Step:
    """What every kind of step has."""

    place: Place
    silence: Handlers = field(default_factory=dict)
    wrong_key: Handlers = field(default_factory=dict)
    wait: int | None = None  # seconds to wait for a key, at the normal pace
    interrupt: bool = True  # may a key press cut the words short?


@dataclass(frozen=True, slots=True)
class Speak(Step):
    """Say these prompts and go on."""

    say: tuple[str, ...] = ()
    then: Then = ()
    sets: Mapping[str, str] = field(default_factory=dict)  # once they are said


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a menu. Key 0 is one only in a menu that 0 itself leads to."""

    key: str
    label: str
    then: Then
    when: When | None = None
    sets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Menu(Step):
    """Say the choices, wait for one key. The words are made from the options themselves."""

    say: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    closing: tuple[str, ...] = ()  # said after the last choice, where they delay nobody
    again: str = "step"  # what # repeats: this "step", or the "answer" that was read before it


@dataclass(frozen=True, slots=True)
class Read(Step):
    """Read an answer in parts; silence between parts carries on."""

    parts: tuple[str, ...] = ()
    then: Then = ()
    text: str = ""  # the prompt that is its short form, for whoever wants it by text
    again: Place = ""  # where # leads instead: a step before it that asks whether it still holds


@dataclass(frozen=True, slots=True)
class Enter(Step):
    """Take typed digits, or letters by the telephone keypad (E.161), into a fact. With ``listen``
    the caller may speak instead; the keys are open all the same."""

    say: tuple[str, ...] = ()
    into: str = ""
    length: int = 1  # the longest valid entry: it ends by itself when it is that long
    valid: str = "[0-9]+"  # a regular expression for the whole entry
    letters: bool = False
    then: Then = ()
    otherwise: Place = ""  # where star, silence and an entry that cannot be used lead
    listen: str = ""  # the fact that what is spoken goes into, for that turn alone
    heard: Then = ()  # where it leads


@dataclass(frozen=True, slots=True)
class AskService(Step):
    """Ask a service by name and go on by its outcome."""

    service: str = ""
    needs: tuple[str, ...] = ()  # the facts that it is given
    outcomes: Mapping[str, Then] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choose(Step):
    """Offer what a service found, four at a time, and put the chosen one into a fact."""

    say: tuple[str, ...] = ()
    into: str = ""
    then: Then = ()
    closing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallFlow(Step):
    """Go through another flow, and go on here by the name that it returns."""

    flow: str = ""
    outcomes: Mapping[str, Then] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Return(Step):
    """End a sub-flow, with a name for how it ended."""

    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Connect(Step):
    """Put the caller through to the number in a fact."""

    say: tuple[str, ...] = ()
    number: str = ""
    whisper: str = ""  # the fact that names the ring: whoever answers must press 1 first
    outcomes: Mapping[str, Then] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goodbye(Step):
    """Say these prompts and end the call."""

    say: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What a book knows of a service: how it can end, and which facts each ending gives."""

    outcomes: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...] = ()
    offers: bool = False  # does it give candidates for a ``choose`` step?
    effect: bool = False  # does it do something once and for all? Star does not go back before it


FAILED = "failed"  # every service can also end so: it was down, slow or broken

NO_ANSWER = "no-answer"
DIAL_OUTCOMES = ("completed", "busy", NO_ANSWER, FAILED)


@dataclass(frozen=True, slots=True)
class Frame:
    """The words around a book's menus, and its global keys."""

    person: str  # label of 0, announced first in every menu but the person's own
    person_at: Place  # where 0 leads; in the menu there, 0 once more is its first choice
    press: str  # "press {key:key}"
    count: str  # "{count:number} other choices."
    closing: tuple[str, ...]  # what a menu ends with, unless it says otherwise
    slower: str  # said when 9 is pressed
    more: str  # label of "more of them" when a service found more than four
    sorry_lost: str  # said when a call's place could not be found again
    sorry_stuck: str  # said when a turn ran into the cap on steps
    trouble: Place  # where a failed service leads, unless the step says otherwise


@dataclass(frozen=True, slots=True)
class TextFrame:
    """The words around every text message, as prompts."""

    first_line: str  # what whoever looks at a shared phone may see
    more: str  # before the address of the public page


@dataclass(frozen=True, slots=True)
class Book:
    """All flows and prompts of one version, compiled, with a digest."""

    digest: str
    start: Place
    language: str
    steps: Mapping[Place, Step]
    prompts: Mapping[str, Prompt]
    services: Mapping[str, ServiceSpec]
    facts: frozenset[str]  # facts given at the start of a call
    frame: Frame
    silence: Handlers
    wrong_key: Handlers
    texts: TextFrame | None = None  # None: nothing of this book is sent by text
    numbers: frozenset[str] = frozenset()  # telephone numbers that prompts may give, digits alone
    wait: int = 10  # seconds for one key
    entry_wait: int = 20  # seconds for typed digits, and between them
    read_wait: int = 2  # seconds between the parts of an answer
    starts: Mapping[str, Place] = field(default_factory=dict)  # flow name -> its first step
    person_menus: frozenset[Place] = frozenset()  # the menus that 0 itself comes to
    spoken: frozenset[str] = frozenset()  # facts that hold what was spoken
    # Lines that are the same in every call, once they have been made (see ``ivr.core.wording``).
    fixed: dict[tuple[str, str], Line] = field(default_factory=dict, compare=False, repr=False)

    def labels(self) -> Iterator[str]:
        """The ids of the prompts used as labels of choices."""
        for step in self.steps.values():
            if isinstance(step, Menu):
                yield from (option.label for option in step.options)

    def texted(self) -> Iterator[str]:
        """The ids of the prompts that are sent by text, and never spoken."""
        if self.texts:
            yield from (self.texts.first_line, self.texts.more)
        for step in self.steps.values():
            if isinstance(step, Read) and step.text:
                yield step.text
