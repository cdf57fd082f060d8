"""Sealed addresses: what a call needs to remember travels in its own URL, encrypted.

A sealed text is AES-256-GCM: four bytes of time, a random nonce, and the content with its tag, in
URL-safe base64. What kind of address it is and which call it belongs to are authenticated with it,
so that it cannot be used for another purpose or by another call. The keys are derived from those of
``IVR_SECRET_KEYS``; Fernet itself, which also seals what is kept, takes longer for each key press
and makes longer addresses.
"""

import base64
import hmac
import json
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivr.core.call import Candidate, Position, Stop
from ivr.errors import SealError

GOOD_FOR = 4 * 3600 + 10 * 60  # seconds: Twilio ends a call after four hours
AHEAD = 60  # seconds by which the clock of another machine may be ahead of ours
LONGEST = 1000  # characters of a sealed position
WORTH_PACKING = 400  # bytes: below that, compression takes longer than the address is worth
TIME, NONCE, TAG = 4, 12, 16  # bytes

# What positions often hold: the packer points to it instead of writing it out, which saves some 200
# characters of the longest addresses. What was packed with another text counts as damaged, so that
# calls in progress outlive an upgrade only if what they were packed with stays among ``KNOWN``.
_BEFORE = (
    b"https://www..org.uk.gov.uk Information, Advice and Support Service for shire and , in London "
    b"County North South East West E0700000E0800000E0900000E0600000E1000000"
    b'","caller_number":"+447","slot":"afternoon","letters":"","more_letters":"","chosen":"",'
    b'"helped":"yes","due_at":"2026-T17:00:00Z","due_day":"2026-","due_time":"17:00",'
    b'"council":"E0","council_name":"","place":"","service_name":"","service_number":"0",'
    b'"service_rings":"+44","number":"+447","number_printed":"07","reference":"","saved_as":"",'
    b'"topic":"","phone":"own","typed":"07","website":"","email":"","until":"",'
    b'"opens":"on ","opens_time":"","team_number":"+44","ring":"","tried":""'
    b'"],["main/menu"],["after/helped"],["school/","plans/","safety/","callback/","council/'
)
COMMON = (
    b'"],["callback/get-number","callback/save-unsafe"],["callback/asked-unsafe",'
    b'"safety":"pressed","danger_told":"yes","seen_day":"2026-1","seen_time":"09:00",' + _BEFORE
)
KNOWN = (COMMON, _BEFORE)


class Sealer:
    """Seals and unseals with the keys of ``IVR_SECRET_KEYS``: the first seals, all unseal."""

    def __init__(self, keys: Sequence[bytes], clock: Callable[[], datetime]) -> None:
        self._ciphers = [AESGCM(_derived(key)) for key in keys]
        self._clock = clock

    def seal(self, kind: str, call: str, content: bytes) -> str:
        """Seal ``content`` as a URL-safe text of this kind, bound to this call."""
        time = int(self._clock().timestamp()).to_bytes(TIME)
        nonce = os.urandom(NONCE)
        sealed = self._ciphers[0].encrypt(nonce, content, _bound(kind, call, time))
        return base64.urlsafe_b64encode(time + nonce + sealed).rstrip(b"=").decode()

    def unseal(self, kind: str, call: str, sealed: str, good_for: int = GOOD_FOR) -> bytes:
        """Give back what was sealed.

        Raises:
            SealError: it is damaged, older than ``good_for`` seconds, of another kind, or was
                sealed for another call.
        """
        try:
            token = base64.b64decode(sealed + "=" * (-len(sealed) % 4), b"-_", validate=True)
        except ValueError:
            raise SealError from None
        time, nonce, content = token[:TIME], token[TIME : TIME + NONCE], token[TIME + NONCE :]
        age = self._clock().timestamp() - int.from_bytes(time)
        if len(content) < TAG or not -AHEAD <= age <= good_for:
            raise SealError
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, content, _bound(kind, call, time))
            except InvalidTag:
                continue
        raise SealError

    def seal_position(self, call: str, position: Position) -> str:
        """Seal where a call stands. The oldest steps that star goes back to are let go first if
        the text would be longer than ``LONGEST``."""
        while len(sealed := self.seal("turn", call, pack(position))) > LONGEST and position.trail:
            position = replace(position, trail=position.trail[1:])
        return sealed

    def unseal_position(self, call: str, sealed: str) -> Position:
        """Give back where a call stands. Raises SealError as ``unseal`` does."""
        return unpack(self.unseal("turn", call, sealed))


def _derived(key: bytes) -> bytes:
    """A key for this purpose alone, from one that also serves others."""
    return hmac.digest(base64.urlsafe_b64decode(key), b"helpline: sealed addresses", "sha256")


def _bound(kind: str, call: str, time: bytes) -> bytes:
    return time + f"{kind}\0{call}".encode("utf-8", "replace")


# --- a position as bytes -------------------------------------------------------------------------


_as_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


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
    plain = _as_json(fields).encode()
    if len(plain) <= WORTH_PACKING:
        return b"j" + plain
    packer = zlib.compressobj(6, zdict=COMMON)
    return b"z" + packer.compress(plain) + packer.flush()


def _unpacked(packed: bytes) -> bytes:
    """Raises zlib.error unless it is whole, and was packed with a known text."""
    for common in KNOWN:
        unpacker = zlib.decompressobj(zdict=common)
        try:
            plain = unpacker.decompress(packed) + unpacker.flush()
        except zlib.error:
            continue
        if unpacker.eof:
            return plain
    raise zlib.error


def unpack(packed: bytes) -> Position:
    """A position from its bytes; one that another version of the helpline wrote is damaged."""
    try:
        plain = _unpacked(packed[1:]) if packed[:1] == b"z" else packed[1:]
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
