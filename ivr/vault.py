"""What keeps private what is kept: encrypted at rest, found by keyed hashes.

Every hash is made for one purpose, so that hashes of two kinds of thing can never be matched
against each other.
"""

import hmac
from typing import ClassVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ivr.errors import HelplineError


class UnreadableError(HelplineError):
    """This was sealed with a key that IVR_SECRET_KEYS no longer holds."""


class Vault:
    """Seals what is kept, and makes keyed hashes for the concern that ``about`` names."""

    about: ClassVar[str]

    def __init__(self, fernet_keys: tuple[bytes, ...], hash_key: bytes) -> None:
        """Take the keys: the first of ``fernet_keys`` seals, all unseal; ``hash_key`` stays."""
        self._sealer = MultiFernet([Fernet(key) for key in fernet_keys])
        self._hash_key = hash_key

    def seal(self, text: str) -> str:
        """Encrypt a text for keeping."""
        return self._sealer.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Return the text that was sealed. Raises UnreadableError."""
        try:
            return self._sealer.decrypt(sealed).decode()
        except (InvalidToken, ValueError):  # not even the letters that a seal is made of
            raise UnreadableError from None

    def digest(self, purpose: str, text: str) -> bytes:
        """Return the keyed hash of a text for this purpose: 32 bytes."""
        return hmac.digest(self._hash_key, f"{self.about} {purpose}\0{text}".encode(), "sha256")
