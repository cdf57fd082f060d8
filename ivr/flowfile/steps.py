"""One step of a flow file, one method for each kind."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ivr.core.flow import (
    DIAL_OUTCOMES,
    FAILED,
    AskService,
    CallFlow,
    Choose,
    Connect,
    Enter,
    Goodbye,
    Menu,
    Option,
    Place,
    Read,
    Return,
    Speak,
    Step,
    Then,
    Way,
    When,
)
from ivr.flowfile.names import LEAST, Handled, Names, read_handlers, read_silences, read_wait
from ivr.flowfile.settled import Settled
from ivr.yamlfile import Value, Where, did_you_mean

COMMON = ("silence", "wrong_key", "wait", "interrupt")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "menu": ("options", "closing", "again"),
    "read": ("then", "text", "again"),
    "digits": ("into", "length", "valid", "then", "otherwise", "listen", "heard"),
    "letters": ("into", "length", "valid", "then", "otherwise", "listen", "heard"),
    "ask": ("outcomes",),
    "choose": ("into", "then", "closing"),
    "call": ("outcomes",),
    "return": (),
    "connect": ("say", "whisper", "outcomes"),
    "goodbye": (),
    "say": ("then", "set"),
}
NEEDED: Mapping[str, tuple[str, ...]] = {
    "menu": ("options",),
    "read": ("then",),
    "digits": ("into", "length", "then", "otherwise"),
    "letters": ("into", "length", "then", "otherwise"),
    "ask": ("outcomes",),
    "choose": ("into", "then"),
    "call": ("outcomes",),
    "connect": ("outcomes",),
    "say": ("then",),
}
DIGIT_KEYS = "[0-9]+"
LETTER_KEYS = "[2-9]+"


def lengths(pattern: str) -> tuple[int, int]:
    """The lengths of the shortest and the longest text that a regular expression fits."""
    # Only the standard library's own parser knows them; it has no public name.
    shortest, longest = re._parser.parse(pattern).getwidth()  # type: ignore[attr-defined]
    return shortest, longest


class StepReader:
    """Reads the steps of one file, one method for each kind."""

    def __init__(self, names: Names, settled: Settled | None, handlers: Handled) -> None:
        self.names, self.handlers = names, handlers
        self.settled = settled is not None  # if not, what the book file declares is unknown
        self.services = settled.services if settled else {}
        self.closing = settled.frame.closing if settled else ()
        self.parts: dict[tuple[Place, str], Where] = {}  # where "option 2" of a step is written
        self._at: Place = ""  # the step that is being read
        self._kinds: dict[str, Callable[[Place, dict[str, Value]], Step]] = {
            "menu": self._menu,
            "read": self._read,
            "digits": self._enter,
            "letters": self._enter,
            "ask": self._ask,
            "choose": self._choose,
            "call": self._call,
            "return": self._return,
            "connect": self._connect,
            "goodbye": self._goodbye,
            "say": self._speak,
        }

    def read(self, place: Place, value: Value) -> Step | None:
        """The step written here, or None when its kind cannot be told."""
        self._at = place
        written = {key.text(): item for key, item in value.pairs()}
        kind = next((kind for kind in FIELDS if kind in written), "")
        if not kind:
            if value.is_mapping:
                meant = next((near for name in written if (near := did_you_mean(name, FIELDS))), "")
                remedy = meant or f"kinds: {', '.join(FIELDS)}"
                value.error("F006", "this step does nothing", remedy)
            return None
        other = next((k for k in FIELDS if k in written and k not in (kind, *FIELDS[kind])), "")
        if other:
            value.error(
                "F002", f'a step cannot be both "{kind}" and "{other}"', "make it two steps"
            )
            return None
        needed = NEEDED.get(kind, ())
        fields = value.fields((kind, *FIELDS[kind], *COMMON), needed)
        for name, field in fields.items():
            self._note(name, field)
        if any(name not in fields for name in needed):
            return None
        silence = self.handlers.silence | read_silences(fields.get("silence"), self.names)
        wrong_key = self.handlers.wrong_key | read_handlers(fields.get("wrong_key"), self.names)
        return replace(
            self._kinds[kind](place, fields),
            silence=silence,
            wrong_key=wrong_key,
            wait=read_wait(fields["wait"], LEAST.get(kind, 1)) if "wait" in fields else None,
            interrupt=fields["interrupt"].flag() if "interrupt" in fields else True,
        )

    def _note(self, part: str, value: Value) -> None:
        """Keep where a part of the step is written, so that a flaw in it can be told there."""
        self.parts.setdefault((self._at, part), value.where)

    def _menu(self, place: Place, fields: dict[str, Value]) -> Step:
        again = fields["again"].text() if "again" in fields else "step"
        if again not in ("step", "answer"):
            fields["again"].error("F007", f'"{again}" cannot be repeated', "step or answer")
        options = [self._option(key, value) for key, value in fields["options"].pairs()]
        return Menu(
            place,
            say=self.names.prompts(fields["menu"]),
            options=tuple(options),
            closing=self.names.prompts(fields["closing"]) if "closing" in fields else self.closing,
            again=again,
        )

    def _option(self, key: Value, value: Value) -> Option:
        self._note(f"option {key.text()}", key)
        fields = value.fields(("label", "go", "set", "when"), needed=("label", "go"))
        return Option(
            key=key.text(),
            label=self.names.prompt(fields["label"]) if "label" in fields else "",
            then=self._then(fields.get("go")),
            when=self._when(fields.get("when")),
            sets=_sets(fields.get("set")),
        )

    def _read(self, place: Place, fields: dict[str, Value]) -> Step:
        parts = self.names.prompts(fields["read"])
        if not parts:
            fields["read"].error("F006", "there is nothing to read here", "name its prompts")
        return Read(
            place,
            parts=parts,
            then=self._then(fields["then"]),
            text=self.names.prompt(fields["text"]) if "text" in fields else "",
            again=self.names.step(fields["again"]) if "again" in fields else "",
        )

    def _enter(self, place: Place, fields: dict[str, Value]) -> Step:
        letters = "letters" in fields
        length = fields["length"].number()
        for name, other in (("listen", "heard"), ("heard", "listen")):
            if name in fields and other not in fields:
                fields[name].error("F006", f'"{name}" needs "{other}" beside it', f"add `{other}:`")
        return Enter(
            place,
            say=self.names.prompts(fields["letters" if letters else "digits"]),
            into=fields["into"].text(),
            length=length,
            valid=self._pattern(
                fields.get("valid"),
                LETTER_KEYS if letters else DIGIT_KEYS,
                length if fields["length"].text() == str(length) else None,
            ),
            letters=letters,
            then=self._then(fields["then"]),
            otherwise=self.names.step(fields["otherwise"]),
            listen=fields["listen"].text() if "listen" in fields else "",
            heard=self._then(fields.get("heard")),
        )

    def _pattern(self, value: Value | None, usual: str, length: int | None) -> str:
        """A regular expression for a whole entry, whose longest has this length."""
        pattern = value.text() if value else usual
        try:
            re.compile(pattern)
            shortest, longest = lengths(pattern)
        except (re.error, OverflowError, RecursionError) as fault:
            if value:
                value.error("F007", f'"{pattern}" is not a regular expression', str(fault))
            return pattern
        if value and length and not shortest <= length <= longest:
            what, much = ("shortest", shortest) if length < shortest else ("longest", longest)
            message = f"the {what} valid entry has {much} keys, but the length is {length}"
            value.error("F022", message, "let the length be that of the longest valid entry")
        return pattern

    def _ask(self, place: Place, fields: dict[str, Value]) -> Step:
        name = fields["ask"].text()
        service = self.services.get(name)
        if service is None and self.settled:
            remedy = did_you_mean(name, self.services) or "declare it in the book file"
            fields["ask"].error("F008", f'unknown service "{name}"', remedy)
        expected = (*service.outcomes, FAILED) if service and service.outcomes else None
        outcomes = self._outcomes(fields["outcomes"], expected)
        needs = service.needs if service else ()
        return AskService(place, service=name, needs=needs, outcomes=outcomes)

    def _choose(self, place: Place, fields: dict[str, Value]) -> Step:
        return Choose(
            place,
            say=self.names.prompts(fields["choose"]),
            into=fields["into"].text(),
            then=self._then(fields["then"]),
            closing=self.names.prompts(fields["closing"]) if "closing" in fields else self.closing,
        )

    def _call(self, place: Place, fields: dict[str, Value]) -> Step:
        outcomes = self._outcomes(fields["outcomes"], None)
        return CallFlow(place, flow=self.names.flow(fields["call"]), outcomes=outcomes)

    def _return(self, place: Place, fields: dict[str, Value]) -> Step:
        return Return(place, outcome=fields["return"].text())

    def _connect(self, place: Place, fields: dict[str, Value]) -> Step:
        return Connect(
            place,
            say=self.names.prompts(fields.get("say")),
            number=fields["connect"].text(),
            whisper=fields["whisper"].text() if "whisper" in fields else "",
            outcomes=self._outcomes(fields["outcomes"], DIAL_OUTCOMES),
        )

    def _goodbye(self, place: Place, fields: dict[str, Value]) -> Step:
        return Goodbye(place, say=self.names.prompts(fields["goodbye"]))

    def _speak(self, place: Place, fields: dict[str, Value]) -> Step:
        say = self.names.prompts(fields["say"])
        then = self._then(fields["then"])
        return Speak(place, say=say, then=then, sets=_sets(fields.get("set")))

    def _outcomes(self, value: Value, expected: Sequence[str] | None) -> dict[str, Then]:
        """Branches by outcome. ``expected`` None means that the sub-flow's returns decide."""
        branches: dict[str, Then] = {}
        for key, way in value.pairs():
            name = key.text()
            self._note(f"outcome {name}", key)
            if expected is not None and name not in expected:
                remedy = did_you_mean(name, expected) or f"outcomes: {', '.join(expected)}"
                key.error("F009", f'"{name}" is not an outcome here', remedy)
            branches[name] = self._then(way)
        for name in expected or ():
            if name not in branches and name != FAILED:  # the book says where a failure leads
                value.error("F009", f'the outcome "{name}" has no branch', f"add `{name}: <step>`")
        return branches

    def _then(self, value: Value | None) -> Then:
        """Where to go on: a step, or a list of ways of which the last has no condition."""
        if value is None:
            return ()
        if not value.is_list:
            return (Way(self.names.step(value)),)
        ways = []
        for item in value.list():
            fields = item.fields(("when", "go"), needed=("go",))
            if "go" in fields:
                ways.append(Way(self.names.step(fields["go"]), self._when(fields.get("when"))))
        if not ways or ways[-1].when is not None:
            value.error("F009", "no way on when no condition holds", "end with `- {go: <step>}`")
        return tuple(ways)

    def _when(self, value: Value | None) -> When | None:
        """A condition: ``fact`` or ``not fact``."""
        if value is None:
            return None
        words = value.text().split()
        if words:
            self._note(f"when {words[-1]}", value)
        if len(words) == 2 and words[0] == "not":
            return When(words[1], negated=True)
        if len(words) == 1:
            return When(words[0])
        message = f'"{value.text()}" is not a condition'
        value.error("F007", message, "write `fact` or `not fact`", loses=True)
        return None


def _sets(value: Value | None) -> dict[str, str]:
    """The facts that are set here; an empty text clears one."""
    return {name.text(): fact.text() for name, fact in value.pairs()} if value else {}
