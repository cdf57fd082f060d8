"""References in flow files: what a name means in its file, and what a handler says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ivr.core.flow import Handler, Place, Prompt
from ivr.yamlfile import Value, did_you_mean


class Names:
    """The names that a file may use, and the reporting of those that it may not."""

    def __init__(self, stem: str, steps: set[Place], prompts: Mapping[str, Prompt]) -> None:
        self.stem, self.steps, self.known_prompts = stem, steps, prompts

    def step(self, value: Value) -> Place:
        """The place that a reference means."""
        name = value.text()
        place = name if "/" in name else f"{self.stem}/{name}"
        if place not in self.steps:
            remedy = self._near(name, self.steps)
            value.error("F003", f'unknown step "{name}"', remedy)
        return place

    def prompt(self, value: Value) -> str:
        """The id of the prompt that a reference means."""
        name = value.text()
        prompt = name if "/" in name else f"{self.stem}/{name}"
        if prompt not in self.known_prompts:
            remedy = self._near(name, self.known_prompts)
            value.error("F005", f'unknown prompt "{name}"', remedy)
        return prompt

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


def read_handlers(value: Value | None, names: Names) -> dict[int, Handler]:
    """Handlers by count: ``1: {say: take-your-time, wait: 20}``."""
    found: dict[int, Handler] = {}
    for key, what in value.pairs() if value else ():
        fields = what.fields(("say", "wait", "again", "go", "goodbye"))
        if not fields:
            what.error("F006", "a silence or wrong key needs something to happen")
        found[key.number()] = Handler(
            say=names.prompt(fields["say"]) if "say" in fields else "",
            wait=fields["wait"].number() if "wait" in fields else None,
            again=fields["again"].flag() if "again" in fields else False,
            go=names.step(fields["go"]) if "go" in fields else "",
            goodbye=names.prompt(fields["goodbye"]) if "goodbye" in fields else "",
        )
    return found
