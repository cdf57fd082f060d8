"""The spool: what the database could not take yet, safe on this machine's disk.

Each item is a file of its own, ``<when>-<effect>.wish``, sealed as numbers are in the database. It
is there, whole and synced, or it is not there at all. They are read in the order in which they came
about, and go only after the database has them.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ivr.errors import HelplineError
from ivr.vault import UnreadableError, Vault

STALE_S = 3600  # seconds: the draft of a process that was killed; a live one needs milliseconds


class UnreadableWishError(HelplineError):
    """What is in the spool is damaged, or IVR_SECRET_KEYS no longer holds its key."""


class Spooled(Protocol):
    """What can be put into a spool."""

    @property
    def at(self) -> datetime:
        """When it came about."""
        ...

    @property
    def effect(self) -> str:
        """What it is known by: a keyed hash."""
        ...


Item = TypeVar("Item", bound=Spooled)


class Spool(Generic[Item]):
    """Keeps items of one kind as files in a folder that processes may share. Every method blocks.

    ``pack`` writes an item as bytes, and ``unpack`` reads it; it raises ValueError.
    """

    def __init__(
        self,
        folder: Path,
        vault: Vault,
        pack: Callable[[Item], bytes],
        unpack: Callable[[bytes], Item],
    ) -> None:
        """Take the folder, which is made with the first item."""
        self.folder, self._vault, self._pack, self._unpack = folder, vault, pack, unpack

    def put(self, item: Item) -> None:
        """Keep an item; when this returns it survives a power cut. The same effect is kept once.

        Raises OSError when the disk does not take it; nothing is kept then.
        """
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(self.folder.parent)
        if any(self.folder.glob(f"*-{item.effect}.wish")):
            return
        name = f"{item.at.timestamp():017.6f}-{item.effect}"
        draft = self.folder / f".{name}.{os.getpid()}"
        try:
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(self._vault.seal(self._pack(item).decode()).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.folder / f"{name}.wish")
        finally:
            draft.unlink(missing_ok=True)
        _sync(self.folder)

    def waiting(self) -> list[Path]:
        """What waits, the first that came about first."""
        return sorted(self.folder.glob("*.wish"))

    def aside(self) -> list[Path]:
        """What was set aside: it could not be read, or the database will never take it."""
        return sorted(self.folder.glob("*.aside"))

    def read(self, path: Path) -> Item | None:
        """The item in this file, or None if another process has delivered it meanwhile.

        Raises UnreadableWishError.
        """
        try:
            return self._unpack(self._vault.unseal(path.read_text("ascii")).encode())
        except FileNotFoundError:
            return None
        except (UnreadableError, ValueError):
            raise UnreadableWishError from None

    def delivered(self, path: Path) -> None:
        """Let go of what the database has."""
        path.unlink(missing_ok=True)

    def set_aside(self, path: Path) -> None:
        """Keep an item out of the way of the others. Nothing is thrown away."""
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
