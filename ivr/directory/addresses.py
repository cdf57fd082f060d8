"""Web and email addresses as they can be said: short ones, without what a browser adds itself."""

import re
from urllib.parse import urlsplit

LONGEST = 40  # characters: a minute's spelling
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_EMAIL = re.compile(r"[a-z0-9._-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")


def website_to_say(address: str) -> str:
    """Return "example.org.uk" of "https://www.example.org.uk/"; "" where that is not the whole
    address, or it is too long."""
    try:
        parts = urlsplit(address.lower())
    except ValueError:
        return ""
    host = parts.netloc.removeprefix("www.")
    is_whole = parts.path in ("", "/") and not parts.query and not parts.fragment
    return host if is_whole and len(host) <= LONGEST and _HOST.fullmatch(host) else ""


def email_to_say(address: str) -> str:
    """Return the address in small letters; "" where it is none, or too long."""
    said = address.lower()
    return said if len(said) <= LONGEST and _EMAIL.fullmatch(said) else ""
