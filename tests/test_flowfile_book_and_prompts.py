"""Mistakes in the book, in prompts and in the lexicon are told with place and remedy.

Each case makes one mistake in the sample book. The findings are compared as a whole, so that no
mistake draws others after it that the editor did not make.
"""

from pathlib import Path

import pytest
from books import edited

# What is edited: the file, and in it this into that. What is told then.
MISTAKES = {
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
                " trouble, silence, wrong_key, facts, closing, services, texts, numbers, wait,"
                " entry_wait, read_wait)"
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
