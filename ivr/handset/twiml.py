"""TwiML -> verbs, as strict as a helpline needs.

Twilio overlooks some mistakes (a misspelt attribute) and drops the call on others (a misspelt
verb). Here each is an error that names the verb and its place, because we never mean to send one.
An attribute that Twilio knows is unknown here too if this handset would have to act on it and does
not.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree

from ivr.core.saying import Line, Pause, Phrase, Piece, Words
from ivr.handset.verbs import (
    Dial,
    Gather,
    HandsetError,
    Hangup,
    Leg,
    Play,
    Record,
    Redirect,
    Say,
    Spoken,
    Verb,
)

MAX_BYTES = 64 * 1024  # a document (Twilio's error 11750)
MAX_SAY = 3000  # characters: the smallest limit among Twilio's voices (its error 13521)
MAX_HINTS, MAX_HINT = 500, 100  # names to expect, and the characters of each (its error 13330)
TONGUE = re.compile(r"[a-z]{2,3}-[A-Za-z0-9-]+")  # "en" alone is no language to listen in (13331)

ATTRIBUTES = {
    "Response": "",
    "Say": "voice language",
    "Play": "",
    "Pause": "length",
    "Gather": "action method input numDigits finishOnKey timeout actionOnEmptyResult"
    " language hints speechTimeout speechModel maxSpeechTime profanityFilter",
    "Redirect": "method",
    "Hangup": "",
    "Dial": "action method timeout timeLimit callerId answerOnBridge",
    "Number": "url method statusCallback statusCallbackMethod statusCallbackEvent",
    "Record": "action method timeout finishOnKey maxLength playBeep trim",
    # SSML: words inside a Say
    "break": "time",
    "prosody": "rate pitch volume",
    "say-as": "interpret-as",
    "sub": "alias",
    "p": "",
    "s": "",
}
SSML = frozenset({"break", "prosody", "say-as", "sub", "p", "s"})
APART = {"p": " ", "s": " "}  # what stands between a paragraph or sentence and what follows it
EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})  # of a Number's leg
BREAK_UNITS = {"ms": 0.001, "s": 1.0}  # in this order, for "500ms" ends in both


def read(document: bytes, url: str) -> tuple[Verb, ...]:
    """The verbs of a document fetched from ``url``; `HandsetError` if it is not as it should."""
    if len(document) > MAX_BYTES:
        raise HandsetError(f"{url}: a document of {len(document):,} bytes; 65,536 is the limit")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - short, and expat stops entity bombs
    except ElementTree.ParseError as error:
        raise HandsetError(f"{url}: this is not XML ({error})") from error
    response = _Tag(root, f"{url}: <{root.tag}>", url)
    if root.tag != "Response":
        raise response.wrong("TwiML is a <Response>")
    return tuple(_verb(tag) for tag in response.children())


@dataclass(frozen=True, slots=True)
class _Tag:
    """An element that knows its place: typed attributes, and errors that say where."""

    xml: ElementTree.Element
    place: str
    document: str  # its address

    def __post_init__(self) -> None:
        known = ATTRIBUTES.get(self.xml.tag)
        if known is None:
            raise self.wrong("there is no such verb")
        for attribute in self.xml.attrib:
            if attribute not in known.split():
                raise self.wrong(f"has no attribute {attribute}")

    def wrong(self, why: str) -> HandsetError:
        return HandsetError(f"{self.place}: {why}")

    def children(self) -> Iterator["_Tag"]:
        """The elements inside; loose words between them are an error."""
        between = [self.xml.text, *(child.tail for child in self.xml)]
        if stray := "".join(text or "" for text in between).strip():
            raise self.wrong(f"loose words: {stray!r}")
        for number, child in enumerate(self.xml, 1):
            yield _Tag(child, f"{self.place} {number}: <{child.tag}>", self.document)

    def words(self) -> str:
        """The text of an element that holds nothing else."""
        if len(self.xml):
            raise self.wrong(f"<{self.xml[0].tag}> cannot stand in here")
        return (self.xml.text or "").strip()

    def bare(self) -> None:
        """Make sure that nothing stands in an element that never holds anything."""
        if words := self.words():
            raise self.wrong(f"loose words: {words!r}")

    def required(self) -> str:
        if words := self.words():
            return words
        raise self.wrong("is empty")

    def address(self, reference: str) -> str:
        return urljoin(self.document, reference)

    def one_of(self, attribute: str, allowed: tuple[str, ...]) -> str:
        """The attribute's value; the first of those allowed is the default."""
        value = self.xml.get(attribute, allowed[0])
        if value not in allowed:
            raise self.wrong(f'{attribute}="{value}" is none of {", ".join(allowed)}')
        return value

    def method(self) -> str:
        return self.one_of("method", ("POST", "GET"))

    def whole(self, attribute: str, default: int, least: int = 1) -> int:
        """A whole number."""
        value = self.xml.get(attribute, str(default))
        if not (value.isascii() and value.isdigit() and int(value) >= least):
            raise self.wrong(f'{attribute}="{value}" is not a whole number from {least} up')
        return int(value)

    def keys(self, attribute: str, default: str) -> str:
        value = self.xml.get(attribute, default)
        if set(value) - set("0123456789*#"):
            raise self.wrong(f'{attribute}="{value}" is not made of keys')
        return value


def _verb(tag: _Tag) -> Verb:
    reader = VERBS.get(tag.xml.tag) or SPOKEN.get(tag.xml.tag)
    if reader is None:
        raise tag.wrong("cannot stand here")
    return reader(tag)


def _spoken(tag: _Tag) -> Spoken:
    reader = SPOKEN.get(tag.xml.tag)
    if reader is None:
        raise tag.wrong("cannot stand in a <Gather>; only Say, Play and Pause can")
    return reader(tag)


def _say(tag: _Tag) -> Say:
    pieces: list[Piece] = []
    words = ""
    for part in _ssml(tag):
        if isinstance(part, Pause):
            pieces += [*_words(words), part]
            words = ""
        else:
            words += part
    pieces += _words(words)
    if not pieces:
        raise tag.wrong("is empty")
    length = sum(len(piece.text) for piece in pieces if isinstance(piece, Words))
    if length > MAX_SAY:
        raise tag.wrong(f"{length:,} characters; {MAX_SAY:,} is the limit")
    return Say(Line((Phrase(tuple(pieces)),)))


def _words(text: str) -> list[Words]:
    joined = " ".join(text.split())
    return [Words(joined)] if joined else []


def _ssml(tag: _Tag) -> Iterator[str | Pause]:
    """The words and breaks of a Say, in order; how the words are said is not for the eye."""
    yield tag.xml.text or ""
    for number, child in enumerate(tag.xml, 1):
        inner = _Tag(child, f"{tag.place} {number}: <{child.tag}>", tag.document)
        if child.tag not in SSML:
            raise inner.wrong("cannot stand in a <Say>")
        if child.tag == "break":
            yield _break(inner)
        yield from _ssml(inner)
        yield APART.get(child.tag, "") + (child.tail or "")


def _break(tag: _Tag) -> Pause:
    tag.bare()
    time = tag.xml.get("time", "")
    for unit, seconds in BREAK_UNITS.items():
        number = time.removesuffix(unit)
        if number != time and re.fullmatch(r"[0-9]*\.?[0-9]+", number):
            return Pause(float(number) * seconds)
    raise tag.wrong(f'time="{time}" is not a time such as 500ms or 1s')


def _play(tag: _Tag) -> Play:
    return Play(tag.address(tag.required()))


def _pause(tag: _Tag) -> Pause:
    tag.bare()
    return Pause(tag.whole("length", 1))


def _gather(tag: _Tag) -> Gather:
    finish = tag.keys("finishOnKey", "#")
    if len(finish) > 1:
        raise tag.wrong(f'finishOnKey="{finish}" is more than one key')
    takes = tag.one_of("input", ("dtmf", "speech", "dtmf speech", "speech dtmf"))
    _listening(tag)
    return Gather(
        action=tag.address(tag.xml.get("action", "")),
        spoken=tuple(_spoken(child) for child in tag.children()),
        method=tag.method(),
        takes=frozenset(takes.split()),
        num_digits=tag.whole("numDigits", 1) if "numDigits" in tag.xml.attrib else None,
        finish_on_key=finish,
        timeout=tag.whole("timeout", 5),
        action_on_empty_result=tag.one_of("actionOnEmptyResult", ("false", "true")) == "true",
    )


def _listening(tag: _Tag) -> None:
    """How a Gather listens for words: here nothing is heard wrongly, but mistakes are told."""
    hints = [hint.strip() for hint in tag.xml.get("hints", "").split(",")]
    if len(hints) > MAX_HINTS or max(map(len, hints)) > MAX_HINT:
        raise tag.wrong(f"more than {MAX_HINTS} hints, or one of more than {MAX_HINT} characters")
    language = tag.xml.get("language", "en-US")
    if not TONGUE.fullmatch(language):
        raise tag.wrong(f'language="{language}" is none; write it like en-GB')
    if "speechModel" in tag.xml.attrib or tag.xml.get("speechTimeout", "auto") != "auto":
        tag.whole("speechTimeout", 0)  # with a model it must be given (its error 13335)
    tag.one_of("profanityFilter", ("true", "false"))


def _redirect(tag: _Tag) -> Redirect:
    return Redirect(tag.address(tag.words()), tag.method())


def _hangup(tag: _Tag) -> Hangup:
    tag.bare()
    return Hangup()


def _dial(tag: _Tag) -> Dial:
    plain = not len(tag.xml)
    called = [] if plain else list(tag.children())
    numbers = [tag.required()] if plain else [_called(child) for child in called]
    action = tag.xml.get("action", "")
    return Dial(
        numbers=tuple(numbers),
        action=tag.address(action) if action else "",
        method=tag.method(),
        timeout=tag.whole("timeout", 30),
        leg=_leg(called[0]) if called else Leg(),
    )


def _leg(tag: _Tag) -> Leg:
    """Both addresses are asked for by POST here."""
    for attribute in ("method", "statusCallbackMethod"):
        tag.one_of(attribute, ("POST",))
    url, status = tag.xml.get("url", ""), tag.xml.get("statusCallback", "")
    events = frozenset(tag.xml.get("statusCallbackEvent", "completed").split())
    if unknown := sorted(events - EVENTS):
        raise tag.wrong(f'statusCallbackEvent="{" ".join(unknown)}" is no event')
    return Leg(
        url=tag.address(url) if url else "",
        status_callback=tag.address(status) if status else "",
        events=events,
    )


def _called(tag: _Tag) -> str:
    if tag.xml.tag != "Number":
        raise tag.wrong("cannot stand in a <Dial>; only Number can")
    return tag.required()


def _record(tag: _Tag) -> Record:
    tag.bare()
    return Record(
        action=tag.address(tag.xml.get("action", "")),
        method=tag.method(),
        timeout=tag.whole("timeout", 5),
        finish_on_key=tag.keys("finishOnKey", "1234567890*#"),
    )


SPOKEN: Mapping[str, Callable[[_Tag], Spoken]] = {"Say": _say, "Play": _play, "Pause": _pause}
VERBS: Mapping[str, Callable[[_Tag], Verb]] = {
    "Gather": _gather,
    "Redirect": _redirect,
    "Hangup": _hangup,
    "Dial": _dial,
    "Record": _record,
}
