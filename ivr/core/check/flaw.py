"""One thing wrong with a book, and where."""

from dataclasses import dataclass

from ivr.core.flow import Place


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with the book: at a step, in a prompt, or in neither, then in the book file.

    A ``harmless`` one is worth a look, and keeps nobody from serving the book.
    """

    code: str
    message: str
    remedy: str
    step: Place = ""
    prompt: str = ""
    harmless: bool = False
