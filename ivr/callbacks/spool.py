"""The spool: wishes that the database could not take yet, safe on this machine's disk.

Each is a file of its own, ``<when>-<effect>.wish``, sealed as numbers are in the database. It is
there, whole and synced, or it is not there at all. They are read in the order in which they were
wished, and go only after the database has them.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from ivr.callbacks.keys import Keys
from ivr.callbacks.wishes import Wish, packed, unpacked
from ivr.errors import HelplineError
from ivr.vault import UnreadableError

STALE_S = 3600  # seconds: the draft of a process that was killed; a live one needs milliseconds


class UnreadableWishError(HelplineError):
    """A wish in the spool is damaged, or IVR_SECRET_KEYS no longer holds its key."""


class Spool:
    """Keeps wishes as files in a folder that processes may share. Every method blocks."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        """Take the folder, which is made with the first wish."""
        self.folder, self._keys = folder, keys

    def put(self, wish: Wish) -> None:
        """Keep a wish; when this returns it survives a power cut. The same effect is kept once.

        Raises OSError when the disk does not take it; nothing is kept then.
        """
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(self.folder.parent)
        if any(self.folder.glob(f"*-{wish.effect}.wish")):
            return
        name = f"{wish.at.timestamp():017.6f}-{wish.effect}"
        draft = self.folder / f".{name}.{os.getpid()}"
        try:
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(self._keys.seal(packed(wish).decode()).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.folder / f"{name}.wish")
        finally:
            draft.unlink(missing_ok=True)
        _sync(self.folder)

    def waiting(self) -> list[Path]:
        """The wishes that wait, the first wished first."""
        return sorted(self.folder.glob("*.wish"))

    def aside(self) -> list[Path]:
        """What was set aside: it could not be read, or the database will never take it."""
        return sorted(self.folder.glob("*.aside"))

    def read(self, path: Path) -> Wish | None:
        """The wish in this file, or None if another process has delivered it meanwhile.

        Raises UnreadableWishError.
        """
        try:
            return unpacked(self._keys.unseal(path.read_text("ascii")).encode())
        except FileNotFoundError:
            return None
        except (UnreadableError, ValueError):
            raise UnreadableWishError from None

    def delivered(self, path: Path) -> None:
        """Let go of a wish that the database has."""
        path.unlink(missing_ok=True)

    def set_aside(self, path: Path) -> None:
        """Keep a wish out of the way of the others. Nothing is thrown away."""
        with suppress(FileNotFoundError):  # another process did it
            path.rename(path.with_suffix(".aside"))

    def tidy(self) -> None:
        """Begin anew: what was set aside may go in with this version, or with a key that is back.

        Drafts of processes that were killed are removed: nobody was told that they are kept.
        """
        for path in self.aside():
            with suppress(FileNotFoundError):
                path.rename(path.with_suffix(".wish"))
        for draft in self.folder.glob(".*"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > STALE_S:
                    draft.unlink()


def _sync(folder: Path) -> None:
    """Make the new name in the folder as durable as what it names."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
