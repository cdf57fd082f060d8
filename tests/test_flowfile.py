"""Every mistake in a flow or prompt file is told: where it is, what it is, and what mends it.

Each case makes one mistake in the sample book. The findings are compared as a whole, so that no
mistake draws others after it that the editor did not make.
"""

import random
from datetime import date
from pathlib import Path

import pytest
from books import ROOT, SAMPLE, Caller, edited, findings, mangled, unwatched
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.book import load_book, read_book
from ivr.errors import BookError


def test_the_sample_book_and_the_real_one_have_no_mistakes() -> None:
    assert findings(SAMPLE) == []
    assert findings(ROOT) == []


# What is edited: the file, and in it this into that. What is told then.
MISTAKES = {
    "not YAML": (
        "flows/card.yaml",
        "steps:\n",
        "steps: [\n",
        [
            (
                "flows/card.yaml:4:8: error F001: this is not a YAML file that can be read:"
                " expected ',' or ']', but got ':' (look here and at the line before)"
            ),
        ],
    ),
    "tabs": (
        "prompts/en-GB/card.yaml",
        "  stop:",
        "\tstop:",
        [
            (
                "prompts/en-GB/card.yaml:10:1: error F001: this is not a YAML file that can be"
                " read: found character '\\t' that cannot start any token (look here and at the"
                " line before)"
            ),
        ],
    ),
    "field of a flow file": (
        "flows/card.yaml",
        "about:",
        "abuot:",
        [
            'flows/card.yaml:1:1: error F002: unknown field "abuot" (did you mean "about"?)',
        ],
    ),
    "unknown step": (
        "flows/hello.yaml",
        "go: rules}",
        "go: rulse}",
        [
            'flows/hello.yaml:11:29: error F003: unknown step "rulse" (did you mean "rules"?)',
        ],
    ),
    "unknown step elsewhere": (
        "flows/hello.yaml",
        "go: branch/spell}",
        "go: brunch/spell}",
        [
            (
                'flows/hello.yaml:12:32: error F003: unknown step "brunch/spell" (did you'
                ' mean "branch/spell"?)'
            ),
        ],
    ),
    "unknown step, nothing like it": (
        "flows/hello.yaml",
        "go: rules}",
        "go: qqqqqqqq}",
        [
            (
                'flows/hello.yaml:11:29: error F003: unknown step "qqqqqqqq" (name a step here,'
                " or as flow/step)"
            ),
        ],
    ),
    "otherwise": (
        "flows/card.yaml",
        "otherwise: help",
        "otherwise: halp",
        [
            'flows/card.yaml:21:16: error F003: unknown step "halp" (did you mean "help"?)',
        ],
    ),
    "step twice": (
        "flows/person.yaml",
        "steps:\n",
        "steps:\n  start:\n    goodbye: [we-can-help]\n",
        [
            (
                'flows/person.yaml:5:3: error F004: "start" is written twice (give one of'
                " them another name)"
            ),
        ],
    ),
    "field twice": (
        "flows/person.yaml",
        "    menu: [we-can-help]\n",
        "    menu: [we-can-help]\n    menu: [we-can-help]\n",
        [
            (
                'flows/person.yaml:5:5: error F004: "menu" is written twice (give one of'
                " them another name)"
            ),
        ],
    ),
    "key twice": (
        "flows/hello.yaml",
        "2: {label: finish",
        "1: {label: finish",
        [
            (
                'flows/hello.yaml:29:7: error F004: "1" is written twice (give one of them'
                " another name)"
            ),
        ],
    ),
    "prompt twice": (
        "prompts/en-GB/card.yaml",
        "  stop:",
        "  type-it: Type it\n  stop:",
        [
            (
                'prompts/en-GB/card.yaml:10:3: error F004: "type-it" is written twice (give'
                " one of them another name)"
            ),
        ],
    ),
    "prompt": (
        "flows/hello.yaml",
        "menu: [anything-else]",
        "menu: [anything-els]",
        [
            (
                'flows/hello.yaml:26:12: error F005: unknown prompt "anything-els" (did you'
                ' mean "anything-else"?)'
            ),
        ],
    ),
    "label": (
        "flows/hello.yaml",
        "label: finish",
        "label: finnish",
        [
            (
                'flows/hello.yaml:29:18: error F005: unknown prompt "finnish" (did you mean'
                ' "finish"?)'
            ),
        ],
    ),
    "handler prompt": (
        "flows/keeping.yaml",
        "say: nothing-kept-yet",
        "say: nothing-kept-jet",
        [
            (
                'flows/keeping.yaml:19:16: error F005: unknown prompt "nothing-kept-jet"'
                ' (did you mean "nothing-kept-yet"?)'
            ),
        ],
    ),
    "handler step": (
        "flows/branch.yaml",
        "2: {go: person/start}",
        "2: {go: person/strat}",
        [
            (
                'flows/branch.yaml:3:11: error F003: unknown step "person/strat" (did you'
                ' mean "person/start"?)'
            ),
        ],
    ),
    "handler empty": (
        "flows/branch.yaml",
        "3: {go: person/start}",
        "3: {}",
        [
            (
                "flows/branch.yaml:42:10: error F006: something must be said or happen here"
                " (say, again, go or goodbye)"
            ),
        ],
    ),
    "handler field": (
        "flows/keeping.yaml",
        "{say: nothing-kept-yet, wait: 25}",
        "{speak: nothing-kept-yet, wait: 25}",
        [
            (
                "flows/keeping.yaml:19:10: error F006: something must be said or happen here"
                " (say, again, go or goodbye)"
            ),
            (
                'flows/keeping.yaml:19:11: error F002: unknown field "speak" (known here:'
                " say, wait, again, go, goodbye)"
            ),
        ],
    ),
    "handler count": (
        "flows/branch.yaml",
        "3: {go: person/start}",
        "third: {go: person/start}",
        [
            (
                'flows/branch.yaml:42:7: error F002: "third" is not a whole number from 1 to 999'
                " (write it in digits, such as 20)"
            ),
        ],
    ),
    "handler text": (
        "flows/branch.yaml",
        "3: {go: person/start}",
        "3: person/start",
        [
            (
                'flows/branch.yaml:42:10: error F002: a mapping ("name: value") belongs here'
                " (write `name: value`, one on a line)"
            ),
        ],
    ),
    "kind misspelt": (
        "flows/person.yaml",
        "    menu: [we-can-help]\n",
        "    meun: [we-can-help]\n",
        [
            ('flows/person.yaml:4:5: error F006: this step does nothing (did you mean "menu"?)'),
        ],
    ),
    "no source": (
        "prompts/en-GB/card.yaml",
        "source: ",
        "about: ",
        [
            (
                'prompts/en-GB/card.yaml:1:1: error F006: "source" is missing here (add `source:'
                " ...`)"
            ),
        ],
    ),
    "no kind": (
        "flows/person.yaml",
        "    menu: [we-can-help]\n",
        "",
        [
            (
                "flows/person.yaml:4:5: error F006: this step does nothing (kinds: menu,"
                " read, digits, letters, ask, choose, call, return, connect, goodbye, say)"
            ),
        ],
    ),
    "step is text": (
        "flows/card.yaml",
        "  stopped:\n    return: stopped",
        "  stopped: return",
        [
            (
                'flows/card.yaml:35:12: error F002: a mapping ("name: value") belongs here'
                " (write `name: value`, one on a line)"
            ),
        ],
    ),
    "unknown field": (
        "flows/card.yaml",
        "    length: 6",
        "    lenght: 6",
        [
            'flows/card.yaml:16:5: error F006: "length" is missing here (add `length: ...`)',
            'flows/card.yaml:18:5: error F002: unknown field "lenght" (did you mean "length"?)',
        ],
    ),
    "field of another kind": (
        "flows/hello.yaml",
        "    again: answer",
        "    again: answer\n    then: menu",
        [
            (
                'flows/hello.yaml:31:5: error F002: unknown field "then" (known here: menu,'
                " options, closing, again, silence, wrong_key, wait, interrupt)"
            ),
        ],
    ),
    "two kinds": (
        "flows/hello.yaml",
        "    read: [rules-1, rules-2, rules-3]",
        "    read: [rules-1]\n    menu: [rules-2, rules-3]",
        [
            (
                'flows/hello.yaml:18:5: error F002: a step cannot be both "menu" and "read"'
                " (make it two steps)"
            ),
        ],
    ),
    "missing field": (
        "flows/hello.yaml",
        "    say: [hello]\n    interrupt: false\n    then: menu",
        "    say: [hello]",
        [
            'flows/hello.yaml:4:5: error F006: "then" is missing here (add `then: ...`)',
        ],
    ),
    "missing label": (
        "flows/hello.yaml",
        "{label: rules, go: rules}",
        "{go: rules}",
        [
            'flows/hello.yaml:11:10: error F006: "label" is missing here (add `label: ...`)',
        ],
    ),
    "missing go": (
        "flows/hello.yaml",
        "{label: rules, go: rules}",
        "{label: rules}",
        [
            'flows/hello.yaml:11:10: error F006: "go" is missing here (add `go: ...`)',
        ],
    ),
    "option is text": (
        "flows/hello.yaml",
        "{label: rules, go: rules}",
        "rules",
        [
            (
                'flows/hello.yaml:11:10: error F002: a mapping ("name: value") belongs here'
                " (write `name: value`, one on a line)"
            ),
        ],
    ),
    "read nothing": (
        "flows/hello.yaml",
        "read: [member-1]",
        "read: []",
        [
            (
                "flows/hello.yaml:22:11: error F006: there is nothing to read here (name its"
                " prompts)"
            ),
        ],
    ),
    "again": (
        "flows/hello.yaml",
        "again: answer",
        "again: awnser",
        [
            'flows/hello.yaml:30:12: error F007: "awnser" cannot be repeated (step or answer)',
        ],
    ),
    "number": (
        "flows/hello.yaml",
        "wait: 15",
        "wait: soon",
        [
            (
                'flows/hello.yaml:31:11: error F002: "soon" is not a whole number from 1 to 999'
                " (write it in digits, such as 20)"
            ),
        ],
    ),
    "zero": (
        "flows/hello.yaml",
        "wait: 15",
        "wait: 0",
        [
            (
                'flows/hello.yaml:31:11: error F002: "0" is not a whole number from 1 to 999'
                " (write it in digits, such as 20)"
            ),
        ],
    ),
    "huge": (
        "flows/hello.yaml",
        "wait: 15",
        "wait: 10000",
        [
            (
                'flows/hello.yaml:31:11: error F002: "10000" is not a whole number from 1 to 999'
                " (write it in digits, such as 20)"
            ),
        ],
    ),
    "flag": (
        "flows/hello.yaml",
        "interrupt: false",
        "interrupt: no",
        [
            (
                'flows/hello.yaml:5:16: error F002: "no" is neither true nor false (write true'
                " or false)"
            ),
        ],
    ),
    "length": (
        "flows/card.yaml",
        "length: 6",
        "length: -6",
        [
            (
                'flows/card.yaml:18:13: error F002: "-6" is not a whole number from 1 to 999'
                " (write it in digits, such as 20)"
            ),
        ],
    ),
    "pattern": (
        "flows/card.yaml",
        '"[1-9][0-9]{4,5}"',
        '"[1-9"',
        [
            (
                'flows/card.yaml:19:12: error F007: "[1-9" is not a regular expression'
                " (unterminated character set at position 0)"
            ),
        ],
    ),
    "condition": (
        "flows/hello.yaml",
        "when: caller_number",
        "when: caller_number and more",
        [
            (
                'flows/hello.yaml:14:49: error F007: "caller_number and more" is not a'
                " condition (write `fact` or `not fact`)"
            ),
        ],
    ),
    "condition not": (
        "flows/card.yaml",
        "{when: card, go: same}",
        "{when: no card, go: same}",
        [
            (
                'flows/card.yaml:6:16: error F007: "no card" is not a condition (write'
                " `fact` or `not fact`)"
            ),
        ],
    ),
    "last condition": (
        "flows/card.yaml",
        "      - {go: type}\n",
        "",
        [
            (
                "flows/card.yaml:6:7: error F009: no way on when no condition holds (end"
                " with `- {go: <step>}`)"
            ),
        ],
    ),
    "way without go": (
        "flows/card.yaml",
        "{when: card, go: same}",
        "{when: card}",
        [
            'flows/card.yaml:6:9: error F006: "go" is missing here (add `go: ...`)',
        ],
    ),
    "service": (
        "flows/card.yaml",
        "ask: check-card",
        "ask: chek-card",
        [
            (
                'flows/card.yaml:30:10: error F008: unknown service "chek-card" (did you'
                ' mean "check-card"?)'
            ),
        ],
    ),
    "outcome unknown": (
        "flows/card.yaml",
        "unknown: help",
        "unknwon: help",
        [
            (
                'flows/card.yaml:31:15: error F009: the outcome "unknown" has no branch (add'
                " `unknown: <step>`)"
            ),
            (
                'flows/card.yaml:31:30: error F009: "unknwon" is not an outcome here (did'
                ' you mean "unknown"?)'
            ),
        ],
    ),
    "outcome missing": (
        "flows/branch.yaml",
        "unstaffed: nobody, ",
        "",
        [
            (
                'flows/branch.yaml:29:15: error F009: the outcome "unstaffed" has no branch'
                " (add `unstaffed: <step>`)"
            ),
        ],
    ),
    "dial outcome": (
        "flows/branch.yaml",
        "busy: engaged, ",
        "",
        [
            (
                'flows/branch.yaml:34:15: error F009: the outcome "busy" has no branch (add'
                " `busy: <step>`)"
            ),
        ],
    ),
    "flow": (
        "flows/keeping.yaml",
        "call: card",
        "call: cart",
        [
            'flows/keeping.yaml:4:11: error F008: unknown flow "cart" (did you mean "card"?)',
        ],
    ),
    "list where text": (
        "flows/card.yaml",
        "into: card",
        "into: [card]",
        [
            (
                "flows/card.yaml:17:11: error F002: a text belongs here, not a list or a mapping"
                " (write one value)"
            ),
        ],
    ),
    "book: missing": (
        "flows/book.yaml",
        "press: shared/press\n",
        "",
        [
            'flows/book.yaml:2:1: error F006: "press" is missing here (add `press: ...`)',
        ],
    ),
    "book: person": (
        "flows/book.yaml",
        "person: {label: shared/person, go: person/start}",
        "person: {label: shared/person}",
        [
            'flows/book.yaml:6:9: error F006: "go" is missing here (add `go: ...`)',
        ],
    ),
    "book: unknown": (
        "flows/book.yaml",
        "start: hello/opening",
        "begin: hello/opening",
        [
            (
                'flows/book.yaml:2:1: error F002: unknown field "begin" (known here: start,'
                " language, person, press, count, slower, more, sorry_lost, sorry_stuck,"
                " trouble, silence, wrong_key, facts, closing, services, texts, wait, entry_wait,"
                " read_wait)"
            ),
            'flows/book.yaml:2:1: error F006: "start" is missing here (add `start: ...`)',
        ],
    ),
    "book: start": (
        "flows/book.yaml",
        "start: hello/opening",
        "start: hello/openning",
        [
            (
                'flows/book.yaml:2:8: error F003: unknown step "hello/openning" (did you'
                ' mean "hello/opening"?)'
            ),
        ],
    ),
    "book: service": (
        "flows/book.yaml",
        "    outcomes: {kept: [ticket]}\n",
        "",
        [
            'flows/book.yaml:41:5: error F006: "outcomes" is missing here (add `outcomes: ...`)',
        ],
    ),
    "book: service field": (
        "flows/book.yaml",
        "    effect: true",
        "    efect: true",
        [
            'flows/book.yaml:41:5: error F002: unknown field "efect" (did you mean "effect"?)',
        ],
    ),
    "book: broken": (
        "flows/book.yaml",
        "services:\n",
        "services: {\n",
        [
            (
                "flows/book.yaml:31:10: error F001: this is not a YAML file that can be read:"
                " expected ',' or '}', but got ':' (look here and at the line before)"
            ),
        ],
    ),
    "prompt: way": (
        "prompts/en-GB/card.yaml",
        "{card:last-three}",
        "{card:last-tree}",
        [
            (
                "prompts/en-GB/card.yaml:5:15: error F014: unknown way of speaking"
                ' "{card:last-tree}" (did you mean "last-three"?)'
            ),
        ],
    ),
    "prompt: no way": (
        "prompts/en-GB/card.yaml",
        "{card:last-three}",
        "{card}",
        [
            (
                'prompts/en-GB/card.yaml:5:15: error F014: unknown way of speaking "{card:}"'
                " (ways: digits, threes, last-three, name, day, time, months, spelled, number, key)"
            ),
        ],
    ),
    "prompt: brace": (
        "prompts/en-GB/card.yaml",
        "It ends in {card:last-three}.",
        "It ends in {card:last-three.",
        [
            (
                "prompts/en-GB/card.yaml:5:15: error F014: a brace stands alone here (write"
                " {name:way}, braces on both sides)"
            ),
        ],
    ),
    "prompt: nothing": (
        "prompts/en-GB/card.yaml",
        "stop: No book after all",
        "stop: //",
        [
            (
                "prompts/en-GB/card.yaml:10:9: error F006: this prompt says nothing (write"
                " its words)"
            ),
        ],
    ),
    "prompt: null": (
        "prompts/en-GB/card.yaml",
        "stop: No book after all",
        "stop:",
        [
            (
                "prompts/en-GB/card.yaml:10:8: error F006: this prompt says nothing (write"
                " its words)"
            ),
        ],
    ),
    "prompt: day": (
        "prompts/en-GB/card.yaml",
        "review_by: 2027-05-31",
        "review_by: 2027-02-30",
        [
            (
                'prompts/en-GB/card.yaml:1:12: error F007: "2027-02-30" is not a day (write'
                " it as 2027-05-31)"
            ),
        ],
    ),
    "prompt: field": (
        "prompts/en-GB/card.yaml",
        "stop: No book after all",
        "stop: {text: No book after all, cover: [S01]}",
        [
            (
                'prompts/en-GB/card.yaml:10:35: error F002: unknown field "cover" (did you'
                ' mean "covers"?)'
            ),
        ],
    ),
    "prompt: no text": (
        "prompts/en-GB/card.yaml",
        "stop: No book after all",
        "stop: {covers: [S01]}",
        [
            'prompts/en-GB/card.yaml:10:9: error F006: "text" is missing here (add `text: ...`)',
        ],
    ),
    "prompt: list": (
        "prompts/en-GB/card.yaml",
        "stop: No book after all",
        "stop: [No book, after all]",
        [
            (
                "prompts/en-GB/card.yaml:10:9: error F002: a text belongs here, not a list or a"
                " mapping (write one value)"
            ),
        ],
    ),
    "prompts missing": (
        "prompts/en-GB/card.yaml",
        "prompts:\n",
        "promts:\n",
        [
            (
                'prompts/en-GB/card.yaml:1:1: error F006: "prompts" is missing here (add'
                " `prompts: ...`)"
            ),
            (
                'prompts/en-GB/card.yaml:3:1: error F002: unknown field "promts" (did you mean'
                ' "prompts"?)'
            ),
        ],
    ),
    "lexicon": (
        "prompts/en-GB/lexicon.yaml",
        ", say: I S B N",
        "",
        [
            'prompts/en-GB/lexicon.yaml:2:9: error F006: "say" is missing here (add `say: ...`)',
        ],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_remedy(mistake: str, tmp_path: Path) -> None:
    file, old, new, told = MISTAKES[mistake]
    assert edited(tmp_path, (file, old, new)) == told


def test_several_mistakes_at_once_are_all_told(tmp_path: Path) -> None:
    """In several files, of several kinds, by place; and each of them only once."""
    assert edited(
        tmp_path,
        ("flows/hello.yaml", "go: rules}", "go: rulse}"),
        ("flows/hello.yaml", "wait: 15", "wait: soon"),
        ("flows/hello.yaml", "2: {label: finish", "3: {label: finish"),
        ("flows/card.yaml", "ask: check-card", "ask: chek-card"),
        ("flows/person.yaml", "    menu: [we-can-help]\n", "    menu: [we-can-help]\n" * 2),
        ("prompts/en-GB/card.yaml", "{card:last-three}", "{card:last-tree}"),
    ) == [
        'flows/card.yaml:30:10: error F008: unknown service "chek-card"'
        ' (did you mean "check-card"?)',
        'flows/hello.yaml:11:29: error F003: unknown step "rulse" (did you mean "rules"?)',
        "flows/hello.yaml:29:7: error F016: the keys are 1, 3, not 1, 2, 3 ... without a gap"
        " (number the options in the order they are said)",
        'flows/hello.yaml:31:11: error F002: "soon" is not a whole number from 1 to 999'
        " (write it in digits, such as 20)",
        'flows/person.yaml:5:5: error F004: "menu" is written twice'
        " (give one of them another name)",
        'prompts/en-GB/card.yaml:5:15: error F014: unknown way of speaking "{card:last-tree}"'
        ' (did you mean "last-three"?)',
    ]


# --- whole files ---------------------------------------------------------------------------------

FILES = {
    "empty": ("flows/card.yaml", "", "1:1: error F001: the file is empty"),
    "only a remark": ("flows/card.yaml", "# later\n", "1:1: error F001: the file is empty"),
    "a list": ("flows/card.yaml", "- steps", 'F002: a mapping ("name: value") belongs here'),
    "no steps": ("flows/card.yaml", "steps: {}", "1:8: error F006: this flow has no steps"),
    "steps in a list": ("flows/card.yaml", "steps: [start]", "1:8: error F002: a mapping"),
    "steps left out": ("flows/card.yaml", "about: Cards.", '1:1: error F006: "steps" is missing'),
    "two documents": ("flows/card.yaml", "a: 1\n---\nb: 2\n", "2:1: error F001"),
    "a control character": ("flows/card.yaml", "a: \x00", "1:1: error F001"),
    "endless brackets": ("flows/card.yaml", "[" * 5000, "1:1: error F001"),
    "a bad tag": ("flows/card.yaml", "a: !!x", 'F002: unknown field "a"'),
    "an anchor in itself": ("flows/card.yaml", "steps: &a [*a]", "1:8: error F002"),
    "keys that are lists": ("flows/card.yaml", "steps: {? [a] : b}", "1:11: error F002: a text"),
    "prompts in a list": ("prompts/en-GB/card.yaml", "prompts: []", "1:10: error F002: a mapping"),
    "no prompts": ("prompts/en-GB/card.yaml", "prompts: {}", "1:10: error F006: this file has no"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_quite_another_thing_is_told_where_it_is(name: str, tmp_path: Path) -> None:
    file, content, told = FILES[name]
    found = edited(tmp_path, (file, None, content))
    assert all(one.startswith(f"{file}:") for one in found[:1])
    assert any(told in one for one in found)


@pytest.mark.parametrize("file", ["flows/hello.yaml", "prompts/en-GB/shared.yaml"])
def test_a_file_that_cannot_be_read_draws_no_other_mistakes_after_it(
    file: str, tmp_path: Path
) -> None:
    """Half the book refers to these files; the editor made one mistake."""
    assert len(edited(tmp_path, (file, None, "a: [b"))) == 1


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    edited(tmp_path)
    (tmp_path / "flows" / "card.yaml").write_bytes(b"\xff\xfe")
    assert findings(tmp_path) == [
        "flows/card.yaml:1:1: error F001: this is not a YAML file that can be read:"
        " UnicodeDecodeError (save it as UTF-8 text)"
    ]


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    edited(tmp_path)
    (tmp_path / "flows" / "odd.yaml").mkdir()
    (told,) = findings(tmp_path)
    assert told.startswith("flows/odd.yaml:1:1: error F001:")


def test_without_a_book_there_is_one_mistake(tmp_path: Path) -> None:
    edited(tmp_path)
    (tmp_path / "flows" / "book.yaml").unlink()
    assert findings(tmp_path) == [
        "flows/book.yaml:1:1: error F001: there is no book (IVR_FLOWS names the folder of flows)"
    ]


def test_a_folder_that_is_not_there_is_named_as_it_was_given(tmp_path: Path) -> None:
    edited(tmp_path)
    (told,) = read_book(Path("/no-such-flows"), tmp_path / "prompts").findings
    assert str(told) == (
        "/no-such-flows/book.yaml:1:1: error F001: there is no book"
        " (IVR_FLOWS names the folder of flows)"
    )


def test_what_is_passed_over_is_a_warning(tmp_path: Path) -> None:
    edited(tmp_path)
    for name in ("flows/data", "flows/old", "flows/.git", "prompts/en-GB/recordings"):
        (tmp_path / name).mkdir()
    for name in ("flows/more.yml", "flows/README.md", "prompts/en-GB/more.YAML"):
        (tmp_path / name).touch()
    assert findings(tmp_path) == [
        "flows/more.yml:1:1: warning F019: this is not read (name it more.yaml)",
        "flows/old:1:1: warning F019: this folder is not read (move its files, or delete it)",
        "prompts/en-GB/more.YAML:1:1: warning F019: this is not read (name it more.yaml)",
        "prompts/en-GB/recordings:1:1: warning F019: this folder is not read"
        " (move its files, or delete it)",
    ]


def test_what_should_have_been_read_again_is_told_on_the_day_after(tmp_path: Path) -> None:
    """A whole file once, at its line; a prompt that has a day of its own, at the prompt."""
    own = "type-card: {text: Type the number on your card., review_by: 2026-12-31}"
    edited(
        tmp_path,
        ("prompts/en-GB/card.yaml", "type-card: Type the number on your card.", own),
        ("prompts/en-GB/hello.yaml", "2027-05-31", "2026-11-30"),
    )

    def told(today: date | None) -> list[str]:
        reading = read_book(tmp_path / "flows", tmp_path / "prompts", today)
        assert reading.loaded is not None
        return [str(finding).split(" (")[0] for finding in reading.findings]

    hello = (
        'prompts/en-GB/hello.yaml:1:12: warning F024: "hello" was to be read again by 2026-11-30'
    )
    card = (
        'prompts/en-GB/card.yaml:8:3: warning F024: "card/type-card" was to be read again by'
        " 2026-12-31"
    )
    assert told(None) == told(date(2026, 11, 30)) == []
    assert told(date(2026, 12, 1)) == [hello]
    assert told(date(2027, 1, 1)) == [card, hello]


def test_without_prompts_there_is_one_mistake(tmp_path: Path) -> None:
    edited(tmp_path)
    for path in (tmp_path / "prompts" / "en-GB").iterdir():
        path.unlink()
    assert findings(tmp_path) == [
        "prompts/en-GB:1:1: error F001: there are no prompt files here"
        " (IVR_PROMPTS names the folder of prompts)"
    ]


def test_a_broken_book_is_refused_with_every_mistake_in_the_message(tmp_path: Path) -> None:
    told = edited(
        tmp_path,
        ("flows/hello.yaml", "go: rules}", "go: rulse}"),
        ("flows/hello.yaml", "wait: 15", "wait: soon"),
    )
    with pytest.raises(BookError) as refused:
        load_book(tmp_path / "flows", tmp_path / "prompts")
    assert str(refused.value).splitlines() == told


def test_a_warning_does_not_keep_a_book_from_being_served(tmp_path: Path) -> None:
    edited(tmp_path, ("prompts/en-GB/card.yaml", "  stop:", "  halt: Stop here\n  stop:"))
    reading = read_book(tmp_path / "flows", tmp_path / "prompts")
    assert [finding.severity for finding in reading.findings] == ["warning"]
    assert reading.loaded is not None


def test_a_finding_is_data_for_other_programs_too(tmp_path: Path) -> None:
    edited(tmp_path, ("flows/hello.yaml", "go: rules}", "go: rulse}"))
    (finding,) = read_book(tmp_path / "flows", tmp_path / "prompts").findings
    assert finding.as_dict() == {
        "file": "flows/hello.yaml",
        "line": 11,
        "column": 29,
        "severity": "error",
        "code": "F003",
        "message": 'unknown step "rulse"',
        "remedy": 'did you mean "rules"?',
    }


def test_a_book_is_known_by_a_digest_of_its_files(tmp_path: Path) -> None:
    edited(tmp_path)
    flows, prompts = tmp_path / "flows", tmp_path / "prompts"
    first = load_book(flows, prompts).book.digest
    assert load_book(flows, prompts).book.digest == first
    edited(tmp_path, ("prompts/en-GB/card.yaml", "First, your card.", "Your card, first."))
    assert load_book(flows, prompts).book.digest != first


# --- whatever is in the files --------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32), edits=st.integers(1, 6))
def test_no_mangled_book_makes_the_loader_raise(
    seed: int, edits: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Lines of the real book are lost, doubled, moved and cut: either it is still a good book, or
    every error has a place, a code and words."""
    folder = mangled(tmp_path_factory.getbasetemp() / "mangled", random.Random(seed), edits)
    with unwatched():
        reading = read_book(folder / "flows", folder / "prompts")
    errors = [finding for finding in reading.findings if finding.severity == "error"]
    assert (reading.loaded is None) == bool(errors)
    for finding in reading.findings:
        assert finding.file.startswith(("flows/", "prompts/en-GB"))
        assert finding.line >= 1
        assert finding.column >= 1
        assert finding.code[0] == "F"
        assert finding.message
        assert finding.remedy
    if reading.loaded:  # then a call can be made, whatever was meant by it
        caller = Caller(reading.loaded.book)
        caller.press(*random.Random(seed).choices("0123456789*#-", k=30))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    file=st.sampled_from(["flows/book.yaml", "flows/card.yaml", "prompts/en-GB/card.yaml"]),
    text=st.text(st.characters(codec="utf-8"), max_size=200),
)
def test_no_text_at_all_makes_the_loader_raise(
    file: str, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with unwatched():
        assert edited(tmp_path_factory.getbasetemp() / "any", (file, None, text))
