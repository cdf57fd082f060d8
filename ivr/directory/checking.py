"""What may be written into the directory: the rules for one record, column by column. Pure.

The file, an import, a command and the staff page are held to the same rules.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date

from ivr.directory.entries import SPOKEN_STATES, Periods, Vouching, speakable
from ivr.numbers import usable

Values = Mapping[str, str]  # of a record, by column
Fault = tuple[str, str, str, str]  # in which column, the code, what is wrong, the remedy

LONGEST = 300  # characters of one value; of a web address and of a note, more
LONGER = {"source_url": 1_000, "website": 1_000, "note": 1_000}
LONGEST_NAME = 100  # characters of a service's name: about six seconds
IN_A_NAME = " .,'’&()-–/"  # what may stand beside letters in a name that is read out

# Digits are those of keys: other scripts' cannot be rung, nor read out one by one.
_NUMBER = re.compile(  # at no unusual cost
    r"\+44(?:[123][0-9]{8,9}|7[1-9][0-9]{8}|80[08][0-9]{6,7})"
)
_FREE = re.compile(r"\+4480[08][0-9]{6,7}")
_PRINTED = re.compile(r"0[0-9 ()-]*")
_NUMBER_AMONG_WORDS = re.compile(r"(?:\+44|\b0)(?:[ ()-]*[0-9]){9}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WEBSITE = re.compile(
    r"(?:https?://)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?(?:[/?#]\S*)?", re.IGNORECASE
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_NO_DIGITS = re.compile(r"[^0-9]+")


def faults(values: Values) -> Iterator[Fault]:
    """What is wrong with a record."""
    yield from _of_texts(values)
    yield from _of_number(values["phone"], values["phone_printed"])
    if not is_day(values["checked_on"]):
        message = f'"{values["checked_on"]}" is not a day'
        yield "checked_on", "F007", message, "write it like 2026-11-23"
    state = values["state"]
    if state not in list(Vouching):
        yield "state", "F007", f'"{state}" is not a state', f"states: {', '.join(Vouching)}"
    elif state in SPOKEN_STATES:
        for column in _needed(values):
            if not values[column]:
                message = f"a {state} contact must have one"
                yield column, "F006", message, "fill it in, or let the state be missing"


def faults_of_change(old: Values, new: Values, today: date) -> Iterator[Fault]:
    """What is wrong with a record that people change today, London's day: beside the rest, nobody
    looks at a number tomorrow, and a number that is another was checked by somebody."""
    yield from faults(new)
    phone = new["phone"]
    if phone != old["phone"] and _NUMBER.fullmatch(phone) and not _is_in_use(phone):
        message = f'"{new["phone_printed"]}" is no number in use in the UK, or a dear one'
        yield "phone", "F007", message, "look at each digit"
    checked = new["checked_on"]
    if checked and is_day(checked) and date.fromisoformat(checked) > today:
        yield "checked_on", "F007", f"{checked} has not come yet", "write the day of the check"
    if checked and not new["checked_by"]:
        yield "checked_by", "F006", "nobody is named who checked", "write who rang or looked"
    was_undated = old["state"] in SPOKEN_STATES and not old["checked_on"]
    if new["state"] in SPOKEN_STATES and not (checked or was_undated):
        message = f"a {new['state']} contact is not read out without the day of its check"
        yield "checked_on", "F006", message, "write the day on which it was rung, or looked up"
    is_another = new["phone"] and new["phone"] != old["phone"] and new["state"] in SPOKEN_STATES
    same_check = all(new[column] == old[column] for column in ("checked_on", "checked_by"))
    if is_another and same_check and checked != today.isoformat():
        message = "the number is another, and nobody says when it was checked"
        yield "checked_on", "F007", message, "write the day on which it was rung, or looked up"


def faults_of_drama(values: Values, periods: Periods) -> Iterator[Fault]:
    """What is wrong with the number of a record that people change: outside demo mode no change,
    and no undo, leaves one of Ofcom's drama numbers there."""
    if periods.refuse(values["phone"]):
        message = (
            f'"{values["phone_printed"]}" is one of Ofcom\'s numbers for drama: it reaches nobody'
        )
        yield "phone", "F007", message, "write the service's own number, or none"


def is_day(text: str) -> bool:
    """Whether this is a day as the file has it, 2026-11-23, or empty."""
    try:
        return not text or (bool(_DAY.fullmatch(text)) and bool(date.fromisoformat(text)))
    except ValueError:
        return False


def international(printed: str) -> str:
    """Return a number as it is printed in E.164: "0113 378 5020" -> "+441133785020"; "" if it does
    not begin with 0, or there is anything but a number."""
    printed = printed.strip()
    return "+44" + _NO_DIGITS.sub("", printed)[1:] if _PRINTED.fullmatch(printed) else ""


def _is_in_use(phone: str) -> bool:
    """Whether a number can be one that somebody answers: its range is in use, and it is of none of
    the islands that share our ranges. Numbers for drama count here: they have a rule of their own.
    """
    return bool(_FREE.fullmatch(phone)) or usable(phone, demo=True) == phone


def _needed(values: Values) -> Iterator[str]:
    """What nobody can vouch for a contact without: of a published one, where it is published."""
    yield from ("service_name", "phone")
    if values["state"] == Vouching.PUBLISHED or not values["checked_by"]:
        yield "source_url"


def _of_number(phone: str, printed: str) -> Iterator[Fault]:
    if phone and not _NUMBER.fullmatch(phone):
        message = f'"{phone}" is not a UK number at usual cost'
        yield "phone", "F007", message, "write +44, and the digits after the first 0"
    if printed and not phone:
        message = f'"{printed}" is not a UK number'
        yield "phone_printed", "F007", message, "write it as it is printed, with its first 0"
    elif _NO_DIGITS.sub("", printed) != phone.replace("+44", "0"):
        message = f'"{printed}" is not "{phone}" as printed'
        yield "phone_printed", "F007", message, "let both be the same number, or both empty"
    elif printed and not _PRINTED.fullmatch(printed):
        message = f'"{printed}" cannot be read out'
        yield "phone_printed", "F007", message, "write digits, in groups with spaces between them"


def _of_texts(values: Values) -> Iterator[Fault]:
    for column, value in values.items():
        longest = LONGER.get(column, LONGEST)
        if len(value) > longest:
            message = f"it has {len(value)} characters"
            yield column, "F007", message, f"use {longest} or fewer"
        elif any(unicodedata.category(letter).startswith("C") for letter in value):
            yield column, "F007", "there is an invisible character in it", "type it anew"
    yield from _of_name(values["service_name"])
    if _NUMBER_AMONG_WORDS.search(values["hours"]):  # it would be texted, and nobody vouches for it
        yield "hours", "F007", "there is a phone number in it", "write it into phone, if it is rung"
    website, email = values["website"], values["email"]
    if website and not _WEBSITE.fullmatch(website):
        yield "website", "F007", "it is no web address", "write it like https://example.org.uk"
    if email and not _EMAIL.fullmatch(email):
        yield "email", "F007", "it is no email address", "write one, like advice@example.org.uk"


def _of_name(name: str) -> Iterator[Fault]:
    """What the voice cannot say: it is read out as it stands, but for what is in brackets."""
    said = speakable(name)
    odd = [each for each in said if not (_is_letter(each) or each in IN_A_NAME)]
    if odd:
        message = f'"{odd[0]}" cannot be read out in a name'
        yield "service_name", "F007", message, "write words, without digits and signs"
    elif name and not any(map(_is_letter, said)):
        yield "service_name", "F007", "there is no word in it", "write the service's name"
    elif len(said) > LONGEST_NAME:
        message = f"{len(said)} characters are too long to listen to"
        yield "service_name", "F007", message, f"use {LONGEST_NAME} or fewer"


def _is_letter(letter: str) -> bool:
    return letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN")
