"""What we say, as TwiML. Nothing else in the house writes TwiML but the fixed last resort.

Every document ends in a wait for a key, a connection or a hang-up: nothing falls off the end. Every
``<Gather>`` sets ``numDigits``, ``finishOnKey`` (its default, hash, is a choice of ours) and
``actionOnEmptyResult``, and a ``<Redirect>`` stands behind it all the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from ivr.core.call import Dial, HangUp, Listen, Said
from ivr.core.saying import Line, Pause, Words

VOICE = "Polly.Amy-Neural"  # one consistent British voice
LANGUAGE = "en-GB"
SLOW_RATE = "85%"
SLOW_PAUSES = 2
DIAL_SECONDS = 30
RING_SECONDS = 15  # for each of our own people, who are rung one after another
DIAL_LIMIT = 3600  # seconds: a connection is ended after an hour
PAUSE_IN_SPEECH = 2  # seconds of quiet that end what a caller says: time to think of the name

KEYS_ALONE = 'input="dtmf"'  # what a Gather takes

# What XML 1.0 forbids in any form: one such character, and the caller would hear nothing at all.
FORBIDDEN = re.compile(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")

Clip = Callable[[Line, bool], str]  # the address of a line's clip at a pace, or "" to <Say> it
Lexicon = Mapping[str, str]  # terms and how Twilio's voice should say them
Hints = Mapping[str, Callable[[], Sequence[str]]]  # what is likely to be spoken, by its fact


@dataclass(frozen=True, slots=True)
class Leg:
    """How somebody of ours is rung: the number that they see, and the addresses of that leg."""

    caller_id: str
    whisper: str
    status: str


class Writer:
    """Writes TwiML with the addresses, the clips and the lexicon of this helpline."""

    def __init__(
        self,
        voice_path: str,
        lexicon: Lexicon,
        caller_id: str = "",
        hints: Hints | None = None,
    ) -> None:
        self._path, self._lexicon, self._caller_id = voice_path, lexicon, caller_id
        self._hints = hints or {}

    def write(self, said: Said, lines: tuple[Line, ...], held: int, sealed: str, clip: Clip) -> str:
        """The whole document for one turn."""
        speech = [self._speak(line, said.slow, clip) for line in lines]
        action = f"{self._path}/{sealed}"
        match said.then:
            case Listen() as listen:
                taken = self._taken(listen.spoken, said.slow) if listen.spoken else KEYS_ALONE
                gather = _gather(action, listen, taken, "".join(speech[held:]))
                body = "".join(speech[:held]) + gather + redirect(action)
            case Dial(number):
                body = "".join(speech) + self._dial(number, action)
            case HangUp():
                body = "".join(speech) + "<Hangup/>"
            case _:  # a service that was never asked: say what there is, and come back
                body = "".join(speech) + redirect(f"{self._path}/{sealed}?again=1")
        return document(body)

    def ring(
        self, said: Said, lines: tuple[Line, ...], sealed: str, clip: Clip, leg: Leg | None
    ) -> str:
        """The whole document for a turn that rings somebody of ours. Without a leg nobody is rung:
        the call goes on as if that had failed."""
        speech = "".join(self._speak(line, said.slow, clip) for line in lines)
        action = f"{self._path}/{sealed}"
        if leg is None or not isinstance(said.then, Dial):
            return document(speech + redirect(action))
        return document(
            f'{speech}<Dial action={quoteattr(action)} method="POST" timeout="{RING_SECONDS}"'
            f' timeLimit="{DIAL_LIMIT}" callerId={quoteattr(leg.caller_id)} answerOnBridge="true">'
            f"<Number url={quoteattr(leg.whisper)} statusCallback={quoteattr(leg.status)}"
            f' statusCallbackEvent="answered completed">{escape(said.then.number)}</Number></Dial>'
        )

    def _speak(self, line: Line, slow: bool, clip: Clip) -> str:
        address = clip(line, slow)
        return (
            f"<Play>{escape(address)}</Play>" if address else say(ssml(line, slow, self._lexicon))
        )

    def _taken(self, spoken: str, slow: bool) -> str:
        """What a Gather takes that listens for words as well as for keys. Names are not to be
        starred out as if they were bad language."""
        hints = ", ".join(self._hints[spoken]()) if spoken in self._hints else ""
        pause = PAUSE_IN_SPEECH * (SLOW_PAUSES if slow else 1)
        return (
            f'input="dtmf speech" language="{LANGUAGE}" speechTimeout="{pause}"'
            f' profanityFilter="false"{f" hints={quoteattr(hints)}" if hints else ""}'
        )

    def _dial(self, number: str, action: str) -> str:
        caller_id = f" callerId={quoteattr(self._caller_id)}" if self._caller_id else ""
        return (
            f'<Dial action={quoteattr(action)} method="POST" timeout="{DIAL_SECONDS}"'
            f' timeLimit="{DIAL_LIMIT}"{caller_id}><Number>{escape(number)}</Number></Dial>'
        )


def document(body: str) -> str:
    """A TwiML document, without the characters that no XML may hold."""
    allowed = body if body.isascii() and body.isprintable() else FORBIDDEN.sub("", body)
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{allowed}</Response>'


def say(content: str) -> str:
    """A ``<Say>`` in our one voice; ``content`` is SSML or escaped text."""
    return f'<Say voice="{VOICE}" language="{LANGUAGE}">{content}</Say>'


def redirect(address: str) -> str:
    """A ``<Redirect>`` by POST."""
    return f'<Redirect method="POST">{escape(address)}</Redirect>'


def ssml(line: Line, slow: bool, lexicon: Lexicon) -> str:
    """A line for Twilio's voice: pauses as breaks, terms of the lexicon as they are spoken."""
    parts = []
    for piece in line.pieces:
        if isinstance(piece, Pause):
            milliseconds = round(piece.seconds * 1000 * (SLOW_PAUSES if slow else 1))
            parts.append(f'<break time="{milliseconds}ms"/>')
        else:
            parts.append(_words(piece, lexicon))
    spoken = " ".join(parts)
    return f'<prosody rate="{SLOW_RATE}">{spoken}</prosody>' if slow else spoken


@lru_cache
def _terms(lexicon: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(map(re.escape, lexicon), key=len, reverse=True)
    return re.compile(rf"(?<!\w)({'|'.join(longest_first)})(?!\w)")


def _words(piece: Words, lexicon: Lexicon) -> str:
    text = piece.text + piece.mark
    if not lexicon:
        return escape(text)
    plain_and_terms = _terms(tuple(lexicon)).split(text)  # every other one is a term
    return "".join(
        f"<sub alias={quoteattr(lexicon[part])}>{escape(part)}</sub>" if place % 2 else escape(part)
        for place, part in enumerate(plain_and_terms)
    )


def _gather(action: str, listen: Listen, taken: str, content: str) -> str:
    """Wait for keys. In a one-key step star and hash are choices. An entry ends at star: whether
    that arrives as empty digits or falls through to the Redirect, both are heard as silence, which
    leads to the same step."""
    finish = "*" if listen.entry else ""
    return (
        f'<Gather {taken} action={quoteattr(action)} method="POST"'
        f' numDigits="{listen.digits}" timeout="{listen.wait}" finishOnKey="{finish}"'
        f' actionOnEmptyResult="true">{content}</Gather>'
    )
