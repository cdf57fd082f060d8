"""Every move of a call, in this one file.

Rule 1: everything that changes a position lives here. Rule 2: nothing here knows a clock, network,
database, randomness, Quart or Twilio. Rule 3: whatever is heard, at any position, is answered: the
engine never raises, and what it says always ends in a wait, a question to a service, a connection
or a goodbye.

One key press, in words: ``advance`` counts the turn, finds the step where the call stands, gives
it what was heard (``_on_keys``, ``_on_silence`` ...), and then ``_go`` walks from step to step,
gathering what is said, until a step waits.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from ivr.core import wording
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
    Lost,
    Position,
    Resumed,
    Said,
    Silence,
    Spoken,
    Started,
    Stop,
)
from ivr.core.flow import (
    FAILED,
    MAX_CHOICES,
    NO_ANSWER,
    AskService,
    Book,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Goodbye,
    Handler,
    Handlers,
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
MAX_CANDIDATES = 12  # how many of what a service found are kept, and can be chosen among
SLOW = 2  # at the slow pace every wait is this many times as long
PERSON, BACK, AGAIN, SLOWER = "0", "*", "#", "9"
CARRY_ON = "1"  # while an answer is read: the next part, without waiting for it
TOPIC = "topic"  # what a service may ask for: the answer that was read last
JOINED = "joined"  # the same: whether the network says that the last connection joined the two


def advance(book: Book, position: Position, heard: Heard) -> tuple[Position, Said]:
    """Take one turn: where the call stands and what was heard give where it stands then, and
    what is said. When ``said.then`` asks a service, call again with its ``Answered``."""
    return _Turn(book, position).take(heard)


class _Turn:
    """One turn in the making: the position as it changes, and what has been said so far."""

    def __init__(self, book: Book, position: Position) -> None:
        self.book = book
        self.now = replace(position)  # a copy, which is changed as the turn goes on
        self.lines: list[Line] = []
        self.held = 0
        self.visited: list[Place] = []

    # --- what was heard ------------------------------------------------------------------------

    def take(self, heard: Heard) -> tuple[Position, Said]:
        changed = self.now.book != self.book.digest
        if not isinstance(heard, Answered):
            # A turn that is resumed is the same turn: what the caller presses next has the number,
            # and so the effect's key, of the press whose answer was lost.
            count = 0 if isinstance(heard, Resumed) else 1
            self._set(turn=self.now.turn + count, hops=0, book=self.book.digest)
        step = self.book.steps.get(self.now.at)
        match heard:
            case Started(facts) | Lost(facts):
                self._set(facts={name: facts[name] for name in facts if name in self.book.facts})
                if isinstance(heard, Lost):
                    self._say(self.book.frame.sorry_lost)
                return self._go(self.book.start)
            case _ if step is None:
                return self._lost()
            case Answered():
                return self._on_answer(step, heard)
            case Dialled(outcome, joined):
                return self._on_dialled(step, outcome, joined)
            case Keys(digits) if digits and not changed:
                self.lines.append(wording.AFTER_A_KEY)
                self._set(silences=0)
                return self._on_keys(step, digits)
            case Spoken(words) if words and not changed and isinstance(step, Enter) and step.listen:
                return self._on_spoken(step, words)
            case Silence() | Keys() | Spoken() if not changed:
                return self._on_silence(step)  # words count where somebody listens for them
            case Resumed() if isinstance(step, Connect) and not changed:
                return self._on_silence(step)  # how it ended is not known: nobody is rung again
            case Resumed() | Keys() | Silence() | Spoken():
                # The flows have changed since the caller heard them, or we failed before they
                # could be heard: a key may mean something else now, so the step is said again.
                # Should it now do something instead of waiting, nobody has asked for that.
                waits = isinstance(step, Menu | Choose | Read | Enter | Goodbye)
                return self._lost() if changed and not waits else self._present(step)

    def _on_answer(self, step: Step, heard: Answered) -> tuple[Position, Said]:
        if not isinstance(step, AskService):
            return self._present(step)
        # What an earlier answer led to spoke of that one: star must not lead back to it.
        led = {way.go for then in step.outcomes.values() for way in then}
        kept = tuple(stop for stop in self.now.trail if stop.at not in led)
        self._set(facts={**self.now.facts, **heard.facts}, trail=kept)
        if heard.candidates:
            # What was offered before is gone, so star must not lead back to offering it.
            steps, trail = self.book.steps, self.now.trail
            kept = tuple(s for s in trail if not isinstance(steps.get(s.at), Choose))
            self._set(candidates=heard.candidates[:MAX_CANDIDATES], trail=kept)
        if self.book.services[step.service].effect and heard.outcome != FAILED:
            self._set(trail=())  # it is done: star cannot undo it, nor come by and do it again
        return self._branch(step.outcomes, heard.outcome)

    def _on_dialled(self, step: Step, outcome: str, joined: bool) -> tuple[Position, Said]:
        if not isinstance(step, Connect):
            return self._present(step)
        self._set(facts={**self.now.facts, JOINED: "yes" if joined else ""})
        if step.whisper and outcome == FAILED:
            outcome = NO_ANSWER  # a phone of ours that could not be rung: it is the next one's turn
        return self._branch(step.outcomes, outcome)

    def _branch(self, outcomes: Mapping[str, Then], outcome: str) -> tuple[Position, Said]:
        then = outcomes.get(outcome) or outcomes.get(FAILED)
        return self._follow(then) if then else self._go(self.book.frame.trouble)

    def _on_keys(self, step: Step, digits: str) -> tuple[Position, Said]:
        if isinstance(step, Enter):
            return self._on_entry(step, digits)
        match digits[0]:
            case key if key == PERSON and step.place in self.book.person_menus:
                return self._on_choice(step, _first(step))
            case key if key == PERSON:
                self._leave(step, stack=())
                return self._go(self.book.frame.person_at)
            case key if key == BACK:
                return self._back(step)
            case _ if isinstance(step, Connect):
                return self._on_silence(step)  # no key rings the same phone again
            case key if key == AGAIN:
                return self._again(step)
            case key if key == SLOWER:
                self._set(slow=True)
                self._say(self.book.frame.slower)
                return self._present(step)
            case key:
                return self._on_choice(step, key)

    def _on_choice(self, step: Step, key: str) -> tuple[Position, Said]:
        if isinstance(step, Menu):
            for option in wording.offered(step.options, self.now.facts):
                if option.key == key:
                    self._leave(step)
                    self._set(facts={**self.now.facts, **option.sets})
                    return self._follow(option.then)
        if isinstance(step, Choose):
            page, more = self._page()
            if key.isdecimal() and 1 <= int(key) <= len(page):
                self._leave(step)
                chosen = page[int(key) - 1].value
                self._set(facts={**self.now.facts, step.into: chosen})
                return self._follow(step.then)
            if more and key == str(MAX_CHOICES):
                self._set(part=self.now.part + 1)
                return self._present(step)
        if isinstance(step, Read) and key == CARRY_ON:
            return self._carry_on(step)
        self._set(wrong_keys=self.now.wrong_keys + 1)
        return self._handle(step, step.wrong_key, self.now.wrong_keys)

    def _on_entry(self, step: Enter, digits: str) -> tuple[Position, Said]:
        # A # at the end is how many people finish an entry; it is never needed.
        entry = digits[: step.length].rstrip(AGAIN)
        if step.letters and PERSON in entry and BACK not in entry:
            self._leave(step, stack=())
            return self._go(self.book.frame.person_at)
        if not re.fullmatch(step.valid, entry, re.ASCII):
            return self._go(step.otherwise)  # star there goes back before the entry, not into it
        self._leave(step)
        self._set(facts={**self.now.facts, step.into: entry})
        return self._follow(step.then)

    def _on_spoken(self, step: Enter, words: str) -> tuple[Position, Said]:
        self._leave(step)
        self._set(facts={**self.now.facts, step.listen: words})
        return self._follow(step.heard)

    def _on_silence(self, step: Step) -> tuple[Position, Said]:
        if isinstance(step, Enter):
            return self._go(step.otherwise)
        if isinstance(step, Read):
            return self._carry_on(step)
        if isinstance(step, Connect):
            return self._branch(step.outcomes, FAILED)  # silence never rings anybody
        if not isinstance(step, Menu | Choose):
            return self._present(step)
        self._set(silences=self.now.silences + 1)
        return self._handle(step, step.silence, self.now.silences)

    def _carry_on(self, step: Read) -> tuple[Position, Said]:
        if self.now.part + 1 < len(step.parts):
            self._set(part=self.now.part + 1)
            return self._present(step)
        return self._follow(step.then)

    def _handle(self, step: Step, handlers: Handlers, count: int) -> tuple[Position, Said]:
        """Do what the handler with the highest count not above the current one says
        (the rule of VoiceXML 2.0, section 5.2.4)."""
        reached = [number for number in handlers if number <= count]
        handler = handlers[max(reached)] if reached else Handler(again=True)
        if handler.goodbye:
            self._say(handler.goodbye)
            return self._done(HangUp())
        if handler.say:
            self._say(handler.say)
        if handler.go:
            self._leave(step)
            return self._go(handler.go)
        if handler.again:
            return self._present(step)
        return self._done(Listen(1, self._wait(handler.wait or step.wait or self.book.wait)))

    def _back(self, step: Step) -> tuple[Position, Said]:
        trail = self.now.trail
        while trail and (trail[-1].at not in self.book.steps or trail[-1].at == step.place):
            trail = trail[:-1]
        if not trail:
            return self._go(self.book.start)
        self._set(trail=trail[:-1], stack=trail[-1].stack)
        return self._go(trail[-1].at)

    def _again(self, step: Step) -> tuple[Position, Said]:
        answer = self.book.steps.get(self.now.answer)
        if isinstance(step, Menu) and step.again == "answer" and answer is not None:
            asks_first = answer.again if isinstance(answer, Read) else ""
            return self._go(asks_first or answer.place)
        if isinstance(step, Read) and step.again:
            return self._go(step.again)
        return self._present(step)

    # --- from step to step ---------------------------------------------------------------------

    def _leave(self, step: Step, stack: tuple[Place, ...] | None = None) -> None:
        """Remember a step, so that star can come back to it. Answers are not remembered: star
        goes back to the menu they were chosen from."""
        if not isinstance(step, Read):
            stop = Stop(step.place, self.now.stack)
            self._set(trail=(*self._trail_before(step.place), stop)[-MAX_TRAIL:])
        if stack is not None:
            self._set(stack=stack)

    def _trail_before(self, place: Place) -> tuple[Stop, ...]:
        """The trail up to the first time that it came by this place: no going round in circles."""
        for number, stop in enumerate(self.now.trail):
            if stop.at == place:
                return self.now.trail[:number]
        return self.now.trail

    def _follow(self, then: Then) -> tuple[Position, Said]:
        """Go the first way that holds."""
        for way in then:
            if way.when is None or way.when.holds(self.now.facts):
                return self._go(way.go)
        return self._lost()

    def _go(self, place: Place) -> tuple[Position, Said]:
        """Go to a step and do what it says: the only way from step to step."""
        step = self.book.steps.get(place)
        if step is None:
            return self._lost()
        hops = self.now.hops + 1
        if hops > MAX_STEPS_IN_ONE_TURN:
            return self._stuck()
        self.visited.append(place)
        trail = () if place == self.book.start else self._trail_before(place)
        stack = () if place == self.book.start else self.now.stack
        self._set(at=place, part=0, silences=0, wrong_keys=0, trail=trail, stack=stack, hops=hops)
        return self._present(step)

    def _present(self, step: Step) -> tuple[Position, Said]:
        """Say what a step says, from where it stands, and wait or go on."""
        match step:
            case Speak():
                self._say(*step.say, step=step)
                if step.sets:
                    self._set(facts={**self.now.facts, **step.sets})
                return self._follow(step.then)
            case Menu():
                choices = [
                    wording.labelled(self.book, option.label, option.key)
                    for option in wording.offered(step.options, self.now.facts)
                    if option.key != PERSON  # which is said before them all
                ]
                return self._offer(step, step.say, choices, step.closing)
            case Read():
                return self._read(step)
            case Enter():
                self._say(*step.say, step=step)
                wait = self._wait(step.wait or self.book.entry_wait)
                return self._done(Listen(step.length, wait, True, step.listen))
            case AskService():
                known = {TOPIC: self.now.answer, **self.now.facts}
                needs = {name: known.get(name, "") for name in step.needs}
                return self._done(Ask(step.service, needs, step.place, self.now.turn))
            case Choose():
                return self._choose(step)
            case CallFlow():
                self._set(stack=(*self.now.stack, step.place)[-MAX_SUB_FLOWS:])
                return self._go(self.book.starts.get(step.flow, ""))
            case Return():
                return self._return(step)
            case Connect():
                return self._connect(step)
            case Goodbye():
                self._say(*step.say, step=step)
                return self._done(HangUp())
        return self._lost()

    def _offer(
        self,
        step: Step,
        say: tuple[str, ...],
        choices: list[Line],
        closing: tuple[str, ...],
    ) -> tuple[Position, Said]:
        zero = wording.zero(self.book, step)
        words = wording.menu(self.book, say, choices, closing, self.now.facts, zero)
        self.lines.extend(words)
        self._hold(step)
        return self._done(Listen(1, self._wait(step.wait or self.book.wait)))

    def _read(self, step: Read) -> tuple[Position, Said]:
        """Say one part of an answer. After the last one the call goes on without a wait."""
        part = min(self.now.part, len(step.parts) - 1)
        # Where a flow has set the topic itself, that was so until the next answer.
        facts = {name: value for name, value in self.now.facts.items() if name != TOPIC}
        self._set(answer=step.place, facts=facts)
        self._say(step.parts[part], step=step)
        if part == len(step.parts) - 1:
            return self._follow(step.then)
        return self._done(Listen(1, self._wait(step.wait or self.book.read_wait)))

    def _connect(self, step: Connect) -> tuple[Position, Said]:
        """Ring a number; one that nobody knows is a connection that failed."""
        number = self.now.facts.get(step.number, "")
        ring = self.now.facts.get(step.whisper, "") if step.whisper else ""
        self._say(*step.say, step=step)
        if not number or (step.whisper and not ring):
            return self._branch(step.outcomes, FAILED)
        return self._done(Dial(number, ring))

    def _page(self) -> tuple[tuple[Candidate, ...], bool]:
        """The candidates on offer now, and whether a key for more of them is offered."""
        found = self.now.candidates
        if len(found) <= MAX_CHOICES:
            return found, False
        size = MAX_CHOICES - 1
        first = self.now.part * size
        return found[first : first + size], first + size < len(found)

    def _choose(self, step: Choose) -> tuple[Position, Said]:
        page, more = self._page()
        choices = [
            wording.choice(self.book, Phrase((Words(candidate.words, private=True),)), str(number))
            for number, candidate in enumerate(page, start=1)
        ]
        if more:
            choices.append(wording.labelled(self.book, self.book.frame.more, str(MAX_CHOICES)))
        return self._offer(step, step.say, choices, step.closing)

    def _return(self, step: Return) -> tuple[Position, Said]:
        if not self.now.stack:
            return self._lost()
        caller = self.book.steps.get(self.now.stack[-1])
        self._set(stack=self.now.stack[:-1])
        if not isinstance(caller, CallFlow) or step.outcome not in caller.outcomes:
            return self._lost()
        return self._follow(caller.outcomes[step.outcome])

    # --- landings: however a call got here, it goes on -------------------------------------------

    def _lost(self) -> tuple[Position, Said]:
        """The place is not in this book: from the start again, with a short apology."""
        self._say(self.book.frame.sorry_lost)
        return self._go(self.book.start)

    def _stuck(self) -> tuple[Position, Said]:
        """The turn ran into the cap on steps: to the start, which is a menu and therefore waits."""
        self.lines, self.held = [], 0
        self._say(self.book.frame.sorry_stuck)
        self._set(hops=0)
        return self._go(self.book.start)

    # --- small tools -----------------------------------------------------------------------------

    def _set(self, **changes: object) -> None:
        """Change the position. It is this turn's own copy, which nobody else has seen yet: to make
        a new one for each of the five or six changes of a turn takes longer than the turn."""
        for name, value in changes.items():
            object.__setattr__(self.now, name, value)

    def _say(self, *prompts: str, step: Step | None = None) -> None:
        self.lines.extend(wording.line(self.book, prompt, self.now.facts) for prompt in prompts)
        if step is not None:
            self._hold(step)

    def _hold(self, step: Step) -> None:
        if not step.interrupt:
            self.held = len(self.lines)

    def _wait(self, seconds: int) -> int:
        return seconds * SLOW if self.now.slow else seconds

    def _done(self, then: Listen | Ask | Dial | HangUp) -> tuple[Position, Said]:
        if not isinstance(then, Ask) and not self.book.spoken.isdisjoint(self.now.facts):
            facts = self.now.facts.items()  # what was spoken is known for this turn alone
            self._set(facts={fact: known for fact, known in facts if fact not in self.book.spoken})
        said = Said(tuple(self.lines), then, self.held, self.now.slow, tuple(self.visited))
        return self.now, said


def _first(step: Step) -> str:
    """The key of a menu's first choice."""
    return step.options[0].key if isinstance(step, Menu) and step.options else PERSON
