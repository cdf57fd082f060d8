"""Drafts: what an adviser has typed on a request's page is kept until it is saved.

A page posts all of its fields with every button. Two windows of one person, a button pressed twice
or a late request must not erase a text, bring a saved one back, or choose an outcome for a later
claim. So a draft has a version, by which a page that shows an older one is known (it only ever adds
to the texts), and names the claim under which it was typed.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Integer, String, bindparam, delete, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.callbacks.keys import Keys
from ivr.callbacks.tables import CallBackDraft, CallBackRequest
from ivr.database import Database, Moment, NoDatabaseError
from ivr.vault import UnreadableError

TEXTS = ("note", "hand_over_note", "by_hand", "why", "why_not", "text_words")  # never lost
CHOICES = ("outcome", "again", "to", "which", "phone")  # good for one claim; the last one counts
LONGEST = 12_000  # characters of one field: what two windows typed is joined

TRIES = 50  # a change that loses to another one is made again, on top of that

# One statement for both databases: it changes the draft that it was made from, and no later one. A
# request that does not exist, or is erased, gets none.
_STORE = text(
    "INSERT INTO callback_draft (request_id, who, version, typed, at)"
    " SELECT :request_id, :who, :version + 1, :typed, :at"
    " WHERE EXISTS"
    " (SELECT 1 FROM callback_request WHERE id = :request_id AND erased_at IS NULL)"
    " ON CONFLICT (request_id, who) DO UPDATE"
    " SET version = excluded.version, typed = excluded.typed, at = excluded.at"
    " WHERE callback_draft.version = :version"
).bindparams(
    bindparam("request_id", type_=Integer),
    bindparam("version", type_=Integer),
    bindparam("who", type_=String),
    bindparam("typed", type_=String),
    bindparam("at", type_=Moment),
)


@dataclass(frozen=True, slots=True)
class Typed:
    """What is sealed of a draft."""

    fields: Mapping[str, str] = field(default_factory=dict)  # of TEXTS and CHOICES, if not empty
    claim: str = ""  # the token of the claim that the page showed; "" for none
    saved: Mapping[str, str] = field(default_factory=dict)  # texts that were saved under ...
    saved_under: str = ""  # ... this claim


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it is stored; without one, version 0 and nothing typed."""

    version: int = 0
    typed: Typed = field(default_factory=Typed, repr=False)
    at: datetime | None = None  # of the last change

    def fields(self, claim: str) -> dict[str, str]:
        """Return what a page shows: all texts, and the choices only under the claim (its token) in
        which they were made."""
        is_same = self.typed.claim == claim
        return {
            name: value
            for name, value in self.typed.fields.items()
            if is_same or name not in CHOICES
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """What a page sends: its fields, the draft that it was made from, and the claim it showed."""

    fields: Mapping[str, str] = field(repr=False)
    version: int
    claim: str  # its token; "" for none


Change: TypeAlias = Callable[[Draft], Typed]


@dataclass(frozen=True)
class Drafts:
    """Keeps one draft for each person and request, sealed as notes are."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware

    async def of(self, request_id: int, who: str) -> Draft:
        """Return what this person has typed for a request. Raises NoDatabaseError."""
        async with self.database.reading() as session:
            return await self._stored(session, request_id, who)

    async def keep(self, request_id: int, who: str, sent: Sent) -> Draft:
        """Store the fields that a page has, and return the draft as it is then. Raises
        NoDatabaseError."""
        return await self._changed(request_id, who, lambda stored: _with(stored, sent))

    async def saved(self, request_id: int, who: str, claim: str, texts: Mapping[str, str]) -> Draft:
        """Take out of a draft what has been saved with the request: these texts, by field. What
        another window added meanwhile stays. Sent again under the same claim, they stay out. Raises
        NoDatabaseError."""

        def without(stored: Draft) -> Typed:
            fields, typed = dict(stored.typed.fields), stored.typed
            for name, words in texts.items():
                fields[name] = fields.get(name, "").replace(words, "", 1).strip() if words else ""
            before = typed.saved if typed.saved_under == claim else {}
            now = {name: words for name, words in texts.items() if words and name in TEXTS}
            return replace(typed, fields=fields, saved={**before, **now}, saved_under=claim)

        return await self._changed(request_id, who, without)

    async def discard(self, request_id: int, who: str, names: Collection[str]) -> None:
        """Throw these fields away. Raises NoDatabaseError."""

        def without(stored: Draft) -> Typed:
            fields = {n: value for n, value in stored.typed.fields.items() if n not in names}
            return replace(stored.typed, fields=fields)

        await self._changed(request_id, who, without)

    async def _changed(self, request_id: int, who: str, change: Change) -> Draft:
        for _ in range(TRIES):
            async with self.database.writing() as session:
                stored = await self._stored(session, request_id, who)
                changed = change(stored)
                filled = {name: value for name, value in changed.fields.items() if value}
                typed = replace(changed, fields=filled)
                if typed == stored.typed:
                    return stored
                row: dict[str, Any] = {
                    "request_id": request_id,
                    "who": who,
                    "version": stored.version,
                    "typed": self.keys.seal(json.dumps(asdict(typed))),
                    "at": self.clock(),
                }
                if (await (await session.connection()).execute(_STORE, row)).rowcount:
                    return Draft(stored.version + 1, typed, row["at"])
                request = await session.get(CallBackRequest, request_id)
                if request is None or request.erased_at is not None:
                    return stored
        raise NoDatabaseError  # others were quicker each time: the page gives the texts back

    async def _stored(self, session: AsyncSession, request_id: int, who: str) -> Draft:
        row = await session.get(CallBackDraft, (request_id, who))
        if row is None:
            return Draft()
        try:
            return Draft(row.version, Typed(**json.loads(self.keys.unseal(row.typed))), row.at)
        except UnreadableError:  # its key is lost
            return Draft(row.version)


async def erase_drafts(session: AsyncSession, requests: Collection[int]) -> None:
    """Erase all that was typed for these requests."""
    await session.exec(delete(CallBackDraft).where(col(CallBackDraft.request_id).in_(requests)))


def _with(stored: Draft, sent: Sent) -> Typed:
    """A draft with the fields of a page."""
    known, typed = stored.typed.fields, stored.typed
    fields = {n: sent.fields[n][:LONGEST] for n in (*TEXTS, *CHOICES) if n in sent.fields}
    if sent.claim and sent.claim == typed.saved_under:
        fields = {n: "" if value == typed.saved.get(n) else value for n, value in fields.items()}
    if sent.version != stored.version:
        texts = [name for name in TEXTS if name in fields]
        fields |= {name: _merged(known.get(name, ""), fields[name]) for name in texts}
    return replace(typed, fields={**known, **fields}, claim=sent.claim)


def _merged(stored: str, sent: str) -> str:
    """Both texts, if a page that does not know the stored one sends another."""
    if not sent or f"\n\n{sent}\n\n" in f"\n\n{stored}\n\n":
        return stored
    return sent if stored in sent else f"{stored}\n\n{sent}"[:LONGEST]
