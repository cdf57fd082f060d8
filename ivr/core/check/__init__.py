"""What is wrong with a book as a whole, though each line of it may be right.

flaw      one thing wrong
ways      what can never be heard, what never ends, what goes round by itself
menus     keys, choices, and what silence does
landings  where wrong keys, unusable entries and silence lead
facts     what is spoken or asked for, but known to nobody
known     what is spoken, but not known on every way to it
texts     answers without a short form, and texts that cannot be sent as they stand
ears      words that are hard to follow by ear
lengths   what is too long to be kept in mind, and too deep to be found
named_keys  keys that prompts name in their own words
numbers   telephone numbers that nobody vouched for
dictated  where in running words a telephone number stands
"""

from collections.abc import Collection, Iterator

from ivr.core.check.ears import flaws_in_words
from ivr.core.check.facts import flaws_in_facts
from ivr.core.check.flaw import Flaw
from ivr.core.check.known import flaws_in_knowledge
from ivr.core.check.landings import flaws_in_landings
from ivr.core.check.lengths import flaws_in_lengths, flaws_in_levels
from ivr.core.check.menus import flaws_in_menus
from ivr.core.check.named_keys import flaws_in_named_keys
from ivr.core.check.numbers import flaws_in_numbers
from ivr.core.check.texts import flaws_in_texts
from ivr.core.check.ways import flaws_in_ways
from ivr.core.flow import Book

__all__ = ["Flaw", "flaws"]


def flaws(book: Book, terms: Collection[str] | None, whole: bool = True) -> Iterator[Flaw]:
    """Everything wrong with the book as a whole. Where part of the flows was lost in reading, what
    a step leads to may be missing: only what is wrong with a step by itself is told.
    ``terms`` are those that the lexicon holds; None where it could not be read."""
    yield from flaws_in_menus(book)
    yield from flaws_in_texts(book)
    yield from flaws_in_words(book, terms)
    yield from flaws_in_numbers(book)
    yield from flaws_in_lengths(book)
    if whole:
        yield from flaws_in_landings(book)
        yield from flaws_in_named_keys(book)
        yield from flaws_in_levels(book)
        yield from flaws_in_ways(book)
        yield from flaws_in_facts(book)
        yield from flaws_in_knowledge(book)
