"""One thing wrong with a book, and where."""

from dataclasses import dataclass

from ivr.core.flow import Place


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with the book: at a step or a part of it ("option 2", "outcome found",
    "when council"), in a prompt, at a service, or in none of them, then in the book file.

    A ``harmless`` one is worth a look, and keeps nobody from serving the book.
    """

    code: str
    message: str
    remedy: str
    step: Place = ""
    part: str = ""
    service: str = ""
    prompt: str = ""
    harmless: bool = False
