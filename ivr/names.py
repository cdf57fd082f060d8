"""Names of people, however they are typed."""

import unicodedata

DEMO_NAME = "demo"  # of the account that demo mode makes, an administrator


def name_key(name: str) -> str:
    """Return what a name is found by, however it is typed: small letters, single spaces."""
    kept = name.encode(errors="replace").decode().replace("\0", "?")  # PostgreSQL takes no NUL
    return " ".join(unicodedata.normalize("NFKC", kept).casefold().split())


def barred_names(demo_mode: bool) -> frozenset[str]:
    """Return the keys of the names that no account may be used under.

    The password of demo mode's account lies in IVR_VAR and is printed at each start, and its row
    stays in the database: so outside demo mode the account must not be used in any way.
    """
    return frozenset() if demo_mode else frozenset({name_key(DEMO_NAME)})


#: The default of each part: not in demo mode.
BARRED = barred_names(demo_mode=False)
