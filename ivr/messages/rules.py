"""What a text message may be: its letters, its length, its first line, its end. Pure functions.

A text goes out in GSM-7, an alphabet of seven bits (3GPP TS 23.038). Some letters of it take two
places. One message has 160 places; a longer one is cut into parts of 153, and each is paid for.
Phones are shared, and show the first line to whoever looks, so that line must not tell.
"""

import re
from enum import StrEnum

from ivr.errors import HelplineError
from ivr.numbers import printed

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")  # these take two places
ALONE, EACH = 160, 153  # places of one message, and of each part of a longer one
MOST = 2  # parts

# What writing programs put in place of plain letters.
PLAIN = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "\u00a0": " ",
        "\t": " ",
    }
)

# What would tell whoever looks at the phone what it is about.
TELLING = re.compile(
    r"\b(?:sen|send|sendias\w*|special|needs?|school\w*|nurser(?:y|ies)|pupils?|child\w*|kids?"
    r"|sons?|daughters?|boys?|girls?|parent\w*|carers?|council\w*|educat\w*|ehc\w*|plans?"
    r"|exclu\w*|autis\w*|adhd|dyslexi\w*|disab\w*|diagnos\w*|tribunal\w*)\b",
    re.IGNORECASE,
)

STOP = frozenset("STOP STOPALL UNSUBSCRIBE END QUIT REVOKE OPTOUT CANCEL".split())
START = frozenset("START UNSTOP".split())
HELP = frozenset("HELP INFO".split())


class UnsendableError(HelplineError):
    """This cannot be sent as a text message."""


class Word(StrEnum):
    """What a text can say with one word alone."""

    STOP = "stop"  # no more texts
    START = "start"  # texts again
    HELP = "help"  # what is this?


def word_of(text: str) -> Word | None:
    """Return what a text says if it is one of the known words, however it is written; else None."""
    bare = re.sub(r"[\W_]+", "", text).upper()
    for word, known in ((Word.STOP, STOP), (Word.START, START), (Word.HELP, HELP)):
        if bare in known:
            return word
    return None


def plain(text: str) -> str:
    """Write what was typed in plain letters: straight quotes, single dashes, no space around."""
    lines = text.translate(PLAIN).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def places(text: str) -> int:
    """Return how many places of GSM-7 a text takes. Raises UnsendableError for other letters."""
    strange = sorted(set(text) - BASIC - EXTENSION)
    if strange:
        named = " ".join(strange[:5])
        raise UnsendableError(f"A text message cannot have {named} in it. Write it another way.")
    return sum(2 if letter in EXTENSION else 1 for letter in text)


def parts(text: str) -> int:
    """Return in how many parts a text is sent. Raises UnsendableError for other letters."""
    if places(text) <= ALONE:
        return 1
    count, used = 1, 0
    for letter in text:
        width = 2 if letter in EXTENSION else 1  # it is never cut in two
        count, used = (count + 1, width) if used + width > EACH else (count, used + width)
    return count


def check(text: str) -> int:
    """Return in how many parts a text is sent.

    Raises UnsendableError if it is empty, has letters that a text cannot have, is too long, or has
    a first line that tells what it is about.
    """
    if not text.strip():
        raise UnsendableError("There is nothing in it. Write a few words.")
    needed = parts(text)
    if needed > MOST:
        over = places(text) - MOST * EACH
        raise UnsendableError(
            f"It is too long by about {max(over, 1)} letters. It may have {MOST * EACH}."
        )
    telling = TELLING.search(text.split("\n", 1)[0])
    if telling:
        raise UnsendableError(
            f'Its first line says "{telling[0]}". Others may see that line: write it without.'
        )
    return needed


def is_name(sender: str) -> bool:
    """Whether texts come from a name: nobody can answer them, so STOP cannot be either."""
    return not sender.startswith("+")


def way_out(sender: str, number: str) -> str:
    """Return how a text tells people to stop them: from a name by ringing the helpline's number
    (E.164, or "" if unset), from a number by answering."""
    if not is_name(sender):
        return "Reply STOP to end"
    return f"To stop texts, ring {printed(number) if number else 'us'}"


def finished(text: str, sender: str, number: str) -> str:
    """Return a text with the way out as its last line, checked.

    From a number it is left out where it does not fit: STOP works without it. From a name it must
    be there. Raises UnsendableError as ``check`` does.
    """
    whole = f"{plain(text)}\n{way_out(sender, number)}"
    try:
        check(whole)
    except UnsendableError:
        check(plain(text))
        if is_name(sender):
            raise
        return plain(text)
    return whole
