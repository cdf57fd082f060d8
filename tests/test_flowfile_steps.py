"""Steps of a flow: their kinds, fields, values, conditions and ways on.

Each case makes one mistake in the sample book. The findings are compared as a whole, so that no
mistake draws others after it that the editor did not make.
"""

from pathlib import Path

import pytest
from books import edited

# What is edited: the file, and in it this into that. What is told then.
MISTAKES = {
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
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_remedy(mistake: str, tmp_path: Path) -> None:
    file, old, new, told = MISTAKES[mistake]
    assert edited(tmp_path, (file, old, new)) == told
