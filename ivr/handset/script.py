"""A call played from tokens, such as ``1 2 #``, and what was heard in each turn.

-              silence until the line stops waiting
1  *  #        a key
07700900123    typed in one go; keys beyond what the step takes are lost
"Devon"        spoken
@busy          how a call that was put through ended: @busy @no-answer @completed @refused
               (where the line asks whoever answers to press 1: they do, or with @refused do not)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ivr.errors import UsageError
from ivr.handset.phone import Moment, Phone
from ivr.handset.verbs import Dial, Gather

SILENCE = "-"
RUNG = {  # Twilio's DialCallStatus for each
    "@busy": "busy",
    "@no-answer": "no-answer",
    "@completed": "completed",
    "@refused": "failed",
}
FITS = 'a key (0 to 9, *, #), several in one go, - for silence, "words" for speech, or ' + " ".join(
    RUNG
)
TOKEN = re.compile(r'"[^"]*"(?=\s|$)|\S+')

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
KEY_WORDS = {word: str(digit) for digit, word in enumerate(DIGITS)} | {"star": "*", "hash": "#"}
# "Press one", but not "press one key for each letter", "press one or two digits", "press the one
# that fits": there the number counts.
THINGS = "keys?|buttons?|letters?|digits?|numbers?|times?|more|of|by|at a"
OFFER = re.compile(
    rf"\bpress,? (?P<the>the )?(?P<key>{'|'.join(KEY_WORDS)}|[0-9*#])(?![\w*#])"
    rf"(?! (?:that|which|you)\b)(?P<counted> (?:(?:or|to) \w+ )?(?:{THINGS})\b)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller did, and what the line answered."""

    heard: str | None  # the token as written; None: the call came in
    said: tuple[str, ...]  # line by line
    keys: tuple[str, ...]  # the keys that those words offer while the line takes keys
    digits: int | None  # how many keys the line takes now; 0: none, None: any number
    wait_s: int  # seconds that it waits for them
    ended: str | None = None  # "hangup", or "script" when the tokens ran out
    rings: tuple[str, ...] = ()  # the numbers being rung
    whispered: tuple[str, ...] = ()  # what whoever was rung heard before the caller was joined
    listens: bool = False  # whether words are heard too, while the line takes keys

    def record(self) -> dict[str, Any]:
        """The turn as `ivr call --json` gives it."""
        return {
            "heard": self.heard,
            "said": list(self.said),
            "keys": list(self.keys),
            "digits": self.digits,
            "wait_s": self.wait_s,
            "ended": self.ended,
        }


@dataclass(frozen=True, slots=True)
class Script:
    """A call that was played: its turns, and the tokens left when the line closed."""

    turns: tuple[Turn, ...]
    remaining: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """The turns as `ivr call --json` gives them."""
        return [turn.record() for turn in self.turns]


def parse(script: str) -> tuple[str, ...]:
    """The tokens of a script; `UsageError` names the first that no caller could do."""
    tokens = tuple(TOKEN.findall(script))
    for token in tokens:
        if not re.fullmatch(r'-|[0-9*#]+|"[^"]*"', token) and token not in RUNG:
            raise UsageError(f"{token} is nothing that a caller can do. Give {FITS}.")
    return tokens


async def scripted(phone: Phone, tokens: Sequence[str]) -> Script:
    """Ring, and play the tokens (see `parse`) until they or the call end. Waiting takes no time.

    `UsageError` if a token does not fit what the line is doing.
    """
    turns = [_turn(None, await phone.dial())]
    rest = list(tokens)
    while rest and phone.waits:
        token = rest.pop(0)
        turns.append(_turn(token, await _act(phone, token)))
    turns[-1] = replace(turns[-1], ended="script" if phone.waits else "hangup")
    return Script(tuple(turns), tuple(rest))


def offered(said: Sequence[str]) -> tuple[str, ...]:
    """The keys that these words offer ("press 1", "press the star key"), in order, each once."""
    found = (match for line in said for match in OFFER.finditer(line))
    keys = (match["key"].lower() for match in found if match["the"] or not match["counted"])
    return tuple(dict.fromkeys(KEY_WORDS.get(key, key) for key in keys))


async def _act(phone: Phone, token: str) -> Moment:
    ringing = isinstance(phone.waits, Dial)
    if ringing and token != SILENCE and token not in RUNG:
        answers = " ".join(RUNG)
        raise UsageError(f"{token} does not fit: a phone is ringing. Give one of {answers} or -.")
    if token in RUNG and not ringing:
        raise UsageError(f"{token} does not fit: no phone is ringing at this point of the call.")
    if token in RUNG:
        return await phone.dial_result(RUNG[token])
    if token == SILENCE:
        return await phone.silence()
    if token.startswith('"'):
        return await phone.say(token.strip('"'))
    return await phone.press(token)


def _turn(token: str | None, moment: Moment) -> Turn:
    turn = Turn(token, moment.said, (), 0, 0, whispered=moment.whispered)
    match moment.waits:
        case Gather() as gather if "dtmf" in gather.takes:
            return replace(
                turn,
                keys=offered(moment.said),
                digits=gather.num_digits,
                wait_s=gather.timeout,
                listens="speech" in gather.takes,
            )
        case Gather(timeout=timeout):
            return replace(turn, wait_s=timeout)
        case Dial(numbers):
            return replace(turn, rings=numbers)
    return turn
