"""A played call as a page that anybody can read; the golden conversations are kept in this form."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from ivr.handset.script import SILENCE, Turn

WIDTH = 88
MARGIN = 10  # room for who speaks

ENDINGS = {
    "@busy": "is engaged",
    "@no-answer": "does not answer",
    "@completed": "answers; they talk, and ring off",
    "@refused": "does not take the call",
}
ANSWERED = {
    "@completed": "presses 1; they talk, and ring off",
    "@refused": "presses nothing",
}
KEY_NAMES = {"*": "star", "#": "hash"}


def transcript(turns: Sequence[Turn]) -> str:
    """Who said and pressed what, in order. The last line says how it ended."""
    return "\n\n".join("\n".join(_told(turn)) for turn in turns) + "\n"


def _told(turn: Turn) -> Iterator[str]:
    if turn.heard is not None:
        yield from _speech(*_deed(turn.heard, turn.whispered))
        yield ""
    notes = [f"({note})" for note in _notes(turn)]
    yield from _speech("HELPLINE", [*turn.said, *notes])


def _speech(who: str, lines: Iterable[str]) -> Iterator[str]:
    """Who speaks, then their lines; a line too long for the page goes on further in."""
    for number, line in enumerate(lines):
        first = (who if number == 0 else "").ljust(MARGIN)
        yield from wrap(
            line,
            WIDTH,
            initial_indent=first,
            subsequent_indent=" " * (MARGIN + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _deed(token: str, whispered: Sequence[str]) -> tuple[str, list[str]]:
    """Whose turn it was, and what they did."""
    if whispered:
        heard = " ".join(dict.fromkeys(whispered))
        return "CALLED", [f"answers, and hears: {heard}", ANSWERED[token]]
    if token in ENDINGS:
        return "CALLED", [ENDINGS[token]]
    if token == SILENCE:
        return "CALLER", ["waits"]
    if token.startswith('"'):
        return "CALLER", [f"says {token}"]
    if len(token) == 1:
        return "CALLER", [f"presses {KEY_NAMES.get(token, token)}"]
    return "CALLER", [f"types {token}"]


def _notes(turn: Turn) -> Iterator[str]:
    """What the line does besides speaking."""
    if turn.rings:
        yield f"rings {' and '.join(turn.rings)}"
    elif turn.wait_s:
        yield f"waits {turn.wait_s} seconds for {_awaited(turn)}"
    if turn.ended == "hangup":
        yield "the line closes"
    elif turn.ended == "script":
        yield "the script ends here"


def _awaited(turn: Turn) -> str:
    either = "words, or " if turn.listens else ""
    if turn.digits is None:
        return f"{either}keys"
    return either + {0: "words", 1: "a key"}.get(turn.digits, f"up to {turn.digits} keys")
