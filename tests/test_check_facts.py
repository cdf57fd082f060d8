"""What a book speaks of, asks with and rings by must be known there, whichever way led there."""

from pathlib import Path

import pytest
from books import Edit, edited, real, walk

from ivr.core.check.known import known_everywhere

# What is edited: the file, and in it this into that. What is told then.
FLAWS = {
    "need": (
        "flows/book.yaml",
        "needs: [card, shelf, topic]",
        "needs: [card, shelf, colour]",
        [
            (
                'flows/book.yaml:40:3: error F008: service "keep-book" needs "colour", which'
                " nothing gives (collect it, or set it)"
            ),
        ],
    ),
    "condition": (
        "flows/hello.yaml",
        "when: caller_number",
        "when: caller_nmber",
        [
            (
                'flows/hello.yaml:14:49: error F008: the condition speaks of "caller_nmber",'
                " which nothing gives (known: branch, branch_name, caller_number, card,"
                " desk_number, letters, shelf, ticket)"
            ),
        ],
    ),
    "connect": (
        "flows/branch.yaml",
        "connect: desk_number",
        "connect: desk_numbr",
        [
            (
                'flows/branch.yaml:32:14: error F008: "desk_numbr" is not a fact that anything'
                " gives (name the fact that holds the number)"
            ),
        ],
    ),
    "slot": (
        "prompts/en-GB/keeping.yaml",
        "{card:digits}",
        "{cart:digits}",
        [
            (
                'prompts/en-GB/keeping.yaml:7:3: error F008: the prompt speaks of "{cart}",'
                " which nothing gives (known here: branch, branch_name, caller_number, card,"
                " desk_number, letters, shelf, ticket)"
            ),
        ],
    ),
    "slot in label": (
        "prompts/en-GB/keeping.yaml",
        "children: Books for children",
        "children: Books for {branch_name:name}",
        [
            (
                "prompts/en-GB/keeping.yaml:5:3: error F008: the prompt speaks of"
                ' "{branch_name}", which nothing gives (known here: no facts)'
            ),
        ],
    ),
    "key slot": (
        "prompts/en-GB/keeping.yaml",
        "It is kept for you.",
        "It is kept for you, press {key:key}.",
        [
            (
                'prompts/en-GB/keeping.yaml:12:3: error F008: the prompt speaks of "{key}",'
                " which nothing gives (known here: branch, branch_name, caller_number, card,"
                " desk_number, letters, shelf, ticket)"
            ),
        ],
    ),
    "topic slot": (
        "prompts/en-GB/keeping.yaml",
        "It is kept for you.",
        "It is kept for you, {topic:name}.",
        [
            (
                "prompts/en-GB/keeping.yaml:12:3: error F008: the prompt speaks of"
                ' "{topic}", which nothing gives (known here: branch, branch_name,'
                " caller_number, card, desk_number, letters, shelf, ticket)"
            ),
        ],
    ),
    "known on another way only": (
        "flows/card.yaml",
        "{when: card, go: same}",
        "{when: caller_number, go: same}",
        [
            (
                'flows/card.yaml:9:3: error F023: "card/card-known" speaks of "card", which a'
                ' call that comes from "card/start" may not know (lead here only when it is'
                " known, or say it without)"
            ),
            (
                'flows/keeping.yaml:13:3: error F023: "keeping/your-card" speaks of "card",'
                ' which a call that comes from "keeping/shelf" may not know (lead here only when'
                " it is known, or say it without)"
            ),
        ],
    ),
    "known after another outcome only": (
        "flows/branch.yaml",
        "unstaffed: nobody,",
        "unstaffed: ring,",
        [
            (
                'flows/branch.yaml:31:3: error F023: this rings "desk_number", which a call that'
                ' comes from "branch/desk" may not know (lead here only when it is known, or say'
                " it without)"
            ),
        ],
    ),
    "cleared on the way": (
        "flows/keeping.yaml",
        "{shelf: children}",
        '{shelf: children, card: ""}',
        [
            (
                'flows/keeping.yaml:13:3: error F023: "keeping/your-card" speaks of "card",'
                ' which a call that comes from "keeping/shelf" may not know (lead here only when'
                " it is known, or say it without)"
            ),
        ],
    ),
    "not known of every call": (
        "prompts/en-GB/hello.yaml",
        "This is the library.",
        "You ring from {caller_number:digits}.",
        [
            (
                'flows/hello.yaml:3:3: error F023: "hello/hello" speaks of "caller_number",'
                " which a call that comes in may not know (lead here only when it is known, or"
                " say it without)"
            ),
        ],
    ),
    "spoken anywhere": (
        "prompts/en-GB/shared.yaml",
        "I lost my place.",
        "I lost {card:digits}.",
        [
            (
                'prompts/en-GB/shared.yaml:16:3: error F023: "shared/sorry-lost" can be said'
                ' anywhere, and speaks of "card" (say it without)'
            ),
        ],
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_told_with_its_place_and_remedy(flaw: str, tmp_path: Path) -> None:
    file, old, new, told = FLAWS[flaw]
    assert edited(tmp_path, (file, old, new)) == told


def test_a_fact_is_not_known_where_it_was_forgotten_after_it_was_said(tmp_path: Path) -> None:
    """``set`` on a step that speaks."""
    findings = edited(
        tmp_path,
        ("flows/keeping.yaml", "outcomes: {kept: kept}", "outcomes: {kept: thanks}"),
        (
            "flows/keeping.yaml",
            "  kept:\n",
            '  thanks:\n    say: [ticket]\n    set: {ticket: ""}\n    then: kept\n\n  kept:\n',
        ),
    )
    (told,) = findings
    assert 'F023: "keeping/ticket" speaks of "ticket"' in told
    assert 'from "keeping/thanks"' in told


@pytest.mark.parametrize(
    "edits",
    [
        [("prompts/en-GB/hello.yaml", "ten books.", "ten books, {caller_number:last-three}.")],
        [
            (
                "flows/card.yaml",
                "{when: card, go: same}\n      - {go: type}",
                "{when: not card, go: type}\n      - {go: same}",
            )
        ],
        [
            ("flows/branch.yaml", "failed: nobody}", "failed: spell-help}"),
            (
                "flows/branch.yaml",
                "    say: [nobody-at-the-desk]\n    then: hello/menu",
                "    call: card\n    outcomes: {given: named, stopped: named}\n\n  named:\n"
                "    say: [nobody-at-the-desk, putting-you-through]\n    then: hello/menu",
            ),
        ],
    ],
    ids=["by an option's condition", "by what does not hold", "by who calls a sub-flow"],
)
def test_what_is_known_where_it_is_spoken_is_no_mistake(edits: list[Edit], tmp_path: Path) -> None:
    assert edited(tmp_path, *edits) == []


def test_what_the_check_takes_for_known_is_known_in_every_call() -> None:
    known = known_everywhere(real().book)
    for position, _ in walk().turns:
        assert {fact for fact, value in position.facts.items() if value} >= known[position.at]


def test_a_ring_must_be_known_where_it_is_whispered_of(tmp_path: Path) -> None:
    rings = "connect: desk_number\n"
    nothing = f"{rings}    whisper: nothing\n"
    (told,) = edited(tmp_path, ("flows/branch.yaml", rings, nothing))
    assert '"nothing" is not a fact that anything gives (name the fact that names the ring)' in told
    ticket = f"{rings}    whisper: ticket\n"
    (told,) = edited(tmp_path, ("flows/branch.yaml", rings, ticket))
    assert 'F023: this rings by "ticket"' in told
