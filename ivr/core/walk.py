"""A call goes from step to step, and what is said on the way is gathered, until a step waits.

What changes a position is here and in ``engine``, whose rules hold here too.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from ivr.core import wording
from ivr.core.call import Ask, Candidate, Dial, HangUp, Listen, Position, Said, Stop
from ivr.core.flow import (
    FAILED,
    MAX_CHOICES,
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Goodbye,
    Menu,
    Place,
    Read,
    Return,
    Speak,
    Step,
    Then,
)
from ivr.core.saying import Line, Phrase, Words

MAX_STEPS_IN_ONE_TURN = 40
MAX_TRAIL = 12  # how many steps star can go back
MAX_SUB_FLOWS = 4  # how deep sub-flows may lie in one another
SLOW = 2  # at the slow pace every wait is this many times as long
PERSON = "0"  # the key that leads to a person or a call-back, everywhere
TOPIC = "topic"  # what a service may ask for: the answer that was read last

Reply: TypeAlias = tuple[Position, Said]  # where the call stands then, and what is said


class Walk:
    """The walk of one turn.

    Attributes:
        now: where the call stands, as it changes.
        lines: what has been said so far.
        held: how many of these may not be cut short by a key.
        visited: the steps gone through.
    """

    def __init__(self, book: Book, position: Position) -> None:
        self.book = book
        self.now = replace(position)  # a copy, which is changed as the turn goes on
        self.lines: list[Line] = []
        self.held = 0
        self.visited: list[Place] = []

    # --- from step to step -----------------------------------------------------------------------

    def go(self, place: Place) -> Reply:
        """Go to a step and do what it says: the only way from step to step."""
        step = self.book.steps.get(place)
        if step is None:
            return self.lost()
        hops = self.now.hops + 1
        if hops > MAX_STEPS_IN_ONE_TURN:
            return self._stuck()
        self.visited.append(place)
        trail = () if place == self.book.start else self._trail_before(place)
        stack = () if place == self.book.start else self.now.stack
        self.set(at=place, part=0, silences=0, wrong_keys=0, trail=trail, stack=stack, hops=hops)
        return self.present(step)

    def follow(self, then: Then) -> Reply:
        """Go the first way that holds."""
        for way in then:
            if way.when is None or way.when.holds(self.now.facts):
                return self.go(way.go)
        return self.lost()

    def branch(self, outcomes: Mapping[str, Then], outcome: str) -> Reply:
        """Go where this outcome leads, or else where a failure does."""
        then = outcomes.get(outcome) or outcomes.get(FAILED)
        return self.follow(then) if then else self.go(self.book.frame.trouble)

    def leave(self, step: Step) -> None:
        """Remember a step, so that star can come back to it. Answers are not remembered: star
        goes back to the menu they were chosen from."""
        if not isinstance(step, Read):
            stop = Stop(step.place, self.now.stack)
            self.set(trail=(*self._trail_before(step.place), stop)[-MAX_TRAIL:])

    def _trail_before(self, place: Place) -> tuple[Stop, ...]:
        """The trail up to the first time that it came by this place: no going round in circles."""
        for number, stop in enumerate(self.now.trail):
            if stop.at == place:
                return self.now.trail[:number]
        return self.now.trail

    # --- what a step says ------------------------------------------------------------------------

    def present(self, step: Step) -> Reply:
        """Say what a step says, from where it stands, and wait or go on."""
        match step:
            case Speak():
                self.say(*step.say, step=step)
                if step.sets:
                    self.learn(step.sets)
                return self.follow(step.then)
            case Menu():
                return self._offer(step, self._options(step))
            case Read():
                return self._read(step)
            case Enter():
                self.say(*step.say, step=step)
                wait = self._paced(step.wait or self.book.entry_wait)
                return self.done(Listen(step.length, wait, True, step.listen))
            case AskService():
                known = {TOPIC: self.now.answer, **self.now.facts}
                needs = {name: known.get(name, "") for name in step.needs}
                return self.done(Ask(step.service, needs, step.place, self.now.turn))
            case Choose():
                return self._offer(step, self._found())
            case CallFlow():
                self.set(stack=(*self.now.stack, step.place)[-MAX_SUB_FLOWS:])
                return self.go(self.book.starts.get(step.flow, ""))
            case Return():
                return self._return(step)
            case Connect():
                return self._connect(step)
            case Goodbye():
                self.say(*step.say, step=step)
                return self.done(HangUp())
        return self.lost()

    def _offer(self, step: Menu | Choose, choices: list[Line]) -> Reply:
        """Say the choices, each with its key, and wait for one."""
        zero = wording.zero(self.book, step)
        facts = self.now.facts
        words = wording.menu(self.book, step.say, choices, step.closing, facts, zero)
        self.lines.extend(words)
        self._hold(step)
        return self.listen(step.wait or self.book.wait)

    def _read(self, step: Read) -> Reply:
        """Say one part of an answer. After the last one the call goes on without a wait."""
        part = min(self.now.part, len(step.parts) - 1)
        # Where a flow has set the topic itself, that was so until the next answer.
        facts = {name: value for name, value in self.now.facts.items() if name != TOPIC}
        self.set(answer=step.place, facts=facts)
        self.say(step.parts[part], step=step)
        if part == len(step.parts) - 1:
            return self.follow(step.then)
        return self.listen(step.wait or self.book.read_wait)

    def _connect(self, step: Connect) -> Reply:
        """Ring a number; one that nobody knows is a connection that failed."""
        number = self.now.facts.get(step.number, "")
        ring = self.now.facts.get(step.whisper, "") if step.whisper else ""
        self.say(*step.say, step=step)
        if not number or (step.whisper and not ring):
            return self.branch(step.outcomes, FAILED)
        return self.done(Dial(number, ring))

    def _options(self, step: Menu) -> list[Line]:
        """The choices of a menu."""
        return [
            wording.labelled(self.book, option.label, option.key)
            for option in wording.offered(step.options, self.now.facts)
            if option.key != PERSON  # which is said before them all
        ]

    def _found(self) -> list[Line]:
        """The choices among what a service found."""
        page, more = self.page()
        choices = [
            wording.choice(self.book, Phrase((Words(candidate.words, private=True),)), str(number))
            for number, candidate in enumerate(page, start=1)
        ]
        if more:
            choices.append(wording.labelled(self.book, self.book.frame.more, str(MAX_CHOICES)))
        return choices

    def page(self) -> tuple[tuple[Candidate, ...], bool]:
        """The candidates on offer now, and whether a key for more of them is offered."""
        found = self.now.candidates
        if len(found) <= MAX_CHOICES:
            return found, False
        size = MAX_CHOICES - 1
        first = self.now.part * size
        return found[first : first + size], first + size < len(found)

    def _return(self, step: Return) -> Reply:
        """Go on after the sub-flow that is under way, where it was called."""
        if not self.now.stack:
            return self.lost()
        caller = self.book.steps.get(self.now.stack[-1])
        self.set(stack=self.now.stack[:-1])
        if not isinstance(caller, CallFlow) or step.outcome not in caller.outcomes:
            return self.lost()
        return self.follow(caller.outcomes[step.outcome])

    # --- landings: however a call got here, it goes on -------------------------------------------

    def lost(self) -> Reply:
        """The place is not in this book: from the start again, with a short apology."""
        self.say(self.book.frame.sorry_lost)
        return self.go(self.book.start)

    def _stuck(self) -> Reply:
        """The turn ran into the cap on steps: to the start, which is a menu and therefore waits."""
        self.lines, self.held = [], 0
        self.say(self.book.frame.sorry_stuck)
        self.set(hops=0)
        return self.go(self.book.start)

    # --- small tools -----------------------------------------------------------------------------

    def set(self, **changes: object) -> None:
        """Change the position. It is this turn's own copy, which nobody else has seen yet: to make
        a new one for each of the five or six changes of a turn takes longer than the turn."""
        for name, value in changes.items():
            object.__setattr__(self.now, name, value)

    def learn(self, facts: Mapping[str, str]) -> None:
        """Add to what is known in this call."""
        self.set(facts={**self.now.facts, **facts})

    def say(self, *prompts: str, step: Step | None = None) -> None:
        """Say these prompts; no key cuts short those of a step that may not be interrupted."""
        self.lines.extend(wording.line(self.book, prompt, self.now.facts) for prompt in prompts)
        if step is not None:
            self._hold(step)

    def _hold(self, step: Step) -> None:
        if not step.interrupt:
            self.held = len(self.lines)

    def _paced(self, seconds: int) -> int:
        return seconds * SLOW if self.now.slow else seconds

    def listen(self, seconds: int) -> Reply:
        """End the turn waiting for one key, for so many seconds at the normal pace."""
        return self.done(Listen(1, self._paced(seconds)))

    def done(self, then: Listen | Ask | Dial | HangUp) -> Reply:
        """End the turn, or stop in it to ask a service."""
        if not isinstance(then, Ask) and not self.book.spoken.isdisjoint(self.now.facts):
            facts = self.now.facts.items()  # what was spoken is known for this turn alone
            self.set(facts={fact: known for fact, known in facts if fact not in self.book.spoken})
        said = Said(tuple(self.lines), then, self.held, self.now.slow, tuple(self.visited))
        return self.now, said
