"""Whoever is silent, presses a wrong key or types in vain is led to a person, and not rung off."""

from pathlib import Path

import pytest
from books import edited, sample

from ivr.core.flow import Menu

# What is edited: the file, and in it this into that. What is told then.
FLAWS = {
    "loop by silence": (
        "flows/branch.yaml",
        "otherwise: spell-help",
        "otherwise: spell",
        [
            (
                'flows/branch.yaml:5:3: error F012: "branch/spell" comes back to itself without'
                " a key (put a menu into it, where silence comes to an end)"
            ),
            (
                "flows/branch.yaml:10:16: error F020: an entry that cannot be used leads to"
                ' "branch/spell", which does not wait for one key (lead it to a menu, in which 0'
                " is a person)"
            ),
        ],
    ),
    "ring of silences": (
        "flows/person.yaml",
        "      2: {label: hello/main-menu, go: hello/menu}\n",
        (
            "      2: {label: hello/main-menu, go: hello/menu}\n    silence: {3: {go:"
            " branch/engaged}}\n"
        ),
        [
            (
                'flows/branch.yaml:36:3: error F012: "branch/engaged" comes back to itself'
                " without a key (put a menu into it, where silence comes to an end)"
            ),
            (
                'flows/person.yaml:3:3: error F012: "person/start" comes back to itself'
                " without a key (put a menu into it, where silence comes to an end)"
            ),
        ],
    ),
    "silence too short": (
        "flows/keeping.yaml",
        "{say: nothing-kept-yet, wait: 25}",
        "{say: nothing-kept-yet, wait: 5}",
        [
            (
                "flows/keeping.yaml:13:3: error F013: after a silence only 5 s are waited"
                " (let it be 20 or more)"
            ),
        ],
    ),
    "silence hangs up early": (
        "flows/keeping.yaml",
        "13: {goodbye: nothing-kept-goodbye}",
        "4: {goodbye: nothing-kept-goodbye}",
        [
            (
                "flows/keeping.yaml:13:3: error F013: silence ends the call after 3 waits"
                " (let the goodbye be the 13th, or a later one)"
            ),
        ],
    ),
    "silence again": (
        "flows/keeping.yaml",
        "{say: nothing-kept-yet, wait: 25}",
        "{say: nothing-kept-yet, again: true}",
        [
            (
                "flows/keeping.yaml:19:7: error F013: silence would read the whole step"
                " again (say: press hash)"
            ),
        ],
    ),
    "silence saves": (
        "flows/keeping.yaml",
        "13: {goodbye: nothing-kept-goodbye}",
        "13: {go: keep}",
        [
            (
                "flows/keeping.yaml:13:3: error F013: silence alone would lead to"
                ' "keeping/keep", which does something (put a menu before it)'
            ),
            (
                "prompts/en-GB/keeping.yaml:11:3: warning F018: no step says"
                ' "keeping/nothing-kept-goodbye" (let a step say it, or delete it)'
            ),
        ],
    ),
    "silence rings": (
        "flows/branch.yaml",
        "otherwise: spell-help",
        "otherwise: desk",
        [
            (
                'flows/branch.yaml:5:3: error F013: silence alone would lead to "branch/ring",'
                " which does something (put a menu before it)"
            ),
            (
                "flows/branch.yaml:10:16: error F020: an entry that cannot be used leads to"
                ' "branch/ring", which does not wait for one key (lead it to a menu, in which 0'
                " is a person)"
            ),
        ],
    ),
    "silence after answer saves": (
        "flows/hello.yaml",
        "    read: [rules-1, rules-2, rules-3]\n    then: after",
        "    read: [rules-1, rules-2, rules-3]\n    then: keeping/keep",
        [
            (
                "flows/hello.yaml:17:3: error F013: silence alone would lead to"
                ' "keeping/keep", which does something (put a menu before it)'
            ),
        ],
    ),
    "entry hangs up": (
        "flows/card.yaml",
        "otherwise: help",
        "otherwise: hello/goodbye",
        [
            (
                "flows/card.yaml:21:16: error F020: an entry that cannot be used leads to"
                ' "hello/goodbye", which does not wait for one key (lead it to a menu, in which'
                " 0 is a person)"
            ),
        ],
    ),
    "entry gives up in a sub-flow": (
        "flows/card.yaml",
        "otherwise: help",
        "otherwise: stopped",
        [
            (
                "flows/card.yaml:21:16: error F020: an entry that cannot be used leads to"
                ' "card/stopped", which does not wait for one key (lead it to a menu, in which 0'
                " is a person)"
            ),
        ],
    ),
    "entry talks, then rings off": (
        "flows/branch.yaml",
        "otherwise: spell-help",
        "otherwise: bye\n\n  bye:\n    say: [letters-are-hard]\n    then: hello/goodbye",
        [
            (
                "flows/branch.yaml:10:16: error F020: an entry that cannot be used leads to"
                ' "hello/goodbye", which does not wait for one key (lead it to a menu, in which'
                " 0 is a person)"
            ),
        ],
    ),
    "wrong key hangs up": (
        "flows/branch.yaml",
        "2: {go: person/start}",
        "2: {goodbye: hello/goodbye}",
        [
            (
                "flows/branch.yaml:12:3: error F020: wrong key 2 ends the call (lead it to a"
                " menu, in which 0 is a person)"
            ),
            (
                "flows/branch.yaml:22:3: error F020: wrong key 2 ends the call (lead it to a"
                " menu, in which 0 is a person)"
            ),
            (
                "flows/branch.yaml:36:3: error F020: wrong key 2 ends the call (lead it to a"
                " menu, in which 0 is a person)"
            ),
        ],
    ),
    "wrong key leads to a goodbye": (
        "flows/hello.yaml",
        "    again: answer\n",
        "    again: answer\n    wrong_key: {3: {go: goodbye}}\n",
        [
            (
                'flows/hello.yaml:31:16: error F020: wrong key 3 leads to "hello/goodbye", which'
                " does not wait for one key (lead it to a menu, in which 0 is a person)"
            ),
        ],
    ),
    "second silence": (
        "flows/hello.yaml",
        "    again: answer\n",
        "    again: answer\n    silence: {2: {say: shared/still-here, wait: 20}}\n",
        [
            (
                "flows/hello.yaml:31:14: error F013: the second silence does not offer a person"
                ' (let it say so, such as "For a person / press 0")'
            ),
        ],
    ),
    "third silence hangs up": (
        "flows/branch.yaml",
        "3: {go: person/start}",
        "3: {go: hello/goodbye}",
        [
            (
                'flows/branch.yaml:42:7: error F013: silence 3 leads to "hello/goodbye", which'
                " ends the call (let it be the 13th, or lead to a menu)"
            ),
        ],
    ),
    "silence reads, then hangs up": (
        "flows/branch.yaml",
        "3: {go: person/start}",
        (
            "3: {go: farewell}\n\n  farewell:\n    read: [spell-again, try-again]\n"
            "    then: hello/goodbye"
        ),
        [
            (
                'flows/branch.yaml:42:7: error F013: silence 3 leads to "hello/goodbye", which'
                " ends the call (let it be the 13th, or lead to a menu)"
            ),
        ],
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_told_with_its_place_and_remedy(flaw: str, tmp_path: Path) -> None:
    file, old, new, told = FLAWS[flaw]
    assert edited(tmp_path, (file, old, new)) == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("  1: {say: shared/take-your-time, wait: 20}\n", "nothing happens on the first silence"),
        ("  13: {goodbye: shared/silence-goodbye}\n", "silence goes on for ever here"),
        (
            "  1: {say: shared/no-such-key, again: true}\n",
            "nothing happens on the first wrong key",
        ),
    ],
)
def test_what_the_book_leaves_undone_is_told_of_every_menu_that_does_not_do_it_itself(
    line: str, told: str, tmp_path: Path
) -> None:
    findings = edited(tmp_path, ("flows/book.yaml", line, ""))
    menus = [place for place, step in sample().book.steps.items() if isinstance(step, Menu)]
    assert len([finding for finding in findings if f"F013: {told}" in finding]) >= len(menus) - 1


def test_a_key_may_save_something_after_a_few_words_in_between(tmp_path: Path) -> None:
    """An answer in one part does not wait: nobody was silent."""
    one_part = (
        "    read: [member-1]\n    then: after",
        "    read: [member-1]\n    then: keeping/keep",
    )
    assert edited(tmp_path, ("flows/hello.yaml", *one_part)) == []


def test_ringing_that_comes_back_to_itself_must_ask_whom_to_ring(tmp_path: Path) -> None:
    """A service can end it; a phone that is always engaged does not."""
    (told,) = edited(tmp_path, ("flows/branch.yaml", "busy: engaged,", "busy: ring,"))
    assert told == (
        'flows/branch.yaml:31:3: error F012: "branch/ring" rings again without a key (ask a service'
        " whom to ring next, or put a menu into it)"
    )
    assert edited(tmp_path, ("flows/branch.yaml", "busy: engaged,", "busy: desk,")) == []


def test_silence_at_a_connection_may_not_ring_either(tmp_path: Path) -> None:
    """What is not heard of its end goes the way of `failed`."""
    failed = ("flows/branch.yaml", "no-answer: engaged}", "no-answer: engaged, failed: desk}")
    told = edited(tmp_path, failed)
    assert any('F012: "branch/ring" comes back to itself without a key' in one for one in told)
