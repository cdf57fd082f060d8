"""The page of one request where things go otherwise than expected: seen without JavaScript."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from ivr.database import Database
from tests.colleagues import NAMES, Place, place
from tests.helplines import SetClock
from tests.standins import twilio

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
ONE = "/requests/1"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(TUESDAY)


@pytest.fixture
def here(tmp_path: Path, clock: SetClock) -> Iterator[Place]:
    with twilio() as standin:
        settings = {
            "IVR_TWILIO_API_URL": standin.address,
            "IVR_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
            "IVR_TWILIO_NUMBER": "+441134960000",
        }
        with place(tmp_path, clock, **settings) as made:
            yield made


def words(page: httpx.Response) -> str:
    """What can be read in the main part."""
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def change(here: Place, statement: str) -> None:
    async def changed(database: Database) -> None:
        async with database.writing() as session:
            await (await session.connection()).execute(text(statement))

    here.do(changed)


@pytest.mark.parametrize(
    "again",
    ["9999-12-31T23:00:00+00:00", "2500-01-01T09:00:00+00:00", "2026-11-25T09:00:00", "soon"],
)
def test_another_try_is_at_a_time_that_was_offered(here: Place, again: str) -> None:
    """Nobody is put off for centuries, no page breaks, and no time is dropped in silence."""
    ada = here.browser(NAMES["adviser"])
    ada.post("/next")
    for outcome in ("no answer", "spoke"):
        told = ada.post(f"{ONE}/outcome", outcome=outcome, by_hand="my own phone", again=again)
        assert told.status_code == 422
        assert "Choose a time from the list." in words(told)
        assert "Yours until" in words(ada.get(ONE))


def test_a_caller_who_is_being_rung_is_offered_to_nobody_else(here: Place, clock: SetClock) -> None:
    """Until the call's lease is over, should its end never be told."""
    ada, sue = here.browser(NAMES["adviser"]), here.browser(NAMES["supervisor"])
    ada.post("/next")
    assert ada.post(f"{ONE}/call", phone="07400 123 999").status_code == 303
    page = words(sue.get(ONE))
    assert "Ada Hill is ringing them now." in page
    assert "Claim it" not in page
    assert "Take it over" not in page
    clock.at = TUESDAY + timedelta(minutes=75)
    sue = here.browser(NAMES["supervisor"])
    assert "Claim it and show the number" in words(sue.get(ONE))
    assert sue.post(f"{ONE}/claim").status_code == 303


def test_what_was_given_back_meanwhile_can_be_taken_all_the_same(here: Place) -> None:
    """Whoever pressed "Take it over" was not too late: nobody holds it."""
    ada, sue = here.browser(NAMES["adviser"]), here.browser(NAMES["supervisor"])
    ada.post("/next")
    assert "Take it over from Ada Hill" in words(sue.get(ONE))
    ada.post(f"{ONE}/release")
    assert sue.post(f"{ONE}/claim", take_over="1").status_code == 303
    assert "Yours until" in words(sue.get(ONE))


def test_a_number_that_is_gone_is_said_to_be_gone(here: Place) -> None:
    """And is not shown by the last letters of the word for it."""
    sue = here.browser(NAMES["supervisor"])
    assert "Number ends 123" in words(sue.get(ONE))
    change(here, "update callback_request set number = 'sealed with a key that is lost'")
    assert "Number unreadable" in words(sue.get(ONE))
    change(here, "update callback_request set number = ''")
    assert "Number erased" in words(sue.get(ONE))
    assert "number erased" in words(sue.get("/"))


def test_the_history_says_in_words_who_did_what_and_when(here: Place) -> None:
    ada = here.browser(NAMES["adviser"])
    ada.post("/next")
    history = words(ada.get(ONE)).partition("What happened so far")[2]
    assert "The caller: asked to be rung · today at 10:30 am" in history
    assert "Ada Hill: claimed · today at 10:30 am" in history
    change(here, "update callback_event set what = 'message: no' where who = 'caller'")
    history = words(ada.get(ONE))
    assert "May we leave a message? The caller said no · today at 10:30 am" in history


def test_who_marks_an_ended_request_urgent_is_told_that_nobody_rings_it(here: Place) -> None:
    ada = here.browser(NAMES["adviser"])
    ada.post("/next")
    ada.post(f"{ONE}/outcome", outcome="asked not to be called", by_hand="my own phone")
    marked = ada.post(f"{ONE}/urgent", why="The child was not heard of since.")
    said = words(ada.get(marked.headers["location"].removeprefix("/staff")))
    assert "will not be erased. Nobody rings it: it has ended." in said


def test_each_button_that_is_pressed_twice_does_it_once(here: Place) -> None:
    """And nobody is told that it went wrong: it did not."""
    ada, phone = here.browser(NAMES["adviser"]), "07400 123 999"
    ada.post("/next")
    for what, fields in (
        ("call", {"phone": phone}),
        ("over", {}),
        ("release", {}),
        ("claim", {}),
        ("hand-over", {"to": NAMES["supervisor"]}),
    ):
        first, second = (ada.post(f"{ONE}/{what}", **fields) for _ in range(2))
        assert first.status_code == second.status_code == 303, what
        assert first.headers["location"] == second.headers["location"], what
    sue = here.browser(NAMES["supervisor"])
    sue.post(f"{ONE}/outcome", outcome="asked not to be called", by_hand="my own phone")
    assert [sue.post(f"{ONE}/reopen").status_code for _ in range(2)] == [303, 303]
    history = words(sue.get(ONE)).partition("What happened so far")[2]
    for done in ("calling", "released", "handed over to Sue Marsh", "reopened"):
        assert history.count(done) == 1, done


def test_the_next_one_is_one_though_the_button_is_pressed_twice(here: Place) -> None:
    """From the page as it is then, the next is another one."""
    change(
        here,
        "insert into callback_request (reference, state, number, number_hash, requested_at, due_at,"
        " slot, topic, council, access, repeats, attempts, holder)"
        " select '000002', state, number, 'other', requested_at, due_at, slot, topic, council,"
        " access, repeats, attempts, holder from callback_request",
    )
    ada = here.browser(NAMES["adviser"])
    for number in (1, 2):
        after = re.search(r'name="after" value="(\d+)"', ada.get("/").text)
        assert after
        for _ in range(2):
            taken = ada.post("/next", after=after[1])
            assert taken.headers["location"] == f"/staff/requests/{number}"


def test_who_rang_from_the_page_in_vain_need_not_say_how(here: Place) -> None:
    """The network said that there is no such number."""
    ada = here.browser(NAMES["adviser"])
    ada.post("/next")
    ada.post(f"{ONE}/call", phone="07400 123 999")
    change(here, "update callback_attempt set result = 'failed', ended_at = began_at")
    change(here, "update callback_request set state = 'claimed'")
    assert "I rang another way" not in words(ada.get(ONE))
    saved = ada.post(f"{ONE}/outcome", outcome="wrong number", note="There is no such number.")
    assert saved.headers["location"] == "/staff/?done=finished"
