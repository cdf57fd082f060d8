"""A call goes on with the book it began with, and a broken book never takes the line down."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.errors import BookError
from ivr.shelf import Shelf

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class Desk:
    """An editor's folders, a shelf, and a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.flows, self.prompts = folder / "flows", folder / "prompts"
        self.books, self.now = folder / "books", NOW
        shutil.copytree(ROOT / "flows", self.flows)
        shutil.copytree(ROOT / "prompts" / "en-GB", self.prompts / "en-GB")

    def serve(self) -> Shelf:
        return Shelf(self.books, self.flows, self.prompts, lambda: self.now)

    def reword(self) -> None:
        words = self.prompts / "en-GB" / "main.yaml"
        words.write_text(words.read_text().replace("Hello.", "Hello, hello."))

    def mistake(self) -> None:
        main = self.flows / "main.yaml"
        main.write_text(main.read_text().replace("go: plans/menu", "go: plans/mneu"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_call_goes_on_with_the_book_it_began_with(desk: Desk) -> None:
    old = desk.serve().loaded.book
    desk.reword()
    new = desk.serve()
    assert new.loaded.book.digest != old.digest
    assert new.book(old.digest) == old
    assert new.book("") is new.loaded.book


def test_an_old_book_is_kept_for_five_hours_after_it_was_replaced(desk: Desk) -> None:
    old = desk.serve().loaded.book.digest
    desk.now += timedelta(days=3)  # served for days, and only then replaced
    desk.reword()
    desk.serve()
    desk.now += timedelta(hours=4)
    assert desk.serve().book(old).digest == old
    desk.now += timedelta(hours=2)
    shelf = desk.serve()
    assert shelf.book(old) is shelf.loaded.book
    assert len(list(desk.books.iterdir())) == 1


def test_a_broken_book_is_refused_when_there_is_no_good_one(desk: Desk) -> None:
    desk.mistake()
    with pytest.raises(BookError, match=r"main.yaml:\d+:\d+: error F003"):
        desk.serve()


def test_a_broken_book_gives_way_to_the_last_good_one(desk: Desk) -> None:
    desk.serve()
    desk.now += timedelta(minutes=1)
    desk.reword()
    good = desk.serve().loaded.book
    desk.now += timedelta(days=30)
    desk.mistake()
    shelf = desk.serve()
    assert shelf.loaded.book == good
    assert "F003" in shelf.fault


def test_a_shelf_that_cannot_be_written_to_takes_no_call_down(desk: Desk) -> None:
    desk.books.write_text("not a folder")
    assert desk.serve().fault == ""
