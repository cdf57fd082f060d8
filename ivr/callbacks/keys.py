"""What call-back requests are found by: keyed hashes of numbers and effects, and references."""

from ivr.vault import Vault

REFERENCES = 1_000_000  # six digits


class Keys(Vault):
    """Seals numbers and notes, and makes the keyed hashes of call-backs."""

    about = "callbacks"

    def number_hash(self, number: str) -> str:
        """Return what a number (E.164) is found by: 64 hex digits."""
        return self.digest("number", number).hex()

    def effect_hash(self, effect: str) -> str:
        """Return what an effect is known by, which does not tell the call: 64 hex digits."""
        return self.digest("effect", effect).hex()

    def reference(self, effect: str) -> str:
        """Return the six digits that a caller is told; the same effect always has the same."""
        drawn = int.from_bytes(self.digest("reference", effect)) % REFERENCES
        return f"{drawn:06d}"
