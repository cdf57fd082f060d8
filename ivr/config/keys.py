"""Keys that nobody set: made on first use, kept in files that only their owner may read."""

import base64
import os
from collections.abc import Callable
from pathlib import Path

from ivr.errors import SettingsError


def new_fernet_key() -> str:
    """Draw a key that seals."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def new_key() -> str:
    """Draw a key for signatures or hashes: 43 characters."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def kept(path: Path, make: Callable[[], str]) -> str:
    """Read a key from its file; if there is none, make it.

    The file appears with its whole content at once, and only if nobody was quicker: two processes
    that start together read the same key. Raises SettingsError if it cannot be kept or is empty.
    """
    try:
        if not path.exists():
            _write_once(path, make())
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text"
        raise SettingsError(
            f"A key cannot be kept in {path} ({reason})."
            " IVR_VAR must be a folder that the helpline may write to."
        ) from None
    if not found:
        raise SettingsError(f"The key in {path} is empty. Restore it, or remove the file.")
    return found


def _write_once(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails if the file is there: the first one to come wins
        except FileExistsError:
            return
    finally:
        draft.unlink()
