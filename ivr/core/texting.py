"""The words of a text message: a first line that tells nothing, what was asked for, and where the
whole of it can be read.

A text is the first line of the book, a body, and the address of the public page, each on a line of
its own. How to stop texts is added by whoever sends them.
"""

import re

from ivr.core.flow import Book, Place, Read
from ivr.errors import HelplineError
from ivr.gsm import MOST_SEGMENTS, segments

ADDRESS = 60  # septets that are left for the address of the public page, at an answer
STOP = len("\nReply STOP to end")  # septets of the last line

# What would tell whoever looks at a shared phone what the text is about.
TELLING = re.compile(
    r"\b(?:sen|send|sendias\w*|special|needs?|school\w*|nurser(?:y|ies)|pupils?|child\w*|kids?"
    r"|sons?|daughters?|boys?|girls?|parent\w*|carers?|council\w*|educat\w*|ehc\w*|plans?"
    r"|exclu\w*|autis\w*|adhd|dyslexi\w*|disab\w*|diagnos\w*|tribunal\w*)\b",
    re.IGNORECASE,
)


class NoShortFormError(HelplineError, LookupError):
    """This answer has no short form that could be texted; give its step a `text`."""


def telling(line: str) -> str:
    """Return the first word of a line that would tell what a text is about, or ""."""
    found = TELLING.search(line)
    return found[0] if found else ""


def anchor(place: Place) -> str:
    """Return the name of an answer within the public page: "school-rights"."""
    return place.replace("/", "-")


def answer_by_text(book: Book, place: Place, page: str, end: int = STOP) -> str:
    """Return the short form of an answer as a whole text, with its address on the public page.

    ``page`` is the address of the page, and ``end`` the septets that are needed for a last line.

    Raises:
        NoShortFormError: there is no such answer in this book, or it has no short form.
        UnsendableError: the address holds a character outside the GSM alphabet.
    """
    step = book.steps.get(place)
    if not isinstance(step, Read) or not step.text:
        raise NoShortFormError(f'"{place}" has no short form; give its step a `text`')
    return whole(book, book.prompts[step.text].text, (f"{page}#{anchor(place)}", page), end)


def whole(book: Book, body: str, addresses: tuple[str, ...], end: int = STOP) -> str:
    """Return a body with the lines around it: the first of these addresses that leaves room for
    the ``end``, or none.

    Raises:
        UnsendableError: it holds a character outside the GSM alphabet.
    """
    text = f"{_words(book, 'first_line')}\n{body}"
    for address in addresses:
        longer = f"{text}\n{_words(book, 'more')} {address}"
        if segments(longer + "." * end) <= MOST_SEGMENTS:
            return longer
    return text


def _words(book: Book, name: str) -> str:
    """The words around a text; a book without any sends none."""
    if book.texts is None:
        raise NoShortFormError("this book sends no texts; give flows/book.yaml its `texts`")
    return book.prompts[getattr(book.texts, name)].text
