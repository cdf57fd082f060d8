"""The account of demo mode: outside demo mode it is refused on every path, and can be removed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from ivr.config import load_settings
from ivr.database import Database
from ivr.duty.keys import Keys
from ivr.duty.roster import BadNameError, Roster
from ivr.names import DEMO_NAME, barred_names
from ivr.people.register import BarredNameError, LastAdministratorError, Register
from ivr.people.sign_in import FAILURES, Attempt, Entrance, RefusedError, Secrets, WaitError
from tests.colleagues import NAMES, PASSWORD, Browser, Place, place
from tests.commands import Command, Done
from tests.databases import ready_url
from tests.helplines import (
    SetClock,
    held_hashes,
    helpline,
    quick_hashes,
    rows,
    settings_of,
    wait_for,
)

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
IN_DEMO_MODE = barred_names(demo_mode=True)
SPELLINGS = ("demo", "Demo", " DEMO ", "ｄｅｍｏ")
DEMO = Attempt("demo", PASSWORD, address="192.0.2.1")


@pytest.fixture
def quick() -> Iterator[None]:
    with quick_hashes():
        yield


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
async def register(database: Database, clock: SetClock, quick: None) -> Register:
    """Of a helpline with a token, whose database holds the account of demo mode."""
    await left_over(Register(database, clock, IN_DEMO_MODE))
    return Register(database, clock)


async def left_over(in_demo_mode: Register) -> None:
    """Demo mode makes its account."""
    await in_demo_mode.add(DEMO_NAME, "administrator", "first run", PASSWORD)


@pytest.fixture
def entrance(register: Register) -> Entrance:
    secrets = Secrets((Fernet.generate_key(),), b"a key for hashes")
    return Entrance(register.database, secrets, register.clock)


# --- signing in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPELLINGS)
async def test_its_right_password_is_refused_as_a_wrong_one(entrance: Entrance, name: str) -> None:
    """In the same words, after a hash as for every other name, and up to the same limit."""
    with held_hashes(lambda password: False) as hashes, pytest.raises(RefusedError) as refused:
        await entrance.sign_in(replace(DEMO, name=name))
    assert str(refused.value) == "The name, the password or the code is not right."
    assert hashes.begun.acquire(blocking=False), "a password was hashed"
    for _ in range(FAILURES - 1):
        with pytest.raises(RefusedError):
            await entrance.sign_in(replace(DEMO, name=name))
    with pytest.raises(WaitError):
        await entrance.sign_in(replace(DEMO, name=name))


async def test_its_sessions_are_accepted_in_demo_mode_alone(entrance: Entrance) -> None:
    in_demo_mode = replace(entrance, barred=IN_DEMO_MODE)
    token = (await in_demo_mode.sign_in(DEMO)).token
    assert await entrance.who(token) is None
    assert await entrance.who(token, is_use=False) is None
    assert await in_demo_mode.who(token)


# --- the register --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPELLINGS)
async def test_it_cannot_be_brought_into_use(register: Register, name: str) -> None:
    await register.add("Ann Smith", "administrator", "root")
    for bringing in (
        register.add(name, "adviser", "root"),
        register.give_role(name, "adviser", "root"),
        register.reset(name, "root"),
    ):
        with pytest.raises(BarredNameError, match="is for demo mode only"):
            await bringing
    await register.remove(name, "root")
    with pytest.raises(BarredNameError):
        await register.add(name, "adviser", "root")
    assert [one.name for one in await register.everybody()] == ["Ann Smith"]


async def test_it_is_not_the_administrator_who_stays(register: Register) -> None:
    await register.add("Ann Smith", "administrator", "root")
    for change in (register.remove("Ann Smith", "root"), demoted(register, "Ann Smith")):
        with pytest.raises(LastAdministratorError):
            await change
    await register.add("Bob", "administrator", "root")
    await register.remove("Ann Smith", "root")


async def demoted(register: Register, name: str) -> None:
    await register.give_role(name, "adviser", "root")


async def test_it_can_be_removed_though_there_is_no_other_account(register: Register) -> None:
    await register.remove(DEMO_NAME, "root")
    assert await register.everybody() == []


async def test_in_demo_mode_it_is_an_account_like_any_other(register: Register) -> None:
    in_demo_mode = replace(register, barred=IN_DEMO_MODE)
    with pytest.raises(LastAdministratorError):
        await in_demo_mode.remove(DEMO_NAME, "root")
    await in_demo_mode.add("Ann Smith", "administrator", DEMO_NAME)
    await in_demo_mode.give_role(DEMO_NAME, "adviser", "Ann Smith")
    assert await in_demo_mode.reset(DEMO_NAME, "Ann Smith")
    assert not any(one.barred for one in await in_demo_mode.everybody())


# --- on duty -------------------------------------------------------------------------------------


async def test_it_is_not_rung(database: Database, clock: SetClock) -> None:
    """Not even if it went on duty in demo mode a moment ago."""
    keys = Keys((Fernet.generate_key(),), b"a key for hashes")
    in_demo_mode = Roster(database, keys, clock, barred=IN_DEMO_MODE)
    here, until = Roster(database, keys, clock), MONDAY + timedelta(hours=8)
    await in_demo_mode.on(DEMO_NAME, "+447400123999", until)
    assert [one.state for one in await here.listed()] == ["not rung: demo mode only"]
    assert not await here.anybody_free()
    assert await here.reserve("a call", first=DEMO_NAME) is None
    for name in SPELLINGS:
        with pytest.raises(BadNameError, match="account of demo mode"):
            await here.on(name, "+447400123998", until)
    await here.on("Ada", "+447400123998", until)
    called = await here.reserve("another call", first=DEMO_NAME)
    assert called
    assert called.number == "+447400123998"
    await here.off(DEMO_NAME)
    assert [one.name for one in await here.listed()] == ["Ada"]


# --- on the pages --------------------------------------------------------------------------------


def test_the_session_and_the_password_of_demo_mode_end_with_it(tmp_path: Path) -> None:
    """With the same folder: `make run` first, and a Twilio token later."""
    with helpline(tmp_path, IVR_DEMO="yes") as line:
        wait_for(lambda: bool(rows(tmp_path, "person")))
        password = (tmp_path / "demo-password").read_text().strip()
        tried = Place(load_settings(settings_of(tmp_path, line.public)), line.port)
        browser = tried.browser(DEMO_NAME, password)
        assert browser.get("/people").status_code == 200
        session = browser.wire.cookies["helpline_session"]
    with helpline(tmp_path) as line:
        now = Place(load_settings(settings_of(tmp_path, line.public)), line.port)
        old = now.browser()
        old.wire.cookies.set("helpline_session", session, path="/staff")
        assert old.get("/").headers["location"] == "/staff/sign-in"
        refused = now.browser().post("/sign-in", name=DEMO_NAME, password=password)
        assert refused.status_code == 422
        assert "The name, the password or the code is not right." in refused.text
        for one in (tried, now):
            for wire in one.wires:
                wire.close()


@pytest.fixture
def here(tmp_path: Path, clock: SetClock) -> Iterator[Place]:
    """A helpline with three colleagues, in whose database the account of demo mode is left over."""
    with place(tmp_path, clock) as made:
        made.do(lambda database: left_over(Register(database, clock, IN_DEMO_MODE)))
        yield made


@pytest.fixture
def ann(here: Place) -> Browser:
    return here.browser(NAMES["administrator"])


def test_the_people_page_says_that_it_is_left_over_and_removes_it(ann: Browser) -> None:
    assert "This account is left over from demo mode." in ann.get("/people").text
    for path in ("/people/add", "/people/role", "/people/reset"):
        refused = ann.post(path, name="Demo", role="adviser")
        assert refused.status_code == 422, path
        assert "is for demo mode only, and cannot be used here" in refused.text
    assert ann.post("/people/remove", name=DEMO_NAME, sure="1").status_code == 303
    assert "demo mode" not in ann.get("/people").text


def test_it_does_not_count_as_another_administrator_on_the_page(ann: Browser) -> None:
    refused = ann.post("/people/role", name=NAMES["administrator"], role="adviser")
    assert refused.status_code == 422
    assert "Nobody else could manage people" in refused.text


def test_no_request_is_handed_over_to_it(here: Place) -> None:
    ada = here.browser(NAMES["adviser"])
    ada.post("/requests/1/claim")
    offered = re.findall(r"<option[^>]*>([^<]*)</option>", ada.get("/requests/1").text)
    assert NAMES["supervisor"] in offered
    assert DEMO_NAME not in offered
    refused = ada.post("/requests/1/hand-over", to=DEMO_NAME)
    assert refused.status_code == 422
    assert "Choose a colleague." in refused.text


# --- at the prompt -------------------------------------------------------------------------------


@pytest.fixture
def ivr(tmp_path: Path, quick: None) -> Callable[..., Done]:
    ready_url("sqlite", tmp_path)
    ours = Command(tmp_path, settings_of(tmp_path, "https://line.example"))
    ours("staff", "add", DEMO_NAME, "--role", "administrator", IVR_DEMO="yes")
    return ours


def test_the_commands_refuse_it_and_say_how_to_remove_it(ivr: Callable[..., Done]) -> None:
    for arguments in (
        ("staff", "add", "Demo"),
        ("staff", "role", DEMO_NAME, "adviser"),
        ("staff", "reset", DEMO_NAME),
    ):
        refused = ivr(*arguments)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "is for demo mode only" in refused.stderr
        assert "`ivr staff remove`" in refused.stderr
    assert ivr("staff", "reset", DEMO_NAME, IVR_DEMO="yes").returncode == 0
    on_duty = ("duty", "on", DEMO_NAME, "--phone", "07400 123 999")
    assert "the account of demo mode" in ivr(*on_duty).stderr
    assert ivr(*on_duty, IVR_DEMO="yes").returncode == 0
    assert "demo mode only" in ivr("staff", "list").stdout
    assert "demo mode only" not in ivr("staff", "list", IVR_DEMO="yes").stdout


def test_doctor_tells_of_it_until_it_is_removed(ivr: Callable[..., Done]) -> None:
    told = ivr("doctor").stdout
    assert "nobody can sign in yet: ivr staff add; demo is left over from demo mode" in told
    assert "left over" not in ivr("doctor", IVR_DEMO="yes").stdout
    ivr("staff", "add", "Ann Smith", "--role", "administrator")
    told = ivr("doctor").stdout
    assert " note  accounts   1 can sign in; demo is left over from demo mode" in told
    assert "ivr staff remove demo" in told
    assert ivr("staff", "remove", DEMO_NAME).returncode == 0
    assert "   ok  accounts   1 can sign in\n" in ivr("doctor").stdout


def test_doctor_says_that_accounts_cannot_be_read(ivr: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "helpline.db").unlink()
    told = ivr("doctor")
    assert told.returncode == 1
    assert "wrong  accounts   they cannot be read (NoDatabaseError)" in told.stdout
