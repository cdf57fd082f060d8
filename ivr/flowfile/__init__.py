"""Flow files: YAML written by an editor becomes steps, and every mistake is reported.

    flows/book.yaml     the book: where a call starts, the global keys, waits, silences, services
    flows/<flow>.yaml   one flow: its first step is where it starts

A step is named ``step`` in its own file and ``flow/step`` elsewhere; a prompt ``name`` from the
prompt file of the same stem, or ``file/name``. ``docs/flows.md`` shows every kind of step.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ivr.core.flow import Place, Prompt, Step
from ivr.flowfile.names import Handled, Known, Names, read_handlers, read_silences
from ivr.flowfile.settled import Settled, read_book
from ivr.flowfile.steps import StepReader
from ivr.yamlfile import Report, Value, Where, read, shown, warn_of_unread

BOOK = "book"
DATA = "data"  # the folder of what services know; it is no part of the book


@dataclass(slots=True)
class Flows:
    """All flow files, read: the steps, where each and its parts stand, and each flow's start."""

    settled: Settled | None
    steps: dict[Place, Step] = field(default_factory=dict)
    places: dict[Place, Where] = field(default_factory=dict)
    parts: dict[tuple[Place, str], Where] = field(default_factory=dict)
    starts: dict[str, Place] = field(default_factory=dict)


def read_flows(
    folder: Path,
    prompts: Mapping[str, Prompt],
    unread: Collection[str],
    report: Report,
    root: Path,
) -> Flows:
    """Read the book file and every flow file. Mistakes go into the report. ``unread`` are the
    prompt files that could not be read."""
    warn_of_unread(folder, (DATA,), report, root)
    paths = sorted(folder.glob("*.yaml"))
    read_files = {path.stem: read(path, shown(path, root), report) for path in paths}
    files = {stem: content for stem, content in read_files.items() if content is not None}
    if BOOK not in read_files:
        remedy = "IVR_FLOWS names the folder of flows"
        report.error(Where(shown(folder / "book.yaml", root)), "F001", "there is no book", remedy)
        return Flows(None)
    raw = {stem: _raw_steps(content) for stem, content in files.items() if stem != BOOK}
    known = Known(
        steps={f"{stem}/{key.text()}" for stem, steps in raw.items() for key, _ in steps},
        flows=set(raw),
        prompts=prompts,
        unread_flows={stem for stem in read_files if stem != BOOK and not raw.get(stem)},
        unread_prompts=unread,
    )
    settled = read_book(files[BOOK], Names(BOOK, known)) if BOOK in files else None
    flows = Flows(settled)
    for stem, steps in raw.items():
        if steps:
            flows.starts[stem] = f"{stem}/{steps[0][0].text()}"
        handlers = _handled_in(files[stem], Names(stem, known), settled)
        reader = StepReader(Names(stem, known), settled, handlers)
        for key, value in steps:
            place = f"{stem}/{key.text()}"
            flows.places[place] = key.where
            step = reader.read(place, value)
            if step is not None:
                flows.steps[place] = step
        flows.parts.update(reader.parts)
    return flows


def _raw_steps(content: Value) -> list[tuple[Value, Value]]:
    fields = content.fields(("about", "silence", "wrong_key", "steps"), needed=("steps",))
    steps = list(fields["steps"].pairs()) if "steps" in fields else []
    if not steps and "steps" in fields and fields["steps"].is_mapping:
        fields["steps"].error("F006", "this flow has no steps", "its first step is its start")
    return steps


def _handled_in(content: Value, names: Names, settled: Settled | None) -> "Handled":
    fields = {key.text(): value for key, value in content.pairs()} if content.is_mapping else {}
    silence = dict(settled.silence) if settled else {}
    wrong_key = dict(settled.wrong_key) if settled else {}
    silence.update(read_silences(fields.get("silence"), names))
    wrong_key.update(read_handlers(fields.get("wrong_key"), names))
    return Handled(silence, wrong_key)
