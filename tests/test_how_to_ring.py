"""How a caller wants to be rung is added to their request, and to nobody else's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.callbacks.queue import Queue
from ivr.callbacks.spool import Spool
from ivr.callbacks.wishes import Kept, Kind, Wish
from ivr.database import Database
from tests.wishes import AGAIN, KEYS, NOW, WISH, clock, enter, keeper_of, stored


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", KEYS)


def need(name: str, wanted: bool = True, **changes: object) -> Wish:
    """An answer to "may we leave a message?" and the like, after the first wish."""
    made = Wish(
        kind=Kind.NEED,
        effect=KEYS.effect_hash(f"{name}{wanted}"),
        reference=WISH.reference,
        number="",
        at=NOW + timedelta(minutes=1),
        of=WISH.effect,
        need=name,
        wanted=wanted,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_each_answer_is_added_to_the_saved_request_and_can_be_taken_back(
    database: Database,
) -> None:
    answers = [need("message"), need("slower"), need("slower"), need("message", wanted=False)]
    assert await enter(database, WISH, *answers) == ["saved", *["noted"] * 4]
    (kept,) = await Queue(database, KEYS, clock).open()
    assert kept.access == ["slower"]
    happened = [one["what"] for one in await stored(database, "callback_event")]
    assert happened == ["saved", "message: yes", "slower: yes", "message: no"]


async def test_an_answer_to_a_joined_wish_is_added_to_the_request_that_it_joined(
    database: Database,
) -> None:
    await enter(database, WISH, AGAIN, need("message", of=AGAIN.effect, own=True))
    (kept,) = await Queue(database, KEYS, clock).open()
    assert kept.access == ["message"]


async def test_nobody_can_give_leave_to_leave_messages_in_another_s_place(
    database: Database,
) -> None:
    """Somebody typed the number of a parent who had asked before. That we shall speak slowly is
    taken from them, that a message may be left is not; staff read that it was said."""
    typed = [need(each, of=AGAIN.effect) for each in ("message", "someone-else", "slower")]
    assert await enter(database, WISH, AGAIN, *typed) == ["saved", "already", *["noted"] * 3]
    (kept,) = await Queue(database, KEYS, clock).open()
    assert kept.access == ["slower"]
    assert "message: yes" in [one["what"] for one in await stored(database, "callback_event")]


async def test_an_answer_whose_wish_waits_in_another_spool_waits_for_it(
    database: Database, spool: Spool
) -> None:
    """Another machine saved it while the database was gone; this one heard the answer."""
    keeper = keeper_of(database, spool)
    answer = need("message", at=datetime.now(UTC))  # the keeper goes by the time of the day itself
    assert await keeper.keep(answer) == Kept("noted", WISH.reference)
    await keeper.deliver()
    assert len(spool.waiting()) == 1
    await enter(database, replace(AGAIN, number="+447700900456"))  # others are not held up
    await enter(database, WISH)
    await keeper.deliver()
    assert spool.waiting() == []
    kept = await Queue(database, KEYS, clock).find(WISH.reference)
    assert [one.access for one in kept] == [["message"]]


async def test_an_answer_whose_wish_never_comes_is_set_aside(
    database: Database, spool: Spool
) -> None:
    """After a day; it is not thrown away."""
    spool.put(need("message", at=datetime.now(UTC) - timedelta(days=1, minutes=1)))
    await keeper_of(database, spool).deliver()
    assert (len(spool.waiting()), len(spool.aside())) == (0, 1)
