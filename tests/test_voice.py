"""The front door: whatever comes with Twilio's signature, the call goes on.

Through a real server on a real socket, with requests as Twilio sends them and as nobody should.
"""

import json
import logging
import random
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from databases import ready_url
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.app import create_app
from ivr.config import load_settings
from ivr.handset import Caller
from ivr.phone import routes
from ivr.phone.signature import compute
from ivr.sealing import GOOD_FOR, LONGEST, Sealer
from tests.helplines import (
    CALL,
    FORM,
    KEY,
    NUMBER,
    PATIENCE,
    Helpline,
    Page,
    SetClock,
    helpline,
    process,
    rows,
    served,
)

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LOST = "Sorry. I lost my place in this call. We will start again."
MENU = "Help in school"
SAVING = ("0", "1", "1", "1")  # to the step where 1 saves
SAVED = re.compile(r"Saved\. .* Your reference is ((?:\w+ ?){6})\. ")
OTHER_CALL = "CA" + "8" * 32


@pytest.fixture(scope="module")
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="module")
def line(var: Path, clock: SetClock) -> Iterator[Helpline]:
    with helpline(var, clock) as found:
        yield found


@pytest.fixture(scope="module")
def places(line: Helpline) -> list[str]:
    """Addresses of calls under way: in menus, an answer, entries, a choice, before saving."""
    calls = [(), ("1",), ("1", "1", "1"), ("3",), ("3", "262"), ("0", "1", "2"), SAVING, ("*", "9")]
    return ["/voice", *(line.play(*keys).action for keys in calls)]


def reference(page: Page) -> str:
    told = SAVED.match(page.words)
    assert told, page.words
    return told[1]


def kept(var: Path) -> dict[str, list[dict[str, Any]]]:
    """All that a call can leave behind for staff."""
    tables = ("callback_request", "callback_effect", "callback_event")
    return {table: rows(var, table) for table in tables}


# --- any path --------------------------------------------------------------------------------

unescaped = "/.-_~!$&'()*+,;=:@%?[]{}|^`\"<>\\aZ09"  # what Python's client sends as it is
targets = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(quote),
    st.text(unescaped, max_size=30),
    st.lists(st.sampled_from([".", "..", "", "%2F", "%2e", "%0A", "%00", "%FF", "x"])).map(
        "/".join
    ),
    st.binary(max_size=20).map(quote),
).filter(lambda rest: not rest.startswith("status") and not rest.endswith("?"))


@settings(max_examples=150, deadline=None)
@given(targets, st.sampled_from(["GET", "POST"]), st.sampled_from(["", "1", "*"]))
def test_every_path_under_voice_leads_on(
    line: Helpline, rest: str, method: str, digits: str
) -> None:
    """Dots, slashes, escapes, line ends, other alphabets: it is a place that we cannot read."""
    form = {**line.call, "Digits": digits}
    page = line.signed(method, f"/voice/{rest}", form if method == "POST" else ()).page
    assert page.goes_on
    assert page.words


@pytest.mark.parametrize(
    "target",
    [
        "/voice/",
        "/voice//",
        "/voice//x",
        "/voice/%2F",
        "/voice/a%0Ab",
        "/voice/fallback/",
        "//voice",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_a_web_server_would_rather_tidy_up_is_answered(
    line: Helpline, method: str, target: str
) -> None:
    """A redirect (301, 308) or a 404 would lose the key press, or the call."""
    assert line.signed(method, target, line.call if method == "POST" else ()).page.goes_on


@pytest.mark.parametrize("length", [1_000, 4_000, 50_000])
def test_a_very_long_path_leads_on(line: Helpline, length: int) -> None:
    assert line.post(f"/voice/{'x' * length}").page.words.startswith(LOST)


def test_a_status_callback_is_noted_with_no_words(line: Helpline) -> None:
    for answer in (line.post("/voice/status", CallStatus="completed"), line.get("/voice/status")):
        assert (answer.status, answer.body) == (204, b"")


def test_behind_a_proxy_the_public_address_counts(tmp_path: Path) -> None:
    """It is signed and led back to, prefix and all; what the proxy asks us for has none."""
    with helpline(tmp_path, public="https://line.example.org:8443/helpline") as line:
        menu = line.post().page
        assert menu.action.startswith("/helpline/voice/")
        asked = menu.action.removeprefix("/helpline")
        assert "Not enough help" in line.post(asked, "1").page.words
        failed = line.post(
            "/voice/fallback", ErrorUrl=f"https://line.example.org:8443{menu.action}"
        )
        assert failed.page.action == f"{menu.action}?again=1"
        unsigned = Helpline(line.port, f"http://127.0.0.1:{line.port}")
        assert unsigned.post().status == 403


# --- any form --------------------------------------------------------------------------------

values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["", "0", "1", "*", "#", "12*", "0*#", "999999999999", "busy", "completed"]),
    st.sampled_from([CALL, OTHER_CALL, NUMBER, "anonymous", "http://evil.example", "1" * 5_000]),
)
parameters = st.sampled_from(
    ["CallSid", "Digits", "From", "DialCallStatus", "FinishedOnKey", "SpeechResult", "again", ""]
)
forms = st.lists(st.tuples(parameters | values, values), max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0), forms, st.booleans())
def test_every_form_leads_on_from_everywhere(
    line: Helpline, places: list[str], place: int, form: list[tuple[str, str]], ours: bool
) -> None:
    """No CallSid, many, keys of every kind, names twice: a key, silence, or a lost place."""
    pairs = [*(line.call.items() if ours else ()), *form]
    assert line.signed("POST", places[place % len(places)], pairs).page.goes_on


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=0), st.text(max_size=70))
def test_whatever_keys_are_said_to_be_pressed_the_call_goes_on(
    line: Helpline, places: list[str], place: int, digits: str
) -> None:
    """Even keys that no phone has."""
    sent = digits.encode("utf-8", "replace").decode()
    assert line.post(places[place % len(places)], Digits=sent).page.goes_on


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"CallSid": "CA1", "Digits": "1"}', "application/json"),
        (b"{", "application/json; charset=utf-8"),
        (
            b"--x\r\nContent-Disposition: form-data; name=Digits\r\n\r\n1\r\n--x--",
            "multipart/form-data",
        ),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"<Response/>", "text/xml"),
        (b"x" * 8_000, "text/plain"),
        (b"1", "nonsense"),
        (b"1", ";;;"),
    ],
)
def test_a_body_that_is_no_form_leads_on(
    line: Helpline, places: list[str], body: bytes, kind: str
) -> None:
    """Signed by its hash, as Twilio signs what is not a form; it holds nothing for us."""
    for place in places:
        assert line.signed_body(place, body, kind).page.goes_on


def half_sent(line: Helpline) -> socket.socket:
    """A signed request of which only the head has come."""
    wire = socket.create_connection(("127.0.0.1", line.port), timeout=PATIENCE)
    wire.sendall(
        b"POST /voice HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: x\r\n"
        b"Content-Length: 9\r\n\r\nDigits"
    )
    return wire


def test_a_request_that_breaks_off_costs_nobody_else_anything(line: Helpline) -> None:
    """A network that fails in the middle of it."""
    half_sent(line).close()
    assert line.post().page.goes_on


async def test_who_has_hung_up_is_not_answered(tmp_path: Path) -> None:
    """Over HTTP/2 such an answer is never sent, nor given up, and the server could not stop."""
    app = create_app(load_settings({"IVR_VAR": str(tmp_path), "IVR_SPEECH": "say"}))
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/voice"}
    scope |= {"headers": [(b"x-twilio-signature", b"x")], "client": ("127.0.0.1", 4711)}
    await app(scope, receive, send)  # type: ignore[arg-type]
    assert sent == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "HEAD", "BREW"])
def test_a_method_that_no_telephone_uses_is_answered_all_the_same(
    line: Helpline, method: str
) -> None:
    """If it is signed."""
    assert line.signed(method, "/voice").status == 200
    assert line.send(method, "/voice").status == 403


def test_a_tunnel_is_refused(line: Helpline) -> None:
    """After a 200 to CONNECT there is no more HTTP on that line, and the server waits for its end
    before it stops."""
    for path in ("/voice", "/voice/x", "/voice/status", "/voice/fallback"):
        answer = line.signed("CONNECT", path)
        assert (answer.status, answer.body) == (403, b"")


@pytest.mark.parametrize("path", ["/voice", "/voice/x"])
def test_a_websocket_is_refused(line: Helpline, path: str) -> None:
    """Signed or not, with nothing that tells whether there is such a place."""
    asks = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for answer in (line.signed("GET", path, headers=asks), line.send("GET", path, b"", asks)):
        assert (answer.status, answer.body) == (403, b"")


def test_a_request_that_does_not_end_is_not_waited_for(
    line: Helpline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has come of it is not what was signed."""
    monkeypatch.setattr(routes, "BODY_SECONDS", 0)
    with half_sent(line) as wire:
        assert wire.recv(100).startswith(b"HTTP/1.1 403")


def test_a_stranger_s_body_is_not_read(line: Helpline) -> None:
    """Sixteen megabytes to be taken apart would keep every caller waiting."""
    with socket.create_connection(("127.0.0.1", line.port), timeout=PATIENCE) as wire:
        head = f"POST /voice HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"
        wire.sendall(f"{head}Content-Length: 15000000\r\n\r\na=%26".encode())
        assert wire.recv(100).startswith(b"HTTP/1.1 403")


def test_a_form_that_no_telephone_sends_is_not_taken_apart(line: Helpline) -> None:
    """Even if a signature comes with it; a real one is a fiftieth of that."""
    answer = line.signed("POST", "/voice", {**line.call, "more": "x" * 100_000})
    assert (answer.status, answer.body) == (403, b"")


def test_an_address_that_ends_in_a_bare_question_mark_is_answered(line: Helpline) -> None:
    """So somebody typed it into Twilio's console, and so it is signed."""
    assert line.signed("POST", "/voice?", line.call).page.goes_on


@pytest.mark.parametrize("host", ["[bad]", "[::1", "x/y?z#q", ""])
def test_whatever_host_is_asked_for_in_demo_mode_a_fault_is_answered(
    tmp_path: Path, host: str
) -> None:
    """There is no public address to sign for then, so the one that was asked for counts."""
    settings = load_settings({"IVR_VAR": str(tmp_path), "IVR_SPEECH": "say"})
    signature = compute(settings.auth_tokens[0], f"http://{host}/voice/fallback")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = Helpline(listening.getsockname()[1], "")
        with served(create_app(settings), listening):
            headers = {"Host": host, "X-Twilio-Signature": signature}
            page = line.send("POST", "/voice/fallback", b"", headers).page
    assert page.action == "/voice"


@pytest.mark.parametrize("client", [("192.0.2.7", 4711), ("::ffff:192.0.2.7", 1), ("", None), None])
@pytest.mark.parametrize(
    "path", ["/voice", "/voice/x", "/healthz", "/readyz", "/metrics", "/audio/x.wav", "/"]
)
async def test_demo_mode_answers_this_machine_alone(
    tmp_path: Path, path: str, client: tuple[str, int] | None
) -> None:
    """Anybody can read its token in the documents; a stranger learns nothing but 403."""
    app = create_app(load_settings({"IVR_VAR": str(tmp_path)}))
    stranger = app.test_client()
    here = await stranger.get(path, scope_base={"client": ("127.0.0.1", 4711)})
    answer = await stranger.get(path, scope_base={"client": client})
    assert (answer.status_code, await answer.get_data(as_text=False)) == (403, b"")
    assert here.status_code == (
        200 if path in ("/", "/healthz", "/readyz", "/metrics") else 403 if "voice" in path else 404
    )


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-URLencoded"],
)
def test_a_form_is_known_however_its_type_is_written(line: Helpline, kind: str) -> None:
    menu = line.play()
    form = {**line.call, "Digits": "1"}
    assert (
        "Not enough help"
        in line.signed("POST", menu.action, form, {"Content-Type": kind}).page.words
    )


def test_an_empty_request_is_a_new_call_and_at_a_place_it_is_silence(line: Helpline) -> None:
    unknown = Helpline(line.port, line.public, call={})
    assert MENU in line.signed("POST", "/voice").page.words
    place = unknown.play().action
    assert "Take your time" in line.signed("POST", place).page.words


def test_a_turn_is_the_same_by_get(line: Helpline) -> None:
    menu = line.get().page
    assert menu.words == line.post().page.words
    assert line.get(menu.action, Digits="1").page.words == line.post(menu.action, "1").page.words


# --- any place -------------------------------------------------------------------------------


def test_a_place_is_good_for_as_long_as_a_call_can_last(line: Helpline, clock: SetClock) -> None:
    """Four hours and ten minutes; after that the call starts again, with an apology."""
    place = line.play("1").action
    try:
        clock.at = MONDAY + timedelta(seconds=GOOD_FOR)
        assert "What to do first" in line.post(place, "1").page.words
        clock.at = MONDAY + timedelta(seconds=GOOD_FOR + 2)
        stale = line.post(place, "1").page
        assert stale.words.startswith(LOST)
        assert MENU in stale.words
        assert stale.goes_on
    finally:
        clock.at = MONDAY


# The last character may hold bits that say nothing, so the last that is damaged is the one before.
@pytest.mark.parametrize("damage", [1, 9, 20, 60, -2, -20])
def test_a_damaged_place_is_never_guessed_at(line: Helpline, damage: int) -> None:
    place = line.play("0", "1", "1").action
    at = damage % len(place) if damage < 0 else len("/voice/") + damage
    other = "A" if place[at] != "A" else "B"
    for damaged in (place[:at] + other + place[at + 1 :], place[:at], place + "A" * 4, place[::-1]):
        assert line.post(f"/voice/{damaged.removeprefix('/voice/')}", "1").page.words.startswith(
            LOST
        )


def test_another_call_s_place_is_not_taken(line: Helpline, var: Path) -> None:
    """Nor can it save anything in that call's name."""
    place, before = line.play(*SAVING).action, kept(var)
    assert line.post(place, "1", CallSid=OTHER_CALL).page.words.startswith(LOST)
    assert kept(var) == before


def test_a_place_that_only_we_fail_at_costs_a_call_no_more_than_its_place(line: Helpline) -> None:
    """Sealed by another version of the helpline, it is genuine and makes no sense: in three turns,
    whatever is pressed, the caller is at the main menu."""
    sealer = Sealer([KEY.encode()], lambda: MONDAY)
    odd = json.dumps(["main/menu", 3, 0, [], [], 0, "many", "many", 7, [], [], 5, 6]).encode()
    page = line.post(f"/voice/{sealer.seal('turn', CALL, b'j' + odd)}", "7").page
    assert page.words.startswith("Sorry. Something went wrong on our side.")
    page = line.post(page.action, "7").page
    assert page.words.startswith("Sorry. Our helpline is not working just now.")
    page = line.post(page.action, "7").page
    assert page.words.startswith(LOST)
    assert MENU in page.words


def test_a_lost_call_is_the_same_however_often_it_is_repeated(line: Helpline) -> None:
    """It goes on counting far above any turn that it had."""
    pages = [line.post("/voice/damaged", "1").page for _ in range(2)]
    turns = {turn(page.action) for page in pages}
    assert len(turns) == 1
    assert turns.pop() > 1_000_000


def turn(action: str, call: str = CALL) -> int:
    sealer = Sealer([KEY.encode()], lambda: MONDAY)
    return sealer.unseal_position(call, action.removeprefix("/voice/")).turn


def test_turns_never_go_back(line: Helpline) -> None:
    """Not on star, not on hash, not on silence: else a new effect would look like a repeat."""
    page = line.play()
    for count, keys in enumerate(("1", "*", "#", "", "9", "0", "*", "x", "1", "1", "*", "*"), 2):
        page = line.post(page.action, keys).page
        assert turn(page.action) == count


def test_an_address_is_never_longer_than_promised_and_tells_nothing(line: Helpline) -> None:
    """However long the call: what it needs to remember is sealed, the oldest steps let go first."""
    page = line.play("0", "1", "2", "07400654321", "1", "1", "*", "*", "3", "262")
    for keys in ("1", "*", "*", "3", "727", "*", "0", "1", "2", "07400654321", "1", "2"):
        page = line.post(page.action, keys).page
        assert len(page.action) <= LONGEST + len("/voice/")
        for word in (NUMBER[3:], "7400654321", "654321", CALL, "callback", "found"):
            assert word not in page.action


# --- repeated and late -----------------------------------------------------------------------


@pytest.fixture
def own(line: Helpline) -> Helpline:
    """The same helpline, rung by a caller of the test's own: nobody else has their number."""
    return line.another_caller()


def test_a_repeated_save_is_the_same_save(own: Helpline, var: Path) -> None:
    """One after another, at the same moment, by GET: one request, one reference."""
    before = len(kept(var)["callback_request"])
    place = own.play(*SAVING).action
    with ThreadPoolExecutor(8) as senders:
        pages = list(senders.map(lambda _: own.post(place, "1").page, range(8)))
    pages += [own.post(place, "1").page, own.get(place, Digits="1").page]
    assert len({reference(page) for page in pages}) == 1
    assert len({turn(page.action, own.call["CallSid"]) for page in pages}) == 1
    assert len(kept(var)["callback_request"]) == before + 1


def test_calls_without_an_id_do_not_pass_for_one_another(line: Helpline, var: Path) -> None:
    """The second would hear "saved", and not be."""
    before = len(kept(var)["callback_request"])
    for number in ("+447400123001", "+447400123002"):
        unknown = Helpline(line.port, line.public, call={"From": number})
        assert SAVED.match(unknown.play(*SAVING, "1").words)
    assert len(kept(var)["callback_request"]) == before + 2


def test_a_whole_call_sent_again_late_and_in_disorder_changes_nothing(
    own: Helpline, var: Path, clock: SetClock
) -> None:
    """Hours later, shuffled, several times: nothing more is kept, and saved is saved."""
    sent = []
    page = own.post().page
    for keys in ("0", "1", "1", "1", "1", "#", "1", "1", "1", "1"):
        sent.append((page.action, keys))
        page = own.post(page.action, keys).page
    before, told = kept(var), reference(own.post(*sent[4]).page)
    late = sent * 3
    random.Random(1).shuffle(late)
    try:
        clock.at = MONDAY + timedelta(hours=3)
        for place, keys in late:
            again = own.post(place, keys).page
            assert again.goes_on
            if (place, keys) == sent[4]:
                assert reference(again) == told
    finally:
        clock.at = MONDAY
    assert kept(var) == before


def test_a_repeated_cancellation_does_not_cancel_what_was_asked_for_since(
    own: Helpline, var: Path
) -> None:
    """Two calls of one parent: one stands at "sure to cancel" while the other cancels. What the
    first then asks for anew is kept, however often its press of 2 is delivered."""
    assert own.play(*SAVING, "1").words.startswith("Saved.")
    sure = own.play("0", "1", "1", "3")
    second = own.another_caller(own.call["From"])
    assert "is cancelled" in second.play("0", "1", "1", "3", "2").words
    gone = own.post(sure.action, "2").page
    assert "not waiting any more" in gone.words
    saving = own.post(own.post(gone.action, "1").page.action, "1").page
    assert own.post(saving.action, "1").page.words.startswith("Saved.")
    before = kept(var)
    assert own.post(sure.action, "2").page.words == gone.words
    assert kept(var) == before


def test_star_after_saving_neither_undoes_nor_repeats_it(own: Helpline, var: Path) -> None:
    page = own.play(*SAVING, "1")
    before = kept(var)
    for keys in ("*", "*", "#", "", "*", "0", "*"):
        page = own.post(page.action, keys).page
    assert kept(var) == before


def test_a_save_whose_answer_was_lost_on_the_way_is_not_saved_twice(
    own: Helpline, var: Path
) -> None:
    """The worker died after the commit: Twilio asks the fallback, the caller presses 1 again."""
    before = len(kept(var)["callback_request"])
    place = own.play(*SAVING).action
    told = reference(own.post(place, "1").page)  # nobody hears this
    resumed = own.post("/voice/fallback", ErrorUrl=f"{own.public}{place}").page
    again = own.post(own.post(resumed.action).page.action, "1").page
    assert reference(again) == told
    assert len(kept(var)["callback_request"]) == before + 1


# --- who rings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        *("", "anonymous", "ANONYMOUS", "Restricted", "unavailable", "unknown", "private"),
        *("blocked", "+266696687", "+7378742833", "+86282452253", "+8656696", "+2562533"),
        *("266696687", "sip:parent@example.org", "client:parent", "sim:DE1", "+", "+44", "07400"),
        *("+447000123456", "+448712345678", "+449012345678", "+15005550006", "+44118", "+441481"),
        *("+447700900123", "+441632960123", "+4474001234567890", "+44 7400 123456"),
    ],
)
def test_an_odd_caller_id_is_no_number(line: Helpline, number: str) -> None:
    """Nobody is asked whether to be rung on it: the number is typed instead."""
    unknown = Helpline(line.port, line.public, call={"CallSid": CALL, "From": number})
    page = unknown.play("0", "1")
    assert "Type the number that we should ring." in page.words
    assert "ends in" not in page.words


def test_a_call_without_a_from_goes_on_the_same_way(line: Helpline) -> None:
    unknown = Helpline(line.port, line.public, call={"CallSid": CALL})
    assert "Type the number that we should ring." in unknown.play("0", "1").words


def test_an_ordinary_caller_s_number_is_known_by_its_end(line: Helpline) -> None:
    assert "It ends in four five six." in line.play("0", "1").words


# --- how we wait -----------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [(), ("1",), ("1", "1", "1"), ("3", "626"), SAVING, ("0",)])
def test_a_one_key_step_takes_any_key_and_only_one(line: Helpline, keys: tuple[str, ...]) -> None:
    """Star and hash are choices; nothing is left to a default of Twilio's."""
    page = line.play(*keys)
    gather = page.xml.find("Gather")
    assert gather is not None
    assert gather.attrib | {"timeout": ""} == {
        "input": "dtmf",
        "action": page.action,
        "method": "POST",
        "numDigits": "1",
        "finishOnKey": "",
        "actionOnEmptyResult": "true",
        "timeout": "",
    }
    assert page.verbs[-2:] == ["Gather", "Redirect"]
    assert page.xml[-1].text == page.action
    assert page.xml[-1].attrib == {"method": "POST"}


@pytest.mark.parametrize(("keys", "digits"), [(("3",), "3"), (("0", "1", "2"), "11")])
def test_an_entry_ends_by_itself_when_complete_or_at_star(
    line: Helpline, keys: tuple[str, ...], digits: str
) -> None:
    gather = line.play(*keys).xml.find("Gather")
    assert gather is not None
    assert gather.attrib["numDigits"] == digits
    assert gather.attrib["finishOnKey"] == "*"
    assert gather.attrib["actionOnEmptyResult"] == "true"
    assert int(gather.attrib["timeout"]) >= 20


@pytest.mark.parametrize("posts", [True, False])
@pytest.mark.parametrize("keys", ["*", "12*", "#", "0*", "5##"])
async def test_star_or_hash_in_an_entry_leads_to_help_either_way(
    line: Helpline, keys: str, posts: bool
) -> None:
    """Twilio does not say whether a bare finish key is posted or falls through."""
    async with line.phone(Caller(NUMBER), bare_finish_key_posts=posts) as phone:
        await phone.dial()
        for key in "012":
            await phone.press(key)
        moment = await phone.press(keys)
        assert "For a person or call-back, press 0." in moment.said
        assert moment.waits is not None
        await phone.press("1")
        assert "You have typed" not in " ".join((await phone.press(keys)).said)


async def test_letters_that_were_ended_by_star_are_not_looked_up(line: Helpline) -> None:
    """Star gives the caller another way; what was typed before it was a mistake."""
    async with line.phone(Caller(NUMBER)) as phone:
        await phone.dial()
        await phone.press("3")
        moment = await phone.press("62*")
    assert "Is it one of these" not in " ".join(moment.said)
    assert "For a person or call-back, press 0." in moment.said


@pytest.mark.parametrize("keys", [(), ("1",), ("3", "626"), SAVING, ("0", "1", "2", "")])
def test_only_the_end_of_silence_hangs_up(line: Helpline, var: Path, keys: tuple[str, ...]) -> None:
    """Two short words, ten quiet waits of 20 s or more, a goodbye. Nothing is saved or rung."""
    before, page = kept(var), line.play(*keys)
    menu = page.words
    for count in range(1, 13):
        page = line.post(page.action).page
        assert page.goes_on
        assert page.verbs == ["Gather", "Redirect"]
        assert int(page.xml[0].attrib["timeout"]) >= 20
        assert len(page.words) < len(menu), f"silence {count} reads too much"
    page = line.post(page.action).page
    assert page.verbs[-1] == "Hangup"
    assert page.words.endswith("Goodbye.")
    assert kept(var) == before


def test_any_key_ends_the_counting_of_silence(line: Helpline) -> None:
    page = line.play(*[""] * 12, "7", "")
    assert page.words == line.play("").words
    for _ in range(11):
        page = line.post(page.action).page
        assert page.goes_on


# --- what is not told ------------------------------------------------------------------------

SECRETS = [NUMBER, NUMBER[1:], "0" + NUMBER[3:], NUMBER[3:], CALL, "7400654321", "654321"]


def test_nothing_personal_is_logged_in_a_whole_call(
    line: Helpline, own: Helpline, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor of a call that is lost or garbled."""
    with caplog.at_level(logging.INFO):
        told = reference(own.play(*SAVING, "1"))
        reference(line.play("0", "1", "2", "07400654321", "1", "1", "1"))
        line.post("/voice/x", "07400654321")
        line.post("/voice/fallback", ErrorUrl=f"{line.public}/voice/x?From={quote(NUMBER)}")
    for secret in [*SECRETS, told, own.call["From"][3:]]:
        assert secret not in caplog.text


def test_nothing_personal_is_written_by_a_server(tmp_path: Path) -> None:
    """As it is deployed: a call-back saved, another on disk, a third nowhere, a forged request."""
    ready_url("sqlite", tmp_path)
    with process(tmp_path) as server:
        reference(server.play(*SAVING, "1"))
        numbers = {row["reference"] for row in rows(tmp_path, "callback_request")}
        place = server.play("0", "1", "2", "07400654321", "1", "1").action
        for file in tmp_path.glob("helpline.db*"):
            file.unlink(missing_ok=True)
        assert server.post(place, "1").page.words.startswith("Saved.")
        (tmp_path / "spool").rename(tmp_path / "elsewhere")
        (tmp_path / "spool").touch()
        place = server.play("0", "1", "2", "07400654322", "1", "1").action
        assert "Nothing is saved" in server.post(place, "1").page.words
        server.send("POST", f"/voice?From={quote(NUMBER)}&CallSid={CALL}")
        server.post("/voice/a/b", "07400654321")
        written = server.stop()
    assert "service save-call-back failed" in written  # it does log
    for secret in [*SECRETS, *numbers, place.removeprefix("/voice/")]:
        assert secret not in written
