"""What is typed on a request's page survives every control of it, without JavaScript too."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from ivr.callbacks.drafts import LONGEST, Draft, Drafts, Sent
from ivr.callbacks.erasing import Eraser
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.wishes import Kind, Wish
from ivr.database import Database
from tests.browsers import CHROMIUM, WINDOW, Desk, add_person, chromium
from tests.colleagues import NAMES, Browser, Place, place
from tests.forms import Button, Page
from tests.helplines import Helpline, SetClock, helpline, rows
from tests.standins import twilio
from tests.wishes import KEYS, NOW, WISH, enter

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
MOBILES = iter(range(300_000, 400_000))
TEXTS = {
    "IVR_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "IVR_TWILIO_NUMBER": "+441134960000",
    "IVR_TEXT_FROM": "+447400123499",
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock(TUESDAY)


@pytest.fixture
def here(tmp_path: Path, clock: SetClock) -> Iterator[Place]:
    """A helpline that can ring and text callers, so that the page has all of its controls."""
    with twilio() as standin:
        settings = {**TEXTS, "IVR_TWILIO_API_URL": standin.address}
        with place(tmp_path, clock, **settings) as made:
            yield made


def another_request(here: Place) -> str:
    """The path of a request of a new caller, who has a council and asked by text."""
    keys = Keys(here.settings.fernet_keys, here.settings.hash_key)
    number = next(MOBILES)
    wish = Wish(
        kind=Kind.TEXT,
        effect=keys.effect_hash(str(number)),
        reference=f"{number:06d}",
        number=f"+447400{number:06d}",
        at=TUESDAY,
        slot="any",
        due_at=TUESDAY,
        topic="text",
        council="E08000035",
        words="Please write",
    )

    async def entered(database: Database) -> int:
        await Ledger(database, keys).enter(wish)
        async with database.reading() as session:
            found = text("select max(id) from callback_request")
            return int((await (await session.connection()).execute(found)).scalar_one())

    return f"/requests/{here.do(entered)}"


def change(here: Place, path: str, statement: str) -> None:
    """Change the request of this path."""
    number = int(path.rpartition("/")[2])

    async def changed(database: Database) -> None:
        async with database.writing() as session:
            row = text(f"{statement} where id = :id")
            await (await session.connection()).execute(row, {"id": number})

    here.do(changed)


def press(browser: Browser, shown: Page, button: Button, typed: dict[str, str]) -> httpx.Response:
    """Press a button as a browser does: all fields of its form are sent, as they are typed."""
    sent = shown.sent(button, typed)
    return browser.wire.post(button.action.partition("#")[0], data=sent)


def unclaimed(browser: Browser, here: Place, path: str) -> None:
    """Somebody reads it."""


def with_a_colleague(browser: Browser, here: Place, path: str) -> None:
    here.browser(NAMES["supervisor"]).post(f"{path}/claim")


def claimed(browser: Browser, here: Place, path: str) -> None:
    browser.post(f"{path}/claim")


def rung(browser: Browser, here: Place, path: str) -> None:
    claimed(browser, here, path)
    browser.post(f"{path}/call", phone="07400 123 999")


def rung_before(browser: Browser, here: Place, path: str) -> None:
    rung(browser, here, path)
    browser.post(f"{path}/over")


def urgent(browser: Browser, here: Place, path: str) -> None:
    claimed(browser, here, path)
    browser.post(f"{path}/urgent", why="He says that he will hurt himself")


def without_texts(browser: Browser, here: Place, path: str) -> None:
    claimed(browser, here, path)
    browser.post(f"{path}/no-texts")


def ended(browser: Browser, here: Place, path: str) -> None:
    claimed(browser, here, path)
    browser.post(f"{path}/outcome", outcome="spoke", by_hand="my own phone")


STATES = (*(unclaimed, with_a_colleague, claimed, rung, rung_before, urgent, without_texts, ended),)


def words_for(page: Page) -> dict[str, str]:
    """Words of its own for each text field of the page, which fit where they are typed."""
    return {name: f"The words of {name}." for name in page.forms["work"].texts if name != "phone"}


def readable(browser: Browser, path: str) -> str:
    """All that the page shows of a request, with the notes: what was looked at is recorded."""
    return unescape(browser.post(f"{path}/reveal").text)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_text_survives_every_control_of_the_page(here: Place, state: object) -> None:
    """It is there again, or in what happened to the request. No control is left out: each button
    and link of the page is pressed, on a request of its own."""
    ada = here.browser(NAMES["adviser"])

    def page() -> tuple[str, Page]:
        path = another_request(here)
        assert callable(state)
        state(ada, here, path)
        return path, Page(ada.get(path))

    _, first = page()
    pressed = 0
    for number, control in enumerate(first.buttons):
        if not control.form:  # a link leads away, and the page has none but to itself
            assert control.action.startswith(("#", "tel:")), control
            continue
        path, shown = page()
        typed = words_for(shown)
        assert {"why", "why_not"} & typed.keys()
        press(ada, shown, shown.buttons[number], typed)
        if control.label == "Sign out":
            ada = here.browser(NAMES["adviser"])
        found = readable(ada, path)
        for name, words in typed.items():
            assert words in found, f"{control.label!r} loses {name}"
        pressed += 1
    assert pressed >= 9


@pytest.mark.parametrize("outcome", ["spoke", "no answer", "other"])
def test_what_was_typed_goes_with_the_outcome_and_is_not_there_twice(
    here: Place, outcome: str
) -> None:
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    shown = Page(ada.get(path))
    typed = {"outcome": outcome, "note": "Rings back at four.", "by_hand": "my own phone"}
    save = shown.button("Save and let go")
    for _ in range(2):  # pressed twice
        assert press(ada, shown, save, typed).status_code == 303
    found = readable(ada, path)
    assert found.count("Rings back at four.") == 1
    assert "Your note was not saved" not in found
    press(ada, shown, shown.button("On duty"), typed)  # of a window that was left open
    ada.post(f"{path}/reopen")
    claimed(ada, here, path)
    fields = Page(ada.get(path)).forms["work"].fields
    assert ("outcome" in fields, fields["note"]) == (False, [""])


def test_a_note_goes_along_when_a_request_is_given_back_or_handed_over(here: Place) -> None:
    """The next person reads it, though another button was pressed than the one beside it."""
    ada, sue = here.browser(NAMES["adviser"]), here.browser(NAMES["supervisor"])
    for label, fields in (("Give it back", {}), ("Hand over", {"to": NAMES["supervisor"]})):
        path = another_request(here)
        claimed(ada, here, path)
        shown = Page(ada.get(path))
        press(ada, shown, shown.button(label), {"note": "She is at work until four.", **fields})
        assert "She is at work until four." in readable(sue, path)


def test_a_window_that_shows_less_erases_nothing(here: Place) -> None:
    """Two windows of one person: the older one is empty, or holds other words."""
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    older, newer = Page(ada.get(path)), Page(ada.get(path))
    longer = older.button("Keep it for longer")
    press(ada, newer, longer, {"note": "She is at work until four."})
    press(ada, older, longer, {})
    assert "She is at work until four." in ada.get(path).text
    press(ada, older, longer, {"note": "Ask for her, not for him."})
    note = Page(ada.get(path)).forms["work"].fields["note"][0]
    assert note == "She is at work until four.\n\nAsk for her, not for him."
    press(ada, Page(ada.get(path)), longer, {"note": "Only this."})
    assert Page(ada.get(path)).forms["work"].fields["note"] == ["Only this."]


@pytest.mark.parametrize("label", ["Save and let go", "Give it back"])
@pytest.mark.parametrize("later", ["", "Ask for her, not for him."])
def test_both_windows_are_saved_by_whichever_ends_the_claim(
    here: Place, label: str, later: str
) -> None:
    """Also when the older one was refused once before."""
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    older, newer = Page(ada.get(path)), Page(ada.get(path))
    press(ada, newer, newer.button("Keep it for longer"), {"note": "She is at work until four."})
    typed = {"note": later, "by_hand": "my own phone"}
    refused = press(ada, older, older.button("Save and let go"), typed)
    assert refused.status_code == 422
    shown = Page(refused)
    press(ada, shown, shown.button(label), {"outcome": "no answer"})
    found = readable(ada, path).partition("What happened so far")[2]
    assert "She is at work until four." in found
    assert later in found


def test_a_worry_that_was_not_marked_keeps_the_claim_from_being_let_go(here: Place) -> None:
    """No colleague would see it."""
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    typed = {"why": "He hits her.", "outcome": "spoke", "by_hand": "x", "to": NAMES["supervisor"]}
    for label in ("Save and let go", "Give it back", "Hand over"):
        shown = Page(ada.get(path))
        answer = press(ada, shown, shown.button(label), typed)
        assert answer.status_code == 422, label
        assert "Mark it urgent, or move it into your note." in answer.text
        assert '<details class="box safety" open>' in answer.text
    shown = Page(ada.get(path))
    press(ada, shown, shown.button("Mark it urgent"), {})
    shown = Page(ada.get(path))
    saved = press(ada, shown, shown.button("Save and let go"), {"outcome": "spoke"})
    assert saved.status_code == 303
    assert "He hits her." in readable(ada, path)


def test_a_worry_never_becomes_the_reason_why_somebody_is_safe(here: Place) -> None:
    """A colleague marked it urgent meanwhile: the same box asks for the opposite then."""
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    shown = Page(ada.get(path))
    press(ada, shown, shown.button("Keep it for longer"), {"why": "He hits her."})
    here.browser(NAMES["supervisor"]).post(f"{path}/urgent", why="The child said so")
    shown = Page(ada.get(path))
    assert "He hits her." in ada.get(path).text
    answer = press(ada, shown, shown.button("Not urgent any more"), {})
    assert answer.status_code == 422


def test_a_choice_holds_for_its_claim_alone_and_an_old_note_says_how_old_it_is(
    here: Place, clock: SetClock
) -> None:
    """Taken over by a colleague, and claimed again the next day."""
    ada, sue = here.browser(NAMES["adviser"]), here.browser(NAMES["supervisor"])
    path = another_request(here)
    claimed(ada, here, path)
    shown = Page(ada.get(path))
    typed = {"outcome": "wrong number", "note": "A shop.", "phone": "07400 123 999", "again": ""}
    press(ada, shown, shown.button("Keep it for longer"), typed)
    sue.post(f"{path}/claim", take_over="1")
    sue.post(f"{path}/outcome", outcome="no answer", by_hand="x")
    left = Page(ada.get(path))
    assert "You wrote this today at 10:30 am." in ada.get(path).text
    clock.at += timedelta(days=1)
    ada = here.browser(NAMES["adviser"])
    claimed(ada, here, path)
    page = ada.get(path)
    fields = Page(page).forms["work"].fields
    assert fields["note"] == ["A shop."]
    assert ("outcome" in fields, fields["phone"]) == (False, [""])
    assert (
        "What you wrote yesterday at 10:30 am, under an earlier claim, is here again" in page.text
    )
    here.browser(NAMES["supervisor"]).post(f"{path}/claim", take_over="1")
    shown = Page(ada.get(path))
    press(ada, shown, left.button("Throw it away"), {})
    assert "A shop." not in ada.get(path).text


def test_an_autosave_tells_the_page_what_another_window_added(here: Place) -> None:
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    one = Page(ada.get(path)).forms["work"].fields
    kept = {name: values[-1] for name, values in one.items() if values}
    first = ada.wire.post(f"/staff{path}/draft", data={**kept, "note": "AAA", "quiet": "1"})
    assert first.json() == {"version": 1, "texts": {}, "held": True}
    second = ada.wire.post(f"/staff{path}/draft", data={**kept, "note": "BBB", "quiet": "1"})
    assert second.json() == {"version": 2, "texts": {"note": "AAA\n\nBBB"}, "held": True}
    here.browser(NAMES["supervisor"]).post(f"{path}/claim", take_over="1")
    assert not ada.wire.post(f"/staff{path}/draft", data={**kept, "quiet": "1"}).json()["held"]


def test_own_words_stay_when_a_ready_text_is_sent_and_only_seen_words_go_out(
    here: Place,
) -> None:
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    change(here, path, "update callback_request set council = 'E06000011'")
    claimed(ada, here, path)
    own = {"which": "contact", "text_words": "About Sam, half written"}
    shown = Page(ada.get(path))
    seen = Page(press(ada, shown, shown.button("See it first"), own))
    change(here, path, "update callback_request set council = ''")
    send = seen.button("Send this text")
    assert press(ada, seen, send, {}).status_code == 422, "that text is no longer there"
    change(here, path, "update callback_request set council = 'E06000011'")
    again = press(ada, seen, send, {"seen": "0" * 32})
    assert again.status_code == 409
    assert "What would be sent has changed." in again.text
    assert press(ada, seen, send, {}).status_code == 303
    page = ada.get(path)
    assert Page(page).forms["work"].fields["text_words"] == ["About Sam, half written"]
    sent_texts = page.text.partition('id="texts"')[2].partition("</ol>")[0]
    assert "About Sam" not in sent_texts


def test_what_an_adviser_types_is_theirs_alone_and_sealed(here: Place, tmp_path: Path) -> None:
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    shown = Page(ada.get(path))
    press(ada, shown, shown.button("Keep it for longer"), {"note": "A secret of this family"})
    assert "A secret of this family" in ada.get(path).text
    assert "A secret" not in readable(here.browser(NAMES["supervisor"]), path)
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("helpline.db*"))
    assert b"secret of this" not in kept
    assert len(rows(tmp_path, "callback_draft")) == 1


def test_enter_in_a_field_neither_rings_nor_saves(here: Place) -> None:
    """A browser presses the first button of the form."""
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    shown = Page(ada.get(path))
    first = next(each for each in shown.buttons if each.form == "work")
    assert first.action.endswith(f"{path}/draft")
    assert first.name == ""
    answer = press(ada, shown, first, {"phone": "07400 123 999"})
    assert answer.headers["location"].endswith(f"{path}?done=kept")


def test_a_page_goes_on_only_to_pages_of_ours(here: Place) -> None:
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    for onward in ("https://evil.example/", "//evil.example", "/a\r\nX: 1", "javascript:alert(1)"):
        answer = ada.post(f"{path}/draft", onward=onward)
        assert answer.headers["location"] == f"/staff{path}?done=kept"
    assert ada.post(f"{path}/draft", onward="/").headers["location"] == "/staff/"
    council = f"/directory/E08000035?request={path.rpartition('/')[2]}"
    assert ada.post(f"{path}/draft", onward=council).headers["location"] == f"/staff{council}"


def test_a_draft_of_no_request_is_no_fault(here: Place) -> None:
    ada = here.browser(NAMES["adviser"])
    assert ada.post("/requests/1/draft", draft_of="999999", note="x").status_code == 303
    assert ada.post("/next", draft_of="999999", note="x").status_code == 303


# --- spoke, and ring again -----------------------------------------------------------------------


def test_spoke_with_a_chosen_time_stays_open_and_is_rung_again_then(
    here: Place, clock: SetClock
) -> None:
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    change(here, "/requests/1", "update callback_request set state = 'done', ended_at = due_at")
    claimed(ada, here, path)
    shown = Page(ada.get(path))
    again = shown.forms["work"].choices["again"][-1]
    typed = {"outcome": "spoke", "again": again, "note": "Ring after the meeting", "by_hand": "x"}
    press(ada, shown, shown.button("Save and let go"), typed)
    page = ada.get(path).text
    assert "To be rung again on " in page
    assert "Claim it" in page
    assert "To be rung again on " in ada.get("/").text
    assert ada.post("/next").headers["location"].endswith("done=nothing"), "not before"
    clock.at = datetime.fromisoformat(again) + timedelta(minutes=1)
    ada = here.browser(NAMES["adviser"])
    assert ada.post("/next").headers["location"].endswith(path)


@pytest.mark.parametrize("outcome", ["wrong number", "asked not to be called", "abusive"])
def test_an_outcome_that_ends_it_is_refused_with_a_time_and_says_why(
    here: Place, outcome: str
) -> None:
    ada, path = here.browser(NAMES["adviser"]), another_request(here)
    claimed(ada, here, path)
    shown = Page(ada.get(path))
    again = shown.forms["work"].choices["again"][1]
    typed = {"outcome": outcome, "again": again, "note": "Why it ends", "by_hand": "my own phone"}
    answer = press(ada, shown, shown.button("Save and let go"), typed)
    assert answer.status_code == 422
    assert "ends the request: nobody rings at that time." in unescape(answer.text)
    sent = Page(answer).forms["work"].fields
    assert (sent["outcome"], sent["again"], sent["note"]) == ([outcome], [again], ["Why it ends"])
    assert "Yours until" in ada.get(path).text


# --- in the database -----------------------------------------------------------------------------


async def test_two_windows_that_send_at_the_same_moment_lose_nothing(database: Database) -> None:
    await enter(database, WISH)
    drafts = Drafts(database, KEYS, lambda: NOW)
    texts = [f"Line {number} of what was typed." for number in range(8)]
    await asyncio.gather(*(drafts.keep(1, "Ada", sent(one)) for one in texts))
    kept = (await drafts.of(1, "Ada")).fields("")["note"]
    assert sorted(kept.split("\n\n")) == texts


async def test_two_windows_full_of_text_are_kept_whole(database: Database) -> None:
    await enter(database, WISH)
    drafts = Drafts(database, KEYS, lambda: NOW)
    long, other = "a" * (LONGEST // 3), "b" * (LONGEST // 3)
    await drafts.keep(1, "Ada", sent(long))
    await drafts.keep(1, "Ada", sent(other))
    assert (await drafts.of(1, "Ada")).fields("")["note"] == f"{long}\n\n{other}"


async def test_saving_takes_only_what_was_saved_out_of_a_draft(database: Database) -> None:
    """A window that sends the saved text again under the same claim does not bring it back."""
    await enter(database, WISH)
    drafts = Drafts(database, KEYS, lambda: NOW)
    await drafts.keep(1, "Ada", sent("First.", claim="c1"))
    await drafts.keep(1, "Ada", sent("Second.", claim="c1"))
    await drafts.saved(1, "Ada", "c1", {"note": "First."})
    assert (await drafts.of(1, "Ada")).fields("c1") == {"note": "Second."}
    await drafts.saved(1, "Ada", "c1", {"note": "Second."})
    await drafts.keep(1, "Ada", sent("Second.", claim="c1"))
    assert (await drafts.of(1, "Ada")).fields("c1") == {}
    await drafts.keep(1, "Ada", sent("Second.", claim="c2"))
    assert (await drafts.of(1, "Ada")).fields("c2") == {"note": "Second."}


def sent(note: str, version: int = 99, claim: str = "") -> Sent:
    return Sent({"note": note}, version, claim)


async def test_a_draft_is_erased_with_its_request(database: Database) -> None:
    await enter(database, WISH)
    drafts = Drafts(database, KEYS, lambda: NOW)
    await drafts.keep(1, "Ada", sent("A secret of this family", 0))
    async with database.writing() as session:
        ends = text("update callback_request set state = 'done', ended_at = due_at")
        await (await session.connection()).execute(ends)
    later = NOW + timedelta(days=120)
    assert await Eraser(database, lambda: later, 3).erase() == 1
    assert await drafts.of(1, "Ada") == Draft()
    assert await drafts.keep(1, "Ada", sent("Typed on a page that was open", 0)) == Draft()
    async with database.reading() as session:
        found = await (await session.connection()).execute(text("select * from callback_draft"))
        assert list(found) == []


async def test_a_draft_whose_key_is_lost_is_empty_and_can_be_written_anew(
    database: Database,
) -> None:
    await enter(database, WISH)
    drafts = Drafts(database, KEYS, lambda: NOW)
    await drafts.keep(1, "Ada", sent("before", 0))
    lost = replace(drafts, keys=Keys((Fernet.generate_key(),), b"a key for hashes, in tests"))
    draft = await lost.of(1, "Ada")
    assert draft.fields("") == {}
    kept = await lost.keep(1, "Ada", sent("after", draft.version))
    assert kept.fields("") == {"note": "after"}


# --- with JavaScript -----------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path, clock: SetClock) -> Iterator[Desk]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    with helpline(tmp_path, clock) as line, chromium() as browser:
        for name in ("Amina", "Bea"):
            add_person(tmp_path, name, "adviser")
        assert "Saved" in line.play("0", "1", "1", "1", "1").words
        made = Desk(browser.new_context(**WINDOW).new_page(), line)
        made.sign_in("Amina")
        yield made


def typing(desk: Desk, words: str) -> None:
    """Type a note, and wait until the page has stored it."""
    with desk.page.expect_response("**/draft"):
        desk.page.get_by_label("Note for the next person").press_sequentially(words)


def note(desk: Desk) -> str:
    return desk.page.get_by_label("Note for the next person").input_value()


def test_a_note_is_kept_while_it_is_typed(desk: Desk) -> None:
    """It survives a reload, a link from elsewhere, and a crash of the browser."""
    desk.press("Take the next one")
    typing(desk, "She is at work until four.")
    desk.page.reload()
    assert note(desk) == "She is at work until four."
    typing(desk, " Then ring.")
    desk.go("/directory")
    desk.go("/requests/1")
    assert re.fullmatch(r".*four\..*", note(desk))
    assert "Then ring." in note(desk)
    browser = desk.page.context.browser
    assert browser is not None
    desk.page.context.close()
    again = Desk(browser.new_context(**WINDOW).new_page(), desk.line)
    again.sign_in("Amina")
    again.go("/requests/1")
    assert "Then ring." in note(again)
    assert again.faults() == []


def test_news_of_the_request_is_shown_without_losing_the_note(desk: Desk) -> None:
    """A text came in while a note was being typed."""
    desk.press("Take the next one")
    line: Helpline = desk.line
    desk.page.get_by_label("Note for the next person").fill("She is at work until four.")
    sent = line.post("/sms", Body="Please write to me", MessageSid="SM1")
    assert sent.status == 200
    news = desk.page.locator("#news")
    news.get_by_text("There is news of this request.").wait_for()
    news.get_by_role("link", name="Show").click()
    desk.page.get_by_text("Please write to me").first.wait_for()
    assert note(desk) == "She is at work until four."


def test_who_is_signed_out_while_typing_is_told_that_it_is_not_kept(desk: Desk) -> None:
    desk.press("Take the next one")
    desk.page.context.clear_cookies()
    desk.page.get_by_label("Note for the next person").press_sequentially("At four")
    desk.page.get_by_role("alert").get_by_text("What you type is not kept just now.").wait_for()
