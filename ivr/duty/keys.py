"""What hides the numbers of people on duty, and which call a ring belongs to."""

from ivr.vault import Vault


class Keys(Vault):
    """Seals the numbers of people on duty, and makes the keyed hashes of their room."""

    about = "duty"

    def number_hash(self, number: str) -> str:
        """Return what a phone (E.164) is known by: 64 hex digits."""
        return self.digest("number", number).hex()

    def effect_hash(self, effect: str) -> str:
        """Return what a ring is known by, which does not tell the call: 64 hex digits."""
        return self.digest("effect", effect).hex()

    def call_hash(self, call: str) -> str:
        """Return what a caller's call (Twilio's id) is known by, for its rings and its end: 64 hex
        digits; "" for a call without an id."""
        return self.digest("call", call).hex() if call else ""
