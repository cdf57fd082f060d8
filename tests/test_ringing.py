"""A person on 0: our team is rung, one after another, as Twilio would do it, over real HTTP.

Every request of the two legs is signed; whatever is repeated, late or missing, nobody is lost.
"""

import asyncio
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.config import load_settings
from ivr.database import Database
from ivr.duty.keys import Keys
from ivr.duty.roster import RINGS_FOR, OnDuty, Roster
from ivr.handset import Caller
from ivr.handset.webhook import new_sid
from tests.helplines import (
    CALL,
    NUMBER,
    Answer,
    Helpline,
    Page,
    SetClock,
    helpline,
    rows,
    settings_of,
)

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
NIGHT = MONDAY.replace(hour=3)
PEOPLE = {"Ada": "+447400654321", "Ben": "+447400654322", "Cat": "+447400654323"}
OURS = "+441134960000"  # the helpline's number, as callers dial it
RINGING = "I am ringing someone now. It can take a minute or two."
NEXT = "Nobody has answered yet. I am ringing someone else."
NOBODY = "Sorry. Nobody could answer just now. We can ring you back, on a working day."
AWAY = "Our team cannot take calls just now."
OUT_OF_REACH = "I cannot reach our team just now. We can ring you."
TALKED = "Your call with our team has ended."
WHISPERED = "Helpline call. Press 1 to take it. Helpline call. Press 1 to take it."


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def line(tmp_path: Path, clock: SetClock) -> Iterator[Helpline]:
    with helpline(tmp_path, clock) as found:
        yield found


def roster(var: Path, clock: SetClock, public: str = "http://helpline.test") -> Roster:
    settings = load_settings(settings_of(var, public))
    keys = Keys(settings.fernet_keys, settings.hash_key)
    return Roster(Database(settings.database_url), keys, clock)


def on_duty(var: Path, clock: SetClock, *names: str) -> None:
    async def going() -> None:
        ours = roster(var, clock)
        for name in names:
            await ours.on(name, PEOPLE[name], clock() + timedelta(days=2))
        await ours.database.close()

    asyncio.run(going())


def states(var: Path, clock: SetClock) -> dict[str, str]:
    async def looking() -> list[OnDuty]:
        ours = roster(var, clock)
        found = await ours.listed()
        await ours.database.close()
        return found

    return {one.name: one.state for one in asyncio.run(looking())}


class Leg:
    """The phone of whoever is rung by a page, as Twilio asks us about it."""

    def __init__(self, line: Helpline, page: Page, sid: str = "") -> None:
        dial = page.xml.find("Dial")
        assert dial is not None, page.words
        number = dial[0]
        self.line, self.dial, self.number = line, dial, number.text or ""
        self.whisper, self.status = number.attrib["url"], number.attrib["statusCallback"]
        self.call = {
            "CallSid": sid or new_sid("CA"),
            "ParentCallSid": line.call["CallSid"],
            "From": OURS,
            "To": self.number,
            "Direction": "outbound-dial",
        }

    @property
    def name(self) -> str:
        return next(name for name, number in PEOPLE.items() if number == self.number)

    def ask(self, address: str, **fields: str) -> Answer:
        target = address.removeprefix(self.line.public)
        return self.line.signed("POST", target, {**self.call, **fields})

    def answer(self) -> Page:
        """Pick up: what is heard."""
        return self.ask(self.whisper, CallStatus="in-progress").page

    def press(self, digits: str, bridge: str = "") -> Page:
        bridge = bridge or self.answer().action
        return self.ask(bridge, CallStatus="in-progress", Digits=digits).page

    def tell(self, status: str) -> Answer:
        return self.ask(self.status, CallStatus=status)

    def end(self, status: str, **fields: str) -> Page:
        """The Dial is over: what the caller hears."""
        return self.line.post(self.dial.attrib["action"], "", DialCallStatus=status, **fields).page


def ring(line: Helpline) -> tuple[Page, Leg]:
    page = line.play("0", "0")
    return page, Leg(line, page)


# --- who is rung, and how ------------------------------------------------------------------------


def test_0_again_rings_whoever_is_on_duty(line: Helpline, tmp_path: Path, clock: SetClock) -> None:
    """The helpline's own number is shown, and no address tells anything."""
    on_duty(tmp_path, clock, "Ada")
    menu = line.play("0")
    assert menu.words.startswith("Our team is here just now. To ring our team")
    assert "To ring our team now press 0. Three choices. For a call-back later press 1." in (
        menu.words
    )
    page, leg = ring(line)
    assert page.words.startswith(RINGING)
    assert page.verbs[-1] == "Dial"
    assert leg.dial.attrib | {"action": ""} == {
        "action": "",
        "method": "POST",
        "timeout": "15",
        "timeLimit": "3600",
        "callerId": OURS,
        "answerOnBridge": "true",
    }
    assert leg.number == PEOPLE["Ada"]
    for address in (leg.dial.attrib["action"], leg.whisper, leg.status):
        assert re.fullmatch(r"(http://127.0.0.1:\d+)?/voice/[\w-]+", address)
        for secret in (PEOPLE["Ada"][3:], NUMBER[3:], CALL, "Ada"):
            assert secret not in address


def test_the_number_in_the_settings_is_shown_before_the_one_dialled(
    tmp_path: Path, clock: SetClock
) -> None:
    on_duty_number = "+441134960001"
    with helpline(tmp_path, clock, IVR_TWILIO_NUMBER=on_duty_number) as line:
        on_duty(tmp_path, clock, "Ada")
        assert ring(line)[1].dial.attrib["callerId"] == on_duty_number


@pytest.mark.parametrize(
    "changed",
    [{"To": ""}, {"To": "sip:helpline@example.org"}, {"To": "client:x"}, {"CallSid": ""}],
)
def test_a_parent_s_number_is_shown_to_nobody(
    line: Helpline, tmp_path: Path, clock: SetClock, changed: dict[str, str]
) -> None:
    """Without a number of ours to show nobody is rung, nor for a call without an id: a call-back
    is offered."""
    on_duty(tmp_path, clock, "Ada")
    line.call = {**line.call, **changed}
    page = line.play("0", "0")
    assert "Dial" not in page.verbs
    assert line.post(page.action).page.words.startswith(NOBODY)


def test_at_night_a_call_back_is_offered_first(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """Or safety numbers. 0 again is the call-back; nobody is rung."""
    on_duty(tmp_path, clock, "Ada")
    clock.at = NIGHT
    menu = line.play("0")
    assert menu.words.startswith(AWAY)
    assert "Yes, ring me back press 1." in menu.words
    assert "Someone is not safe press 2." in menu.words
    assert "three short steps" in line.play("0", "0").words
    assert line.play("0", "2").words.startswith("If anyone is in danger now")


def test_by_day_with_nobody_on_duty_it_is_the_same(line: Helpline) -> None:
    assert line.play("0").words.startswith(AWAY)


def test_silence_never_rings(line: Helpline, tmp_path: Path, clock: SetClock) -> None:
    on_duty(tmp_path, clock, "Ada")
    page = line.play("0")
    for _ in range(12):
        page = line.post(page.action).page
        assert page.verbs == ["Gather", "Redirect"]
    assert line.post(page.action).page.verbs[-1] == "Hangup"
    assert rows(tmp_path, "duty_ring") == []


# --- somebody answers ----------------------------------------------------------------------------


def test_whoever_answers_is_joined_after_pressing_1(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """And then has ten minutes to themselves."""
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    assert states(tmp_path, clock) == {"Ada": "being rung"}
    assert leg.tell("in-progress").status == 204
    heard = leg.answer()
    assert heard.words == WHISPERED
    assert heard.verbs == ["Gather", "Hangup"]
    assert heard.xml[0].attrib | {"action": ""} == {
        "input": "dtmf",
        "action": "",
        "method": "POST",
        "numDigits": "1",
        "timeout": "10",
        "finishOnKey": "",
    }
    assert leg.press("1").verbs == []  # Twilio joins the two
    assert states(tmp_path, clock) == {"Ada": "on a call"}
    assert leg.end("completed", DialBridged="true").words.startswith(TALKED)
    assert leg.tell("completed").status == 204
    assert states(tmp_path, clock) == {"Ada": "resting"}
    assert line.play("0").words.startswith(AWAY)


def test_a_voicemail_is_not_a_talk(line: Helpline, tmp_path: Path, clock: SetClock) -> None:
    """It answers, and presses nothing: the next person is rung, though Twilio says `completed`."""
    on_duty(tmp_path, clock, "Ada", "Ben")
    _, leg = ring(line)
    leg.tell("in-progress")
    leg.answer()
    page = leg.end("completed")
    assert page.words.startswith(NEXT)
    assert Leg(line, page).name == "Ben"
    assert states(tmp_path, clock)["Ada"] == "free"


@pytest.mark.parametrize("digits", ["", "2", "0", "*", "#", "21", "x"])
def test_any_other_key_leaves_the_call_to_the_next_person(
    line: Helpline, tmp_path: Path, clock: SetClock, digits: str
) -> None:
    on_duty(tmp_path, clock, "Ada", "Ben")
    _, leg = ring(line)
    assert leg.press(digits).verbs == ["Hangup"]
    assert leg.end("completed").words.startswith(NEXT)


def test_a_press_of_1_without_a_bridge_is_not_a_talk(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """They pressed 1 as the line broke: Twilio says that nobody was joined."""
    on_duty(tmp_path, clock, "Ada", "Ben")
    _, leg = ring(line)
    leg.press("1")
    assert leg.end("completed", DialBridged="false").words.startswith(NEXT)


# --- nobody answers ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed", "canceled"])
def test_one_after_another_is_rung_and_then_a_call_back_is_offered(
    line: Helpline, tmp_path: Path, clock: SetClock, status: str
) -> None:
    on_duty(tmp_path, clock, *PEOPLE)
    page, leg = ring(line)
    order = [leg.name]
    for _ in range(2):
        page = leg.end(status)
        assert page.words.startswith(NEXT)
        leg = Leg(line, page)
        order.append(leg.name)
        found = states(tmp_path, clock)
        assert (found.pop(leg.name), *set(found.values())) == ("being rung", "free")
    assert order == list(PEOPLE)
    page = leg.end(status)
    assert page.words.startswith(NOBODY)
    assert "three short steps" in line.post(page.action, "1").page.words
    assert set(states(tmp_path, clock).values()) == {"free"}


def test_0_after_that_is_the_team_again(line: Helpline, tmp_path: Path, clock: SetClock) -> None:
    """Whoever was rung longest ago is rung first."""
    on_duty(tmp_path, clock, "Ada", "Ben")
    _, leg = ring(line)
    page = leg.end("busy")
    page = Leg(line, page).end("busy")
    assert page.words.startswith(NOBODY)
    again = line.post(line.post(page.action, "0").page.action, "0").page
    assert again.words.startswith(RINGING)
    assert Leg(line, again).name == "Ada"


def test_two_callers_ring_two_people(line: Helpline, tmp_path: Path, clock: SetClock) -> None:
    """A third is offered a call-back, and nobody is rung twice."""
    on_duty(tmp_path, clock, "Ada", "Ben")
    third = line.another_caller()
    asked = third.play("0")
    assert [ring(line)[1].name, ring(line.another_caller())[1].name] == ["Ada", "Ben"]
    assert NOBODY in third.post(asked.action, "0").page.words
    assert line.another_caller().play("0").words.startswith(AWAY)


def test_a_caller_who_hangs_up_while_it_rings_frees_them(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """By the status callback, or else when the lease runs out."""
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    assert leg.tell("canceled").status == 204
    assert states(tmp_path, clock) == {"Ada": "free"}
    ring(line.another_caller())
    assert states(tmp_path, clock) == {"Ada": "being rung"}
    clock.at += RINGS_FOR
    assert states(tmp_path, clock) == {"Ada": "free"}


# --- repeated, late, in disorder -----------------------------------------------------------------


def test_every_request_repeated_gets_the_same_answer_and_rings_nobody_else(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    on_duty(tmp_path, clock, "Ada", "Ben")
    asked = line.play("0").action
    legs = [Leg(line, line.post(asked, "0").page) for _ in range(3)]
    assert {leg.name for leg in legs} == {"Ada"}
    leg = legs[0]
    bridge = leg.answer().action
    assert [leg.press("1", bridge).verbs for _ in range(3)] == [[]] * 3
    for _ in range(2):
        assert leg.end("completed", DialBridged="true").words.startswith(TALKED)
        assert leg.tell("completed").status == 204
    assert leg.press("1", bridge).verbs == []  # late, and as before
    assert states(tmp_path, clock) == {"Ben": "free", "Ada": "resting"}
    assert len(rows(tmp_path, "duty_ring")) == 1


def test_status_callbacks_in_disorder_free_nobody_who_is_on_a_call(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """Of a ring that is over, while the same person talks to somebody else."""
    on_duty(tmp_path, clock, "Ada")
    _, old = ring(line)
    assert old.end("no-answer").words.startswith(NOBODY)
    _, new = ring(line.another_caller())
    new.press("1")
    for status in ("no-answer", "in-progress", "ringing", "completed", "nonsense", ""):
        assert old.tell(status).status == 204
    assert new.tell("in-progress").status == 204
    assert states(tmp_path, clock) == {"Ada": "on a call"}
    assert old.press("1").verbs == ["Hangup"]  # too late: that caller has gone on


def test_the_end_may_be_told_before_the_dial_s_own(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    leg.press("1")
    assert leg.tell("completed").status == 204
    assert leg.end("completed").words.startswith(TALKED)


def test_a_resumed_call_rings_nobody_again(line: Helpline, tmp_path: Path, clock: SetClock) -> None:
    """We failed as the talk ended: how it ended is lost, so a call-back is offered."""
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    failed = line.post("/voice/fallback", ErrorUrl=line.public + leg.dial.attrib["action"]).page
    assert line.post(failed.action).page.words.startswith(NOBODY)


# --- addresses -----------------------------------------------------------------------------------


def test_an_address_is_good_for_its_kind_and_its_caller_alone(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """Another's, or one of another kind, is refused kindly: a way on, and nobody is joined."""
    on_duty(tmp_path, clock, "Ada")
    page, leg = ring(line)
    bridge = leg.answer().action
    foreign = Leg(line.another_caller(), page)
    turn = leg.dial.attrib["action"]
    for answered in (
        foreign.ask(leg.whisper),
        foreign.ask(bridge, Digits="1"),
        foreign.ask(leg.status, CallStatus="completed"),
        leg.ask(turn, DialCallStatus="completed"),
        leg.ask("/voice/damaged", Digits="1"),
    ):
        assert answered.page.words.startswith("Sorry. Our helpline is not working just now.")
        assert answered.page.goes_on
    for address in (leg.whisper, bridge, leg.status):  # as a turn of the caller's own
        lost = line.post(address.removeprefix(line.public), "1").page
        assert lost.words.startswith("Sorry. I lost my place in this call.")
        assert lost.goes_on
    assert states(tmp_path, clock) == {"Ada": "being rung"}
    assert leg.press("1", bridge).verbs == []


def test_a_caller_s_own_turn_is_a_turn_whatever_it_says_of_a_parent(line: Helpline) -> None:
    page = line.play("1")
    again = line.post(page.action, "1", ParentCallSid=new_sid("CA")).page
    assert "What to do first" in again.words


def test_an_unsigned_request_on_the_other_leg_is_refused(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    for address in (leg.whisper, leg.status):
        answer = line.send("POST", address.removeprefix(line.public))
        assert (answer.status, answer.body) == (403, b"")


# --- without a database --------------------------------------------------------------------------


def gone(var: Path) -> None:
    """Let the database answer nothing any more. (To take its file away leaves the driver's threads
    with a connection to close, and perhaps no loop to tell it to.)"""
    with closing(sqlite3.connect(var / "helpline.db", timeout=20)) as database, database:
        for table in ("duty", "duty_ring", "callback_request", "callback_effect"):
            database.execute(f"alter table {table} rename to {table}_away")


def test_without_a_database_0_says_so_and_a_call_back_is_saved_all_the_same(
    line: Helpline, tmp_path: Path
) -> None:
    gone(tmp_path)
    menu = line.play("0")
    assert menu.words.startswith(OUT_OF_REACH)
    assert "Saved." in line.play("0", "1", "1", "1", "1").words


def test_when_the_database_goes_while_it_rings_a_call_back_is_offered(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    on_duty(tmp_path, clock, "Ada", "Ben")
    asked = line.play("0")
    _, leg = ring(line.another_caller())
    gone(tmp_path)
    assert line.post(asked.action, "0").page.words.startswith(RINGING + " If nobody can answer")
    assert OUT_OF_REACH in line.post(asked.action, "0").page.words
    assert OUT_OF_REACH in leg.end("no-answer").words
    assert leg.tell("completed").status == 204


def test_who_takes_a_call_without_a_database_is_joined_all_the_same(
    line: Helpline, tmp_path: Path, clock: SetClock
) -> None:
    """A person is there for somebody who waits. Afterwards we cannot know, and claim nothing."""
    on_duty(tmp_path, clock, "Ada")
    _, leg = ring(line)
    gone(tmp_path)
    assert leg.press("1").verbs == []
    assert leg.end("completed").words.startswith("If you still need us, we can ring you back.")


# --- what is not told, and the handset -----------------------------------------------------------


def test_nothing_personal_is_logged_while_it_rings(
    line: Helpline, tmp_path: Path, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    on_duty(tmp_path, clock, "Ada", "Ben")
    with caplog.at_level(logging.DEBUG):
        _, leg = ring(line)
        leg.press("1")
        gone(tmp_path)
        leg.press("1")
        leg.tell("completed")
        leg.end("completed")
    assert "is not recorded" in caplog.text
    for secret in (*PEOPLE.values(), NUMBER, CALL):
        assert secret[3:] not in caplog.text


async def test_the_handset_plays_both_legs(line: Helpline, tmp_path: Path, clock: SetClock) -> None:
    """Refused, engaged, taken: as a scripted call says it."""
    await asyncio.to_thread(on_duty, tmp_path, clock, *PEOPLE)
    async with line.phone(Caller(NUMBER, to=OURS)) as phone:
        await phone.dial()
        await phone.press("0")
        await phone.press("0")
        moment = await phone.dial_result("failed")
        assert moment.whispered == ("Helpline call. Press 1 to take it.",) * 2
        assert moment.said == ("Nobody has answered yet. I am ringing someone else.",)
        moment = await phone.dial_result("busy")
        assert moment.whispered == ()
        moment = await phone.dial_result("completed")
        assert moment.said[0] == TALKED
    found = await asyncio.to_thread(states, tmp_path, clock)
    assert found == {"Ada": "free", "Ben": "free", "Cat": "resting"}


def test_any_worker_takes_the_next_request_of_either_leg(tmp_path: Path, clock: SetClock) -> None:
    """The one that rang is gone: nothing of a ring is kept in a process."""
    public = "https://line.example.org"
    with helpline(tmp_path, clock, public) as first:
        on_duty(tmp_path, clock, "Ada")
        _, leg = ring(first)
        bridge = leg.answer().action
    with helpline(tmp_path, clock, public) as second:
        leg.line = second
        assert leg.press("1", bridge).verbs == []
        assert leg.end("completed").words.startswith(TALKED)
