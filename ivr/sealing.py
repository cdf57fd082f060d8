"""Sealed addresses: what a call needs to remember travels in its own URL, encrypted.

A sealed text is a Fernet token (AES-128-CBC, HMAC-SHA256, with the time in it) without its base64
padding. Inside stands what kind of address it is and which call it is bound to, so that a token
cannot be used for another purpose or by another call.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ivr.core.call import Candidate, Position, Stop
from ivr.errors import SealError

GOOD_FOR = 4 * 3600 + 10 * 60  # seconds: Twilio ends a call after four hours
LONGEST = 1000  # characters of a sealed position
WORTH_PACKING = 200  # bytes from which compression saves more than it costs


class Sealer:
    """Seals and unseals with the keys of ``IVR_SECRET_KEYS``: the first seals, all unseal."""

    def __init__(self, keys: Sequence[bytes], clock: Callable[[], datetime]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._clock = clock

    def seal(self, kind: str, call: str, content: bytes) -> str:
        """Seal ``content`` as a URL-safe text of this kind, bound to this call."""
        now = int(self._clock().timestamp())
        token = self._fernet.encrypt_at_time(_binding(kind, call) + content, now)
        return token.rstrip(b"=").decode()

    def unseal(self, kind: str, call: str, sealed: str, good_for: int = GOOD_FOR) -> bytes:
        """Give back what was sealed.

        Raises:
            SealError: it is damaged, older than ``good_for`` seconds, of another kind, or was
                sealed for another call.
        """
        try:
            token = (sealed + "=" * (-len(sealed) % 4)).encode("ascii")
            now = int(self._clock().timestamp())
            content = self._fernet.decrypt_at_time(token, good_for, now)
        except (InvalidToken, UnicodeEncodeError, ValueError):
            raise SealError from None
        binding = _binding(kind, call)
        if not content.startswith(binding):
            raise SealError
        return content[len(binding) :]

    def seal_position(self, call: str, position: Position) -> str:
        """Seal where a call stands. The oldest steps that star goes back to are let go first if
        the text would be longer than ``LONGEST``."""
        while len(sealed := self.seal("turn", call, pack(position))) > LONGEST and position.trail:
            position = replace(position, trail=position.trail[1:])
        return sealed

    def unseal_position(self, call: str, sealed: str) -> Position:
        """Give back where a call stands. Raises SealError as ``unseal`` does."""
        return unpack(self.unseal("turn", call, sealed))


def _binding(kind: str, call: str) -> bytes:
    return sha256(f"{kind}\0{call}".encode("utf-8", "replace")).digest()[:9]


# --- a position as bytes -------------------------------------------------------------------------


def pack(position: Position) -> bytes:
    """A position as few bytes."""
    fields: list[Any] = [
        position.at,
        position.turn,
        position.part,
        [[stop.at, *stop.stack] for stop in position.trail],
        position.stack,
        int(position.slow),
        position.silences,
        position.wrong_keys,
        position.answer,
        dict(position.facts),
        [[candidate.value, candidate.words] for candidate in position.candidates],
        position.book,
        position.journey,
    ]
    plain = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    return b"z" + zlib.compress(plain, 6) if len(plain) > WORTH_PACKING else b"j" + plain


def unpack(packed: bytes) -> Position:
    """A position from its bytes; one that another version of the helpline wrote is damaged."""
    try:
        plain = zlib.decompress(packed[1:]) if packed[:1] == b"z" else packed[1:]
        (
            at,
            turn,
            part,
            trail,
            stack,
            slow,
            silences,
            wrong_keys,
            answer,
            facts,
            found,
            book,
            journey,
        ) = json.loads(plain)
        return Position(
            at=at,
            turn=turn,
            part=part,
            trail=tuple(Stop(stop[0], tuple(stop[1:])) for stop in trail),
            stack=tuple(stack),
            slow=bool(slow),
            silences=silences,
            wrong_keys=wrong_keys,
            answer=answer,
            facts=facts,
            candidates=tuple(Candidate(*candidate) for candidate in found),
            book=book,
            journey=journey,
        )
    except (zlib.error, ValueError, TypeError, LookupError):
        raise SealError from None
