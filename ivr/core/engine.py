"""What is heard moves a call.

Rule 1: everything that changes a position lives here and in ``walk``. Rule 2: nothing there knows a
clock, network, database, randomness, Quart or Twilio. Rule 3: whatever is heard, at any position,
is answered: the engine never raises, and what it says always ends in a wait, a question to a
service, a connection or a goodbye.

One key press, in words: ``advance`` counts the turn, finds the step where the call stands, and
gives it what was heard (``_on_keys``, ``_on_silence`` ...), which decides where to go. ``Walk.go``
then walks from step to step, gathering what is said, until a step waits.
"""

import re

from ivr.core import wording
from ivr.core.call import (
    Answered,
    Dialled,
    HangUp,
    Heard,
    Keys,
    Lost,
    Position,
    Resumed,
    Said,
    Silence,
    Spoken,
    Started,
)
from ivr.core.flow import (
    FAILED,
    MAX_CHOICES,
    NO_ANSWER,
    AskService,
    Book,
    Choose,
    Connect,
    Enter,
    Goodbye,
    Handler,
    Handlers,
    Menu,
    Read,
    Step,
)
from ivr.core.walk import PERSON, Reply, Walk

MAX_CANDIDATES = 12  # how many of what a service found are kept, and can be chosen among
BACK, AGAIN, SLOWER = "*", "#", "9"
CARRY_ON = "1"  # while an answer is read: the next part, without waiting for it
JOINED = "joined"  # a fact: whether the network says that the last connection joined the two


def advance(book: Book, position: Position, heard: Heard) -> tuple[Position, Said]:
    """Take one turn: where the call stands and what was heard give where it stands then, and
    what is said. When ``said.then`` asks a service, call again with its ``Answered``."""
    walk = Walk(book, position)
    if not isinstance(heard, Answered):
        # A turn that is resumed is the same turn: what the caller presses next has the number,
        # and so the effect's key, of the press whose answer was lost.
        count = 0 if isinstance(heard, Resumed) else 1
        walk.set(turn=position.turn + count, hops=0, book=book.digest)
    return _take(walk, heard, changed=position.book != book.digest)


def _take(walk: Walk, heard: Heard, changed: bool) -> Reply:
    """Give what was heard to the step where the call stands. ``changed``: the caller has heard this
    step as it was in another book."""
    step = walk.book.steps.get(walk.now.at)
    match heard:
        case Started(facts) | Lost(facts):
            walk.set(facts={name: facts[name] for name in facts if name in walk.book.facts})
            if isinstance(heard, Lost):
                walk.say(walk.book.frame.sorry_lost)
            return walk.go(walk.book.start)
        case _ if step is None:
            return walk.lost()
        case Answered():
            return _on_answer(walk, step, heard)
        case Dialled(outcome, joined):
            return _on_dialled(walk, step, outcome, joined)
        case Keys(digits) if digits and not changed:
            walk.lines.append(wording.AFTER_A_KEY)
            walk.set(silences=0)
            return _on_keys(walk, step, digits)
        case Spoken(words) if words and not changed and isinstance(step, Enter) and step.listen:
            return _on_spoken(walk, step, words)
        case Silence() | Keys() | Spoken() if not changed:
            return _on_silence(walk, step)  # words count where somebody listens for them
        case Resumed() if isinstance(step, Connect) and not changed:
            return _on_silence(walk, step)  # how it ended is not known: nobody is rung again
        case Resumed() | Keys() | Silence() | Spoken():
            # The flows have changed since the caller heard them, or we failed before they
            # could be heard: a key may mean something else now, so the step is said again.
            # Should it now do something instead of waiting, nobody has asked for that.
            waits = isinstance(step, Menu | Choose | Read | Enter | Goodbye)
            return walk.lost() if changed and not waits else walk.present(step)


def _on_answer(walk: Walk, step: Step, heard: Answered) -> Reply:
    if not isinstance(step, AskService):
        return walk.present(step)
    walk.learn(heard.facts)
    # What an earlier answer led to spoke of that one: star must not lead back to it.
    led = {way.go for then in step.outcomes.values() for way in then}
    walk.set(trail=tuple(stop for stop in walk.now.trail if stop.at not in led))
    if heard.candidates:
        # What was offered before is gone, so star must not lead back to offering it.
        steps, trail = walk.book.steps, walk.now.trail
        kept = tuple(s for s in trail if not isinstance(steps.get(s.at), Choose))
        walk.set(candidates=heard.candidates[:MAX_CANDIDATES], trail=kept)
    if walk.book.services[step.service].effect and heard.outcome != FAILED:
        walk.set(trail=())  # it is done: star cannot undo it, nor come by and do it again
    return walk.branch(step.outcomes, heard.outcome)


def _on_dialled(walk: Walk, step: Step, outcome: str, joined: bool) -> Reply:
    if not isinstance(step, Connect):
        return walk.present(step)
    walk.learn({JOINED: "yes" if joined else ""})
    if step.whisper and outcome == FAILED:
        outcome = NO_ANSWER  # a phone of ours that could not be rung: it is the next one's turn
    return walk.branch(step.outcomes, outcome)


def _on_keys(walk: Walk, step: Step, digits: str) -> Reply:
    if isinstance(step, Enter):
        return _on_entry(walk, step, digits)
    match digits[0]:
        case key if key == PERSON and step.place in walk.book.person_menus:
            return _on_choice(walk, step, _first(step))
        case key if key == PERSON:
            return _to_a_person(walk, step)
        case key if key == BACK:
            return _back(walk, step)
        case _ if isinstance(step, Connect):
            return _on_silence(walk, step)  # no key rings the same phone again
        case key if key == AGAIN:
            return _again(walk, step)
        case key if key == SLOWER:
            walk.set(slow=True)
            walk.say(walk.book.frame.slower)
            return walk.present(step)
        case key:
            return _on_choice(walk, step, key)


def _first(step: Step) -> str:
    """The key of a menu's first choice."""
    return step.options[0].key if isinstance(step, Menu) and step.options else PERSON


def _on_choice(walk: Walk, step: Step, key: str) -> Reply:
    if isinstance(step, Menu):
        for option in wording.offered(step.options, walk.now.facts):
            if option.key == key:
                walk.leave(step)
                walk.learn(option.sets)
                return walk.follow(option.then)
    if isinstance(step, Choose):
        page, more = walk.page()
        if key.isdecimal() and 1 <= int(key) <= len(page):
            walk.leave(step)
            walk.learn({step.into: page[int(key) - 1].value})
            return walk.follow(step.then)
        if more and key == str(MAX_CHOICES):
            walk.set(part=walk.now.part + 1)
            return walk.present(step)
    if isinstance(step, Read) and key == CARRY_ON:
        return _carry_on(walk, step)
    walk.set(wrong_keys=walk.now.wrong_keys + 1)
    return _handle(walk, step, step.wrong_key, walk.now.wrong_keys)


def _on_entry(walk: Walk, step: Enter, digits: str) -> Reply:
    # A # at the end is how many people finish an entry; it is never needed.
    entry = digits[: step.length].rstrip(AGAIN)
    if step.letters and PERSON in entry and BACK not in entry:
        return _to_a_person(walk, step)
    if not re.fullmatch(step.valid, entry, re.ASCII):
        return walk.go(step.otherwise)  # star there goes back before the entry, not into it
    walk.leave(step)
    walk.learn({step.into: entry})
    return walk.follow(step.then)


def _on_spoken(walk: Walk, step: Enter, words: str) -> Reply:
    walk.leave(step)
    walk.learn({step.listen: words})
    return walk.follow(step.heard)


def _on_silence(walk: Walk, step: Step) -> Reply:
    if isinstance(step, Enter):
        return walk.go(step.otherwise)
    if isinstance(step, Read):
        return _carry_on(walk, step)
    if isinstance(step, Connect):
        return walk.branch(step.outcomes, FAILED)  # silence never rings anybody
    if not isinstance(step, Menu | Choose):
        return walk.present(step)
    walk.set(silences=walk.now.silences + 1)
    return _handle(walk, step, step.silence, walk.now.silences)


def _carry_on(walk: Walk, step: Read) -> Reply:
    if walk.now.part + 1 < len(step.parts):
        walk.set(part=walk.now.part + 1)
        return walk.present(step)
    return walk.follow(step.then)


def _handle(walk: Walk, step: Step, handlers: Handlers, count: int) -> Reply:
    """Do what the handler with the highest count not above the current one says
    (the rule of VoiceXML 2.0, section 5.2.4)."""
    reached = [number for number in handlers if number <= count]
    handler = handlers[max(reached)] if reached else Handler(again=True)
    if handler.goodbye:
        walk.say(handler.goodbye)
        return walk.done(HangUp())
    if handler.say:
        walk.say(handler.say)
    if handler.go:
        walk.leave(step)
        return walk.go(handler.go)
    if handler.again:
        return walk.present(step)
    return walk.listen(handler.wait or step.wait or walk.book.wait)


def _to_a_person(walk: Walk, step: Step) -> Reply:
    walk.leave(step)
    walk.set(stack=())
    return walk.go(walk.book.frame.person_at)


def _back(walk: Walk, step: Step) -> Reply:
    trail = walk.now.trail
    while trail and (trail[-1].at not in walk.book.steps or trail[-1].at == step.place):
        trail = trail[:-1]
    if not trail:
        return walk.go(walk.book.start)
    walk.set(trail=trail[:-1], stack=trail[-1].stack)
    return walk.go(trail[-1].at)


def _again(walk: Walk, step: Step) -> Reply:
    answer = walk.book.steps.get(walk.now.answer)
    if isinstance(step, Menu) and step.again == "answer" and answer is not None:
        asks_first = answer.again if isinstance(answer, Read) else ""
        return walk.go(asks_first or answer.place)
    if isinstance(step, Read) and step.again:
        return walk.go(step.again)
    return walk.present(step)
