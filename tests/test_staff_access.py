"""Who may see and do what on the staff pages, over real HTTP; and what a hostile browser gets."""

import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest
from databases import KINDS, new_url

from ivr.app import create_app
from ivr.callbacks.queue import Queue
from ivr.house import now
from ivr.people.passwords import QUEUE
from ivr.people.register import Register
from ivr.people.sign_in import FAILURES
from ivr.people.tables import Role
from ivr.staff.door import HEADERS
from tests.colleagues import NAMES, NUMBER, PASSWORD, Browser, Place, place
from tests.helplines import PATIENCE, held_hashes

# Who may do what, at least. Each may do all that those before may.
WHO_MAY = """
GET  /                        adviser
POST /next                    adviser
POST /search                  adviser
GET  /events                  adviser
GET  /requests/1              adviser
POST /requests/1/claim        adviser
POST /requests/1/call         adviser
POST /requests/1/text         adviser
POST /requests/1/text-again   adviser
POST /requests/1/no-texts     adviser
POST /requests/1/over         adviser
POST /requests/1/draft        adviser
POST /requests/1/longer       adviser
POST /requests/1/release      adviser
POST /requests/1/hand-over    adviser
POST /requests/1/outcome      adviser
POST /requests/1/reopen       adviser
POST /requests/1/urgent       adviser
POST /requests/1/reveal       adviser
GET  /account                 adviser
GET  /account/password        adviser
POST /account/password        adviser
GET  /account/codes           adviser
POST /account/codes           adviser
POST /account/codes/stop      adviser
POST /sign-out                adviser
GET  /requests.csv            supervisor
GET  /texts                   adviser
POST /texts/again             adviser
GET  /duty                    adviser
POST /duty/on                 adviser
POST /duty/off                adviser
GET  /today                   adviser
POST /today/hours             supervisor
POST /today/usual             supervisor
POST /today/notice            supervisor
POST /today/no-notice         supervisor
GET  /directory               adviser
GET  /directory/1             adviser
POST /directory/1/verify      adviser
POST /directory/1/edit        supervisor
POST /directory/1/undo        supervisor
GET  /reports                 supervisor
GET  /reports.csv             supervisor
GET  /audit                   supervisor
GET  /audit.csv               supervisor
GET  /people                  administrator
POST /people/add              administrator
POST /people/role             administrator
POST /people/reset            administrator
POST /people/remove           administrator
"""
TABLE = [tuple(line.split()) for line in WHO_MAY.strip().splitlines()]
OPEN = {"staff.sign_in", "staff.static", "staff.nothing_here", "staff.bare"}  # to whoever comes

FIELDS = (
    "name role password code next old new secret outcome note again to hand_over_note why"
    " after by_hand phone until sure take_over safe_again search which text_words once text do"
    " number called follows request change service_name phone_printed state checked_on"
).split()
QUERIES = "search view about council page after done next who day before only request".split()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("var")) as made:
        yield made


@pytest.fixture(scope="module")
def browsers(here: Place) -> dict[str, Browser]:
    """Three colleagues at work, by their roles."""
    return {role: here.browser(name) for role, name in NAMES.items()}


def routes(here: Place) -> list[tuple[str, str, str]]:
    """Every method, path and endpoint under /staff that the application knows."""
    rules = create_app(here.settings).url_map.iter_rules()
    return [
        (method, re.sub(r"<(\w+(\([^)]*\))?:)?\w+>", "1", rule.rule).removeprefix("/staff"), name)
        for rule in rules
        if (name := rule.endpoint).startswith("staff.")
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]


# --- who may -------------------------------------------------------------------------------------


def test_the_table_says_of_every_page_who_may_use_it(here: Place) -> None:
    known = {(method, path) for method, path, name in routes(here) if name not in OPEN}
    assert known == {(method, path) for method, path, _ in TABLE}


def test_whoever_is_not_signed_in_is_sent_to_sign_in(here: Place) -> None:
    stranger = here.browser()
    before = here.kept()
    for method, path, _ in TABLE:
        answer = stranger.post(path) if method == "POST" else stranger.get(path)
        assert answer.status_code == 303, path
        onward = f"?next={path}" if method == "GET" and path != "/" else ""
        assert answer.headers["location"] == f"/staff/sign-in{onward}"
    assert here.kept() == before


def test_each_role_may_do_what_the_table_says_and_nothing_else(
    here: Place, browsers: dict[str, Browser]
) -> None:
    """Refused is refused with a page, and changes nothing."""
    for role, browser in browsers.items():
        before = here.kept()
        for method, path, least in TABLE:
            if not Role(role).includes(Role(least)):
                assert browser.status(method, path) == 403, (role, method, path)
        assert here.kept() == before
        for method, path, least in TABLE:
            if Role(role).includes(Role(least)) and path != "/sign-out":
                assert browser.status(method, path) in (200, 303, 409, 422), (role, method, path)


def test_a_form_without_its_token_is_refused_and_changes_nothing(
    here: Place, browsers: dict[str, Browser]
) -> None:
    """Also with the token of another session; for whoever is signed in, and for strangers."""
    administrator, before = browsers["administrator"], here.kept()
    others = browsers["adviser"].token().encode()
    forms = [path for method, path, _ in routes(here) if method == "POST"]
    assert len(forms) > 15
    for path in forms:
        for body in (b"", b"form_token=", b"form_token=" + others, b"form_token=%ff", b"\xff\0"):
            for browser in (administrator, here.browser()):
                answer = browser.send(path, body + b"&name=Ada+Hill&role=adviser&sure=1")
                assert answer.status_code == 400, (path, body)
    assert here.kept() == before
    assert "This page was too old" in answer.text


def test_who_was_given_a_password_can_only_choose_another(here: Place) -> None:
    first = here.do(lambda database: Register(database, now).add("New One", "adviser", "root"))
    new = here.browser("New One", first)
    for path in ("/", "/account", "/requests/1"):
        assert new.get(path).headers["location"] == "/staff/account/password"
    assert new.post("/requests/1/reveal").headers["location"] == "/staff/account/password"
    assert new.get("/account/password").status_code == 200
    assert new.post("/account/password", old=first, new=PASSWORD).status_code == 303
    assert new.get("/").status_code == 200
    assert here.browser("New One").post("/sign-out").status_code == 303


def test_signing_out_takes_the_session_from_the_browser_and_ends_it(here: Place) -> None:
    browser = here.browser(NAMES["adviser"])
    session = browser.wire.cookies["helpline_session"]
    assert browser.post("/sign-out").status_code == 303
    assert "helpline_session" not in browser.wire.cookies
    browser.wire.cookies.set("helpline_session", session, path="/staff")
    assert browser.get("/").status_code == 303


# --- headers and cookies -------------------------------------------------------------------------


def test_every_page_forbids_what_no_page_needs(here: Place, browsers: dict[str, Browser]) -> None:
    """Error pages too. Nothing stands in a page that its own policy would stop."""
    browser, adviser = browsers["administrator"], browsers["adviser"]
    answers = [browser.get(path) for method, path, _ in TABLE if (method, path[:7]) == ("GET", "/")]
    answers += [
        browser.get(path) for path in ("/people", "/audit", "/account/codes", "/requests/1")
    ]
    answers += [browser.get("/no/such/page"), browser.get(""), browser.get("/requests/99")]
    answers += [adviser.get("/people"), browser.send("/next", b""), here.browser().get("/")]
    answers += [browser.post("/sign-in", note="x" * 300_000), browser.get("/static/none.css")]
    answers += [browser.wire.request(method, "/staff/next") for method in ("PUT", "DELETE", "HEAD")]
    answers += [browser.post("/no/such/page"), browser.get("/sign-in")]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, answer.request
        assert answer.headers.get("cache-control") == "no-store" or "static" in str(answer.url)
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", answer.text)
        if answer.status_code != 303 and answer.request.method != "HEAD":
            assert "<h1>" in answer.text, answer.request
    assert {answer.status_code for answer in answers} >= {200, 303, 400, 403, 404, 413}
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    """The cookies that are set, with what is said of them."""
    return dict(one.split("=", 1) for one in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    ("public", "path", "secure"),
    [("https://line.test/help", "/help/staff", True), ("http://127.0.0.1:1", "/staff", False)],
)
def test_cookies_are_for_these_pages_alone(
    tmp_path: Path, public: str, path: str, secure: bool
) -> None:
    """No script can read them, no other site's form sends them, none goes over plain HTTP."""
    with place(tmp_path, public=public) as here:
        wire = here.browser().wire
        first = wire.get("/staff/sign-in")
        found = re.search(r'name="form_token" value="(\w+)"', first.text)
        assert found
        visit = {"Cookie": f"helpline_visit={cookies_of(first)['helpline_visit'].split(';')[0]}"}
        form = {"form_token": found[1], "name": NAMES["adviser"], "password": PASSWORD}
        signed = wire.post("/staff/sign-in", data=form, headers=visit)
        assert signed.headers["location"] == f"{path}/"
        session = cookies_of(signed)["helpline_session"].split(";")[0]
        mine = {"Cookie": f"helpline_session={session}"}
        page = wire.get("/staff/", headers=mine).text
        assert f'href="{path}/static/staff.css"' in page
        token = {"form_token": re.findall(r'name="form_token" value="(\w+)"', page)[0]}
        out = wire.post("/staff/sign-out", data=token, headers=mine)
        cookies = [*cookies_of(first).values(), *cookies_of(signed).values()]
        cookies += cookies_of(out).values()
        assert {*cookies_of(signed), *cookies_of(out)} >= {"helpline_session", "helpline_device"}
        for cookie in cookies:
            said = {each.strip() for each in cookie.split(";")}
            assert {"HttpOnly", "SameSite=Lax", f"Path={path}"} <= said
            assert ("Secure" in said) == secure
        assert ("strict-transport-security" in signed.headers) == secure


# --- where one goes after signing in -------------------------------------------------------------


OFF_SITE = (
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "https:evil.test",
    "https://evil.test/",
    "javascript:alert(1)",
    "/%0d%0aSet-Cookie: a=b",
    "/\r\nSet-Cookie: a=b",
    "/\t/evil.test",
    "/\0",
    "/..//evil.test",
    "/people//evil.test",
    "/sign-in",
    "/é",
    "@evil.test",
    ".evil.test",
)


def test_signing_in_leads_to_no_other_site(here: Place) -> None:
    for onward in OFF_SITE:
        browser = here.browser()
        form = {"name": NAMES["adviser"], "password": PASSWORD, "next": onward}
        answer = browser.post("/sign-in", **form)
        assert answer.status_code == 303, onward
        target = answer.headers["location"]
        assert re.fullmatch(r"/staff/(?!/)[!-~]*", target), (onward, target)
        assert "\\" not in target
        assert "a" not in answer.cookies
        assert str(httpx.URL(f"http://h.test{target}").host) == "h.test"


def test_signing_in_leads_to_the_page_that_was_asked_for(here: Place) -> None:
    browser = here.browser()
    asked = browser.get("/requests/1").headers["location"]
    page = browser.wire.get(asked).text
    assert '<input type="hidden" name="next" value="/requests/1">' in page
    form = {"name": NAMES["adviser"], "password": PASSWORD, "next": "/requests/1"}
    assert browser.post("/sign-in", **form).headers["location"] == "/staff/requests/1"


# --- the rate limit ------------------------------------------------------------------------------


@contextmanager
def full_queue(browser: Browser) -> Iterator[None]:
    """As many strangers sign in from this place as can wait; they are refused at the end."""
    token = browser.token()

    def sign_in(number: int) -> int:
        form = {"form_token": token, "name": f"stranger {number}", "password": PASSWORD}
        return browser.wire.post("/staff/sign-in", data=form).status_code

    with ThreadPoolExecutor(QUEUE + 1) as strangers, held_hashes() as hashes:
        flood = [strangers.submit(sign_in, number) for number in range(QUEUE + 1)]
        assert next(as_completed(flood)).result() == 429, "one too many: the others wait"
        yield
        hashes.released.set()
        assert sorted(each.result() for each in flood) == [422] * QUEUE + [429]


def test_a_flood_of_sign_ins_does_not_lock_out_a_colleague_from_the_same_place(
    tmp_path: Path,
) -> None:
    """While strangers fill the queue of hashes, her attempts are turned away; not one counts."""
    with place(tmp_path) as here:
        browser, hers = here.browser(), {"name": NAMES["administrator"], "password": PASSWORD}
        with full_queue(browser):
            for _ in range(FAILURES + 1):
                turned_away = browser.post("/sign-in", **hers)
                assert turned_away.status_code == 429
                assert "Too many people sign in at this moment" in turned_away.text
        assert browser.post("/sign-in", **hers).status_code == 303


def test_a_flood_of_sign_ins_breaks_no_page_of_an_account(tmp_path: Path) -> None:
    """Whatever needs the present password says that there are too many at this moment."""
    new = "a river in the tower"
    with place(tmp_path) as here:
        ada = here.browser(NAMES["adviser"])
        with full_queue(here.browser()):
            turned_away = ada.post("/account/password", old=PASSWORD, new=new)
            assert turned_away.status_code == 429
            assert "Too many people sign in at this moment" in turned_away.text
            assert ada.post("/account/codes/stop", present=PASSWORD).status_code == 429
        assert ada.post("/account/password", old=PASSWORD, new=new).status_code == 303


@pytest.mark.parametrize("lines", [1, 2])
def test_an_address_that_a_browser_makes_up_does_not_evade_the_limit(
    tmp_path: Path, lines: int
) -> None:
    """Whether the proxy appends to the line that the browser sent, or adds a line of its own."""
    with place(tmp_path, IVR_PROXIES="1") as here:
        browser = here.browser()
        form = {"form_token": browser.token(), "name": NAMES["adviser"], "password": "a guess"}

        def sign_in(made_up: str, seen: str) -> int:
            values = (made_up, seen) if lines == 2 else (f"{made_up}, {seen}",)
            headers = [("X-Forwarded-For", value) for value in values]
            return browser.wire.post("/staff/sign-in", data=form, headers=headers).status_code

        for number in range(FAILURES):
            assert sign_in(f"10.0.1.{number}", "198.51.100.3") == 422
        assert sign_in("10.0.1.99", "198.51.100.3") == 429
        assert sign_in("198.51.100.3", "198.51.100.4") == 422, "another network"


def test_a_database_that_is_lost_during_sign_ins_locks_out_no_colleague(tmp_path: Path) -> None:
    """It goes after the password was read, and before the session is written."""
    with place(tmp_path) as here, ThreadPoolExecutor(1) as colleague:
        browser = here.browser()
        form = {
            "form_token": browser.token(),
            "name": NAMES["administrator"],
            "password": PASSWORD,
        }
        file, away = tmp_path / "helpline.db", tmp_path / "away.db"
        for _ in range(FAILURES + 1):
            with held_hashes() as hashes:
                trying = colleague.submit(browser.wire.post, "/staff/sign-in", data=form)
                assert hashes.begun.acquire(timeout=PATIENCE)
                file.rename(away)
                hashes.released.set()
                assert trying.result().status_code == 503
                away.rename(file)
        assert browser.wire.post("/staff/sign-in", data=form).status_code == 303


# --- when things are broken ----------------------------------------------------------------------


def test_without_a_database_there_is_a_page_that_says_so(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        signed, stranger = here.browser(NAMES["adviser"]), here.browser()
        token = stranger.token()
        file = tmp_path / "helpline.db"
        file.rename(tmp_path / "away.db")
        form = {"form_token": token, "name": NAMES["adviser"], "password": PASSWORD}
        assert stranger.get("/sign-in").status_code == 200
        for answer in (stranger.wire.post("/staff/sign-in", data=form), signed.get("/")):
            assert answer.status_code == 503
            assert "The database cannot be reached" in answer.text
            assert "Traceback" not in answer.text
            assert answer.headers["cache-control"] == "no-store"
        (tmp_path / "away.db").rename(file)
        assert signed.get("/").status_code == 200
        assert stranger.wire.post("/staff/sign-in", data=form).status_code == 303


def test_a_page_that_is_not_there_is_a_page_that_says_so(
    here: Place, browsers: dict[str, Browser]
) -> None:
    browser = browsers["administrator"]
    for path in ("/nowhere", "/requests/99", "/requests/1/nothing", "/requests/-1", "/static/no"):
        answer = browser.get(path)
        assert (answer.status_code, "There is no such page" in answer.text) == (404, True), path
    assert browser.get("/requests/99999999999999999999").status_code == 404
    assert browser.post("/requests/99/claim").status_code in (404, 409)
    assert browser.get("").headers["location"] == "/staff/"


HOSTILE = (
    b"%00",
    b"a%00b",
    b"%ff%fe",
    b"%ed%a0%80",  # half of a character
    b"\xff\xfe\0",
    b"%F0%9F%92%A9" * 100,
    b"9" * 400,
    b"-1",
    b"%D9%A1",  # a digit, in Arabic
    b"x" * 90_000,
    b"%3Cscript%3Ealert(1)%3C/script%3E",
    b"{{7*7}}",
    b"%0d%0aX: y",
)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_typed_no_page_breaks(tmp_path: Path, kind: str) -> None:
    """On forms, in addresses and in cookies."""
    with place(tmp_path, IVR_DATABASE_URL=new_url(kind, tmp_path)) as here:
        browser, stranger = here.browser(NAMES["administrator"]), here.browser()
        token, broken = browser.token().encode(), []
        forms = [path for method, path, _ in routes(here) if method == "POST"]
        pages = [path for method, path, _ in routes(here) if method == "GET"]
        forms.remove("/sign-out")
        for value in HOSTILE:
            body = b"form_token=" + token
            each = (b"&" + name.encode() + b"=" + value for name in FIELDS)
            body += b"&note=" + value if len(value) > 9_999 else b"".join(each)
            for path in forms:
                answer = browser.send(path, body)
                if answer.status_code >= 500:
                    broken.append((path, value[:20]))
                assert b"<script>alert" not in answer.content
                assert "Traceback" not in answer.text
            query = "&".join(f"{name}={quote(value[:2_000], safe='%')}" for name in QUERIES)
            for path in pages:
                if path != "/events" and browser.get(f"{path}?{query}").status_code >= 500:
                    broken.append((path, value[:20]))
            for name in ("helpline_session", "helpline_device", "helpline_visit"):
                cookie = name.encode() + b"=" + value[:2_000].replace(b"\0", b"")
                for path in ("/staff/", "/staff/sign-in"):
                    sent = stranger.wire.get(path, headers=[(b"Cookie", cookie)])
                    if sent.status_code >= 500:
                        broken.append((path, cookie[:40]))
        assert broken == []
        assert "<h1>Audit</h1>" in browser.get("/audit").text


def test_a_form_that_is_none_or_too_large_is_refused(browsers: dict[str, Browser]) -> None:
    browser = browsers["administrator"]
    token = browser.token()
    large = f"form_token={token}&note={'x' * 300_000}".encode()
    assert browser.send("/next", large).status_code == 413
    assert browser.send("/sign-in", b"a" * 3_000_000).status_code == 413
    for kind in ("application/json", "multipart/form-data", "text/html; charset=nonsense", "/"):
        assert browser.send("/next", b'{"form_token": 1}', kind).status_code == 400
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n1\r\n' for n in FIELDS
    )
    kind = "multipart/form-data; boundary=b"
    assert browser.send("/next", f"{parts * 90}--b--".encode(), kind).status_code == 400


def test_a_form_of_more_fields_than_any_of_ours_is_refused(browsers: dict[str, Browser]) -> None:
    """Before they are taken apart: it need not come from somebody on the staff."""
    browser = browsers["administrator"]
    many = "&".join(f"field{number}=1" for number in range(200))
    stranger = browser.send("/sign-in", f"name=x&{many}".encode())
    assert stranger.status_code == 413
    assert "<h1>" in stranger.text
    ours = f"form_token={browser.token()}&{many}".encode()
    assert browser.send("/next", ours).status_code == 413


def test_a_long_text_comes_back_whole_in_every_script(browsers: dict[str, Browser]) -> None:
    """A form whose token is of yesterday is not done, and what was written is given back."""
    browser = browsers["administrator"]
    for letters in ("a b+c%", "é ü", "ሰላም", "👩🏽‍🦽 &=;"):
        note = letters * (8_000 // len(letters))
        form = urlencode({"form_token": "of yesterday", "note": note}).encode()
        stale = browser.send("/next", form)
        assert stale.status_code == 400
        assert note in unescape(stale.text)


def test_nothing_that_is_typed_stands_in_the_log(
    here: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor in the address of a page; not even when a page breaks on it."""

    async def breaks(*given: object) -> None:
        raise ValueError(f"{NUMBER} {NAMES['adviser']} {PASSWORD}")

    caplog.set_level(logging.INFO)
    browser = here.browser(NAMES["adviser"])
    assert browser.post("/sign-in", name="Mallory", password="a wrong guess").status_code == 422
    revealed = browser.post("/requests/1/reveal")
    assert "07700 900 123" in revealed.text
    browser.post("/requests/1/urgent", why="she said her name is Mallory")
    monkeypatch.setattr(Queue, "shown", breaks)
    answer = browser.get("/requests/1")
    assert answer.status_code == 500
    assert "That did not work" in answer.text
    told = "\n".join(record.getMessage() for record in caplog.records) + caplog.text
    assert "a staff page failed: ValueError" in told
    hidden = ("7700", "900123", "900 123", "Mallory", "Ada", PASSWORD, "wrong guess")
    assert [one for one in hidden if one in told] == []
    assert [one for one in (*hidden[:3], PASSWORD) if one in answer.text] == []
