"""Nobody is hurried: a wait that some callers could not keep is a mistake in the flows."""

from pathlib import Path

import pytest
from books import Edit, edited

SHORT = [
    (("flows/book.yaml", "\nwait: 10", "\nwait: 9"), "book.yaml:16:7", 9, 10),
    (("flows/book.yaml", "entry_wait: 20", "entry_wait: 19"), "book.yaml:17:13", 19, 20),
    (("flows/hello.yaml", "wait: 15", "wait: 5"), "hello.yaml:31:11", 5, 10),
    (
        ("flows/card.yaml", "    length: 6\n", "    length: 6\n    wait: 12\n"),
        "card.yaml:19:11",
        12,
        20,
    ),
    (
        ("flows/book.yaml", "wrong-key-help}", "wrong-key-help, wait: 3}"),
        "book.yaml:27:41",
        3,
        10,
    ),
]


@pytest.mark.parametrize(("edit", "place", "seconds", "least"), SHORT)
def test_a_wait_that_is_too_short_for_some_callers_is_a_mistake(
    tmp_path: Path, edit: Edit, place: str, seconds: int, least: int
) -> None:
    """Somebody who finds keys hard to press, or types through a text relay."""
    assert edited(tmp_path, edit) == [
        f"flows/{place}: error F028: a key is waited for only {seconds} s"
        f" (let it be {least} or more)"
    ]


def test_between_parts_of_an_answer_nobody_has_to_press_anything(tmp_path: Path) -> None:
    assert (
        edited(tmp_path, ("flows/hello.yaml", "read: [member-1]", "read: [member-1]\n    wait: 3"))
        == []
    )
