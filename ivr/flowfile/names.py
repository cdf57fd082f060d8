"""References in flow files: what a name means in its file, and what a handler says."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ivr.core.flow import Handler, Place, Prompt
from ivr.core.graph import flow_of
from ivr.yamlfile import Value, did_you_mean

HAPPENINGS = ("again", "go", "goodbye")  # what a handler can do beside saying something
KEY_SECONDS, ENTRY_SECONDS = 10, 20  # the least that one key, and a typed entry, are waited for
LEAST = {  # by the kind of step; after a part of an answer silence carries on
    "menu": KEY_SECONDS,
    "choose": KEY_SECONDS,
    "digits": ENTRY_SECONDS,
    "letters": ENTRY_SECONDS,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What can be named: every step, flow and prompt. Of a file that cannot be read nobody knows
    what it holds, so that whatever is named in it is taken on trust."""

    steps: Collection[Place]
    flows: Collection[str]
    prompts: Mapping[str, Prompt]
    unread_flows: Collection[str] = ()
    unread_prompts: Collection[str] = ()


class Names:
    """The names that a file may use, and the reporting of those that it may not."""

    def __init__(self, stem: str, known: Known) -> None:
        self.stem, self.known = stem, known

    def step(self, value: Value) -> Place:
        """The place that a reference means."""
        name = value.text()
        place = name if "/" in name else f"{self.stem}/{name}"
        if place not in self.known.steps and flow_of(place) not in self.known.unread_flows:
            remedy = self._near(name, self.known.steps) or "name a step here, or as flow/step"
            value.error("F003", f'unknown step "{name}"', remedy)
        return place

    def prompt(self, value: Value) -> str:
        """The id of the prompt that a reference means."""
        name = value.text()
        prompt = name if "/" in name else f"{self.stem}/{name}"
        file = prompt.split("/")[0]
        trusted = file in self.known.unread_prompts or not self.known.prompts
        if prompt not in self.known.prompts and not trusted:
            near = self._near(name, self.known.prompts)
            remedy = near or f"write it into the prompt file {file}.yaml"
            value.error("F005", f'unknown prompt "{name}"', remedy)
        return prompt

    def flow(self, value: Value) -> str:
        """The name of another flow."""
        name = value.text()
        if name not in self.known.flows and name not in self.known.unread_flows:
            flows = sorted(self.known.flows)
            remedy = did_you_mean(name, flows) or f"flows: {', '.join(flows)}"
            value.error("F008", f'unknown flow "{name}"', remedy)
        return name

    def prompts(self, value: Value | None) -> tuple[str, ...]:
        """The ids of a list of prompts; nothing at all is an empty list."""
        return tuple(self.prompt(item) for item in value.list()) if value else ()

    def _near(self, name: str, known: Iterable[str]) -> str:
        here = f"{self.stem}/"
        return did_you_mean(name, [full.removeprefix(here) for full in known])


@dataclass(frozen=True, slots=True)
class Handled:
    """What a file does about silences and wrong keys, the book's own handlers included."""

    silence: dict[int, Handler]
    wrong_key: dict[int, Handler]


def read_silences(value: Value | None, names: Names) -> dict[int, Handler]:
    """Handlers of silence. It never reads a whole step again: that would be said over and over to
    somebody who is thinking."""
    handlers = read_handlers(value, names, least=1)  # what silence waits is looked at by itself
    if value and any(handler.again for handler in handlers.values()):
        value.error("F013", "silence would read the whole step again", "say: press hash")
    return handlers


def read_wait(value: Value, least: int) -> int:
    """How many seconds a key is waited for. Some callers need long to press one, and an operator of
    a text relay types what was said first: fewer than ``least`` are a mistake."""
    seconds = value.number()
    if seconds < least and value.text() == str(seconds):
        value.error("F028", f"a key is waited for only {seconds} s", f"let it be {least} or more")
    return seconds


def read_handlers(
    value: Value | None, names: Names, least: int = KEY_SECONDS
) -> dict[int, Handler]:
    """Handlers by count: ``1: {say: take-your-time, wait: 20}``."""
    found: dict[int, Handler] = {}
    for key, what in value.pairs() if value else ():
        fields = what.fields(("say", "wait", *HAPPENINGS))
        if not fields.keys() & {"say", *HAPPENINGS} and what.is_mapping:
            what.error("F006", "something must be said or happen here", "say, again, go or goodbye")
        found[key.number()] = Handler(
            say=names.prompt(fields["say"]) if "say" in fields else "",
            wait=read_wait(fields["wait"], least) if "wait" in fields else None,
            again=fields["again"].flag() if "again" in fields else False,
            go=names.step(fields["go"]) if "go" in fields else "",
            goodbye=names.prompt(fields["goodbye"]) if "goodbye" in fields else "",
        )
    return found
