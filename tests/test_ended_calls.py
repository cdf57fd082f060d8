"""A caller who has hung up: no colleague is rung, reserved or joined for a call that is over."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from books import real, sealer
from commands import Command
from databases import KINDS, PostgreSQL, new_url
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession
from test_duty import HOURS, KEYS, ask, nobody_rang, rung, state_of
from test_duty import on_duty as go_on_duty
from test_ringing import MONDAY, NEXT, TALKED, Leg, gone, on_duty, ring, states

from ivr import database as migrated
from ivr.conversation import Call, Conversation
from ivr.core.call import Answered, Ask, Dialled, Heard, Keys, Position
from ivr.database import Database, upgrade
from ivr.duty.ended_calls import REMEMBERED_FOR
from ivr.duty.roster import Roster
from ivr.duty.service import RingNext
from ivr.handset import Caller
from ivr.handset.phone import Sound
from tests.helplines import (
    CALL,
    NUMBER,
    Helpline,
    SetClock,
    helpline,
    process,
    rows,
    settings_of,
)

OVER = ["completed", "busy", "failed", "no-answer", "canceled"]  # of CallStatus
SAVING = ("0", "1", "1", "1")  # to the step where 1 saves a call-back


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def line(tmp_path: Path, clock: SetClock) -> Iterator[Helpline]:
    with helpline(tmp_path, clock) as found:
        yield found


@pytest.fixture
def roster(database: Database, clock: SetClock) -> Roster:
    return Roster(database, KEYS, clock)


def tell(line: Helpline, status: str = "completed") -> None:
    """Twilio's status callback of the caller's call."""
    answer = line.post("/voice/status", CallStatus=status)
    assert (answer.status, answer.body) == (204, b"")


# --- the status callback of the caller's call ----------------------------------------------------


@pytest.mark.parametrize("status", OVER)
def test_a_caller_who_hangs_up_before_the_phone_rings_frees_the_colleague(
    line: Helpline, tmp_path: Path, clock: SetClock, status: str
) -> None:
    """They hear "I am ringing someone now" and hang up: Twilio never comes to the Dial."""
    on_duty(tmp_path, clock, "Ada")
    ring(line)
    assert states(tmp_path, clock) == {"Ada": "being rung"}
    tell(line, status)
    assert states(tmp_path, clock) == {"Ada": "free"}
    assert Leg(line, line.another_caller().play("0", "0")).name == "Ada"


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress", "nonsense", ""])
def test_a_call_that_goes_on_keeps_its_colleague(
    line: Helpline, tmp_path: Path, clock: SetClock, status: str
) -> None:
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    tell(line, status)
    tell(line.another_caller())
    assert states(tmp_path, clock) == {"Ada": "being rung"}
    assert leg.press("1").verbs == []


def test_after_a_talk_the_status_lets_the_colleague_rest(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """However often it comes, and whatever else comes after it."""
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    leg.press("1")
    tell(line)
    assert states(tmp_path, clock) == {"Ada": "resting"}
    tell(line)
    assert leg.end("completed", CallStatus="completed").words.startswith(TALKED)
    assert leg.tell("completed").status == 204
    assert states(tmp_path, clock) == {"Ada": "resting"}


def test_a_press_of_1_after_the_hang_up_is_refused(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    bridge = leg.answer().action
    tell(line)
    assert leg.press("1", bridge).verbs == ["Hangup"]
    (kept,) = rows(tmp_path, "duty_ring")
    assert kept["taken_at"] is None
    assert states(tmp_path, clock) == {"Ada": "free"}


# --- a turn that says itself that the call is over -----------------------------------------------


@pytest.mark.parametrize(
    ("dial", "status"),
    [
        ("no-answer", "completed"),
        ("canceled", "canceled"),
        ("busy", "busy"),
        ("failed", "failed"),
        ("completed", "no-answer"),
    ],
)
def test_a_caller_who_hangs_up_while_it_rings_has_no_one_else_rung(
    line: Helpline, tmp_path: Path, clock: SetClock, dial: str, status: str
) -> None:
    """Twilio asks for the action of the Dial, though the caller is gone."""
    on_duty(tmp_path, clock, "Ada", "Ben")
    _, leg = ring(line)
    page = leg.end(dial, CallStatus=status, DialBridged="false")
    assert NEXT not in page.words
    assert page.goes_on
    assert "Dial" not in page.verbs
    assert set(states(tmp_path, clock).values()) == {"free"}
    assert len(rows(tmp_path, "duty_ring")) == 1


def test_a_key_that_arrives_with_the_hang_up_rings_no_one(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    on_duty(tmp_path, clock, "Ada")
    menu = line.play("0")
    assert "Dial" not in line.post(menu.action, "0", CallStatus="completed").page.verbs
    assert rows(tmp_path, "duty_ring") == []
    assert states(tmp_path, clock) == {"Ada": "free"}


def test_a_save_whose_key_arrives_with_the_hang_up_is_saved(line: Helpline, tmp_path: Path) -> None:
    """And so is its repeat, once."""
    saving = line.play(*SAVING)
    for _ in range(2):
        saved = line.post(saving.action, "1", CallStatus="completed").page
        assert saved.words.startswith("Saved.")
    assert len(rows(tmp_path, "callback_request")) == 1


@pytest.mark.parametrize(
    ("at", "heard", "is_over", "asked"),
    [
        ("person/ring", Dialled("no-answer"), False, ["ring-next"]),
        ("person/ring", Dialled("no-answer"), True, []),
        ("person/team-here", Keys("0"), True, ["ring-next"]),  # which refuses by itself
        ("person/team-here", Keys(""), True, []),
        ("person/ring", Dialled("completed"), True, ["was-taken"]),  # no effect
    ],
)
async def test_no_effect_is_begun_for_a_call_that_is_over_but_by_a_key_of_this_turn(
    at: str, heard: Heard, is_over: bool, asked: list[str]
) -> None:
    """Whatever the service: the book declares which of them are effects."""
    book, told = real().book, []

    async def service(ask: Ask, call: Call) -> Answered:
        told.append(ask.service)
        return Answered("taken" if ask.service == "was-taken" else "nobody")

    services = dict.fromkeys(book.services, service)
    conversation = Conversation(
        lambda digest: book, sealer(), services, lambda visit: None, lambda sender: {}
    )
    position = Position(at=at, book=book.digest, facts={"ring": "1", "tried": "1"})
    sealed = sealer().seal_position(CALL, position)
    await conversation.take_turn(Call(CALL, is_over=is_over), sealed, heard)
    assert told == asked


@pytest.mark.parametrize(("is_over", "outcome"), [(True, "nobody"), (False, "ringing")])
async def test_no_one_is_reserved_for_a_call_that_is_over_whatever_was_pressed(
    roster: Roster, clock: SetClock, is_over: bool, outcome: str
) -> None:
    """Though its end could not be recorded, or is recorded later."""
    await go_on_duty(roster, "Ada")
    ring_next = RingNext(roster, nobody_rang, lambda: HOURS, clock)
    answer = await ring_next(ask("ring-next"), Call(CALL, is_over=is_over))
    assert answer.outcome == outcome
    assert await roster.anybody_free() is is_over


# --- late and out of order -----------------------------------------------------------------------


def test_a_turn_that_is_answered_after_the_status_reserves_no_one(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """On this worker and on another; a different caller is put through as ever."""
    on_duty(tmp_path, clock, "Ada")
    menu = line.play("0")
    tell(line)
    with helpline(tmp_path, clock, line.public) as other:
        for worker in (line, other):
            assert "Dial" not in worker.post(menu.action, "0").page.verbs
        assert rows(tmp_path, "duty_ring") == []
        assert states(tmp_path, clock) == {"Ada": "free"}
        assert Leg(other, other.another_caller().play("0", "0")).name == "Ada"


def test_a_turn_that_is_repeated_after_the_status_reserves_no_one(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    on_duty(tmp_path, clock, "Ada", "Ben")
    menu = line.play("0")
    line.post(menu.action, "0")
    tell(line)
    assert "Dial" not in line.post(menu.action, "0").page.verbs
    assert set(states(tmp_path, clock).values()) == {"free"}


def test_the_action_of_a_dial_that_comes_after_the_status_rings_no_one(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """Even where the action does not say that the call is over."""
    on_duty(tmp_path, clock, "Ada", "Ben")
    _, leg = ring(line)
    tell(line)
    assert NEXT not in leg.end("no-answer").words
    assert set(states(tmp_path, clock).values()) == {"free"}


def test_a_call_s_end_is_kept_by_a_keyed_hash_and_only_while_a_colleague_is_on_duty(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    tell(line)
    assert rows(tmp_path, "duty_ended_call") == []
    on_duty(tmp_path, clock, "Ada")
    ring(line)
    for _ in range(2):
        tell(line)
    (kept,) = rows(tmp_path, "duty_ended_call")
    (rung,) = rows(tmp_path, "duty_ring")
    assert kept["call_hash"] == rung["call_hash"]
    assert CALL not in f"{kept} {rung}"


# --- two processes at the same moment ------------------------------------------------------------


Step = Callable[[], Awaitable[object]]


class Interrupted(Database):
    """A connection to the database of another process; something happens there in the middle of
    its write transactions: before the commit, or right after it."""

    def __init__(self, url: str) -> None:
        super().__init__(url, busy_ms=60_000)
        self.before: Step | None = None
        self.after: Step | None = None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with super().writing() as session:
            yield session
            await self._do("before")
        await self._do("after")

    async def _do(self, when: str) -> None:
        step = getattr(self, when)
        setattr(self, when, None)  # once
        if step is not None:
            await step()


@pytest.fixture
async def elsewhere(database: Database, clock: SetClock) -> AsyncIterator[Roster]:
    """The roster of another process, on duty at the same database."""
    interrupted = Interrupted(database.url)
    yield Roster(interrupted, KEYS, clock)
    await interrupted.close()


def at(roster: Roster, moment: str, step: Step) -> None:
    assert isinstance(roster.database, Interrupted)
    if moment == "before" and roster.database.url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time: nothing is written within a transaction")
    setattr(roster.database, moment, step)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_call_that_ends_while_a_ring_is_reserved_leaves_no_one_reserved(
    roster: Roster, elsewhere: Roster, moment: str
) -> None:
    """The end is recorded just before, or just after, the ring is committed."""
    await go_on_duty(roster, "Ada")
    at(elsewhere, moment, lambda: roster.call_ended(CALL))
    assert await elsewhere.reserve("call:1", call=CALL) is None
    assert await state_of(roster, "Ada") == "free"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_ring_that_is_reserved_while_the_call_s_end_is_recorded_leaves_no_one_reserved(
    roster: Roster, elsewhere: Roster, moment: str
) -> None:
    """The ring is committed just before, or just after, the end of the call is."""
    await go_on_duty(roster, "Ada")
    at(elsewhere, moment, lambda: roster.reserve("call:1", call=CALL))
    await elsewhere.call_ended(CALL)
    assert await state_of(roster, "Ada") == "free"


async def test_a_press_of_1_while_the_call_s_end_is_recorded_is_refused(
    roster: Roster, elsewhere: Roster
) -> None:
    """The end is known, and the ring is not ended yet."""
    await go_on_duty(roster, "Ada")
    ada = await rung(roster, "call:1", call=CALL)
    told = []

    async def press() -> None:
        told.append(await roster.take(ada.ring))

    at(elsewhere, "after", press)
    await elsewhere.call_ended(CALL)
    assert told == [False]
    assert await state_of(roster, "Ada") == "free"


async def test_reservations_and_ends_at_once_leave_no_one_reserved(
    roster: Roster, elsewhere: Roster
) -> None:
    await go_on_duty(roster, "Ada", "Ben", "Cat")
    for number in range(10):
        call = f"CA{number:032}"
        turns = [one.reserve(f"{call}:1", call=call) for one in (roster, elsewhere)]
        await asyncio.gather(*turns, roster.call_ended(call), elsewhere.call_ended(call))
        assert {one.state for one in await roster.listed()} == {"free"}


async def test_a_call_s_end_is_forgotten_when_its_last_webhook_is_too_old(
    roster: Roster, clock: SetClock
) -> None:
    async def remembered() -> bool:
        return await roster.reserve("call:1", call=CALL) is None

    await roster.on("Ada", "+447700900450", clock() + timedelta(days=1))
    await roster.call_ended(CALL)
    clock.at += REMEMBERED_FOR - timedelta(seconds=1)
    await roster.forget()
    assert await remembered()
    clock.at += timedelta(seconds=1)
    await roster.forget()
    assert not await remembered()


async def test_a_colleague_who_went_off_duty_in_a_talk_is_let_go_by_the_status(
    roster: Roster,
) -> None:
    """With no one on duty, too."""
    await go_on_duty(roster, "Ada")
    ada = await rung(roster, "call:1", call=CALL)
    await roster.take(ada.ring)
    await roster.off("Ada")
    await roster.call_ended(CALL)
    await go_on_duty(roster, "Ada")
    assert await state_of(roster, "Ada") == "resting"


# --- the database is old, gone or silent ---------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_rings_from_before_the_upgrade_belong_to_no_call(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a worker of the version before it still reserves, until it is replaced."""
    url = new_url(kind, tmp_path)
    before = shutil.copytree(migrated.MIGRATIONS, tmp_path / "before")
    for migration in (before / "versions").glob("[0-9]*.py"):
        if migration.stem[:4] >= "0012":
            migration.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(migrated, "MIGRATIONS", before)
        assert await upgrade(url) == "0011"
    database = Database(url)

    async def ring_of_before(effect: str) -> None:
        async with database.writing() as session:
            insert = text("insert into duty_ring (effect, began_at) values (:effect, :at)")
            values = {"effect": effect, "at": "2026-11-23 10:00:00" if kind == "sqlite" else MONDAY}
            await (await session.connection()).execute(insert, values)

    await ring_of_before("1")
    await upgrade(url)
    await ring_of_before("2")
    async with database.reading() as session:
        query = text("select call_hash, ended_at from duty_ring")
        found = (await (await session.connection()).execute(query)).all()
    await database.close()
    assert [tuple(row) for row in found] == [("", None)] * 2


def test_without_a_database_the_status_is_answered_and_nothing_personal_is_logged(
    line: Helpline, tmp_path: Path, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    on_duty(tmp_path, clock, "Ada")
    ring(line)
    gone(tmp_path)
    with caplog.at_level(logging.DEBUG):
        tell(line)
    assert "the end of a call is not recorded: NoDatabaseError" in caplog.text
    for secret in (CALL, NUMBER):
        assert secret[3:] not in caplog.text


def test_a_database_that_does_not_answer_keeps_no_status_callback_waiting(
    tmp_path: Path,
) -> None:
    """PostgreSQL takes connections and is silent (SIGSTOP)."""
    database = PostgreSQL()
    try:
        asyncio.run(upgrade(database.url))
        with process(tmp_path, IVR_DATABASE_URL=database.url) as server:
            tell(server)
            with database.frozen():
                for _ in range(3):
                    tell(server)
            told = server.stop()
    finally:
        database.stop()
    assert told.count("the end of a call is not recorded: ") == 3
    assert CALL not in told


# --- the simulator -------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", ["0 0", "0 0 @no-answer", "0 0 @completed 2"])
def test_a_call_that_ends_in_the_terminal_frees_the_colleague(
    line: Helpline, tmp_path: Path, clock: SetClock, keys: str
) -> None:
    """The script runs out while a phone rings; or the line hangs up after a talk."""
    on_duty(tmp_path, clock, "Ada", "Ben")
    url = f"http://127.0.0.1:{line.port}"
    command = Command(tmp_path, settings_of(tmp_path, line.public))
    assert command("call", "--keys", keys, "--url", url, "--from", NUMBER).returncode == 0
    assert set(states(tmp_path, clock).values()) <= {"free", "resting"}
    assert len(rows(tmp_path, "duty_ended_call")) == 1


async def test_a_caller_who_hangs_up_before_the_dial_posts_the_status_alone(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """While "I am ringing someone now" plays, as a person at a terminal may."""
    await asyncio.to_thread(on_duty, tmp_path, clock, "Ada")
    ringing = asyncio.Event()

    async def listen(sound: Sound) -> None:
        ringing.set()
        await asyncio.Event().wait()

    async with line.phone(Caller(NUMBER)) as phone:
        await phone.dial()
        await phone.press("0")
        phone.listener = listen
        pressing = asyncio.create_task(phone.press("0"))
        await ringing.wait()
        pressing.cancel()
        await phone.hang_up()
    assert await asyncio.to_thread(states, tmp_path, clock) == {"Ada": "free"}
