"""The pages of the directory: what can be answered today, checking, changing and undoing it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest

from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.wishes import Kind, Wish
from ivr.database import Database
from ivr.directory.asking import Asked
from tests.browsers import CHROMIUM, Desk, add_person, chromium
from tests.browsers import PASSWORD as BROWSER_PASSWORD
from tests.colleagues import NAMES, Browser, Place, place
from tests.forms import Page
from tests.helplines import Helpline, SetClock, helpline

LEEDS, MANCHESTER, BARNET = "E08000035", "E08000003", "E09000003"
KINGSTON, RICHMOND = "E09000021", "E09000027"
TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
CHECKED = {"state": "verified", "checked_on": "2026-11-24", "checked_by": "Sue Marsh"}


@pytest.fixture
def clock() -> SetClock:
    return SetClock(TUESDAY)


@pytest.fixture
def here(tmp_path: Path, clock: SetClock) -> Iterator[Place]:
    with place(tmp_path, clock) as made:
        yield made


@pytest.fixture
def sue(here: Place) -> Browser:
    """A supervisor at work."""
    return here.browser(NAMES["supervisor"])


@pytest.fixture
def ada(here: Place) -> Browser:
    """An adviser at work."""
    return here.browser(NAMES["adviser"])


def words(page: httpx.Response) -> str:
    """All that can be read on a page."""
    main = page.text.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", f"<{main}")).split())


def councils(page: httpx.Response) -> list[str]:
    """The councils in the table of the list."""
    return [unescape(name) for name in re.findall(r'<th scope="row"><a[^>]*>(.*?)</a>', page.text)]


def values(browser: Browser, code: str) -> dict[str, str]:
    """What stands in the fields of the form by which a council is changed."""
    return filled(browser.get(f"/directory/{code}"), f"/directory/{code}/edit")


def filled(page: httpx.Response, action: str) -> dict[str, str]:
    """What stands in the fields of the form that is sent there."""
    form = page.text.partition(action)[2]
    form = form.partition("</form>")[0]
    fields = {
        found[1]: unescape(found[2]) for found in re.finditer(r'name="(\w+)" value="([^"]*)"', form)
    }
    chosen = re.search(r'<option value="(\w+)" selected', form)
    return fields | {"state": chosen[1] if chosen else ""}


def edit(browser: Browser, code: str, **changed: str) -> httpx.Response:
    """Change what stands in the form, and send it."""
    return again(browser, f"/directory/{code}/edit", browser.get(f"/directory/{code}"), **changed)


def again(browser: Browser, action: str, page: httpx.Response, **changed: str) -> httpx.Response:
    """Send a form as it stands in this page, but for what is typed into it."""
    fields = {name: text for name, text in filled(page, action).items() if name != "form_token"}
    return browser.post(action, **{**fields, **changed})


def heard(here: Place, *keys: str) -> str:
    """What a caller hears of the council that these letters, and a choice, find."""
    return Helpline(here.port, f"http://127.0.0.1:{here.port}").play("3", *keys).words


def test_the_list_says_what_can_be_answered_and_finds_by_name_and_place(
    here: Place, ada: Browser, clock: SetClock
) -> None:
    page = ada.get("/directory")
    assert "15 of 153 councils can be answered with a number today." in words(page)
    assert len(councils(page)) == 153
    assert councils(ada.get("/directory?search=kingston")) == [
        "Kingston upon Hull",
        "Kingston upon Thames",
        "Richmond upon Thames",  # by the name of the service
    ]
    assert councils(ada.get("/directory?search=Guildford")) == ["Surrey"]
    assert "No council is like that" in words(ada.get("/directory?search=xyzzyx"))
    assert len(councils(ada.get("/directory?only=unanswered"))) == 138
    assert councils(ada.get("/directory?only=soon")) == []
    clock.at = datetime(2027, 5, 1, 10, tzinfo=UTC)
    ada = here.browser(NAMES["adviser"])
    page = ada.get("/directory?only=soon")
    assert len(councils(page)) == 15
    assert "15 numbers will not be read out any longer within 30 days." in words(page)
    clock.at = datetime(2027, 6, 1, 10, tzinfo=UTC)
    ada = here.browser(NAMES["adviser"])
    assert len(councils(ada.get("/directory?only=lapsed"))) == 15
    assert "0 of 153 councils can be answered" in words(ada.get("/directory"))


def test_those_whom_callers_ask_for_are_to_be_rung_first(
    here: Place, ada: Browser, clock: SetClock
) -> None:
    assert "Nobody asked for a council without a number" in words(ada.get("/directory"))

    async def asked(database: Database) -> None:
        counts = Asked(database, clock)
        for code in (BARNET, LEEDS, LEEDS, MANCHESTER):
            counts.note(code)
        await counts.flush()

    here.do(asked)
    said = words(ada.get("/directory"))
    assert "Leeds : asked for 2 times Barnet : asked for 1 time Council" in said


def test_an_adviser_who_rang_verifies_the_number_and_callers_hear_it(
    here: Place, ada: Browser
) -> None:
    """Only the number that is there: another is for supervisors to enter."""
    assert "To hear its number" not in heard(here, "533", "1")
    page = ada.get(f"/directory/{LEEDS}")
    assert "There is a number, but nobody has vouched for it." in words(page)
    assert "/edit" not in page.text
    follows = re.search(r'name="follows" value="(\d+)"', page.text)
    assert follows
    answer = ada.post(
        f"/directory/{LEEDS}/verify", follows=follows[1], number="0113 378 5021", called="Nobody"
    )
    assert answer.headers["location"] == f"/staff/directory/{LEEDS}?done=verified"
    said = words(ada.get(f"/directory/{LEEDS}?done=verified"))
    assert "The next caller hears the number." in said
    assert "Zero one one three, three seven eight, five zero two zero." in said
    assert "Until 24 November 2027, when it lapses" in said
    assert f"{NAMES['adviser']}: rang it, and it is right" in said
    assert "Undo" not in said
    assert "To hear its number press 1" in heard(here, "533", "1")
    assert "Ask a supervisor" in words(ada.get(f"/directory/{BARNET}")).replace("ask", "Ask")


def test_a_number_is_verified_from_a_request_and_leads_back_to_it(
    here: Place, ada: Browser
) -> None:
    async def asked(database: Database) -> None:
        keys = Keys(here.settings.fernet_keys, here.settings.hash_key)
        wish = Wish(
            Kind.SAVE, "2" * 64, "482196", "+447700900124", TUESDAY, "any", TUESDAY, council=LEEDS
        )
        await Ledger(database, keys).enter(wish)

    here.do(asked)
    path = Page(ada.get("/requests/2")).button("Verify this number").value
    assert "/directory/" not in ada.get("/requests/1").text, "they did not say which council"
    page = ada.get(path)
    assert 'href="/staff/requests/2"' in page.text
    answer = ada.post(f"/directory/{LEEDS}/verify", follows="0", request="2")
    assert answer.headers["location"] == "/staff/requests/2?done=verified"
    request = words(ada.get("/requests/2?done=verified"))
    assert "The next caller hears the number." in request
    assert "Verified, checked on 24 November 2026 (Ada Hill)." in request
    elsewhere = ada.post(f"/directory/{MANCHESTER}/verify", follows="0", request="//example.com")
    assert elsewhere.headers["location"] == f"/staff/directory/{MANCHESTER}?done=verified"


def test_a_supervisor_changes_what_is_known_and_undoes_it(here: Place, sue: Browser) -> None:
    before = values(sue, LEEDS)
    assert edit(sue, LEEDS, phone_printed="0113 378 5021", **CHECKED).status_code == 303
    page = sue.get(f"/directory/{LEEDS}")
    assert "Number: 0113 378 5020 became 0113 378 5021" in words(page)
    assert "Number, as it is rung: +441133785020 became +441133785021" in words(page)
    assert "To hear its number press 1" in heard(here, "533", "1")
    change = re.search(r'name="change" value="(\d+)"', page.text)
    assert change
    answer = sue.post(f"/directory/{LEEDS}/undo", change=change[1])
    assert answer.headers["location"] == f"/staff/directory/{LEEDS}?done=undone"
    after = values(sue, LEEDS)
    assert {**after, "follows": ""} == {**before, "follows": ""}
    assert "To hear its number" not in heard(here, "533", "1")
    assert sue.post(f"/directory/{LEEDS}/undo", change=change[1]).status_code == 409
    ann = here.browser(NAMES["administrator"])
    trail = words(ann.get("/audit"))
    assert f"changed what is known of {LEEDS} Leeds" in trail
    assert f"undid a change of {LEEDS} Leeds" in trail


def test_a_change_is_undone_from_the_page_of_its_own_council_alone(
    here: Place, sue: Browser
) -> None:
    assert edit(sue, MANCHESTER, note="mine").status_code == 303
    page = sue.get(f"/directory/{MANCHESTER}")
    change = filled(page, f"/directory/{MANCHESTER}/undo")["change"]
    refused = sue.post(f"/directory/{LEEDS}/undo", change=change)
    assert refused.status_code == 409
    assert "There is no such change of this service." in words(refused)
    assert values(sue, MANCHESTER)["note"] == "mine"
    assert "undid" not in words(here.browser(NAMES["administrator"]).get("/audit"))


def test_a_supervisor_enters_the_number_of_a_council_that_had_none(
    here: Place, sue: Browser
) -> None:
    wrong = sue.post("/directory/E09000002/verify", follows="0", number="0906 600 1234", called="")
    assert wrong.status_code == 422
    assert re.search(r'id="number-wrong">.*?usual cost', wrong.text)
    assert re.search(r'id="called-wrong">.*?must have one', wrong.text)
    assert 'value="0906 600 1234"' in wrong.text
    fields = {"number": "020 8227 2636", "called": "Barking SENDIASS", "follows": "0"}
    assert sue.post("/directory/E09000002/verify", **fields).status_code == 303
    assert "Barking SENDIASS. Zero two zero, eight two two seven" in words(
        sue.get("/directory/E09000002")
    )


WRONG = {
    "a number that is another": ({"phone_printed": "0113 378 5021"}, "checked_on", "when it was"),
    "a dear number": ({"phone_printed": "0906 600 1234", **CHECKED}, "phone_printed", "usual cost"),
    "words": ({"phone_printed": "ask us"}, "phone_printed", "not a UK number"),
    "a day to come": ({"checked_on": "2026-11-25"}, "checked_on", "not come yet"),
    "no such state": ({"state": "sure"}, "state", "not a state"),
    "markup": ({"service_name": "<script>alert(1)</script>"}, "service_name", "read out"),
    "too long": ({"note": "n" * 1_001}, "note", "1001 characters"),
}


def test_what_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost(
    here: Place, sue: Browser
) -> None:
    for changed, name, why in WRONG.values():
        page = edit(sue, MANCHESTER, **{"note": "my note", **changed})
        assert page.status_code == 422
        (beside,) = re.findall(rf'id="{name}-wrong">.*?</span>(.*?)</p>', page.text)
        assert why in unescape(beside)
        assert f'<a href="#{name}">{beside}</a>' in page.text
        assert "<script>alert" not in page.text
        for typed in changed.values():
            assert typed in unescape(page.text) or name == "state"
    assert "Nothing: it is as it came" in words(sue.get(f"/directory/{MANCHESTER}"))


def test_of_two_colleagues_the_later_one_is_told_and_sees_what_the_first_did(
    here: Place, sue: Browser
) -> None:
    ann = here.browser(NAMES["administrator"])
    stale = {name: text for name, text in values(ann, KINGSTON).items() if name != "form_token"}
    assert edit(sue, RICHMOND, note="from Sue").status_code == 303
    page = ann.post(f"/directory/{KINGSTON}/edit", **{**stale, "note": "from Ann"})
    assert page.status_code == 409
    assert "A colleague changed this service meanwhile." in words(page)
    assert "Note: nothing became from Sue" in words(page)
    assert 'value="from Ann"' in page.text
    assert values(sue, KINGSTON)["note"] == "from Sue"
    assert "It shares its service with Kingston upon Thames" in words(
        sue.get(f"/directory/{RICHMOND}")
    )
    late = sue.post(f"/directory/{KINGSTON}/verify", follows="0")
    assert late.status_code == 409


def test_whoever_saves_once_more_undoes_nothing_of_a_colleague(here: Place, sue: Browser) -> None:
    """The page that tells of the colleague's change has it in its fields, but for what was typed;
    where both typed, it says so beside the field."""
    ann, action = here.browser(NAMES["administrator"]), f"/directory/{MANCHESTER}/edit"
    stale = ann.get(f"/directory/{MANCHESTER}")
    new = {"phone_printed": "0161 209 8357", "note": "from Sue", **CHECKED}
    assert edit(sue, MANCHESTER, **new).status_code == 303
    told = again(ann, action, stale, hours="Mon-Fri 9am-1pm", note="from Ann")
    assert told.status_code == 409
    shown = filled(told, action)
    assert (shown["phone_printed"], shown["hours"]) == ("0161 209 8357", "Mon-Fri 9am-1pm")
    assert re.findall(r'id="(\w+)-wrong">', told.text) == ["edit", "note"]
    assert "A colleague wrote “from Sue” here meanwhile." in words(told)
    assert again(ann, action, told).status_code == 303
    kept = values(sue, MANCHESTER)
    assert {name: kept[name] for name in new} == {**new, "note": "from Ann"}
    assert kept["hours"] == "Mon-Fri 9am-1pm"
    assert "Zero one six one, two zero nine, eight three five seven" in words(
        sue.get(f"/directory/{MANCHESTER}")
    )


def test_whoever_verifies_once_more_does_not_bring_the_old_number_back(
    here: Place, sue: Browser
) -> None:
    ann, action = here.browser(NAMES["administrator"]), f"/directory/{MANCHESTER}/verify"
    stale = ann.get(f"/directory/{MANCHESTER}")
    assert edit(sue, MANCHESTER, phone_printed="0161 209 8357", **CHECKED).status_code == 303
    told = again(ann, action, stale)
    assert told.status_code == 409
    assert filled(told, action)["number"] == "0161 209 8357"
    told = again(ann, action, stale, number="0161 209 8358")
    assert filled(told, action)["number"] == "0161 209 8358"
    assert "A colleague wrote “0161 209 8357” here meanwhile." in words(told)


def test_a_form_that_follows_nothing_known_shows_what_is_known_and_what_was_typed(
    sue: Browser,
) -> None:
    fields = {**values(sue, LEEDS), "follows": "999", "note": "mine", "hours": ""}
    page = sue.post(f"/directory/{LEEDS}/edit", **fields)
    assert page.status_code == 409
    assert filled(page, f"/directory/{LEEDS}/edit")["note"] == values(sue, LEEDS)["note"]
    assert "You typed “mine”." in words(page)


def test_a_council_that_there_is_not_leads_to_the_list(here: Place, sue: Browser) -> None:
    for answer in (
        sue.get("/directory/E99999999"),
        sue.post("/directory/E99999999/verify"),
        sue.post("/directory/E99999999/edit"),
    ):
        assert answer.headers["location"] == "/staff/directory?done=no-council"


# --- in a browser --------------------------------------------------------------------------------

WINDOWS = {
    "a desktop": {"viewport": {"width": 1280, "height": 800}},
    "320 px, dark": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    "no JavaScript": {"java_script_enabled": False},
}


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_the_pages_have_no_barrier_in_any_state(tmp_path: Path, clock: SetClock) -> None:
    """WCAG 2.2 AA as far as axe can tell, and no sideways scrolling; and it works by its labels
    alone, with and without JavaScript."""
    with helpline(tmp_path, clock) as line, chromium() as browser:
        add_person(tmp_path, "Bea", "supervisor")
        for number, (name, window) in enumerate(WINDOWS.items()):
            context = browser.new_context(**window)
            desk = Desk(context.new_page(), line)
            desk.sign_in("Bea", BROWSER_PASSWORD)
            faults = {}
            for state in states(desk, f"0113 378 502{number}"):
                if window.get("java_script_enabled", True) and (found := desk.faults()):
                    faults[state] = found
            context.close()
            assert faults == {}, name


def states(desk: Desk, number: str) -> Iterator[str]:
    """Both pages in every state, one after another."""
    desk.page.get_by_role("link", name="Directory", exact=True).click()
    yield "the list"
    desk.page.get_by_label("Council, place or service").fill("leeds")
    desk.press("Show")
    desk.page.get_by_role("link", name="Leeds", exact=True).click()
    assert desk.heading == "Leeds"
    yield "a council"
    desk.page.get_by_label("Number that you rang").fill("ask us")
    desk.press("Verify this number")
    assert "not a UK number" in desk.words
    yield "an error"
    desk.page.get_by_label("Number that you rang").fill(number)
    desk.press("Verify this number")
    assert "The next caller hears the number." in desk.words
    yield "verified, with a history"
    desk.page.get_by_label("Note", exact=True).fill("They moved")
    desk.press("Save")
    assert "The next caller hears it so." in desk.words
    desk.press("Undo this change")
    assert "It is as it was before." in desk.words
