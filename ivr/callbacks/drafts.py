"""Drafts: what an adviser has typed on a request's page is kept until it is used.

A page posts all of its fields with every button. Two windows of one person, a button pressed twice
or a late request must not erase a text: a page that shows an older draft only ever adds to it.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Integer, String, bindparam, delete, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.callbacks.keys import Keys
from ivr.callbacks.tables import CallBackDraft
from ivr.database import Database, Moment
from ivr.vault import UnreadableError

TEXTS = ("note", "hand_over_note", "by_hand", "why", "text_words")  # typed: never lost
CHOICES = ("outcome", "again", "to", "which", "phone")  # the last one counts
LONGEST = 4_000  # characters of one field

TRIES = 5  # a change that loses to another one is made again, on top of that

# One statement for both databases: it changes the draft that it was made from, and no later one. A
# request that does not exist gets none.
_STORE = text(
    "INSERT INTO callback_draft (request_id, who, version, typed, at)"
    " SELECT :request_id, :who, :version + 1, :typed, :at"
    " WHERE EXISTS (SELECT 1 FROM callback_request WHERE id = :request_id)"
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

Change: TypeAlias = Callable[["Draft"], Mapping[str, str]]  # the fields as they are to be


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it is stored; without one, version 0 and no fields."""

    version: int = 0
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)


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

    async def keep(
        self, request_id: int, who: str, version: int, typed: Mapping[str, str]
    ) -> Draft:
        """Store the fields that a page has, and return the draft as it is then.

        ``version`` is that of the draft which the page was made from. Raises NoDatabaseError.
        """
        sent = {name: typed[name][:LONGEST] for name in (*TEXTS, *CHOICES) if name in typed}

        def with_sent(stored: Draft) -> Mapping[str, str]:
            known = stored.typed
            if version == stored.version:
                return {**known, **sent}
            texts = {
                name: _merged(known.get(name, ""), sent[name]) for name in TEXTS if name in sent
            }
            return {**known, **sent, **texts}

        return await self._changed(request_id, who, with_sent)

    async def used(self, request_id: int, who: str, names: Collection[str]) -> None:
        """Forget these fields: what they held is saved elsewhere. Raises NoDatabaseError."""

        def without(stored: Draft) -> Mapping[str, str]:
            return {name: value for name, value in stored.typed.items() if name not in names}

        await self._changed(request_id, who, without)

    async def _changed(self, request_id: int, who: str, change: Change) -> Draft:
        stored = Draft()
        for _ in range(TRIES):
            async with self.database.writing() as session:
                stored = await self._stored(session, request_id, who)
                typed = {name: value for name, value in change(stored).items() if value}
                if typed == stored.typed:
                    return stored
                row = {
                    "request_id": request_id,
                    "who": who,
                    "version": stored.version,
                    "typed": self.keys.seal(json.dumps(typed)),
                    "at": self.clock(),
                }
                if (await (await session.connection()).execute(_STORE, row)).rowcount:
                    return Draft(stored.version + 1, typed)
        return stored  # there is no such request

    async def _stored(self, session: AsyncSession, request_id: int, who: str) -> Draft:
        row = await session.get(CallBackDraft, (request_id, who))
        if row is None:
            return Draft()
        try:
            return Draft(row.version, json.loads(self.keys.unseal(row.typed)))
        except UnreadableError:  # its key is lost
            return Draft(row.version)


async def erase_drafts(session: AsyncSession, requests: Collection[int]) -> None:
    """Erase all that was typed for these requests."""
    await session.exec(delete(CallBackDraft).where(col(CallBackDraft.request_id).in_(requests)))


def _merged(stored: str, sent: str) -> str:
    """Both texts, if a page that does not know the stored one sends another."""
    if not sent or sent in stored:
        return stored
    return sent if stored in sent else f"{stored}\n\n{sent}"[:LONGEST]
