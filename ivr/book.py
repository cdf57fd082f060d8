"""The book: all flows, prompts and the lexicon of one version, compiled and checked."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from ivr.core.check import Flaw, flaws
from ivr.core.flow import Book, Enter
from ivr.core.graph import person_menus
from ivr.errors import BookError
from ivr.flowfile import Flows, read_flows
from ivr.flowfile.settled import Settled
from ivr.prompts import LEXICON, Prompts, Term, overdue, read_prompts
from ivr.yamlfile import Finding, Report, Where, did_you_mean, shown

LANGUAGE = "en-GB"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A good book, and how its terms are spoken."""

    book: Book
    lexicon: Mapping[str, Term]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a book: the book itself unless it has errors, and every finding."""

    loaded: Loaded | None
    findings: tuple[Finding, ...]


def read_book(
    flows: Path,
    prompts: Path,
    today: date | None = None,
    services: Collection[str] | None = None,
) -> Reading:
    """Read and check a book. Nothing is raised for a mistake in a file: see the findings.

    With ``today``, prompts that should have been read again are told; with ``services``, those that
    the book declares and that are not among them.
    """
    report, of_flows = Report(), Report()
    root = flows.resolve().parent
    texts = read_prompts(prompts.resolve() / LANGUAGE, report, root)
    steps = read_flows(flows.resolve(), texts.texts, texts.unread, of_flows, root)
    report.findings.extend(of_flows.findings)
    if today:
        overdue(texts, today, report)
    book = _compiled(steps, texts, "" if report.errors else _digest(flows, prompts))
    if book:
        nowhere = Where(shown(flows.resolve() / "book.yaml", root))
        terms = None if LEXICON in texts.unread else texts.lexicon
        for flaw in flaws(book, terms, whole=not of_flows.lost):
            where = _place(flaw, steps, texts) or nowhere
            note = report.warn if flaw.harmless else report.error
            note(where, flaw.code, flaw.message, flaw.remedy)
    if services is not None and steps.settled:
        _unanswered(steps.settled, services, report)
    loaded = Loaded(book, texts.lexicon) if book and not report.errors else None
    return Reading(loaded, tuple(sorted(set(report.findings))))


def _unanswered(settled: Settled, services: Collection[str], report: Report) -> None:
    for name in settled.services:
        if name not in services:
            message = f'nothing answers the service "{name}"'
            remedy = did_you_mean(name, services) or f"there are {', '.join(sorted(services))}"
            report.error(settled.services_at[name], "F008", message, remedy)


def _place(flaw: Flaw, flows: Flows, prompts: Prompts) -> Where | None:
    """The place that is nearest to what is wrong."""
    declared = flows.settled.services_at if flows.settled else {}
    return (
        prompts.places.get(flaw.prompt)
        or flows.parts.get((flaw.step, flaw.part))
        or flows.places.get(flaw.step)
        or declared.get(flaw.service)
    )


def load_book(flows: Path, prompts: Path) -> Loaded:
    """Read a book that must be good.

    Raises:
        BookError: the book has mistakes; the message lists every one with its place.
    """
    reading = read_book(flows, prompts)
    if reading.loaded is None:
        raise BookError("\n".join(str(finding) for finding in reading.findings))
    return reading.loaded


def _compiled(flows: Flows, prompts: Prompts, digest: str) -> Book | None:
    settled = flows.settled
    if settled is None:
        return None
    return Book(
        digest=digest,
        start=settled.start,
        language=settled.language,
        steps=flows.steps,
        prompts=prompts.texts,
        services=settled.services,
        facts=settled.facts,
        frame=settled.frame,
        silence=settled.silence,
        wrong_key=settled.wrong_key,
        wait=settled.wait,
        entry_wait=settled.entry_wait,
        read_wait=settled.read_wait,
        texts=settled.texts,
        numbers=settled.numbers,
        starts=flows.starts,
        person_menus=person_menus(flows.steps, settled.frame.person_at),
        spoken=frozenset(
            step.listen for step in flows.steps.values() if isinstance(step, Enter) and step.listen
        ),
    )


def _digest(flows: Path, prompts: Path) -> str:
    """A short name for exactly these files."""
    content = sha256()
    for path in _files(flows, prompts):
        content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:12]


def _files(flows: Path, prompts: Path) -> Iterator[Path]:
    yield from sorted(flows.glob("*.yaml"))
    yield from sorted((prompts / LANGUAGE).glob("*.yaml"))
