"""The spool of wishes: each goes into the database once that is back."""

from pathlib import Path

from ivr import spool
from ivr.callbacks.keys import Keys
from ivr.callbacks.wishes import Wish, packed, unpacked


class Spool(spool.Spool[Wish]):
    """Keeps wishes in a folder."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        """Take the folder, which is made with the first wish."""
        super().__init__(folder, keys, packed, unpacked)
