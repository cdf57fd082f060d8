"""What # repeats may ask first whether it still holds; and it only ever repeats."""

from pathlib import Path

import pytest
from books import Edit, edited

RULES = "  rules:\n    read: [rules-1, rules-2, rules-3]\n    then: after\n"


def with_again(step: str) -> Edit:
    return ("flows/hello.yaml", RULES, f"{RULES}    again: {step}\n")


def test_a_step_before_an_answer_can_be_asked_again(tmp_path: Path) -> None:
    before = "  asked:\n    say: []\n    then: rules\n\n"
    edit = ("flows/hello.yaml", RULES, f"{before}{RULES}    again: asked\n")
    assert (
        edited(tmp_path, edit, ("flows/hello.yaml", "rules, go: rules", "rules, go: asked")) == []
    )


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("menu", 'F027: # leads to "hello/menu", which does not come back to this answer'),
        ("rulse", 'F003: unknown step "rulse" (did you mean "rules"?)'),
    ],
)
def test_hash_may_not_lead_away_from_an_answer(step: str, said: str, tmp_path: Path) -> None:
    (told,) = edited(tmp_path, with_again(step))
    assert told.startswith("flows/hello.yaml:20:12: error ")
    assert said in told


def test_hash_may_not_do_something_once_more(tmp_path: Path) -> None:
    """Keeping a book is done once and for all: repeating an answer must not keep another."""
    before = "  kept:\n    ask: keep-book\n    outcomes: {kept: rules}\n\n"
    edit = ("flows/hello.yaml", RULES, f"{before}{RULES}    again: kept\n")
    told = edited(tmp_path, edit, ("flows/hello.yaml", "rules, go: rules", "rules, go: kept"))
    assert any('F027: # leads to "hello/kept", where something is done' in one for one in told)
