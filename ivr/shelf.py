"""The books in use: the one that is served, and those that calls began with.

A call goes on with the book it began with, also after an update. So a good book's files are kept in
``IVR_VAR/books/<digest>/`` for five hours after another took its place: a call lasts four at most.
When new files have mistakes, the last good book is served from there.
"""

import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from ivr.book import LANGUAGE, Loaded, load_book
from ivr.core.flow import Book
from ivr.errors import BookError

KEPT = timedelta(hours=5)
PREFIX = "."  # of a copy that is not finished

Clock = Callable[[], datetime]


class Shelf:
    """Serves a book and keeps it.

    Attributes:
        loaded: the book that new calls are served.
        fault: why it is not the one in the given folders; empty when it is.
    """

    def __init__(self, folder: Path, flows: Path, prompts: Path, clock: Clock) -> None:
        """Read the book in these folders, or else take the last good one from ``folder``.

        Raises:
            BookError: the book has mistakes, and there is no good one.
        """
        self._folder, self._clock = folder, clock
        self._known: dict[str, Book] = {}
        self.fault = ""
        try:
            self.loaded = load_book(flows, prompts)
        except BookError as problem:
            last = self._last_good()
            if last is None:
                raise
            self.loaded, self.fault = last, str(problem)
        else:
            self._keep(flows, prompts)
        self._known[self.loaded.book.digest] = self.loaded.book

    def book(self, digest: str) -> Book:
        """The book of this digest while it is kept, or else the one that is served."""
        if digest not in self._known and self._is_kept(digest):
            copy = self._folder / digest
            try:
                self._known[digest] = load_book(copy / "flows", copy / "prompts").book
            except (BookError, OSError):  # damaged, or made by another version of the helpline
                self._known[digest] = self.loaded.book
        return self._known.get(digest, self.loaded.book)

    def _is_kept(self, digest: str) -> bool:
        """Whether this book is on the shelf. Digests come from sealed positions: they are ours."""
        return bool(digest) and (self._folder / digest / "flows").is_dir()

    def _kept(self) -> list[Path]:
        """The books on the shelf, the last in use first."""
        found = [path for path in self._folder.glob("*") if not path.name.startswith(PREFIX)]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)

    def _last_good(self) -> Loaded | None:
        for copy in self._kept():
            try:
                return load_book(copy / "flows", copy / "prompts")
            except (BookError, OSError):  # damaged, or made by another version of the helpline
                continue
        return None

    def _keep(self, flows: Path, prompts: Path) -> None:
        """Put a copy on the shelf, and take off what no call can need. A shelf that cannot be
        written to is no reason not to answer calls."""
        now = self._clock().timestamp()
        digest = self.loaded.book.digest
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for number, copy in enumerate(self._kept()):
                age = now - copy.stat().st_mtime
                if number == 0 and copy.name != digest:
                    os.utime(copy, (now, now))  # its five hours begin now
                elif age > KEPT.total_seconds() and copy.name != digest:
                    shutil.rmtree(copy, ignore_errors=True)
            self._copy(flows, prompts, self._folder / digest)
            os.utime(self._folder / digest, (now, now + 1))  # the last in use
        except OSError:
            return

    def _copy(self, flows: Path, prompts: Path, copy: Path) -> None:
        if copy.exists():
            return
        draft = Path(mkdtemp(prefix=PREFIX, dir=self._folder))
        shutil.copytree(flows, draft / "flows", ignore=shutil.ignore_patterns("data"))
        shutil.copytree(prompts / LANGUAGE, draft / "prompts" / LANGUAGE)
        try:
            draft.rename(copy)
        except OSError:  # another worker was quicker
            shutil.rmtree(draft, ignore_errors=True)
