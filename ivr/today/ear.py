"""Is a text fit to be heard? Plain words that end, and nothing that sounds like a phone number.

A number that nobody vouched for is never read out, so a notice gives none. Pure functions.
"""

import re
import unicodedata

from ivr.errors import HelplineError

LONGEST = 160  # characters: about ten seconds
PLAIN = " .,;:!?'’\"“”()-–—&£%"  # what may stand beside letters and digits
ENDS = (".", "!", "?")
LIKE_A_NUMBER = 5  # digits in a row, however they are grouped: no day and no year has as many
LISTED = 7  # the same, with commas between them

_ONE = r"(?:\d|\b(?:zero|nought|oh|one|two|three|four|five|six|seven|eight|nine|double|treble)\b)"
_CLOSE, _LISTED = r"[\s.!?:&()–—-]*", r"[\s.,;!?:&()–—-]*"
_NUMBER = re.compile(rf"{_ONE}(?:{_CLOSE}{_ONE}){{{LIKE_A_NUMBER - 1},}}", re.I)
_LIST = re.compile(rf"{_ONE}(?:{_LISTED}{_ONE}){{{LISTED - 1},}}", re.I)
_ADDRESS = re.compile(r"[^\W\d_]{2,}\.[^\W\d_]{2,}|\bwww\b", re.I)


class NotForTheEarError(HelplineError):
    """This text cannot be read out to callers."""


def fit(text: str) -> str:
    """Return the text as it will be said, in single spaces. Raises NotForTheEarError, with why."""
    said = " ".join(unicodedata.normalize("NFKC", text).split())
    for letter in said:
        if unicodedata.category(letter).startswith("C"):
            raise NotForTheEarError("There is an invisible character in it. Type it anew.")
        if not (letter in PLAIN or _is_letter(letter) or letter in "0123456789"):
            raise NotForTheEarError(f"“{letter}” cannot be read out. Use plain words.")
    if not any(map(_is_letter, said)):
        raise NotForTheEarError("Write what callers are to hear.")
    if len(said) > LONGEST:
        raise NotForTheEarError(f"It has {len(said)} characters. Use {LONGEST} or fewer.")
    if number := _NUMBER.search(said) or _LIST.search(said):
        raise NotForTheEarError(
            f"“{number[0].strip()}” sounds like a phone number. A notice gives none: callers come"
            " to a person by pressing 0. Write days as 24 November, and times as 2 pm."
        )
    if address := _ADDRESS.search(said):
        raise NotForTheEarError(
            f"“{address[0]}” sounds like an address on the web, which nobody can note down."
            " After a full stop, leave a space."
        )
    if not said.endswith(ENDS):
        raise NotForTheEarError("End it with a full stop, so that the voice comes to rest.")
    return said


def _is_letter(letter: str) -> bool:
    return letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN")
