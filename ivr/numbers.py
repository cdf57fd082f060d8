"""Which telephone numbers the helpline may ring or text, and how they are printed. Pure functions.

Only ordinary UK landlines (01, 02), 03 numbers and mobiles (07): those that a parent answers, and
that cost no more than they seem to. Never 070 personal numbers, pagers, 08, 09 and 118, nor numbers
of the Channel Islands and the Isle of Man, which share our ranges but are dear to ring and a known
way of cheating.
"""

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

RINGABLE = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.UAN,  # 03: rings like a landline
    }
)

# Numbers that Ofcom keeps for drama, which reach nobody; only those of the kinds that we ring.
# https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama
DRAMA = re.compile(
    r"\+44(?:"
    r"11[3-8]4960\d{3}"  # Leeds, Sheffield, Nottingham, Leicester, Bristol, Reading
    r"|1[2-6]14960\d{3}"  # Birmingham, Edinburgh, Glasgow, Liverpool, Manchester
    r"|1914980\d{3}"  # Tyneside
    r"|2079460\d{3}"  # London
    r"|2896496\d{3}"  # Northern Ireland
    r"|2920180\d{3}"  # Cardiff
    r"|1632960\d{3}"  # no area
    r"|7700900\d{3}"  # mobile
    r"|306999\d{4}"  # UK wide
    r")"
)
# The same source's Freephone numbers: a service may have one, though the helpline rings none back.
_FREE_DRAMA = re.compile(r"\+448081570\d{3}")

# What Twilio sends as From when the caller's number is withheld: words, or letters as digits.
# https://twilio.com/en-us/changelog/upcoming-changes-to-withheld-caller-ids-behavior-for-dial-calls
WITHHELD = frozenset({"266696687", "7378742833", "86282452253", "8656696", "2562533"})


def is_drama(e164: str) -> bool:
    """Whether this is one of the numbers that Ofcom keeps for drama, at usual cost or free."""
    return bool(DRAMA.fullmatch(e164) or _FREE_DRAMA.fullmatch(e164))


def usable(text: str, demo: bool) -> str:
    """Return this number in E.164 if it is one that we may ring, or "".

    ``text`` is what was typed or sent: "07400 123456", "+447400123456". In demo mode Ofcom's drama
    numbers count as real.
    """
    if text.lstrip("+") in WITHHELD:
        return ""
    number = _parsed(text)
    if number is None or number.country_code != 44:
        return ""
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if DRAMA.fullmatch(e164):
        return e164 if demo else ""
    if e164[3] not in "1237" or not phonenumbers.is_valid_number_for_region(number, "GB"):
        return ""
    return e164 if phonenumbers.number_type(number) in RINGABLE else ""


def mobile(text: str, demo: bool) -> str:
    """Return this number in E.164 if it is a UK mobile (07, not 070), which we may text, or "".

    ``text`` and ``demo`` are as for ``usable``.
    """
    number = usable(text, demo)
    return number if number.startswith("+447") else ""


def caller_number(from_: str, demo: bool) -> str:
    """Return the caller's own number in E.164 if it can be rung back, or "".

    ``from_`` is Twilio's From: E.164, "anonymous" and the like, a SIP address, a client's name.
    """
    return usable(from_, demo) if re.fullmatch(r"\+\d{7,15}", from_) else ""


def printed(e164: str) -> str:
    """Write a UK number as people read it: "07400 123 456", "0113 378 5020".

    A last group of six is cut in half, so that no group is too long to write down by ear.
    """
    number = _parsed(e164)
    if number is None:
        return e164
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return re.sub(r"(?<= )(\d{3})(\d{3})$", r"\1 \2", national)


def masked(e164: str) -> str:
    """Show only the last three digits, all that a caller or colleague needs to know it by."""
    return f"… {e164[-3:]}"


def _parsed(text: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return None
