"""How long a text message is: the alphabet of GSM 03.38, its septets and its segments. Pure.

A text of this alphabet alone travels in septets. One character outside it, a curly apostrophe or a
long dash, makes the whole text travel in another code that holds less than half as much.
"""

from collections.abc import Iterator

from ivr.errors import HelplineError

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # each is sent as an escape and a septet

ALONE = 160  # septets that one segment holds
IN_PARTS = 153  # septets of each segment, when there are several: each says which part it is

MOST_SEGMENTS = 2  # of a text that the helpline sends
MOST_SEPTETS = MOST_SEGMENTS * IN_PARTS


class UnsendableError(HelplineError):
    """The text holds a character that is outside the GSM alphabet; write it with plain ones."""


def unsendable(text: str) -> str:
    """Return the characters of a text that are outside the GSM alphabet, each once, in order."""
    return "".join(dict.fromkeys(c for c in text if c not in BASIC and c not in EXTENDED))


def septets(text: str) -> int:
    """Count the septets that a text takes: one for a character, two for one of ``[]{}^~|\\€``.

    Raises:
        UnsendableError: it holds a character outside the GSM alphabet.
    """
    return sum(_sizes(text))


def segments(text: str) -> int:
    """Count the segments that a text is sent in; an empty text takes one.

    Raises:
        UnsendableError: it holds a character outside the GSM alphabet.
    """
    if septets(text) <= ALONE:
        return 1
    number, room = 1, IN_PARTS
    for size in _sizes(text):  # an escape is never cut off from its septet
        if size > room:
            number, room = number + 1, IN_PARTS
        room -= size
    return number


def _sizes(text: str) -> Iterator[int]:
    outside = unsendable(text)
    if outside:
        raise UnsendableError(
            f'the text cannot be sent with "{outside}"; write it with the plain characters of GSM'
        )
    return (2 if character in EXTENDED else 1 for character in text)
