"""What a password must be, and how it is kept.

Length is what counts; no rule about capitals and signs makes people write them down (NIST SP
800-63B, 5.1.1.2). Kept as argon2id, with the library's parameters: RFC 9106's for little memory.
"""

import asyncio
import secrets
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ivr.errors import HelplineError

SHORTEST, LONGEST = 12, 200  # characters
QUEUE = 20  # sign-ins that wait for their turn: strangers' guesses must not keep staff waiting long
AT_ONCE = 2  # hashes of 64 MB each: sign-ins wait for one another, calls do not
# Without letters and digits that are taken for one another when read from paper or by ear.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"

# What guesses are built from: nothing of it counts towards what makes a password hard to guess.
GUESSED = "password welcome letmein helpline qwertyuiop qwerty 1234567890 123456 1234 123".split()

Result = TypeVar("Result")

_hasher = PasswordHasher()


class WeakPasswordError(HelplineError):
    """This password is too easy to guess; a few words in a row make a good one."""


def temporary() -> str:
    """Draw a password that somebody types once: three groups of five, 74 bits."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(3))
    return "-".join(groups)


def check(password: str, name: str) -> None:
    """Hold a new password to the rules. Raises WeakPasswordError, which says what is missing."""
    if len(password) < SHORTEST:
        raise WeakPasswordError(
            f"Give at least {SHORTEST} characters. A few words in a row are a good password."
        )
    if len(password) > LONGEST:
        raise WeakPasswordError(f"Give at most {LONGEST} characters.")
    bare = password.casefold()
    own = (part for part in name.casefold().split() if len(part) > 2)
    for known in (name.casefold(), *own, *GUESSED):
        bare = bare.replace(known, "")
    if len(bare) < SHORTEST // 2 or len(set(password)) < SHORTEST // 2:
        raise WeakPasswordError(
            "This is easy to guess: do not build it from your name, from common passwords, or from"
            " the same few characters again and again."
        )


class BusyError(HelplineError):
    """Too many people sign in at this moment; try again in a minute."""


class Hashing:
    """Hashes and verifies outside the loop, a few at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """Return what is kept of a password."""
        return await self._in_turn(lambda: _hasher.hash(password))

    async def fits(self, kept: str, password: str) -> bool:
        """Whether this is the password. Without one (``kept`` is empty) it takes as long.

        Raises BusyError when too many wait already.
        """
        if self._waiting >= QUEUE:
            raise BusyError
        self._waiting += 1
        try:
            return await self._in_turn(lambda: _fits(kept or _nobodys(), password))
        finally:
            self._waiting -= 1

    async def _in_turn(self, work: Callable[[], Result]) -> Result:
        """Run this in a thread when its turn has come.

        A thread cannot be cancelled: a cancelled request keeps its turn until the thread ends.
        """
        async with self._turn:
            running = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(running)
            finally:
                await asyncio.wait([running])


def _fits(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_hex())
