"""Without a database a wish is kept on disk, and entered exactly once when it is back."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from databases import new_url

from ivr.callbacks.keeping import Keeper
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.queue import Queue
from ivr.callbacks.spool import Spool
from ivr.callbacks.wishes import Kept
from ivr.database import Database, upgrade
from tests.wishes import (
    AGAIN,
    CALL,
    CANCEL,
    HASH_KEY,
    KEYS,
    SAVE,
    WISH,
    clock,
    enter,
    keeper_of,
    save_with,
    stored,
)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", KEYS)


@pytest.fixture
async def gone(tmp_path: Path) -> AsyncIterator[tuple[Database, str]]:
    """A database that is not there yet, and where it will be."""
    url = new_url("sqlite", tmp_path)
    made = Database(url)
    yield made, url
    await made.close()


async def test_without_a_database_a_wish_is_saved_on_disk_and_delivered_once_it_is_back(
    gone: tuple[Database, str], spool: Spool
) -> None:
    """The caller hears "saved", and a repeat hears the same, before and after."""
    database, url = gone
    save = save_with(database, spool)
    first = await save(SAVE, CALL)
    assert (first.outcome, first.facts["reference"]) == (
        "saved",
        KEYS.reference(CALL.effect(SAVE)),
    )
    assert await save(SAVE, CALL) == first
    assert len(spool.waiting()) == 1
    await keeper_of(database, spool).deliver()
    assert len(spool.waiting()) == 1
    await upgrade(url)
    await keeper_of(database, spool).deliver()  # of another process, after a crash
    assert spool.waiting() == []
    assert await save(SAVE, CALL) == first
    (kept,) = await Queue(database, KEYS, clock).open()
    assert (kept.reference, kept.number) == (first.facts["reference"], "… 123")


async def test_what_joins_a_request_when_it_is_delivered_is_still_told_as_saved(
    database: Database, spool: Spool
) -> None:
    """Nobody could know of the open request while the database was away."""
    await enter(database, WISH)
    spool.put(replace(AGAIN, told="saved"))
    await keeper_of(database, spool).deliver()
    assert await Ledger(database, KEYS).enter(AGAIN) == Kept("saved", AGAIN.reference)
    assert len(await stored(database, "callback_request")) == 1


async def test_wishes_are_delivered_in_the_order_in_which_they_were_made(
    database: Database, spool: Spool
) -> None:
    """Saved, cancelled, and asked for anew: one request is open."""
    anew = replace(AGAIN, effect=KEYS.effect_hash("fourth"), at=CANCEL.at + timedelta(hours=1))
    for wish in (anew, CANCEL, WISH):
        spool.put(wish)
    await keeper_of(database, spool).deliver()
    assert spool.waiting() == []
    assert [one["state"] for one in await stored(database, "callback_request")] == [
        "closed",
        "waiting",
    ]


async def test_an_attempt_that_hangs_is_not_waited_for_and_counts_once(
    database: Database, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still succeed after the caller has been told of the one on disk."""
    monkeypatch.setattr("ivr.spool.PATIENCE_S", 0)
    keeper = keeper_of(database, spool)
    assert (await keeper.keep(WISH)).outcome == "saved"
    assert len(spool.waiting()) == 1
    while not await stored(database, "callback_request"):  # the attempt goes on by itself
        await asyncio.sleep(0)
    await keeper.deliver()
    assert spool.waiting() == []
    assert len(await stored(database, "callback_request")) == 1
    await keeper.close()


async def test_when_neither_database_nor_disk_takes_it_nothing_is_said_to_be_saved(
    gone: tuple[Database, str], tmp_path: Path
) -> None:
    """The driver turns this into "failed", and the caller hears the truth."""
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="Not a directory"):
        await save_with(gone[0], Spool(tmp_path / "spool", KEYS))(SAVE, CALL)


async def test_the_first_wish_makes_the_spool_whose_parent_may_be_missing_too(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path / "var" / "spool", KEYS)
    assert (spool.waiting(), spool.aside()) == ([], [])
    spool.tidy()
    spool.put(WISH)
    spool.put(WISH)
    assert len(spool.waiting()) == 1
    assert "900123" not in repr(WISH)


async def test_a_wish_on_disk_can_be_read_by_its_owner_alone_and_tells_no_number(
    spool: Spool,
) -> None:
    """Sealed, as numbers are in the database."""
    spool.put(WISH)
    (path,) = spool.waiting()
    assert path.stat().st_mode & 0o777 == 0o600
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert "900123" not in path.read_text() + path.name
    assert spool.read(path) == WISH


async def test_a_wish_that_cannot_be_read_does_not_hold_up_the_others_and_is_not_lost(
    database: Database, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """It is set aside, said so, and tried once more by the next start: a key may be back."""
    other = Spool(spool.folder, Keys((Fernet.generate_key(),), HASH_KEY))
    other.put(WISH)
    spool.put(replace(AGAIN, number="+447700900456"))
    await keeper_of(database, spool).deliver()
    assert (len(spool.waiting()), len(spool.aside())) == (0, 1)
    assert "set aside" in caplog.text
    assert len(await stored(database, "callback_request")) == 1
    other.tidy()
    await Keeper(Ledger(database, KEYS), other).deliver()
    assert (other.waiting(), other.aside()) == ([], [])
    assert len(await stored(database, "callback_request")) == 2


async def test_drafts_of_killed_processes_are_removed_but_not_those_of_live_ones(
    spool: Spool,
) -> None:
    """They hold a number, and nobody was told that they are kept."""
    spool.put(WISH)
    stale, fresh = spool.folder / ".stale", spool.folder / ".fresh"
    for draft in (stale, fresh):
        draft.touch()
    os.utime(stale, (0, 0))
    spool.tidy()
    assert not stale.exists()
    assert fresh.exists()
    assert len(spool.waiting()) == 1
