"""Names of people, however they are typed."""

import unicodedata


def name_key(name: str) -> str:
    """Return what a name is found by, however it is typed: small letters, single spaces."""
    kept = name.encode(errors="replace").decode().replace("\0", "?")  # PostgreSQL takes no NUL
    return " ".join(unicodedata.normalize("NFKC", kept).casefold().split())
