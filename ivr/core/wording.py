"""Prompts into words: facts are filled in, and menus speak themselves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from ivr.core.flow import MAX_CHOICES, Book, Gap, Menu, Option, Prompt, Slot, Step
from ivr.core.saying import SENTENCE_MARKS, Line, Pause, Phrase, Piece, Words, silence
from ivr.core.speaking import BETWEEN_DIGITS, DIGITS, spoken

BEFORE_A_KEY = Pause(0.5)
AFTER_A_CHOICE = Pause(1.0)
AFTER_A_PROMPT = Pause(0.5)
AFTER_A_KEY = silence(0.5)  # the phone returns to the ear (accessibility rule R25)
MIN_GROUP = 2  # digits; one alone is a word: "One. Through the school."
ZERO = "0"


def phrase(prompt: Prompt, facts: Mapping[str, str]) -> Phrase:
    """What a prompt says with these facts filled in.

    Fixed words that follow on fixed words are spoken in one breath: "press" and "1". Words on the
    two sides of a fact never are, even where the fact is not known: their clips stay the same.
    """
    pieces: list[Piece] = []
    fact_between = False
    for part in prompt.parts:
        made = list(_pieces(part, facts))
        last, first = pieces[-1:], made[:1]
        if not fact_between and _is_fixed(last) and _is_fixed(first):
            pieces[-1:] = [
                Words(f"{last[0].text}{last[0].mark} {first[0].text}", mark=first[0].mark)
            ]
            made = made[1:]
        pieces.extend(made)
        fact_between = not (made or first)
    return Phrase(tuple(pieces), prompt.id)


def _is_fixed(piece: list[Piece]) -> TypeGuard[list[Words]]:
    """Whether there is a piece here, and it is words that are known before any call."""
    return bool(piece) and isinstance(piece[0], Words) and not piece[0].private


def _pieces(part: str | Slot | Gap, facts: Mapping[str, str]) -> Iterator[Piece]:
    if isinstance(part, Gap):
        yield Pause(part.seconds)
    elif isinstance(part, Slot):
        yield from _marked(spoken(part.way, facts.get(part.name, "")), part.mark)
    else:
        yield from _fixed(part)


def _fixed(text: str) -> Iterator[Piece]:
    """Words as they are written. A group of a phone number, which stands between two pauses, is
    spoken as one that is known only in the call: digit by digit."""
    words = text.split()
    bare = [word.rstrip("".join(SENTENCE_MARKS)) for word in words]
    if len(words) < MIN_GROUP or not set(bare) <= set(DIGITS):
        yield Words(text)
        return
    for place, digit in enumerate(bare):
        if place:
            yield BETWEEN_DIGITS
        yield Words(digit, mark=words[place].removeprefix(digit))


def _marked(pieces: Sequence[Piece], mark: str) -> Iterator[Piece]:
    """The pieces, with the punctuation that is written after the last words."""
    for number, piece in enumerate(pieces, start=1):
        if number == len(pieces) and isinstance(piece, Words):
            yield Words(piece.text, piece.private, mark)
        else:
            yield piece


def _pause(seconds: Pause) -> Phrase:
    return Phrase((seconds,))


def line(book: Book, prompt: str, facts: Mapping[str, str]) -> Line:
    """A whole prompt as one line, with a breath after it."""
    return book.fixed.get((prompt, "")) or _kept(book, (prompt, ""), _line(book, prompt, facts))


def _line(book: Book, prompt: str, facts: Mapping[str, str]) -> Line:
    return Line((phrase(book.prompts[prompt], facts), _pause(AFTER_A_PROMPT)))


def _kept(book: Book, name: tuple[str, str], made: Line) -> Line:
    """Keep a line that is the same in every call: most are, and are said again and again."""
    prompt = book.prompts[name[0]]
    if name[1] or not any(isinstance(part, Slot) for part in prompt.parts):
        book.fixed[name] = made
    return made


def choice(book: Book, label: Phrase, key: str) -> Line:
    """One choice: what it is, a pause, then the key, which comes last (accessibility rule R3)."""
    press = phrase(book.prompts[book.frame.press], {"key": key})
    return Line((label, _pause(BEFORE_A_KEY), press, _pause(AFTER_A_CHOICE)))


def labelled(book: Book, prompt: str, key: str) -> Line:
    """A choice whose label is a prompt."""
    kept = book.fixed.get((prompt, key))
    return kept or _kept(book, (prompt, key), choice(book, named(book, prompt), key))


def counted(book: Book, number: int) -> Line:
    """How many choices there are (accessibility rule R16)."""
    name = (book.frame.count, str(number))
    if name not in book.fixed:
        words = phrase(book.prompts[book.frame.count], {"count": name[1]})
        _kept(book, name, Line((words, _pause(BEFORE_A_KEY))))
    return book.fixed[name]


def named(book: Book, prompt: str) -> Phrase:
    """A label of a choice."""
    return phrase(book.prompts[prompt], {})


def menu(
    book: Book,
    intro: Sequence[str],
    choices: Sequence[Line],
    closing: Sequence[str],
    facts: Mapping[str, str],
    zero: Line | None = None,
) -> Iterator[Line]:
    """The words of a menu, made from its choices, in order.

    0 comes first (rule R4), then how many other choices there are (R16), then each of them.
    """
    yield from (line(book, prompt, facts) for prompt in intro)
    if zero is not None:
        yield zero
    if len(choices) > 1:
        yield counted(book, len(choices))
    yield from choices
    yield from (line(book, prompt, facts) for prompt in closing)


def zero(book: Book, step: Step) -> Line | None:
    """What 0 does here, and that it is pressed for it; in a menu that 0 itself led to, nothing is
    said of it unless it is a choice there."""
    if step.place not in book.person_menus:
        return labelled(book, book.frame.person, ZERO)
    options = step.options if isinstance(step, Menu) else ()
    own = next((option for option in options if option.key == ZERO), None)
    return labelled(book, own.label, ZERO) if own else None


def offered(options: Sequence[Option], facts: Mapping[str, str]) -> tuple[Option, ...]:
    """The options of a menu that hold in this call."""
    return tuple(option for option in options if option.when is None or option.when.holds(facts))


def every_line(book: Book) -> Iterator[Line]:
    """Every line that a call of this book can hear, so that its clips can be made beforehand.

    In lines that hold facts, the facts are left out: of those only the fixed words are known.
    """
    yield AFTER_A_KEY
    someone = Phrase((Words("", private=True),))
    yield labelled(book, book.frame.person, ZERO)
    yield labelled(book, book.frame.more, str(MAX_CHOICES))
    for number in range(1, MAX_CHOICES + 1):
        yield choice(book, someone, str(number))
        if number > 1:
            yield counted(book, number)
    for step in book.steps.values():
        if isinstance(step, Menu):
            for option in step.options:
                yield labelled(book, option.label, option.key)
    labels = {
        *book.labels(),
        book.frame.person,
        book.frame.more,
        book.frame.press,
        book.frame.count,
    }
    never_spoken = set(book.texted())
    for prompt in book.prompts:
        if prompt not in labels | never_spoken:
            yield line(book, prompt, {})
