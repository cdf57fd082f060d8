"""What is hard to follow by ear is told, and so is a number that no caller may be given."""

import shutil
from pathlib import Path

import pytest
from books import ROOT, Edit, edited, findings

from ivr.core.check.dictated import numbers

HELLO = "prompts/en-GB/hello.yaml"
RULE = "Books are free."  # hello/rules-1, the first part of an answer
LISTED = "numbers:\n  0800 1111: Childline (NSPCC)\nwait: 10\n"
AT = "prompts/en-GB/hello.yaml:10:3: "  # where that prompt stands
VOUCH = "(when somebody has checked it, list it in flows/book.yaml under `numbers`)"
SPEAK = "(write it in the words that a person would say)"
WRITE = "(write it in words, or say in lexicon.yaml how it is spoken)"
PAUSED = " // ".join(["Word after word."] * 40)


def words(number: int) -> str:
    """A sentence of so many words."""
    return f"Books {'and ' * (number - 2)}more."


# What stands in a prompt, and what is told then, behind its place.
SPOKEN = {
    "a longish sentence": (
        words(21),
        [
            'warning A017: "Books and and and ..." is a sentence of 21 words (make two of it: at'
            " most 20 words can be followed by ear)"
        ],
    ),
    "a long sentence": (
        words(60),
        [
            'error A017: "Books and and and ..." is a sentence of 60 words (make two of it: at'
            " most 20 words can be followed by ear)"
        ],
    ),
    "the key before what it does": (
        "for help press 9 to get it.",
        [
            'error A003: "press 9 to" names the key before what it does (turn it round: "For help'
            ' / press 0")'
        ],
    ),
    "no pause before a key": (
        "To hear it again, press hash.",
        [
            'warning A007: there is no pause before the key in "again, press hash" (put / before'
            " the key)"
        ],
    ),
    "the key, by another name, before what it does": (
        "Hit the 9 key for help.",
        [
            'error A003: "Hit the 9 key for" names the key before what it does (turn it round:'
            ' "For help / press 0")'
        ],
    ),
    "padding": (
        "Your call is important to us.",
        ['warning A020: "Your call is important" helps nobody (leave it out)'],
    ),
    "capitals": (
        "Ask the DFE, and read it.",
        [f'warning A019: a voice may say "DFE" wrongly {WRITE}'],
    ),
    "signs": (
        "Books & maps, 50 % off.",
        [
            f'warning A031: "%" is written for the eye {SPEAK}',
            f'warning A031: "&" is written for the eye {SPEAK}',
        ],
    ),
    "abbreviations": (
        "Books, e.g. novels, etc.",
        [
            f'warning A031: "e.g." is written for the eye {SPEAK}',
            f'warning A031: "etc" is written for the eye {SPEAK}',
        ],
    ),
    "an address": (
        "See www.example.org for more.",
        [f'warning A031: "www.example.org" is written for the eye {SPEAK}'],
    ),
    "a time in figures": (
        "It opens at 9.30 and/or later.",
        [
            f'warning A031: "9.30" is written for the eye {SPEAK}',
            f'warning A031: "and/or" is written for the eye {SPEAK}',
        ],
    ),
    "a long part": (
        PAUSED,
        [
            "error A021: 88 s are spoken in one go, and more than 30 cannot be kept in mind (cut it"
            " into parts, with a chance to go on or to hear it again)"
        ],
    ),
    "a key that is no choice": (
        "For novels / press 7.",
        [
            'error A016: this names key 7, which is no choice at "hello/rules" (leave it out: a'
            " menu says its keys itself)"
        ],
    ),
    "a number": (
        "Ring us on 101.",
        [f"error A027: nobody vouched for the number 101 {VOUCH}"],
    ),
    "a costly number": (
        "The shop. / 0845 46 47 480. // The shop. / 0845 46 47 480.",
        [
            "error A029: 0845464748"
            "0 costs more than a usual call (give one that begins with 01, 02, 03 or 080)"
        ],
    ),
}


@pytest.mark.parametrize("what", SPOKEN)
def test_words_that_are_hard_to_follow_are_told(what: str, tmp_path: Path) -> None:
    text, told = SPOKEN[what]
    assert edited(tmp_path, (HELLO, RULE, f'"{text}"')) == [AT + finding for finding in told]


@pytest.mark.parametrize(
    "text",
    [
        words(20),
        "Read a book, or two. It is free! Is it? Yes: it is (mostly) so.",
        "To hear it again / press hash. // To go back, or to stop / press star, or press 0.",
        "Find a pen. / When you are ready / press 1, or just wait.",
        "On the keypad, press one key for each letter. // The keys are 5 3 3.",
        "In 2014 the UK had 4200 libraries, and 250 of them were new.",
        "To go back / please press star. // You need to press 9.",
        "One. / Two. / Three. // It takes one, two, three days.",
        "Ask for the ISBN. / Ring 999, 111 or 116 123. // Ring 18001 first.",
        "In danger / hang up and ring nine nine nine.",
    ],
)
def test_ordinary_words_are_no_mistake(text: str, tmp_path: Path) -> None:
    assert edited(tmp_path, (HELLO, RULE, f'"{text}"')) == []


def test_where_the_lexicon_cannot_be_read_nothing_is_told_of_its_terms(tmp_path: Path) -> None:
    lexicon = "prompts/en-GB/lexicon.yaml"
    isbn = (HELLO, RULE, "Ask for the ISBN.")
    for spoilt in ("terms: [", "words: {}", "terms: []"):
        found = edited(tmp_path, (lexicon, None, spoilt), isbn)
        assert found
        assert all(finding.startswith(lexicon) for finding in found)


def test_what_no_step_says_is_not_held_to_the_ear(tmp_path: Path) -> None:
    spare = f"{RULE}\n  spare: {words(60)}"
    assert ["F018" in finding for finding in edited(tmp_path, (HELLO, RULE, spare))] == [True]


def test_a_menu_that_takes_too_long_is_told(tmp_path: Path) -> None:
    long = "Rules of lending, of keeping and of bringing back, for old and for young members"
    edits: list[Edit] = [(HELLO, "rules: The rules", f"rules: {long}")]
    edits += [(HELLO, "branches: Your branch", f"branches: {long} of each branch")]
    edits += [(HELLO, "keep: Keep a book", f"keep: {long} who keep a book")]
    assert edited(tmp_path, *edits) == [
        "flows/hello.yaml:8:3: error A021: this menu takes 35 s, and more than 20 cannot be kept in"
        " mind (give its choices shorter labels, or offer fewer)"
    ]


def test_words_before_a_menu_that_take_too_long_are_told(tmp_path: Path) -> None:
    (finding,) = edited(tmp_path, (HELLO, "hello: Hello.", f'hello: "{PAUSED}"\n  # Hello.'))
    assert finding.startswith("flows/hello.yaml:3:3: error A021: 88 s are spoken in one go")


def test_an_answer_behind_too_many_menus_is_told(tmp_path: Path) -> None:
    deep = "".join(
        f"  deep-{level}:\n    menu: []\n    options:\n      1: {{label: rules, go: {to}}}\n"
        for level, to in enumerate(("deep-1", "deep-2", "rules"))
    )
    flow = "flows/hello.yaml"
    found = edited(
        tmp_path, (flow, "go: rules}", "go: deep-0}"), (flow, "  member:", f"{deep}  member:")
    )
    assert found == [
        "flows/hello.yaml:17:3: warning A002: 4 menus lie before this answer (offer it within 3)"
    ]


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ring 9 9 9. One two three. // Press 1.", ["999", "123"]),
        ("zero eight zero zero // one one one one.", ["08001111"]),
        ("Zero eight zero zero, one one one one", ["08001111"]),
        ("oh eight hundred / double one double one", ["08001111"]),
        ("0800 1111, or (0800) 1111, or 0800-1111.", ["08001111"] * 3),
        ("+44 (0)20 7450 4000 and +442074504000", ["02074504000"] * 2),
        ("18001 0800 1111", ["08001111"]),
        ("Childline / 0800 1111 // 0800 1111", ["08001111"] * 2),
        ("Ring one one one // one one one, or nine, nine, nine.", ["111", "111"]),
        ("Ring nine, nine, nine.", ["999"]),
        ("One one six, one two three.", ["116123"]),
        ("For Leeds / press 5 3 3. // Or 0113 496 0123", ["01134960123"]),
        ("Press 1, or ring one, oh, one.", ["101"]),
        ("The number is 101. Phone number 119. Text 60777.", ["101", "119", "60777"]),
        ("Directories: 118 500.", ["118500"]),
        ("Type 07400123456", ["07400123456"]),
        ("in 2014, or 250 of 12000, on 2026-11-24, at 9.30, room 101, 1,000 days", []),
        ("{number:digits} / {number:digits}. The keys are 7 8 6.", []),
    ],
)
def test_a_number_is_found_however_it_is_written(text: str, found: list[str]) -> None:
    assert list(numbers(text)) == found


def test_a_number_that_the_book_lists_may_be_given(tmp_path: Path) -> None:
    twice = "Childline. / 0800 1111. // Childline. / zero eight zero zero // one one one one."
    assert edited(tmp_path, (HELLO, RULE, twice), ("flows/book.yaml", "wait: 10\n", LISTED)) == []


def test_a_number_that_is_said_once_is_told(tmp_path: Path) -> None:
    once = (HELLO, RULE, "Childline. / 0800 1111.")
    assert edited(tmp_path, once, ("flows/book.yaml", "wait: 10\n", LISTED)) == [
        f"{AT}warning A032: 08001111 is said only once (say whose it is, and the number, twice)"
    ]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "zero eight hundred: Childline",
            '17:3: error F007: "zero eight hundred" is not a phone number (write it as it is'
            " printed in the UK: 0800 1111)",
        ),
        (
            '0800 1111: ""',
            "17:14: error F006: whose number is this? (say whose it is, and where it was found)",
        ),
    ],
)
def test_a_listed_number_says_whose_it_is(entry: str, told: str, tmp_path: Path) -> None:
    listed = f"numbers:\n  {entry}\nwait: 10\n"
    found = edited(tmp_path, ("flows/book.yaml", "wait: 10\n", listed))
    assert found == [f"flows/book.yaml:{told}"]


def test_a_number_that_a_choice_sets_is_told_as_well(tmp_path: Path) -> None:
    """It would be spoken, or rung, out of a fact."""
    flow = "flows/keeping.yaml"
    assert edited(tmp_path, (flow, "set: {shelf: children}", 'set: {shelf: "0113 496 0123"}')) == [
        f"{flow}:10:7: error A027: nobody vouched for the number 01134960123 {VOUCH}"
    ]


def test_a_number_in_a_text_is_held_to_the_same_list(tmp_path: Path) -> None:
    for name in ("flows", "prompts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    path = tmp_path / "prompts/en-GB/texts.yaml"
    path.write_text(path.read_text().replace("Childline: 0800 1111", "Childline: 0800 2222"))
    (finding,) = findings(tmp_path)
    assert "texts.yaml" in finding
    assert "error A027: nobody vouched for the number 08002222" in finding
