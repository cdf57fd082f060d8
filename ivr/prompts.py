"""Prompts: named texts by language, cut where they pause and where facts go in.

    prompts/en-GB/school.yaml     ->  prompts "school/rights-1", "school/rights-2" ...
    prompts/en-GB/lexicon.yaml    ->  how terms are spoken

In a text `` / `` is half a second of silence, `` // `` one second, and ``{name:way}`` speaks a fact
in one of the ways of ``ivr.core.wording.WAYS``.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ivr.core.flow import Gap, Prompt, Slot
from ivr.core.speaking import WAYS
from ivr.yamlfile import Report, Value, Where, did_you_mean, read, shown, warn_of_unread

LEXICON = "lexicon"
PAUSES = {"/": 0.5, "//": 1.0}
MARK = re.compile(r"(?:(?<=\s)|^)(//?)(?=\s|$)|\{([^{}]*)\}([.,;:?!]*)")
SPOKEN = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Term:
    """A word that a voice would get wrong: in plain words, and respelt for each voice."""

    plain: str
    clip: str
    say: str


@dataclass(frozen=True, slots=True)
class Review:
    """A promise to read something again by a day: a prompt, or all of a file that say no other."""

    what: str
    by: str
    where: Where


@dataclass(frozen=True, slots=True)
class Prompts:
    """All prompts of a language, where each was written, and the lexicon."""

    texts: dict[str, Prompt] = field(default_factory=dict)
    places: dict[str, Where] = field(default_factory=dict)
    lexicon: dict[str, Term] = field(default_factory=dict)
    reviews: set[Review] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)  # files of which nobody knows what they hold


def parts_of(text: str) -> tuple[str | Slot | Gap, ...]:
    """Cut a text at its pauses and gaps; bits without a letter or digit are not spoken."""
    parts: list[str | Slot | Gap] = []
    done = 0
    for mark in MARK.finditer(text):
        parts.append(text[done : mark.start()].strip())
        name, _, way = (mark[2] or "").partition(":")
        slot = Slot(name.strip(), way.strip(), mark[3] or "")
        parts.append(Gap(PAUSES[mark[1]]) if mark[1] else slot)
        done = mark.end()
    parts.append(text[done:].strip())
    return tuple(part for part in parts if not isinstance(part, str) or SPOKEN.search(part))


def read_prompts(folder: Path, report: Report, root: Path) -> Prompts:
    """Read every prompt file of one language. Mistakes go into the report."""
    prompts = Prompts()
    warn_of_unread(folder, (), report, root)
    paths = sorted(folder.glob("*.yaml"))
    if all(path.stem == LEXICON for path in paths):
        remedy = "IVR_PROMPTS names the folder of prompts"
        report.error(Where(shown(folder, root)), "F001", "there are no prompt files here", remedy)
    for path in paths:
        name = shown(path, root)
        content = read(path, name, report)
        if content is None:
            prompts.unread.add(path.stem)
        elif path.stem == LEXICON:
            _read_lexicon(content, prompts)
        else:
            _read_file(content, path.stem, prompts)
    return prompts


def _read_lexicon(content: Value, prompts: Prompts) -> None:
    fields = content.fields(("terms",), needed=("terms",))
    if "terms" not in fields or not fields["terms"].is_mapping:
        prompts.unread.add(LEXICON)
    for key, value in fields["terms"].pairs() if "terms" in fields else ():
        term = value.fields(("plain", "clip", "say"), needed=("plain", "clip", "say"))
        words = {name: field.text() for name, field in term.items()}
        prompts.lexicon[key.text()] = Term(
            words.get("plain", ""), words.get("clip", ""), words.get("say", "")
        )


def _read_file(content: Value, stem: str, prompts: Prompts) -> None:
    known = ("about", "review_by", "source", "prompts")
    fields = content.fields(known, needed=("review_by", "source", "prompts"))
    source = fields["source"].text() if "source" in fields else ""
    review_by = _day(fields.get("review_by"))
    written = list(fields["prompts"].pairs()) if "prompts" in fields else []
    if not written:
        prompts.unread.add(stem)
        if "prompts" in fields and fields["prompts"].is_mapping:
            fields["prompts"].error("F006", "this file has no prompts", "write one, or delete it")
    for key, value in written:
        name = f"{stem}/{key.text()}"
        prompts.places[name] = key.where
        prompts.texts[name] = prompt = _read_prompt(name, value, source, review_by)
        if prompt.review_by == review_by and review_by:
            prompts.reviews.add(Review(stem, review_by, fields["review_by"].where))
        elif prompt.review_by:
            prompts.reviews.add(Review(name, prompt.review_by, key.where))


def overdue(prompts: Prompts, today: date, report: Report) -> None:
    """Warn of everything that should have been read again before this day."""
    for review in prompts.reviews:
        if review.by < today.isoformat():
            message = f'"{review.what}" was to be read again by {review.by}'
            remedy = "see whether it is still true, and set a new day"
            report.warn(review.where, "F024", message, remedy)


def _read_prompt(name: str, value: Value, source: str, review_by: str) -> Prompt:
    if not value.is_mapping:
        text = value.text()
        return Prompt(name, text, _checked(text, value), source=source, review_by=review_by)
    known = ("text", "covers", "source", "review_by")
    fields = value.fields(known, needed=("text",))
    text = fields["text"].text() if "text" in fields else ""
    covers = tuple(item.text() for item in fields["covers"].list()) if "covers" in fields else ()
    return Prompt(
        name,
        text,
        _checked(text, fields.get("text", value)),
        covers,
        fields["source"].text() if "source" in fields else source,
        _day(fields.get("review_by")) or review_by,
    )


def _checked(text: str, value: Value) -> tuple[str | Slot | Gap, ...]:
    parts = parts_of(text)
    is_text = not (value.is_list or value.is_mapping)
    if is_text and all(isinstance(part, Gap) for part in parts):
        value.error("F006", "this prompt says nothing", "write its words")
    if any(isinstance(part, str) and re.search("[{}]", part) for part in parts):
        value.error("F014", "a brace stands alone here", "write {name:way}, braces on both sides")
    for part in parts:
        if isinstance(part, Slot) and part.way not in WAYS:
            remedy = did_you_mean(part.way, WAYS) or f"ways: {', '.join(WAYS)}"
            value.error("F014", f'unknown way of speaking "{{{part.name}:{part.way}}}"', remedy)
    return parts


def _day(value: Value | None) -> str:
    if value is None:
        return ""
    try:
        return date.fromisoformat(value.text()).isoformat()
    except ValueError:
        value.error("F007", f'"{value.text()}" is not a day', "write it as 2027-05-31")
        return ""
