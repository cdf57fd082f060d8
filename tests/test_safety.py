"""Someone is not safe: the caller hears what to do before they save, and staff see it first."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from ivr.callbacks.erasing import Eraser
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.wishes import Kind, Wish, packed, unpacked
from ivr.database import Database
from ivr.messages.erasing import erase_with
from tests.colleagues import NAMES, Place, place
from tests.helplines import Helpline, SetClock, helpline, rows, wait_for
from tests.standins import Twilio, twilio

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 3, tzinfo=UTC)
RING_999 = "If anyone is in danger now hang up and ring 9 9 9."
SEEN = re.compile(r"Before anyone here sees that you asked, it can be [^.]*\.")
ASK = ("0", "1", "1", "1")  # to be rung, on this phone, at any time
NOT_SAFE = ("4", "3")  # from the main menu
ONE = "/requests/1"
LEAD = "+447400123471"
TEXTS = {
    "IVR_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "IVR_TEXT_FROM": "+447400123499",
    "IVR_SAFETY_PHONES": LEAD,
    "IVR_SAFETY_LEAD": "Jo, on extension 3",
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock(TUESDAY)


@pytest.fixture
def line(tmp_path: Path, clock: SetClock) -> Iterator[Helpline]:
    with helpline(tmp_path, clock) as made:
        yield made


def heard(line: Helpline, *keys: str) -> list[str]:
    """What is said in answer to each key of one call."""
    page, words = line.post().page, []
    for each in keys:
        page = line.post(page.action, each).page
        words.append(page.words)
    return words


def requests(var: Path) -> list[dict[str, Any]]:
    return rows(var, "callback_request")


# --- the call ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        (*NOT_SAFE, *ASK),
        ("0", "2", *ASK),  # from the menu of key 0
        (*NOT_SAFE, "2", *ASK),  # and a number was heard
        (*NOT_SAFE, *ASK, "2", "1", "2"),  # changed to the morning before it is saved
        (*ASK, "0", "2", "*", "*", "1"),  # pressed at the last step, and came back to it
    ],
)
def test_who_pressed_not_safe_hears_when_it_is_seen_and_999_before_saving(
    line: Helpline, tmp_path: Path, keys: tuple[str, ...]
) -> None:
    *_, before, after = heard(line, *keys, "1")
    assert SEEN.search(before)
    assert RING_999 in before
    assert "press 1" in before.partition(RING_999)[2], "heard before the key that saves"
    assert after.startswith("Saved.")
    (request,) = requests(tmp_path)
    assert request["safety"] == "pressed"
    assert not request["urgent"], "only a person's mark alarms"


def test_a_caller_who_presses_it_after_saving_is_tagged_too(line: Helpline, tmp_path: Path) -> None:
    heard(line, *ASK, "1")
    assert requests(tmp_path)[0]["safety"] == ""
    line = replace(line, call={**line.call, "CallSid": "CA" + "8" * 32})
    heard(line, *NOT_SAFE)
    assert requests(tmp_path)[0]["safety"] == "", "a number is not a person"
    line = line.another_caller()
    heard(line, *ASK, "1", "1", *NOT_SAFE)
    assert [one["safety"] for one in requests(tmp_path)] == ["", "pressed"]


@pytest.mark.parametrize(
    "keys",
    [
        (*NOT_SAFE, "0", "1", "1", "1"),  # and keep the call-back of before
        ("0", "1", "1", "0", "2", "*", "*", "1", "1"),  # pressed after that menu was heard
        (*NOT_SAFE, "0", "1", "1", "2", "2", "1"),  # change its time
        (*NOT_SAFE, "0", "1", "1", "2", "2", "2"),  # keep it as it was, at the last step
    ],
)
def test_who_asked_before_hears_the_same_before_it_is_kept_or_changed(
    line: Helpline, tmp_path: Path, keys: tuple[str, ...]
) -> None:
    heard(line, *ASK, "1")
    again = replace(line, call={**line.call, "CallSid": "CA" + "8" * 32})
    *_, before, after = heard(again, *keys)
    assert SEEN.search(before)
    assert RING_999 in before
    assert "saved" in after.lower()
    (request,) = requests(tmp_path)
    assert request["safety"] == "pressed"


@pytest.mark.parametrize(
    "keys",
    [
        (*NOT_SAFE, "0", "1", "1"),  # hangs up when she hears that it is there
        (*NOT_SAFE, "0", "1", "1", "2", "2"),  # or before a changed time is saved
        (*NOT_SAFE, "0", "1", "1", "3", "1"),  # or decides to keep it after all
        ("0", "1", "1", "0", "2", "*", "*"),  # or pressed it after that
        (*NOT_SAFE, "0", "1", "1", "3", "2"),  # a ring would be dangerous: she cancels it
    ],
)
def test_a_press_reaches_the_call_back_of_before_though_the_caller_hangs_up(
    line: Helpline, tmp_path: Path, keys: tuple[str, ...]
) -> None:
    heard(line, *ASK, "1")
    again = replace(line, call={**line.call, "CallSid": "CA" + "8" * 32})
    heard(again, *keys)
    assert requests(tmp_path)[0]["safety"] == "pressed"
    pressed = [one["what"] for one in rows(tmp_path, "callback_event")]
    assert pressed.count("pressed: not safe") == 1


def test_to_keep_it_after_all_is_one_key(line: Helpline) -> None:
    """The warning was heard before: it is not heard again."""
    heard(line, *ASK, "1")
    again = replace(line, call={**line.call, "CallSid": "CA" + "8" * 32})
    assert heard(again, *NOT_SAFE, "0", "1", "1", "3", "1")[-1].startswith("That is fine.")


def test_more_numbers_are_no_other_press_and_a_later_press_is_told(
    line: Helpline, tmp_path: Path
) -> None:
    *_, after = heard(line, *ASK, "1", "1", *NOT_SAFE)
    assert "We have added that to your call-back." in after
    heard(line.another_caller(), *NOT_SAFE, "2", "", "1", *ASK, "1")
    events = [one["what"] for one in rows(tmp_path, "callback_event")]
    assert events.count("pressed: not safe") == 2


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (NIGHT, "nine in the morning, on Tuesday the twenty-fourth of November"),
        (NIGHT - timedelta(days=2), "nine in the morning, on Monday the twenty-third of November"),
        (TUESDAY, "five in the afternoon, on Wednesday the twenty-fifth of November"),
    ],
)
def test_closed_it_is_not_seen_before_we_open_and_open_by_when_we_ring(
    line: Helpline, clock: SetClock, at: datetime, until: str
) -> None:
    clock.at = at
    *_, before = heard(line, *NOT_SAFE, *ASK)
    assert f"Before anyone here sees that you asked, it can be {until}." in before


def test_with_a_long_wait_it_is_heard_as_well(line: Helpline, tmp_path: Path) -> None:
    """When the call-back can only be promised for later than two working days from now."""
    fill_the_days(tmp_path, line, 3)
    *_, busy, before, after = heard(line, *NOT_SAFE, *ASK, "1", "1")
    assert "Many people are waiting" in busy
    assert SEEN.search(before)
    assert RING_999 in before
    assert after.startswith("Saved.")


def test_other_callers_do_not_hear_it(line: Helpline, tmp_path: Path) -> None:
    words = heard(line, *ASK, "1")
    assert not any(SEEN.search(each) for each in words)
    assert requests(tmp_path)[0]["safety"] == ""


def test_it_is_kept_while_the_database_is_gone(tmp_path: Path) -> None:
    """Through the spool, also when it was pressed after saving."""
    with helpline(tmp_path) as line:  # by the clock on the wall, which the spool goes by
        other = line.another_caller()
        file = tmp_path / "helpline.db"
        file.rename(tmp_path / "away.db")
        assert heard(line, *NOT_SAFE, *ASK, "1")[-1].startswith("Saved.")
        assert RING_999 in heard(other, *ASK, "1", "1", *NOT_SAFE)[-1]
        (tmp_path / "away.db").rename(file)
        wait_for(lambda: [one["safety"] for one in requests(tmp_path)] == ["pressed"] * 2)


def test_a_wish_that_was_spooled_before_this_was_asked_can_be_read() -> None:
    wish = Wish(Kind.SAVE, "1" * 64, "482195", "+447400123456", TUESDAY, "any", TUESDAY)
    old = {name: value for name, value in json.loads(packed(wish)).items() if name != "safety"}
    assert unpacked(json.dumps(old).encode()) == wish


def fill_the_days(var: Path, line: Helpline, days: int) -> None:
    """So many working days have no room left."""
    from ivr.config import load_settings
    from tests.helplines import done, settings_of

    settings = load_settings(settings_of(var, line.public))
    keys = Keys(settings.fernet_keys, settings.hash_key)

    async def fill() -> None:
        database = Database(settings.database_url)
        for number in range(28 * days):
            due = TUESDAY.replace(hour=17, minute=0) + timedelta(days=1 + number // 28)
            effect, phone = keys.effect_hash(str(number)), f"+4474002{number:05d}"
            wish = Wish(Kind.SAVE, effect, f"{number:06d}", phone, TUESDAY, "any", due)
            await Ledger(database, keys).enter(wish)
        await database.close()

    done(fill())


# --- the staff's side ----------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, clock: SetClock) -> Iterator[Place]:
    with place(tmp_path, clock) as made:
        yield made


@pytest.fixture
def texting(tmp_path: Path, clock: SetClock) -> Iterator[tuple[Place, Twilio]]:
    with twilio() as standin:
        settings = {**TEXTS, "IVR_TWILIO_API_URL": standin.address}
        with place(tmp_path, clock, **settings) as made:
            yield made, standin


def words(page: httpx.Response) -> str:
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def asked(here: Place, number: int, **changes: Any) -> None:
    """Another caller asks, two weeks from when the first one is due."""
    keys = Keys(here.settings.fernet_keys, here.settings.hash_key)
    wish = Wish(
        Kind.SAVE,
        keys.effect_hash(f"another {number}"),
        f"{number:06d}",
        f"+44770090{number:04d}",
        TUESDAY,
        "any",
        TUESDAY + timedelta(days=14),
    )

    async def enter(database: Database) -> None:
        await Ledger(database, keys).enter(replace(wish, **changes))

    here.do(enter)


def test_pressed_and_urgent_come_first_in_every_list_and_with_take_the_next_one(
    here: Place, clock: SetClock
) -> None:
    """Before a promise that is due, or missed."""
    asked(here, 2)
    asked(here, 3, safety="pressed")
    asked(here, 4)
    clock.at += timedelta(days=1)  # the promise of request 1 is missed
    ada, ben = here.browser(NAMES["adviser"]), here.browser(NAMES["supervisor"])
    ada.post("/requests/4/urgent", why="He says that he will hurt himself")
    order = ["000 004", "000 003", "482 195", "000 002"]
    for view in ("", "?view=open", "?view=today"):
        shown = re.findall(
            r'<h2><a href="/staff/requests/\d+">([\d ]+)</a>', ada.get(f"/{view}").text
        )
        assert shown == [one for one in order if one in shown]
        assert view == "?view=today" or len(shown) == 4
    listed = ben.get("/requests.csv").text.splitlines()[1:]
    assert [row.partition(",")[0] for row in listed] == [one.replace(" ", "") for one in order]
    taken = [ben.post("/next").headers["location"] for _ in order]
    assert [path.rpartition("/")[2] for path in taken] == ["4", "3", "1", "2"]


def test_the_tag_and_the_line_above_the_queue_say_who_pressed(here: Place) -> None:
    """Apart from who only heard an answer about safety."""
    asked(here, 2, safety="pressed", topic="safety/mental-health")
    asked(here, 3, topic="safety/mental-health")
    ada = here.browser(NAMES["adviser"])
    queue = ada.get("/")
    assert "In 1 request the caller pressed “someone is not safe”" in words(queue)
    assert queue.text.count("Pressed: not safe</strong>") == 1
    assert queue.text.count("Heard: Mental health crisis") == 2
    assert "1 request." in words(ada.get("/?view=safety"))
    pressed, only_heard = ada.get("/requests/2"), ada.get("/requests/3")
    assert "Pressed: someone is not safe" in words(pressed)
    assert "Do not mention it first" in words(pressed)
    assert '<details class="box safety" open>' in pressed.text
    assert "The caller: pressed “someone is not safe”" in words(pressed)
    assert "Pressed" not in words(only_heard)
    assert '<details class="box safety">' in only_heard.text


def test_an_alarm_to_nobody_is_told_at_once_on_the_page_and_above_the_queue(here: Place) -> None:
    """No phone is set: whoever marks a request must ring the lead."""
    ada = here.browser(NAMES["adviser"])
    assert "an alarm can be sent to nobody, as no phone is set" in words(ada.get("/"))
    marked = ada.post(f"{ONE}/urgent", why="He says that he will hurt himself")
    assert marked.headers["location"].endswith("done=urgent-unheard")
    said = words(ada.get(f"{ONE}?done=urgent-unheard"))
    assert "Nobody can be texted about it: ring your safeguarding lead now." in said
    assert "No text about this went to your safeguarding lead. Ring them now." in said


def test_a_phone_that_said_stop_is_told_at_once_everywhere(texting: tuple[Place, Twilio]) -> None:
    here, standin = texting
    line = Helpline(here.port, here.settings.public_url)
    ada = here.browser(NAMES["adviser"])
    assert "alarm" not in readiness(line)
    assert "safeguarding lead" not in words(ada.get("/"))
    assert line.post("/sms", From=LEAD, Body="STOP", MessageSid="SM1").status == 200
    why = "no alarm reaches phone 1 of IVR_SAFETY_PHONES: it wants no texts (STOP)"
    assert readiness(line)["alarm"].startswith(why)
    assert why in words(ada.get("/"))
    marked = ada.post(f"{ONE}/urgent", why="He says that he will hurt himself")
    assert marked.headers["location"].endswith("done=urgent-unheard")
    said = words(ada.get(ONE))
    assert "The text about this reached nobody. Ring them now: Jo, on extension 3." in said
    assert standin.asked == []


def test_an_alarm_that_failed_is_told_on_the_page_and_by_readyz(
    texting: tuple[Place, Twilio],
) -> None:
    here, standin = texting
    standin.status, standin.code = 400, 21211  # Twilio will not send to this number
    line = Helpline(here.port, here.settings.public_url)
    ada = here.browser(NAMES["adviser"])
    marked = ada.post(f"{ONE}/urgent", why="He says that he will hurt himself")
    assert marked.headers["location"].endswith("done=urgent")
    assert "is on its way. Ring them if you hear nothing." in words(ada.get(ONE))
    wait_for(lambda: "The text about this reached nobody." in words(ada.get(ONE)))
    assert "helpline: an alarm text did not arrive" in words(ada.get(ONE))
    assert readiness(line) == {"alarm": "1 alarm of the last day reached no phone"}
    assert "1 alarm of the last day reached no phone" in words(ada.get("/"))


def test_an_alarm_that_arrives_is_told_too(texting: tuple[Place, Twilio]) -> None:
    here, standin = texting
    line = Helpline(here.port, here.settings.public_url)
    ada = here.browser(NAMES["adviser"])
    ada.post(f"{ONE}/urgent", why="He says that he will hurt himself")
    wait_for(lambda: bool(standin.asked))
    (sent,) = standin.asked
    told = sent["StatusCallback"].removeprefix(here.settings.public_url)
    assert line.post(told, MessageStatus="delivered", MessageSid="SM9").status == 204
    assert "One of your safeguarding phones has the text about this." in words(ada.get(ONE))
    assert "reached nobody" not in words(ada.get(ONE))
    assert readiness(line) == {}


def test_an_alarm_that_does_not_arrive_in_time_is_told(
    texting: tuple[Place, Twilio], clock: SetClock
) -> None:
    """Twilio cannot be reached, or the network is slow."""
    here, standin = texting
    standin.status, standin.code = 429, 20429
    line, ada = Helpline(here.port, here.settings.public_url), here.browser(NAMES["adviser"])
    ada.post(f"{ONE}/urgent", why="He says that he will hurt himself")
    late = "The text about this has not arrived yet. Ring them now: Jo, on extension 3."
    wait_for(lambda: late in words(ada.get(ONE)))
    assert readiness(line) == {"alarm": "1 alarm of the last day reached no phone"}


def test_an_alarm_whose_sender_was_killed_is_told_and_can_be_sent_again(
    texting: tuple[Place, Twilio], clock: SetClock
) -> None:
    here, standin = texting
    line, ada = Helpline(here.port, here.settings.public_url), here.browser(NAMES["adviser"])
    ada.post(f"{ONE}/urgent", why="He says that he will hurt himself")
    wait_for(lambda: len(standin.asked) == 1)

    async def killed(database: Database) -> None:
        async with database.writing() as session:
            taken = text("update text_message set state = 'sending', sid = '', next_at = made_at")
            await (await session.connection()).execute(taken)

    here.do(killed)
    wait_for(lambda: "an alarm text did not arrive" in words(ada.get(ONE)))
    assert "The text about this reached nobody." in words(ada.get(ONE))
    assert "alarm" in readiness(line)
    ada.post("/texts/again", text="1")
    wait_for(lambda: len(standin.asked) == 2)
    told = standin.asked[-1]["StatusCallback"].removeprefix(here.settings.public_url)
    assert line.post(told, MessageStatus="delivered", MessageSid="SM9").status == 204
    assert "One of your safeguarding phones has the text" in words(ada.get(ONE))
    assert readiness(line) == {}


def test_alarm_texts_are_erased_with_their_request(
    texting: tuple[Place, Twilio], clock: SetClock
) -> None:
    here, standin = texting
    ada = here.browser(NAMES["adviser"])
    ada.post(f"{ONE}/urgent", why="He says that he will hurt himself")
    wait_for(lambda: bool(standin.asked))
    ada.post("/next")
    ada.post(f"{ONE}/outcome", outcome="spoke")
    ada.post(f"{ONE}/urgent", why="He is safe", safe_again="1")
    clock.at += timedelta(days=120)

    async def erased(database: Database) -> tuple[Any, ...]:
        assert await Eraser(database, clock, 3, erase_with).erase() == 1
        async with database.reading() as session:
            found = text("select kind, number, body from text_message")
            (row,) = await (await session.connection()).execute(found)
            return tuple(row)

    assert here.do(erased) == ("alarm", "", "")


def readiness(line: Helpline) -> dict[str, str]:
    found: dict[str, str] = json.loads(line.send("GET", "/readyz").body)["degraded"]
    return found
