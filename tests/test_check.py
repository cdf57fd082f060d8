"""What is wrong with a book as a whole is told, though every line of it may be right."""

from pathlib import Path

import pytest
from books import Edit, edited, real, sample, walk

from ivr.config import load_settings
from ivr.core.check import flaws
from ivr.core.check.known import known_everywhere
from ivr.core.flow import Menu
from ivr.core.graph import reachable
from ivr.house import SERVICES, build
from tests.helplines import settings_of

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
    "press quoted": (
        "prompts/en-GB/shared.yaml",
        '"press {key:key}."',
        "press it.",
        [
            (
                'prompts/en-GB/shared.yaml:5:3: error F014: "shared/press" leaves out what'
                " it is for (let it speak of {key:...})"
            ),
        ],
    ),
    "count": (
        "prompts/en-GB/shared.yaml",
        '"{count:number} choices."',
        "Some choices.",
        [
            (
                'prompts/en-GB/shared.yaml:6:3: error F014: "shared/count" leaves out what'
                " it is for (let it speak of {count:...})"
            ),
        ],
    ),
    "offers": (
        "flows/book.yaml",
        "    offers: true\n",
        "",
        [
            (
                'flows/branch.yaml:20:29: error F008: service "find-branch" finds nothing that'
                ' "branch/which" could offer (let the service say `offers: true`)'
            ),
        ],
    ),
    "returns": (
        "flows/keeping.yaml",
        "stopped: hello/menu",
        "halted: hello/menu",
        [
            (
                'flows/card.yaml:35:3: error F011: no call can end after "card/stopped" (lead on'
                " to a menu or a goodbye)"
            ),
            (
                'flows/keeping.yaml:5:15: error F009: flow "card" can return "stopped", which'
                " has no branch here (add `stopped: <step>`)"
            ),
            (
                'flows/keeping.yaml:5:30: error F009: flow "card" never returns "halted" (take'
                " the branch out)"
            ),
        ],
    ),
    "unreachable": (
        "flows/branch.yaml",
        "outcomes: {found: desk, several: which, none: spell-help}",
        "outcomes: {found: desk, several: desk, none: spell-help}",
        [
            (
                'flows/branch.yaml:22:3: error F010: no call can ever come to "branch/which"'
                " (lead to it from a menu, or delete it)"
            ),
        ],
    ),
    "no end": (
        "flows/card.yaml",
        "    then: check\n    otherwise: help",
        "    then: type\n    otherwise: type",
        [
            (
                'flows/card.yaml:15:3: error F011: no call can end after "card/type" (lead on to'
                " a menu or a goodbye)"
            ),
            (
                'flows/card.yaml:15:3: error F012: "card/type" comes back to itself without a'
                " key (put a menu into it, where silence comes to an end)"
            ),
            (
                "flows/card.yaml:21:16: error F020: an entry that cannot be used leads to"
                ' "card/type", which does not wait for one key (lead it to a menu, in which 0 is'
                " a person)"
            ),
            (
                'flows/card.yaml:23:3: error F010: no call can ever come to "card/help" (lead to'
                " it from a menu, or delete it)"
            ),
            (
                'flows/card.yaml:29:3: error F010: no call can ever come to "card/check" (lead'
                " to it from a menu, or delete it)"
            ),
            (
                'flows/card.yaml:35:3: error F010: no call can ever come to "card/stopped" (lead'
                " to it from a menu, or delete it)"
            ),
        ],
    ),
    "loop": (
        "flows/branch.yaml",
        "none: spell-help}",
        "none: look-up}",
        [
            (
                'flows/branch.yaml:18:3: error F012: "branch/look-up" comes back to itself'
                " without a key (put a menu into it, where silence comes to an end)"
            ),
        ],
    ),
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
    "start": (
        "flows/book.yaml",
        "start: hello/opening",
        "start: branch/spell",
        [
            (
                'flows/branch.yaml:5:3: error F015: "branch/spell" does not come to a menu'
                " (let it be a menu, or speak and go on to one)"
            ),
            (
                'flows/hello.yaml:3:3: error F010: no call can ever come to "hello/opening"'
                " (lead to it from a menu, or delete it)"
            ),
        ],
    ),
    "person": (
        "flows/book.yaml",
        "go: person/start}",
        "go: branch/spell}",
        [
            (
                'flows/branch.yaml:5:3: error F015: "branch/spell" does not come to a menu'
                " (let it be a menu, or speak and go on to one)"
            ),
        ],
    ),
    "empty menu": (
        "flows/hello.yaml",
        "    menu: [our-fault]\n    options:\n      1: {label: main-menu, go: menu}\n",
        "    menu: [our-fault]\n    options: {}\n",
        [
            ("flows/hello.yaml:33:3: error F006: this menu offers nothing (give it an option 1)"),
        ],
    ),
    "gap": (
        "flows/hello.yaml",
        "2: {label: finish",
        "3: {label: finish",
        [
            (
                "flows/hello.yaml:29:7: error F016: the keys are 1, 3, not 1, 2, 3 ... without a"
                " gap (number the options in the order they are said)"
            ),
        ],
    ),
    "zero": (
        "flows/hello.yaml",
        "2: {label: finish",
        "0: {label: finish",
        [
            (
                "flows/hello.yaml:29:7: error F016: the keys are 1, 0, not 1, 2, 3 ... without a"
                " gap (number the options in the order they are said)"
            ),
        ],
    ),
    "order": (
        "flows/hello.yaml",
        "1: {label: rules, go: rules}",
        "1: {label: rules, go: rules, when: caller_number}",
        [
            (
                "flows/hello.yaml:11:7: error F016: a choice that is not always offered comes"
                " before one that is (put it last, so that no key renumbers)"
            ),
        ],
    ),
    "many": (
        "flows/hello.yaml",
        "      2: {label: finish, go: goodbye}\n",
        (
            "      2: {label: finish, go: goodbye}\n      3: {label: rules, go: rules}\n     "
            " 4: {label: rules, go: rules}\n      5: {label: rules, go: rules}\n"
        ),
        [
            (
                "flows/hello.yaml:25:3: error F017: 5 choices are too many to remember"
                " (offer at most 4)"
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
    "label with a key": (
        "prompts/en-GB/keeping.yaml",
        "keep-it: To keep it",
        "keep-it: To keep it / press 7",
        [
            (
                'prompts/en-GB/keeping.yaml:8:3: error F021: the label of a choice says "press'
                ' 7" itself (leave the key out: it is said after the label)'
            ),
        ],
    ),
    "label with a key in words": (
        "prompts/en-GB/shared.yaml",
        "person: For a person",
        "person: For a person, press star",
        [
            (
                'prompts/en-GB/shared.yaml:4:3: error F021: the label of a choice says "press'
                ' star" itself (leave the key out: it is said after the label)'
            ),
        ],
    ),
    "entry too short": (
        "flows/card.yaml",
        "length: 6",
        "length: 4",
        [
            (
                "flows/card.yaml:19:12: error F022: the shortest valid entry has 5 keys, but the"
                " length is 4 (let the length be that of the longest valid entry)"
            ),
        ],
    ),
    "entry too long": (
        "flows/card.yaml",
        "length: 6",
        "length: 8",
        [
            (
                "flows/card.yaml:19:12: error F022: the longest valid entry has 6 keys, but the"
                " length is 8 (let the length be that of the longest valid entry)"
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
    "unspoken": (
        "prompts/en-GB/card.yaml",
        "  stop:",
        "  halt: Stop here\n  stop:",
        [
            (
                'prompts/en-GB/card.yaml:10:3: warning F018: no step says "card/halt" (let a'
                " step say it, or delete it)"
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


def test_a_start_that_talks_in_circles_is_told(tmp_path: Path) -> None:
    findings = edited(
        tmp_path,
        ("flows/hello.yaml", "    then: menu\n\n  menu", "    then: opening\n\n  menu"),
    )
    assert any('F015: "hello/opening" does not come to a menu' in finding for finding in findings)
    assert any('F012: "hello/opening" comes back to itself' in finding for finding in findings)


@pytest.mark.parametrize(("service", "is_told"), [("check-card", False), ("keep-book", True)])
def test_a_start_may_ask_a_service_that_has_no_effect(
    tmp_path: Path, service: str, is_told: bool
) -> None:
    """All answers lead to a menu. What is done once and for all must not be done at a landing."""
    outcome = {"check-card": "valid: menu, unknown", "keep-book": "kept"}[service]
    asking = f"    then: asking\n\n  asking:\n    ask: {service}\n    outcomes: {{{outcome}: menu}}"
    findings = edited(tmp_path, ("flows/hello.yaml", "    then: menu\n\n", f"{asking}\n\n"))
    assert any("F015" in finding for finding in findings) is is_told


def test_a_start_that_asks_and_then_waits_for_an_entry_is_told(tmp_path: Path) -> None:
    asking = "    then: asking\n\n  asking:\n    ask: check-card\n"
    outcomes = "    outcomes: {valid: menu, unknown: branch/spell}\n\n"
    findings = edited(tmp_path, ("flows/hello.yaml", "    then: menu\n\n", asking + outcomes))
    assert any('F015: "hello/opening" does not come to a menu' in finding for finding in findings)


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


def test_a_flow_that_nothing_leads_to_is_told_step_by_step(tmp_path: Path) -> None:
    findings = edited(
        tmp_path,
        (
            "flows/keeping.yaml",
            "    call: card\n    outcomes: {given: shelf, stopped: hello/menu}",
            "    say: [which-shelf]\n    then: shelf",
        ),
    )
    lost = [finding for finding in findings if "F010" in finding]
    assert len(lost) == len([place for place in sample().book.steps if place.startswith("card/")])


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


LEFT_OUT = (
    "flows/branch.yaml",
    "outcomes: {found: desk, several: which, none: spell-help}",
    "outcomes: {found: desk, several: desk, none: spell-help}",
)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("flows/hello.yaml", "menu: [anything-else]", "menu: [anything-els]", "F005"),
        ("flows/hello.yaml", "wait: 15", "wait: soon", "F002"),
        ("flows/hello.yaml", "interrupt: false", "interrupt: no", "F002"),
        ("flows/card.yaml", "length: 6", "length: -6", "F002"),
        ("prompts/en-GB/card.yaml", "First, your card.", "First, {card:loud}.", "F014"),
        ("prompts/en-GB/card.yaml", "2027-05-31", "2027-02-30", "F007"),
    ],
)
def test_a_small_mistake_hides_no_step_that_nothing_leads_to(
    file: str, old: str, new: str, told: str, tmp_path: Path
) -> None:
    findings = edited(tmp_path, LEFT_OUT, (file, old, new))
    assert any(told in finding for finding in findings)
    assert any('F010: no call can ever come to "branch/which"' in finding for finding in findings)


def test_where_a_way_on_is_lost_nobody_is_told_that_nothing_leads_on(tmp_path: Path) -> None:
    """The editor misspelt one step; that another seems to be left out follows from it."""
    (told,) = edited(tmp_path, ("flows/branch.yaml", "several: which", "several: wich"))
    assert "F003" in told


def test_every_step_of_both_books_can_be_come_to() -> None:
    for loaded in (sample(), real()):
        assert reachable(loaded.book) == set(loaded.book.steps)
        assert list(flaws(loaded.book)) == []


def test_the_house_answers_every_service_that_it_says_it_has(tmp_path: Path) -> None:
    house = build(load_settings(settings_of(tmp_path, "http://helpline.test")))
    assert set(house.services) == SERVICES


def test_a_choice_on_0_stands_only_where_0_itself_leads(tmp_path: Path) -> None:
    """Elsewhere 0 is a person; and where it is a choice, it is the first."""
    zero, first = "0: {label: keep-a-book, go: hello/menu}\n      ", "1: {label: keep-a-book"
    assert edited(tmp_path, ("flows/person.yaml", first, zero + first)) == []
    zero, first = "0: {label: rules, go: rules}\n      ", "1: {label: rules"
    told = edited(tmp_path, ("flows/hello.yaml", first, zero + first))
    assert any("11:7: error F016: the keys are 0, 1, 2, 3, 4, not" in one for one in told)


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


def test_a_ring_must_be_known_where_it_is_whispered_of(tmp_path: Path) -> None:
    rings = "connect: desk_number\n"
    nothing = f"{rings}    whisper: nothing\n"
    (told,) = edited(tmp_path, ("flows/branch.yaml", rings, nothing))
    assert '"nothing" is not a fact that anything gives (name the fact that names the ring)' in told
    ticket = f"{rings}    whisper: ticket\n"
    (told,) = edited(tmp_path, ("flows/branch.yaml", rings, ticket))
    assert 'F023: this rings by "ticket"' in told


def test_0_may_ask_a_service_which_menu_it_leads_to_if_that_changes_nothing(
    tmp_path: Path,
) -> None:
    asks = "steps:\n  first:\n    ask: check-card\n    outcomes: {valid: start, unknown: start}\n"
    leads = ("flows/book.yaml", "go: person/start}", "go: person/first}")
    changed = [("flows/person.yaml", "steps:\n", asks), leads]
    assert not [one for one in edited(tmp_path, *changed) if "F015" in one]
    effect = ("flows/book.yaml", "  check-card:\n", "  check-card:\n    effect: true\n")
    told = edited(tmp_path, *changed, effect)
    assert any('F015: "person/first" does not come to a menu' in one for one in told)
