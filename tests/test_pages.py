"""The staff pages in a real browser: by mouse, by keyboard alone, and without JavaScript."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browsers import CHROMIUM, Desk, add_person, chromium, in_each
from tests.helplines import Helpline, SetClock, helpline

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
NUMBER = "07400 123 456"
HEARD = ("1", "1", "1", "")  # an answer about help in school
ASKED = ("0", "1", "1", "1", "1")  # my number, any time, save
LARGEST_PAGE = 50_000  # bytes

WINDOWS = {
    "a desktop": {"viewport": {"width": 1280, "height": 800}},
    "320 px": {"viewport": {"width": 320, "height": 640}},
    "400 % zoom": {"viewport": {"width": 320, "height": 256}},
    "the dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "forced colours": {"viewport": {"width": 1280, "height": 800}, "forced_colors": "active"},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def clock() -> SetClock:
    return SetClock(TUESDAY)


@pytest.fixture
def line(tmp_path: Path, clock: SetClock) -> Iterator[Helpline]:
    with helpline(tmp_path, clock, IVR_SAFETY_LEAD="Sam, extension 5") as made:
        for name, role in (("Amina", "adviser"), ("Bea", "supervisor"), ("Cy", "administrator")):
            add_person(tmp_path, name, role)
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**WINDOWS["a desktop"])
    yield context.new_page()
    context.close()


@pytest.fixture
def amina(page: Page, line: Helpline) -> Desk:
    desk = Desk(page, line)
    desk.sign_in("Amina")
    return desk


def another(browser: Browser, line: Helpline, name: str, **window: object) -> Desk:
    """A colleague, in a browser of their own."""
    desk = Desk(browser.new_context(**window).new_page(), line)
    desk.sign_in(name)
    return desk


def ask(line: Helpline) -> None:
    """A parent hears an answer, and asks to be rung."""
    caller = line.another_caller()
    assert "Saved" in caller.play(*HEARD, *ASKED).words


# --- the job -----------------------------------------------------------------------------------


def test_a_request_is_taken_worked_and_ended(line: Helpline, amina: Desk) -> None:
    """From the call to "spoke", with all that whoever rings needs on one page."""
    assert "Saved" in line.play(*HEARD, *ASKED).words
    amina.go()
    assert "1 request." in amina.words
    assert NUMBER not in amina.words
    amina.press("Take the next one")
    assert NUMBER in amina.words
    assert "I keep what you tell me private, unless I think that someone is at risk" in amina.words
    assert "Yours until 10:45 am" in amina.words
    amina.page.get_by_text("What they heard").click()
    assert "Keep notes, and ask for answers in writing." in amina.words
    assert "The line goes on with: Yes, that helped" in amina.words
    amina.page.get_by_label("Spoke").check()
    amina.press("Save and let go")
    assert "Saved. Thank you." in amina.words
    assert "0 requests." in amina.words
    amina.page.get_by_role("link", name="Ended").click()
    assert "Done: spoke" in amina.words


def test_what_goes_wrong_is_named_beside_the_field_and_in_a_summary(
    line: Helpline, amina: Desk
) -> None:
    """The summary has the focus, and leads to the field; what was typed is still there."""
    ask(line)
    amina.go()
    amina.press("Take the next one")
    amina.page.get_by_label("Wrong number").check()
    amina.press("Save and let go")
    assert amina.page.title().startswith("Error: ")
    assert amina.page.evaluate("document.activeElement.id") == "summary"
    amina.page.locator("#summary a").click()
    assert amina.page.evaluate("document.activeElement.id") == "note"
    assert "Write a note" in (amina.page.locator("#note-wrong").inner_text())
    assert amina.page.get_by_label("Wrong number").is_checked()


def test_two_people_never_hold_the_same_request(
    line: Helpline, amina: Desk, browser: Browser
) -> None:
    """Who comes second is told who has it; what they had typed is not lost when it is taken."""
    ask(line)
    amina.go()
    bea = another(browser, line, "Bea")
    bea.go("/requests/1")
    amina.press("Take the next one")
    bea.press("Claim it and show the number")
    assert "A colleague was quicker." in bea.words
    bea.press("Take it over from Amina")
    assert "Yours until" in bea.words
    amina.page.get_by_label("No answer").check()
    amina.page.get_by_label("Note for the next person").fill("Rings from four o'clock.")
    amina.press("Save and let go")
    assert "Your note was not saved" in amina.words
    assert "Rings from four o'clock." in amina.words


def test_whoever_talks_keeps_what_they_hold_and_the_next_is_told_of_them(
    line: Helpline, amina: Desk, browser: Browser, clock: SetClock
) -> None:
    """An open page renews the claim, for an hour; behind a closed one it runs out."""
    ask(line)
    amina.page.clock.install()
    amina.go()
    amina.press("Take the next one")
    for _ in range(4):
        clock.at += timedelta(minutes=6)
        with amina.page.expect_response("**/longer"):
            amina.page.clock.run_for("05:30")
    assert "Yours while this page is open, for an hour at most." in amina.words
    bea = another(browser, line, "Bea")
    bea.go("/requests/1")
    assert "Take it over from Amina" in bea.words
    amina.go("/account")
    clock.at += timedelta(minutes=20)
    bea.go()
    bea.press("Take the next one")
    assert "Amina claimed this today at 10:30 am and did not say how it went." in bea.words


def test_what_was_written_is_given_back_when_it_could_not_be_saved(
    line: Helpline, amina: Desk, clock: SetClock
) -> None:
    """A session that ended meanwhile, or a colleague who was not chosen, loses no note."""
    ask(line)
    amina.go()
    amina.press("Take the next one")
    amina.page.get_by_text("Hand it over to a colleague").click()
    amina.page.get_by_label("Note for them").fill("Rings <after> four.")
    amina.press("Hand over")
    assert amina.page.get_by_label("Note for them").input_value() == "Rings <after> four."
    clock.at += timedelta(hours=2)
    amina.press("Hand over")
    assert "What you wrote is not saved" in amina.words
    assert "Rings <after> four." in amina.words


def test_a_button_that_is_pressed_twice_does_it_once(line: Helpline, amina: Desk) -> None:
    ask(line)
    amina.go()
    amina.press("Take the next one")
    amina.page.get_by_label("Spoke").check()
    statuses = amina.page.evaluate(
        """async () => {
            const action = document.querySelector("[formaction$=outcome]").formAction;
            const body = () => new URLSearchParams(new FormData(document.getElementById("work")));
            const send = () => fetch(action, {method: "POST", body: body()});
            return [(await send()).url, (await send()).url];
        }"""
    )
    assert [url.rpartition("?")[2] for url in statuses] == ["done=finished", "done=finished"]


def test_a_request_whose_number_cannot_be_read_can_be_worked_all_the_same(
    line: Helpline, amina: Desk, tmp_path: Path
) -> None:
    """It says so, and can be given back or ended; nothing else stops for it."""
    ask(line)
    with closing(sqlite3.connect(tmp_path / "helpline.db")) as database, database:
        database.execute("update callback_request set number = 'sealed with a key that is lost'")
    amina.go()
    amina.press("Take the next one")
    assert "The number cannot be read" in amina.words
    assert amina.page.locator("a[href^='tel:']").count() == 0
    amina.press("Give it back")
    assert "It is back in the queue" in amina.words


def test_it_is_handed_over_with_a_note_for_the_colleague_alone(
    line: Helpline, amina: Desk, browser: Browser
) -> None:
    ask(line)
    amina.go()
    amina.press("Take the next one")
    amina.page.get_by_text("Hand it over to a colleague").click()
    amina.page.get_by_label("Colleague").select_option("Bea")
    amina.page.get_by_label("Note for them").fill("She would like a woman to ring.")
    amina.press("Hand over")
    assert "It is your colleague's now." in amina.words
    bea = another(browser, line, "Bea")
    bea.go("/?view=mine")
    bea.page.locator(".queue a").click()
    assert "She would like a woman to ring." in bea.words
    amina.go("/requests/1")
    assert "She would like" not in amina.words


def test_what_was_ended_by_mistake_is_opened_again(line: Helpline, amina: Desk) -> None:
    ask(line)
    amina.go()
    amina.press("Take the next one")
    amina.page.get_by_label("Asked not to be called").check()
    amina.press("Save and let go")
    amina.go("/requests/1")
    amina.press("Open it again")
    assert "It is open again." in amina.words
    amina.go()
    assert "1 request." in amina.words


def test_worry_about_safety_is_shown_what_to_do_and_comes_first(
    line: Helpline, amina: Desk, browser: Browser
) -> None:
    ask(line)
    ask(line)
    amina.go("/requests/2")
    amina.page.get_by_text("Worried about safety?").click()
    assert "999" in amina.words
    assert "Sam, extension 5" in amina.words
    amina.page.get_by_label("What worries you?").fill("Alone with a small child, no food.")
    amina.press("Mark it urgent")
    assert "It will not be erased." in amina.words
    bea = another(browser, line, "Bea")
    assert "1 request marked urgent: somebody may not be safe" in bea.words
    bea.press("Take the next one")
    assert bea.page.url.endswith("/requests/2")


def test_a_number_that_is_looked_at_without_ringing_leaves_a_trace(
    line: Helpline, amina: Desk
) -> None:
    line.play(*ASKED)
    amina.go("/requests/1")
    assert NUMBER not in amina.page.content()
    amina.press("Only show the number")
    assert NUMBER in amina.words
    amina.go("/requests/1")
    assert NUMBER not in amina.page.content()
    assert "Amina: number revealed" in amina.words


def test_search_finds_a_reference_however_it_is_written_and_a_whole_number(
    line: Helpline, amina: Desk
) -> None:
    line.play(*ASKED)
    ask(line)
    amina.go()
    reference = amina.page.locator(".queue a").first.inner_text()
    for text in (reference, reference.replace(" ", ""), "07400123456", "+44 7400 123456"):
        amina.page.get_by_label("Find a reference").fill(text)
        amina.press("Find")
        assert "1 request found" in amina.words
    amina.page.get_by_label("Find a reference").fill("<b>456</b>")
    amina.press("Find")
    assert "0 requests found for “<b>456</b>”" in amina.words


def test_another_try_is_at_the_usual_time_or_when_the_caller_said(
    line: Helpline, amina: Desk, clock: SetClock
) -> None:
    """An attempt that failed is due again in the caller's slot, or at the time chosen."""
    ask(line)
    amina.go()
    amina.press("Take the next one")
    amina.page.get_by_label("No answer").check()
    amina.page.get_by_label("Try again").select_option(index=2)
    chosen = amina.page.get_by_label("Try again").locator("option:checked").inner_text()
    assert chosen == "tomorrow in the morning, from 9 am"
    amina.press("Save and let go")
    assert "To be tried again tomorrow at 9 am" in amina.words
    assert "tried 1 time" in amina.words


def test_the_queue_is_shown_in_parts(line: Helpline, amina: Desk, clock: SetClock) -> None:
    ask(line)
    ask(line)
    amina.go()
    amina.press("Take the next one")
    amina.go()
    for view, shown in (("Mine", 1), ("All open", 2), ("Late", 0), ("Due today", 0), ("Ended", 0)):
        amina.page.get_by_role("link", name=view, exact=True).click()
        assert amina.page.locator(".queue li.card").count() == shown, view
    clock.at = TUESDAY + timedelta(days=2)
    amina.sign_in("Amina")
    assert "2 requests are late" in amina.words
    amina.page.get_by_role("link", name="Late", exact=True).click()
    assert amina.page.locator(".queue li.card").count() == 2


def test_staff_go_on_duty_and_off_and_callers_are_told_so(line: Helpline, amina: Desk) -> None:
    """0 reaches them; their number is shown to nobody."""
    assert "Our team cannot take calls just now." in line.another_caller().play("0").words
    amina.go("/duty")
    amina.page.get_by_label("The phone to ring").fill("09011 123456")
    amina.page.get_by_label("Until").fill("teatime")
    amina.press("Ring me")
    assert "Give a UK number" in amina.page.locator("#phone-wrong").inner_text()
    assert "no time of day" in amina.page.locator("#until-wrong").inner_text()
    amina.page.get_by_label("The phone to ring").fill("07400 123 457")
    amina.page.get_by_label("Until").fill("17:00")
    amina.press("Ring me")
    assert "Amina phone ends 457 until today at 5 pm free" in amina.words
    assert "Our team is here just now." in line.another_caller().play("0").words
    amina.press("Off duty for Amina")
    assert "Nobody: callers are offered a call-back." in amina.words
    assert "Our team cannot take calls just now." in line.another_caller().play("0").words


# --- for everybody -----------------------------------------------------------------------------


def states(line: Helpline, desk: Desk) -> Iterator[str]:
    """Every page in every state, one after another: the browser shows it while it is named."""
    desk.go("/sign-in")
    yield "sign in"
    desk.sign_in("Cy", "not the password")
    yield "sign in, refused"
    desk.sign_in("Cy")
    yield "an empty queue"
    ask(line)
    desk.go()
    desk.page.get_by_text("Narrow down").click()
    yield "the queue"
    desk.page.get_by_label("Find a reference").fill("123")
    desk.press("Find")
    yield "nothing found"
    desk.go("/requests/1")
    yield "a request"
    desk.press("Claim it and show the number")
    for closed in desk.page.locator("details").all():
        closed.evaluate("one => one.open = true")
    yield "a request in hand"
    desk.press("Save and let go")
    yield "an outcome forgotten"
    desk.page.get_by_label("Spoke").check()
    desk.press("Save and let go")
    yield "saved"
    desk.go("/requests/1")
    yield "a request that has ended"
    desk.go("/duty")
    yield "nobody on duty"
    desk.press("Ring me")
    yield "no phone to ring"
    desk.page.get_by_label("The phone to ring").fill("07400 123 457")
    desk.press("Ring me")
    yield "on duty"
    for path in ("/account", "/account/password", "/account/codes", "/no-such-page"):
        desk.go(path)
        yield path
    desk.go("/account/password")
    desk.press("Save")
    yield "a password refused"


def test_no_page_has_a_barrier(line: Helpline, page: Page) -> None:
    """WCAG 2.2 AA as far as axe can tell, no sideways scrolling, nothing blocked by our own
    Content-Security-Policy, and no page over 50 kB; every page in every state and window."""
    desk = Desk(page, line)
    blocked: list[str] = []
    page.on("console", lambda said: blocked.append(said.text))
    faults = {}
    for name in states(line, desk):
        if len(page.content()) > LARGEST_PAGE:
            faults[name, ""] = ["over 50 kB"]
        for window in in_each(page, WINDOWS):
            if found := desk.faults():
                faults[name, window] = found
    assert faults == {}
    assert [text for text in blocked if "Content Security" in text] == []


def test_the_whole_job_can_be_done_by_keyboard_alone(line: Helpline, page: Page) -> None:
    """Tab, arrows, space and enter; the first stop is the way past the header."""
    ask(line)
    desk = Desk(page, line)
    desk.go("/sign-in")
    keys = page.keyboard
    keys.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the main part"
    keys.press("Enter")
    reach(page, "Your name")
    keys.type("Amina")
    reach(page, "Password")
    keys.type("a few words in a row")
    keys.press("Enter")
    page.wait_for_url("**/staff/")
    reach(page, "Take the next one")
    keys.press("Enter")
    page.wait_for_url("**/requests/1")
    reach(page, "Spoke")
    keys.press("Space")
    keys.press("ArrowDown")
    assert page.get_by_label("No answer").is_checked()
    reach(page, "Note for the next person")
    keys.type("Try after four.")
    reach(page, "Save and let go")
    keys.press("Enter")
    page.wait_for_url("**done=finished")
    assert "Saved. Thank you." in desk.words


def reach(page: Page, name: str) -> None:
    """Go on by Tab until what has the focus has this name; fails if it cannot be reached, or if
    nobody could see where the focus is."""
    named = "(one => (one.labels?.[0] ?? one).textContent.trim())(document.activeElement)"
    for _ in range(80):
        if page.evaluate(named) == name:
            style = "getComputedStyle(document.activeElement).outlineStyle"
            assert page.evaluate(style) != "none", f"{name}: the focus cannot be seen"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_everything_works_without_javascript(line: Helpline, browser: Browser) -> None:
    ask(line)
    desk = another(browser, line, "Amina", java_script_enabled=False)
    desk.press("Take the next one")
    assert "Yours until" in desk.words
    desk.press("Save and let go")
    assert "There is a problem" in desk.words
    desk.page.get_by_label("No answer").check()
    desk.press("Save and let go")
    assert "Saved. Thank you." in desk.words


def test_news_is_told_without_moving_anything(line: Helpline, amina: Desk) -> None:
    """While somebody reads, others ask: they are told how many, and choose when to look."""
    ask(line)
    amina.go()
    amina.page.get_by_label("Find a reference").focus()
    before = amina.page.locator(".queue").inner_text()
    ask(line)
    news = amina.page.locator("#news")
    news.get_by_text("1 new or changed.").wait_for()
    assert amina.page.locator(".queue").inner_text() == before
    assert amina.page.evaluate("document.activeElement.id") == "search"
    ask(line)
    news.get_by_text("2 new or changed.").wait_for()
    news.get_by_role("link", name="Show").click()
    assert amina.page.locator(".queue li.card").count() == 3
