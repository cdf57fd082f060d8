"""Texts: has every answer its short form, and can each be sent as it stands?"""

from collections.abc import Iterator

from ivr.core.check.facts import spoken_by
from ivr.core.check.flaw import Flaw
from ivr.core.flow import Book, Gap, Menu, Place, Prompt, Read, Slot
from ivr.core.graph import at_once, closure
from ivr.core.texting import ADDRESS, STOP, telling
from ivr.gsm import MOST_SEPTETS, septets, unsendable


def flaws_in_texts(book: Book) -> Iterator[Flaw]:
    """Everything wrong with what can be had by text."""
    names = dict.fromkeys(name for name in book.texted() if name in book.prompts)
    if not names:
        return
    spoken = {prompt for step in book.steps.values() for prompt in spoken_by(step)}
    unfit = [flaw for name in names for flaw in _unfit(book.prompts[name], name in spoken)]
    yield from unfit
    yield from _missing(book)
    frame = book.texts
    if frame is None:
        remedy = "add `texts: {first_line: <prompt>, more: <prompt>}`"
        yield Flaw("F006", "answers have short forms, but nothing is around a text", remedy)
    elif not unfit and {frame.first_line, frame.more} <= names.keys():
        yield from _telling(book.prompts[frame.first_line])
        around = (book.prompts[frame.first_line], book.prompts[frame.more])
        room = MOST_SEPTETS - ADDRESS - STOP - sum(septets(words.text) + 1 for words in around) - 1
        for name in names:
            yield from _too_long(book.prompts[name], room)


def _missing(book: Book) -> Iterator[Flaw]:
    """Answers without a short form, though others have one."""
    edges = {
        place: set[Place]() if isinstance(step, Read) else set(at_once(book, step))
        for place, step in book.steps.items()
    }
    for place, step in book.steps.items():
        if not isinstance(step, Read) or step.text or _has_facts(book, step):
            continue
        after = closure((way.go for way in step.then), edges)
        if any(isinstance(book.steps.get(name), Menu) for name in after):
            message = "this answer has no short form, so it cannot be had by text"
            remedy = "add `text: <prompt>`"
            yield Flaw("F025", message, remedy, step=place, part="read", harmless=True)


def _has_facts(book: Book, step: Read) -> bool:
    """Whether an answer is known only in the call: no text can be written beforehand."""
    prompts = (book.prompts[name] for name in step.parts if name in book.prompts)
    return any(isinstance(part, Slot) for prompt in prompts for part in prompt.parts)


def _unfit(prompt: Prompt, spoken: bool) -> Iterator[Flaw]:
    outside = unsendable(prompt.text)
    if outside:
        message = f'no text can hold "{outside}"'
        remedy = "use plain characters, such as ' and -"
        yield Flaw("F026", message, remedy, prompt=prompt.id)
    if any(isinstance(part, Gap) for part in prompt.parts):
        yield Flaw("F026", "a text has a pause in it", "take the / out", prompt=prompt.id)
    if any(isinstance(part, Slot) for part in prompt.parts):
        message, remedy = "a text speaks of a fact", "write what is the same for everybody"
        yield Flaw("F026", message, remedy, prompt=prompt.id)
    if spoken:
        message, remedy = "a text is spoken too", "write one for the ear and one for the eye"
        yield Flaw("F026", message, remedy, prompt=prompt.id)


def _too_long(prompt: Prompt, room: int) -> Iterator[Flaw]:
    needed = septets(prompt.text)
    if needed > room:
        message = f"this text takes {needed} characters, and has room for {room}"
        yield Flaw("F026", message, "say less: the public page has the rest", prompt=prompt.id)


def _telling(prompt: Prompt) -> Iterator[Flaw]:
    word = telling(prompt.text)
    if word:
        message = f'the first line of every text says "{word}", and phones are shared'
        yield Flaw("F026", message, "say nothing of what it is about", prompt=prompt.id)
