"""What text messages are found by: keyed hashes of numbers and effects."""

from ivr.vault import Vault


class Keys(Vault):
    """Seals the numbers and words of texts, and makes the keyed hashes of their room."""

    about = "messages"

    def number_hash(self, number: str) -> str:
        """Return what a number (E.164) is found by: 64 hex digits."""
        return self.digest("number", number).hex()

    def effect_hash(self, effect: str) -> str:
        """Return what an effect is known by, which does not tell the call: 64 hex digits."""
        return self.digest("effect", effect).hex()
