"""Wishes of one caller, and what the tests of call-backs do with them: keep, enter, look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet
from sqlalchemy import text

from ivr.callbacks.keeping import Keeper
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.service import Wishing
from ivr.callbacks.spool import Spool
from ivr.callbacks.tables import IS_OPEN
from ivr.callbacks.wishes import Kind, Wish
from ivr.conversation import Call
from ivr.core.call import Ask
from ivr.database import Database

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
NUMBER = "+447700900123"
CALL = Call("CA" + "1" * 32, NUMBER)
FERNET_KEY = Fernet.generate_key()
HASH_KEY = b"a key for hashes, in tests"
KEYS = Keys((FERNET_KEY,), HASH_KEY)
SAVE = Ask(
    "save-call-back",
    {
        "number": NUMBER,
        "slot": "morning",
        "due_at": "2026-11-25T12:00:00Z",
        "council": "E08000035",
        "topic": "school/rights",
    },
    "callback/save",
    7,
)
WISH = Wish(
    kind=Kind.SAVE,
    effect=KEYS.effect_hash("first"),
    reference="000001",
    number=NUMBER,
    at=NOW,
    slot="morning",
    due_at=NOW + timedelta(days=1),
    topic="school/rights",
)
AGAIN = replace(
    WISH,
    effect=KEYS.effect_hash("second"),
    reference="000002",
    at=NOW + timedelta(hours=5),
    due_at=NOW + timedelta(days=2),
    topic="",
    council="E08000035",
)
KEEP = replace(AGAIN, kind=Kind.KEEP, slot="", due_at=None, council="", request=1)
CANCEL = replace(KEEP, kind=Kind.CANCEL, effect=KEYS.effect_hash("third"), reference="000003")


def clock() -> datetime:
    return NOW


def save_with(database: Database, spool: Spool, kind: Kind = Kind.SAVE) -> Wishing:
    return Wishing(kind, Keeper(Ledger(database, KEYS), spool), KEYS, clock, demo=True)


async def stored(database: Database, table: str) -> list[dict[str, object]]:
    async with database.reading() as session:
        rows = await (await session.connection()).execute(text(f"select * from {table}"))
        return [dict(row) for row in rows.mappings()]


async def set_state(database: Database, state: str) -> None:
    async with database.writing() as session:
        change = text(f"update callback_request set state = '{state}' where {IS_OPEN}")
        await (await session.connection()).execute(change)


async def enter(database: Database, *wishes: Wish) -> list[str]:
    """Enter these wishes, and return what each caller is told."""
    ledger = Ledger(database, KEYS)
    return [(await ledger.enter(wish)).outcome for wish in wishes]


def keeper_of(database: Database, spool: Spool) -> Keeper:
    return Keeper(Ledger(database, KEYS), spool)
