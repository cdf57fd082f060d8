"""What is wrong with a book as a whole is told, though every line of it may be right."""

from pathlib import Path

import pytest
from books import edited, real, sample

from ivr.config import load_settings
from ivr.core.check import flaws
from ivr.core.graph import reachable
from ivr.house import SERVICES, build
from tests.helplines import settings_of

# What is edited: the file, and in it this into that. What is told then.
FLAWS = {
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
        assert list(flaws(loaded.book, loaded.lexicon)) == []


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
