"""What keeps callers' numbers private: encrypted where they are kept, found by keyed hashes.

Every hash is made for one purpose, so that a number's hash, an effect's and a reference can never
be matched against each other.
"""

import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ivr.errors import HelplineError

REFERENCES = 1_000_000  # six digits


class UnreadableNumberError(HelplineError):
    """A number was sealed with a key that IVR_SECRET_KEYS no longer holds."""


class Keys:
    """Seals numbers and makes keyed hashes."""

    def __init__(self, fernet_keys: tuple[bytes, ...], hash_key: bytes) -> None:
        """Take the keys: the first of ``fernet_keys`` seals, all unseal; ``hash_key`` stays."""
        self._sealer = MultiFernet([Fernet(key) for key in fernet_keys])
        self._hash_key = hash_key

    def seal(self, number: str) -> str:
        """Encrypt a number (E.164) for keeping."""
        return self._sealer.encrypt(number.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Return the number that was sealed. Raises UnreadableNumberError."""
        try:
            return self._sealer.decrypt(sealed).decode()
        except InvalidToken:
            raise UnreadableNumberError from None

    def number_hash(self, number: str) -> str:
        """Return what a number (E.164) is found by: 64 hex digits."""
        return self._hash("number", number).hex()

    def effect_hash(self, effect: str) -> str:
        """Return what an effect is known by, which does not tell the call: 64 hex digits."""
        return self._hash("effect", effect).hex()

    def reference(self, effect: str) -> str:
        """Return the six digits that a caller is told; the same effect always has the same."""
        drawn = int.from_bytes(self._hash("reference", effect)) % REFERENCES
        return f"{drawn:06d}"

    def _hash(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._hash_key, f"callbacks {purpose}\0{text}".encode(), "sha256")
