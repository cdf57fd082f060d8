"""Names in flow and prompt files: misspelt, unknown or written twice, and what is no YAML.

Each case makes one mistake in the sample book. The findings are compared as a whole, so that no
mistake draws others after it that the editor did not make.
"""

from pathlib import Path

import pytest
from books import edited

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
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_remedy(mistake: str, tmp_path: Path) -> None:
    file, old, new, told = MISTAKES[mistake]
    assert edited(tmp_path, (file, old, new)) == told
