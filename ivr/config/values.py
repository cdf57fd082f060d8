"""What each setting's value must be. Each check returns the value, or says what it must be.

A message never quotes the value: that is for whoever knows whether it is a secret.
"""

import base64
import binascii
import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr

# What a caller can tell us about how to ring them. Each has a question in flows/needs.yaml.
NEEDS = (
    "message",  # leave a message if nobody answers
    "someone-else",  # someone else may answer: no leave to say who rings, now or later
    "slower",  # speak slowly
    "interpreter",  # have an interpreter on the call
    "relay",  # by Relay UK or by text
)
NO_NEEDS = "none"
SQLITE, POSTGRESQL = "sqlite+aiosqlite:", "postgresql+asyncpg:"
SHORTEST_SEARCH_KEY = 16  # characters; ours have 43

# The ranges whose number may be given to a caller: landlines, 03, mobiles, freephone.
_FAIR_NUMBER = re.compile(r"0(?:[123]\d{8,9}|7[1-9]\d{8}|80[08]\d{6,7})")


def database_url(value: str) -> str:
    """Hold the database's address to the two drivers that we use. The bare name of SQLite's driver
    means the usual file, as unset does."""
    if value.rstrip("/") in ("", SQLITE):
        return ""
    if not value.startswith((SQLITE, POSTGRESQL)):
        raise ValueError(f"It must begin with {SQLITE} or {POSTGRESQL}.")
    from sqlalchemy.engine import make_url  # with the usual file nothing needs it yet
    from sqlalchemy.exc import SQLAlchemyError

    try:
        url = make_url(value)
    except (ValueError, SQLAlchemyError):
        raise ValueError(
            f"It must be like {SQLITE}////var/lib/ivr.db or {POSTGRESQL}//user:password@host/name."
        ) from None
    if value.startswith(SQLITE) and url.database in (None, "", ":memory:"):
        raise ValueError(f"It must name a file, like {SQLITE}////var/lib/ivr.db.")
    return value


def web_address(value: str) -> str:
    """Hold an address to http or https, without query; take a slash from its end."""
    parts = urlsplit(value)
    if value and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValueError("It must be an address such as https://line.example.org.")
    if parts.query or parts.fragment:
        raise ValueError("It must end before any ? or #.")
    return value.rstrip("/")


def account_sid(value: str) -> str:
    """Hold Twilio's name for an account to its shape."""
    if value and not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
        raise ValueError("It must be AC and 32 hexadecimal digits, as Twilio's console shows it.")
    return value


def international_number(value: str) -> str:
    """Hold a number to E.164."""
    if value and not re.fullmatch(r"\+[1-9]\d{6,14}", value):
        raise ValueError("It must be written like +441632960123, without spaces.")
    return value


def mobiles(value: str) -> str:
    """Hold each of some numbers to a UK mobile in E.164."""
    numbers = [number.strip() for number in value.split(",") if number.strip()]
    if not all(re.fullmatch(r"\+447[1-9]\d{8}", number) for number in numbers):
        raise ValueError("They must be UK mobiles written like +447400123456, comma-separated.")
    return ",".join(numbers)


def text_sender(value: str) -> str:
    """Hold whom texts come from to a number in E.164, or to a name as networks take it."""
    name = re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ]{0,9}[A-Za-z0-9]?", value)
    if value and not (name or re.fullmatch(r"\+[1-9]\d{6,14}", value)):
        raise ValueError(
            "It must be a number written like +447400123456, or a name of up to 11 letters,"
            " digits and spaces, with at least one letter."
        )
    return value


def number_to_give(value: str) -> str:
    """Hold the number to the ranges that cost a caller nothing unusual; keep its grouping."""
    printed = " ".join(value.split())
    if printed and not _FAIR_NUMBER.fullmatch(printed.replace(" ", "")):
        raise ValueError(
            "It must be a UK number beginning 01, 02, 03, 07 (not 070) or 080,"
            " spaced as it should be read out."
        )
    return printed


def fernet_keys(value: SecretStr) -> SecretStr:
    """Hold each key to the shape of a Fernet key."""
    for position, key in enumerate(listed(value), start=1):
        try:
            usable = len(base64.urlsafe_b64decode(key)) == 32
        except (ValueError, binascii.Error):
            usable = False
        if not usable:
            raise ValueError(
                f"Key {position} is not 32 bytes in URL-safe base64. Make one with:"
                ' python -c "from cryptography.fernet import Fernet;'
                ' print(Fernet.generate_key().decode())"'
            )
    return value


def long_enough(value: SecretStr) -> SecretStr:
    """Refuse a key that could be guessed."""
    if 0 < len(value.get_secret_value()) < SHORTEST_SEARCH_KEY:
        raise ValueError(f"It must have at least {SHORTEST_SEARCH_KEY} characters.")
    return value


def access_needs(value: str) -> str:
    """Hold each name to those that there are, or to `none` alone."""
    names = [name.strip() for name in value.split(",") if name.strip()]
    if names != [NO_NEEDS] and not set(names) <= set(NEEDS):
        raise ValueError(f"It must be {NO_NEEDS}, or any of {', '.join(NEEDS)}, comma-separated.")
    return ",".join(names)


def one_of(*allowed: str) -> BeforeValidator:
    """Make the check that a value is one of these."""

    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"It must be {' or '.join(allowed)}.")
        return value

    return BeforeValidator(check)


def yes_or_no(value: object) -> object:
    """Read yes or no, however it is written."""
    if value is None or isinstance(value, bool):
        return value
    meaning = {"yes": True, "true": True, "1": True, "on": True}
    meaning |= {"no": False, "false": False, "0": False, "off": False}
    if str(value).strip().lower() not in meaning:
        raise ValueError("It must be yes or no.")
    return meaning[str(value).strip().lower()]


def from_here(value: Path) -> Path:
    """Make a path absolute: a relative one counts from the working directory."""
    return value.expanduser().absolute()


def listed(value: SecretStr) -> tuple[str, ...]:
    """Return the parts of a comma-separated list."""
    return tuple(part.strip() for part in value.get_secret_value().split(",") if part.strip())
