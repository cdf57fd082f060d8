"""What a text message may be: its length, its first line, its end; and words alone. Pure functions.

Each part of a text is paid for. Phones are shared, and show the first line to whoever looks, so
that line must not tell what the text is about.
"""

import re
from enum import StrEnum

from ivr.core.texting import telling
from ivr.gsm import MOST_SEGMENTS, MOST_SEPTETS, UnsendableError, segments, septets, unsendable
from ivr.numbers import printed

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

STOP = frozenset("STOP STOPALL UNSUBSCRIBE END QUIT REVOKE OPTOUT CANCEL".split())
START = frozenset("START UNSTOP".split())
HELP = frozenset("HELP INFO".split())
# What may follow STOP: "Stop texting me please" is one. "Stop him hurting me" is a cry for help.
BESIDE_STOP = frozenset(
    "ALL ANY IT ME MESSAGES MESSAGING MORE MY NOW PHONE PLEASE SENDING TEXT TEXTING TEXTS THANKS"
    " THANK THE THESE THIS TO YOU YOUR".split()
)
ABOUT_TEXTS = frozenset("MESSAGES MESSAGING TEXT TEXTING TEXTS UNSUBSCRIBE".split())


class Word(StrEnum):
    """What a text can ask of us, mostly with one word alone."""

    STOP = "stop"  # no more texts
    START = "start"  # texts again
    HELP = "help"  # what is this?


def word_of(text: str) -> Word | None:
    """Return what a text says if it is one of the known words, however it is written; else None.

    STOP may have words about texts behind it, as in "Stop texting me"; after "please" it must.
    """
    bare = re.sub(r"[\W_]+", "", text).upper()
    first, *others = re.findall(r"[^\W_]+", text.upper()) or [""]
    if first == "PLEASE" and not ABOUT_TEXTS.isdisjoint(others):
        first, *others = others
    if first in ("STOP", "UNSUBSCRIBE") and BESIDE_STOP.issuperset(others):
        return Word.STOP
    for word, known in ((Word.STOP, STOP), (Word.START, START), (Word.HELP, HELP)):
        if bare in known:
            return word
    return None


def plain(text: str) -> str:
    """Write what was typed in plain letters: straight quotes, single dashes, no space around."""
    lines = text.translate(PLAIN).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def check(text: str) -> int:
    """Return in how many parts a text is sent.

    Raises UnsendableError if it is empty, has letters that a text cannot have, is too long, or has
    a first line that tells what it is about.
    """
    if not text.strip():
        raise UnsendableError("There is nothing in it. Write a few words.")
    strange = unsendable(text)
    if strange:
        named = " ".join(strange[:5])
        raise UnsendableError(f"A text message cannot have {named} in it. Write it another way.")
    needed = segments(text)
    if needed > MOST_SEGMENTS:
        over = max(septets(text) - MOST_SEPTETS, 1)
        raise UnsendableError(
            f"It is too long by about {over} letters. It may have {MOST_SEPTETS}."
        )
    tells = telling(text.split("\n", 1)[0])
    if tells:
        raise UnsendableError(
            f'Its first line says "{tells}". Others may see that line: write it without.'
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
