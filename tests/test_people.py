"""Who may come in: the register, signing in, and sessions that end."""

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from ivr.database import Database, NoDatabaseError
from ivr.people import passwords
from ivr.people.passwords import AT_ONCE, QUEUE, BusyError, Hashing, WeakPasswordError, check
from ivr.people.register import (
    BadNameError,
    LastAdministratorError,
    NameTakenError,
    NoSuchPersonError,
    NoSuchRoleError,
    Register,
)
from ivr.people.sign_in import (
    FAILURES,
    IDLE,
    LONGEST,
    WITHIN,
    Attempt,
    Entrance,
    Member,
    RefusedError,
    Secrets,
    SignedIn,
    WaitError,
    WrongCodeError,
    WrongPasswordError,
)
from ivr.people.tables import Role
from ivr.vault import UnreadableError
from tests.helplines import SetClock, held_hashes, quick_hashes

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PASSWORD = "plum tower quiet river"
ANN = Attempt("Ann Smith", PASSWORD, address="192.0.2.1")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of one-time codes
TABLES = ("person", "staff_session", "sign_in_failures", "staff_event")


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest) -> Iterator[None]:
    with nullcontext() if "slow" in request.fixturenames else quick_hashes():
        yield


@pytest.fixture
def slow() -> None:
    """Hashes as they are in use."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def register(database: Database, clock: SetClock) -> Register:
    return Register(database, clock)


@pytest.fixture
def entrance(database: Database, clock: SetClock) -> Entrance:
    return Entrance(database, Secrets((Fernet.generate_key(),), b"a key for hashes"), clock)


@pytest.fixture
async def ann(register: Register) -> str:
    """An administrator who has chosen her password."""
    await register.add("Ann Smith", "administrator", "root", PASSWORD)
    return "Ann Smith"


async def member(entrance: Entrance, attempt: Attempt = ANN) -> Member:
    found = await entrance.who((await entrance.sign_in(attempt)).token)
    assert found is not None
    return found


async def everything(database: Database) -> str:
    """All that the tables of people hold, as one text."""
    async with database.reading() as session:
        connection = await session.connection()
        found = [await connection.execute(text(f"select * from {table}")) for table in TABLES]
        return "\n".join(str(tuple(row)) for result in found for row in result)


async def rows(database: Database, table: str) -> list[tuple[object, ...]]:
    async with database.reading() as session:
        found = await (await session.connection()).execute(text(f"select * from {table}"))
        return [tuple(row) for row in found]


async def statement(database: Database, sql: str) -> None:
    async with database.writing() as session:
        await (await session.connection()).execute(text(sql))


async def deeds(database: Database) -> list[tuple[str, str, str]]:
    async with database.reading() as session:
        found = text("select who, what, about from staff_event order by id")
        return [tuple(row) for row in await (await session.connection()).execute(found)]


def code(clock: SetClock) -> str:
    return pyotp.TOTP(SECRET).at(clock.at)


async def outcomes(*doing: object) -> list[str]:
    """How each of these ended that were done at the same moment: the names of the kinds."""
    ended = await asyncio.gather(*doing, return_exceptions=True)  # type: ignore[call-overload]
    return sorted(type(one).__name__ for one in ended)


# --- passwords -----------------------------------------------------------------------------------


async def test_a_first_password_lets_in_and_must_be_changed(
    register: Register, entrance: Entrance
) -> None:
    first = await register.add("Bob", "adviser", "Ann Smith")
    signed = await entrance.sign_in(Attempt("Bob", first))
    bob = await entrance.who(signed.token)
    assert bob
    assert bob.must_change
    token = await entrance.change_password(bob, first, PASSWORD)
    assert await entrance.who(signed.token) is None, "signed out everywhere else"
    bob = await entrance.who(token)
    assert bob
    assert not bob.must_change
    with pytest.raises(RefusedError):
        await entrance.sign_in(Attempt("Bob", first))


async def test_a_password_is_changed_only_by_whoever_knows_it(entrance: Entrance, ann: str) -> None:
    her = await member(entrance)
    with pytest.raises(WrongPasswordError):
        await entrance.change_password(her, "some other password", "a river in the tower")
    with pytest.raises(WeakPasswordError):
        await entrance.change_password(her, PASSWORD, PASSWORD)
    with pytest.raises(WeakPasswordError):
        await entrance.change_password(her, PASSWORD, "short")


async def test_a_password_that_was_reset_meanwhile_stays_so(
    register: Register, entrance: Entrance, ann: str
) -> None:
    """Whoever took somebody's password cannot keep it by changing it while it is reset."""
    her = await member(entrance)
    changing = entrance.change_password(her, PASSWORD, "a river in the tower")
    resetting = register.reset(ann, "root")
    changed, first = await asyncio.gather(changing, resetting, return_exceptions=True)
    assert isinstance(first, str)
    assert (await member(entrance, replace(ANN, password=first))).must_change
    if isinstance(changed, str):
        assert await entrance.who(changed) is None


async def test_a_password_is_kept_so_that_guessing_it_is_slow(slow: None) -> None:
    """RFC 9106's second choice of parameters, and another salt each time."""
    hashing = Hashing()
    kept = await hashing.hashed(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert kept != await hashing.hashed(PASSWORD)
    assert await hashing.fits(kept, PASSWORD)
    assert not await hashing.fits(kept, PASSWORD.upper())
    assert not await hashing.fits("", "")


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "short",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "Ann Smith Ann Smith",
        "annsmith2026",
        "passwordpassword",
        "Password123!",
        "123456789012",
        "qwertyuiop12",
        "helpline2026",
        "x" * 201,
    ],
)
def test_a_weak_password_is_refused(weak: str) -> None:
    with pytest.raises(WeakPasswordError):
        check(weak, "Ann Smith")


@pytest.mark.parametrize(
    "good", ["plum tower quiet river", "ἀρχὴ ἥμισυ παντός", "r7!kQ2#vLp9z", "anna went rowing"]
)
def test_a_few_words_in_a_row_are_a_good_password(good: str) -> None:
    """So are other alphabets, and a name among other words."""
    check(good, "Ann Smith")


# --- who is not let in ---------------------------------------------------------------------------


async def test_a_wrong_name_password_or_code_is_refused_alike(
    register: Register, entrance: Entrance, clock: SetClock, ann: str
) -> None:
    """Nobody learns which of them was wrong, nor that somebody was removed."""
    await entrance.use_codes(await member(entrance), SECRET, code(clock))
    await register.add("Bob", "adviser", "root", PASSWORD)
    await register.remove("Bob", "root")
    wrong = (
        replace(ANN, name="Nobody"),
        replace(ANN, name="Bob"),
        replace(ANN, password="some other password", code=code(clock)),
        replace(ANN, password=""),
        replace(ANN, password=PASSWORD + "x"),
        replace(ANN, code="000000"),
        replace(ANN, code=""),
        replace(ANN, code="\N{ARABIC-INDIC DIGIT ONE}" * 6),
    )
    told = set()
    for number, attempt in enumerate(wrong):
        with pytest.raises(RefusedError) as refused:
            await entrance.sign_in(replace(attempt, address=f"192.0.2.{number}"))
        told.add(str(refused.value))
    assert told == {"The name, the password or the code is not right."}


async def test_whatever_is_typed_as_a_name_is_a_wrong_name(entrance: Entrance, ann: str) -> None:
    for hostile in ("\0", "ann smith\0", "\ud800", "x" * 100_000, "%", "' or 1=1"):
        with pytest.raises(RefusedError):
            await entrance.sign_in(replace(ANN, name=hostile))
        with pytest.raises(RefusedError):
            await entrance.sign_in(
                replace(ANN, password=hostile, address=f"192.0.2.{len(hostile)}")
            )


async def test_after_five_failures_from_one_place_it_must_wait(
    entrance: Entrance, clock: SetClock, ann: str
) -> None:
    """The place waits, not the person: another network gets in, and so does a browser that she has
    used before. After a quarter of an hour the place may try again."""
    known = await entrance.sign_in(ANN)
    for _ in range(FAILURES):
        with pytest.raises(RefusedError):
            await entrance.sign_in(replace(ANN, password="a guess"))
    with pytest.raises(WaitError):
        await entrance.sign_in(ANN)
    assert await entrance.sign_in(replace(ANN, address="192.0.2.2"))
    assert await entrance.sign_in(replace(ANN, device=known.device))
    clock.at += WITHIN - timedelta(seconds=1)
    with pytest.raises(WaitError):
        await entrance.sign_in(ANN)
    clock.at += timedelta(seconds=1)
    assert await entrance.sign_in(ANN)


async def test_a_known_device_must_wait_too_and_is_nobody_elses(
    entrance: Entrance, ann: str
) -> None:
    """A cookie that was made up, or that is another person's, is no known device."""
    known = (await entrance.sign_in(ANN)).device
    guess = replace(ANN, password="a guess", device=known)
    for _ in range(FAILURES):
        with pytest.raises(RefusedError):
            await entrance.sign_in(guess)
    with pytest.raises(WaitError):
        await entrance.sign_in(replace(ANN, device=known))
    for made_up in ("x.y", "x.é", ".", known[:-1], known + "0", "x" * 10_000):
        with pytest.raises((RefusedError, WaitError)):
            await entrance.sign_in(replace(guess, device=made_up, address="192.0.2.9"))
    with pytest.raises(WaitError):
        await entrance.sign_in(replace(ANN, device="x.y", address="192.0.2.9"))


async def test_a_home_has_many_addresses_and_is_one_place(entrance: Entrance, ann: str) -> None:
    for number in range(FAILURES):
        with pytest.raises(RefusedError):
            await entrance.sign_in(replace(ANN, password="", address=f"2001:db8::{number}"))
    with pytest.raises(WaitError):
        await entrance.sign_in(replace(ANN, address="2001:db8::ffff"))
    assert await entrance.sign_in(replace(ANN, address="2001:db8:0:1::1"))


async def test_concurrent_guesses_get_no_more_answers_than_the_limit(
    entrance: Entrance, ann: str
) -> None:
    guesses = (entrance.sign_in(replace(ANN, password=f"guess {n}")) for n in range(QUEUE))
    answers = await outcomes(*guesses)
    assert answers == ["RefusedError"] * FAILURES + ["WaitError"] * (QUEUE - FAILURES)
    with pytest.raises(WaitError):
        await entrance.sign_in(ANN)


async def test_a_right_password_is_not_confirmed_once_other_guesses_reached_the_limit(
    entrance: Entrance, database: Database, clock: SetClock, ann: str
) -> None:
    """Its check began before theirs, and ends after them."""
    with held_hashes(lambda password: password == PASSWORD) as hashes:
        right = asyncio.create_task(entrance.sign_in(ANN))
        await hashes.one_begun()
        for number in range(FAILURES):
            with pytest.raises(RefusedError):
                await entrance.sign_in(replace(ANN, password=f"guess {number}"))
        hashes.released.set()
        with pytest.raises(WaitError):
            await right
    assert await rows(database, "staff_session") == []
    assert ("Ann Smith", "signed in", "") not in await deeds(database)
    with pytest.raises(WaitError):
        await entrance.sign_in(ANN)
    clock.at += WITHIN
    assert await entrance.sign_in(ANN)


async def test_a_full_queue_of_hashes_is_not_counted(entrance: Entrance, ann: str) -> None:
    """A flood of other names fills it; the right password is accepted as soon as it is over."""
    strangers = [replace(ANN, name=f"stranger {number}") for number in range(QUEUE + 1)]
    with held_hashes() as hashes:
        flood = [asyncio.create_task(entrance.sign_in(each)) for each in strangers]
        (turned_away,), _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
        assert isinstance(turned_away.exception(), BusyError)
        for _ in range(FAILURES + 1):
            with pytest.raises(BusyError):
                await entrance.sign_in(ANN)
        hashes.released.set()
        await asyncio.gather(*flood, return_exceptions=True)
    assert await entrance.sign_in(ANN)


async def test_a_database_failure_after_the_check_is_not_counted(
    entrance: Entrance, database: Database, ann: str
) -> None:
    await statement(database, "alter table staff_session rename to staff_session_away")
    for _ in range(FAILURES + 1):
        with pytest.raises(NoDatabaseError):
            await entrance.sign_in(ANN)
    await statement(database, "alter table staff_session_away rename to staff_session")
    assert await entrance.sign_in(ANN)


async def test_a_request_cancelled_during_the_check_is_not_counted(
    entrance: Entrance, database: Database, ann: str
) -> None:
    for password in (PASSWORD, *["a guess"] * FAILURES):
        with held_hashes() as hashes:
            trying = asyncio.create_task(entrance.sign_in(replace(ANN, password=password)))
            await hashes.one_begun()
            trying.cancel()
            hashes.released.set()
            with pytest.raises(asyncio.CancelledError):
                await trying
    assert await rows(database, "sign_in_failures") == []
    assert await entrance.sign_in(ANN)


async def test_an_exception_in_the_check_is_not_counted(
    entrance: Entrance, ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def verify(self, kept: str, password: str) -> bool:
            raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(passwords, "_hasher", Broken())
        for _ in range(FAILURES + 1):
            with pytest.raises(MemoryError):
                await entrance.sign_in(ANN)
    assert await entrance.sign_in(ANN)


async def test_whoever_gets_in_starts_counting_anew(entrance: Entrance, ann: str) -> None:
    for _ in range(2):
        for _ in range(FAILURES - 1):
            with pytest.raises(RefusedError):
                await entrance.sign_in(replace(ANN, password="a slip"))
        assert await entrance.sign_in(ANN)


# --- one-time codes ------------------------------------------------------------------------------


async def test_a_code_is_good_once_also_at_the_same_moment(
    entrance: Entrance, clock: SetClock, ann: str
) -> None:
    await entrance.use_codes(await member(entrance), SECRET, code(clock))
    with pytest.raises(RefusedError):  # it was used up when codes were switched on
        await entrance.sign_in(replace(ANN, code=code(clock)))
    clock.at += timedelta(seconds=30)
    with_code = replace(ANN, code=code(clock))
    assert await outcomes(*(entrance.sign_in(with_code) for _ in range(3))) == [
        "RefusedError",
        "RefusedError",
        "SignedIn",
    ]
    clock.at += timedelta(seconds=30)
    with pytest.raises(RefusedError):
        await entrance.sign_in(with_code)
    assert await entrance.sign_in(replace(ANN, code=f"{code(clock)[:3]} {code(clock)[3:]}"))


async def test_codes_begin_when_the_app_shows_the_right_one_and_stop_when_asked(
    entrance: Entrance, clock: SetClock, ann: str
) -> None:
    her = await member(entrance)
    with pytest.raises(WrongCodeError):
        await entrance.use_codes(her, SECRET, "000000")
    assert not (await member(entrance)).codes
    await entrance.use_codes(her, SECRET, code(clock))
    with pytest.raises(RefusedError):
        await entrance.sign_in(ANN)
    with pytest.raises(WrongPasswordError):
        await entrance.stop_codes(her, "not hers")
    await entrance.stop_codes(her, PASSWORD)
    assert not (await member(entrance, replace(ANN, address=""))).codes


async def test_the_secret_of_a_form_is_good_for_whom_it_was_made(
    register: Register, entrance: Entrance, ann: str
) -> None:
    await register.add("Bob", "adviser", "root", PASSWORD)
    her, bob = await member(entrance), await member(entrance, Attempt("Bob", PASSWORD))
    sealed = entrance.sealed_secret(her, SECRET)
    assert entrance.unsealed_secret(her, sealed) == SECRET
    for whose, given in ((bob, sealed), (her, "made up"), (her, "é")):
        with pytest.raises(UnreadableError):
            entrance.unsealed_secret(whose, given)


# --- sessions ------------------------------------------------------------------------------------


async def test_a_session_ends_after_an_hour_idle(
    entrance: Entrance, clock: SetClock, ann: str
) -> None:
    token = (await entrance.sign_in(ANN)).token
    clock.at += IDLE - timedelta(minutes=2)
    assert await entrance.who(token)
    clock.at += IDLE - timedelta(minutes=2)
    assert await entrance.who(token), "it was used meanwhile"
    clock.at += IDLE
    assert await entrance.who(token) is None


async def test_a_page_that_only_waits_for_news_keeps_no_session(
    entrance: Entrance, clock: SetClock, ann: str
) -> None:
    """The queue, left open on a desk, is closed to whoever comes by an hour later."""
    token = (await entrance.sign_in(ANN)).token
    for _ in range(59):
        clock.at += timedelta(minutes=1)
        assert await entrance.who(token, is_use=False)
    clock.at += timedelta(minutes=1)
    assert await entrance.who(token, is_use=False) is None


async def test_strangers_keep_nobody_waiting_long() -> None:
    """Past a few who wait for their turn, an attempt is refused at once."""
    hashing = Hashing()
    tries = (hashing.fits("", f"guess {number}") for number in range(60))
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(one) for one in ended} == {bool, BusyError}
    assert not await hashing.fits("", "afterwards")


async def test_cancelled_requests_keep_their_turn_until_their_hash_ends() -> None:
    """Clients that disconnect at once do not fill the threads, and the memory, with hashes."""
    hashing = Hashing()
    with held_hashes() as hashes:
        gone = [asyncio.create_task(hashing.fits("", "a guess")) for _ in range(AT_ONCE)]
        for _ in gone:
            await hashes.one_begun()
        for each in gone:
            each.cancel()
        others = [asyncio.create_task(hashing.fits("", "a guess")) for _ in range(AT_ONCE)]
        for _ in range(9):  # their hashes would begin now
            await asyncio.to_thread(lambda: None)
        hashes.released.set()
        assert await outcomes(*gone, *others) == ["CancelledError"] * AT_ONCE + ["bool"] * AT_ONCE
    assert hashes.most == AT_ONCE


async def test_a_session_ends_after_twelve_hours_however_it_is_used(
    entrance: Entrance, clock: SetClock, ann: str
) -> None:
    token = (await entrance.sign_in(ANN)).token
    while clock.at < MONDAY + LONGEST - timedelta(minutes=30):
        assert await entrance.who(token)
        clock.at += timedelta(minutes=30)
    assert await entrance.who(token)
    clock.at = MONDAY + LONGEST
    assert await entrance.who(token) is None


async def test_signing_out_ends_this_session_and_no_other(entrance: Entrance, ann: str) -> None:
    here, there = [(await entrance.sign_in(ANN)).token for _ in range(2)]
    await entrance.sign_out(here)
    await entrance.sign_out("of nobody")
    assert await entrance.who(here) is None
    assert await entrance.who(there)


async def test_a_token_that_was_made_up_is_nobodys(entrance: Entrance, ann: str) -> None:
    await entrance.sign_in(ANN)
    for made_up in ("", "x", "é\0", "x" * 100_000):
        assert await entrance.who(made_up) is None


async def test_who_is_removed_is_out_at_once_and_can_come_back(
    register: Register, entrance: Entrance, clock: SetClock
) -> None:
    """They come back under their name, however it is typed, with another password and no codes."""
    bobs = Attempt("Bob", await register.add("Bob", "adviser", "root"))
    token = (await entrance.sign_in(bobs)).token
    bob = await entrance.who(token)
    assert bob
    await entrance.use_codes(bob, SECRET, code(clock))
    await register.remove("Bob", "Ann")
    assert await entrance.who(token) is None
    assert await register.everybody() == []
    with pytest.raises(NoSuchPersonError):
        await register.remove("Bob", "Ann")
    with pytest.raises(RefusedError):
        await entrance.sign_in(replace(bobs, code=code(clock)))
    first = await register.add("BOB", "supervisor", "Ann")
    back = await member(entrance, Attempt("bob", first))
    assert (back.name, back.role, back.codes) == ("BOB", Role.SUPERVISOR, False)
    assert await entrance.who(token) is None


async def test_a_reset_signs_out_everywhere_and_takes_the_codes_away(
    register: Register, entrance: Entrance, clock: SetClock, ann: str
) -> None:
    tokens = [(await entrance.sign_in(ANN)).token for _ in range(2)]
    await entrance.use_codes(await member(entrance), SECRET, code(clock))
    first = await register.reset("ann smith", "root")
    assert [await entrance.who(token) for token in tokens] == [None, None]
    with pytest.raises(RefusedError):
        await entrance.sign_in(replace(ANN, code=code(clock)))
    back = await member(entrance, replace(ANN, password=first))
    assert (back.must_change, back.codes) == (True, False)


@pytest.mark.parametrize("change", ["reset", "remove"])
async def test_whoever_signs_in_while_they_are_put_out_is_out(
    register: Register, entrance: Entrance, change: str
) -> None:
    """A password that was right a moment ago opens no session after a reset or a removal."""
    await register.add("Bob", "adviser", "root", PASSWORD)
    signing = [entrance.sign_in(Attempt("Bob", PASSWORD)) for _ in range(3)]
    ended = await asyncio.gather(
        *signing,
        getattr(register, change)("Bob", "root"),
        *(entrance.sign_in(Attempt("Bob", PASSWORD, address="192.0.2.7")) for _ in range(2)),
        return_exceptions=True,
    )
    for one in ended:
        if isinstance(one, SignedIn):
            assert await entrance.who(one.token) is None


# --- the register --------------------------------------------------------------------------------


async def test_a_role_changes_at_once_where_somebody_is_signed_in(
    register: Register, entrance: Entrance, ann: str
) -> None:
    await register.add("Bob", "administrator", "root", PASSWORD)
    token = (await entrance.sign_in(ANN)).token
    await register.give_role(ann, "adviser", "Bob")
    her = await entrance.who(token)
    assert her
    assert her.role == Role.ADVISER


async def test_the_last_administrator_stays(register: Register, ann: str) -> None:
    await register.add("Bob", "supervisor", "root", PASSWORD)
    for change in (register.give_role(ann, "supervisor", ann), register.remove(ann, "root")):
        with pytest.raises(LastAdministratorError):
            await change
    await register.give_role(ann, "administrator", ann)
    await register.give_role("Bob", "administrator", ann)
    await register.remove(ann, "Bob")
    with pytest.raises(LastAdministratorError):
        await register.remove("Bob", "Bob")


@pytest.mark.parametrize("change", ["demoted", "removed"])
async def test_of_two_administrators_who_go_at_the_same_moment_one_stays(
    register: Register, ann: str, change: str
) -> None:
    await register.add("Bob", "administrator", "root", PASSWORD)
    going = [
        register.give_role(name, "adviser", "root")
        if change == "demoted"
        else register.remove(name, "root")
        for name in (ann, "Bob")
    ]
    assert await outcomes(*going) == ["LastAdministratorError", "NoneType"]
    roles = [one.role for one in await register.everybody()]
    assert roles.count("administrator") == 1


async def test_a_name_is_known_however_it_is_typed(
    register: Register, entrance: Entrance, ann: str
) -> None:
    """In capitals, with other spaces, in the wide letters of a Japanese keyboard."""
    for typed in ("ann smith", " ANN  SMITH ", "Ann\N{NO-BREAK SPACE}Smith", "Ａnn Smith"):
        assert (await member(entrance, replace(ANN, name=typed))).name == "Ann Smith"
        with pytest.raises(NameTakenError):
            await register.add(typed, "adviser", "root")


async def test_a_name_is_given_once_also_at_the_same_moment(register: Register) -> None:
    adding = (register.add(name, "adviser", "root", PASSWORD) for name in ("Bob", "bob", "BOB"))
    assert await outcomes(*adding) == ["NameTakenError", "NameTakenError", "str"]


async def test_what_is_no_name_is_refused(register: Register) -> None:
    """Among them a letter that turns the direction of writing, and so can hide another name."""
    turned = "\N{RIGHT-TO-LEFT OVERRIDE}Bob"
    for name in ("", "A", "x" * 65, "<b>Bob</b>", "Bob\0", "Bob; drop", "B\ud800b", turned):
        with pytest.raises(BadNameError):
            await register.add(name, "adviser", "root")
        with pytest.raises(NoSuchPersonError):
            await register.reset(name, "root")


async def test_a_role_that_there_is_not_is_named_with_those_that_there_are(
    register: Register, ann: str
) -> None:
    for change in (register.add("Bob", "boss", "root"), register.give_role(ann, "boss", "root")):
        with pytest.raises(NoSuchRoleError, match="adviser, supervisor, administrator"):
            await change


async def test_everything_that_is_done_is_recorded_with_who_did_it(
    register: Register, entrance: Entrance, database: Database, ann: str
) -> None:
    await register.add("Bob", "adviser", ann)
    await register.give_role("bob", "supervisor", "x" * 100)
    await register.reset("Bob", ann)
    await register.remove("Bob", ann)
    await register.note(ann, "exported", "3 requests")
    await entrance.sign_in(ANN)
    assert await deeds(database) == [
        ("root", "added as administrator", "Ann Smith"),
        ("Ann Smith", "added as adviser", "Bob"),
        ("x" * 64, "made supervisor", "Bob"),
        ("Ann Smith", "password reset", "Bob"),
        ("Ann Smith", "removed", "Bob"),
        ("Ann Smith", "exported", "3 requests"),
        ("Ann Smith", "signed in", ""),
    ]


async def test_what_people_sign_in_with_cannot_be_read_in_the_tables(
    register: Register, entrance: Entrance, database: Database, clock: SetClock, ann: str
) -> None:
    """Nor can where somebody tried to sign in from."""
    signed = await entrance.sign_in(ANN)
    her = await entrance.who(signed.token)
    assert her
    await entrance.use_codes(her, SECRET, code(clock))
    first = await register.add("Bob", "adviser", ann)
    with pytest.raises(RefusedError):
        await entrance.sign_in(replace(ANN, password="another guess"))
    kept = await everything(database)
    assert "Ann Smith" in kept
    nonce, _, proof = signed.device.partition(".")
    hidden = (PASSWORD, first, signed.token, SECRET, "another guess", nonce, proof, ANN.address)
    assert [one for one in hidden if one in kept] == []
    assert kept.count("$argon2id$") == 2
