"""When we fail, the caller is told so kindly and led back: to their place, then to the start."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.handset.twiml import read
from ivr.phone.fallback import last_resort
from tests.helplines import CALL, NUMBER, ROOT, Answer, Helpline, Page, helpline, rows

PUBLIC = "https://line.example.org"
SEALED = "gAAAAABpJx-_0123456789abcdef"
SORRY = "Something went wrong on our side."
BROKEN = "Our helpline is not working just now."


def resort(failed: str, public: str = PUBLIC, path: str = "/voice", number: str = "") -> Page:
    document = last_resort(failed, public, path, number).encode()
    read(document, f"{public}{path}/fallback")
    return Page(ElementTree.fromstring(document))


# --- the message alone -----------------------------------------------------------------------


def test_it_needs_nothing_else_of_ours() -> None:
    """Flows, prompts, database and web server may all be broken: it does not import them."""
    script = (
        "import sys, ivr.phone.fallback\n"
        "print(ivr.phone.fallback.last_resort('', 'https://a.b', '/voice'))\n"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] == 'ivr'))\n"
        "print(*sorted({'quart', 'sqlalchemy', 'yaml', 'cryptography'} & set(sys.modules)))\n"
    )
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    document, ours, theirs = done.stdout.splitlines()
    assert BROKEN in document
    assert set(ours.split()) <= {"ivr", "ivr.phone", "ivr.phone.fallback", "ivr.phone.signature"}
    assert theirs == ""


@pytest.mark.parametrize("path", ["/voice", "/line/voice"])
def test_a_call_that_failed_is_resumed_where_it_was_but_only_once(path: str) -> None:
    """The second failure at the same place leads to the fixed message, not round in a circle."""
    failed = f"{PUBLIC}{path}/{SEALED}"
    first = resort(failed, path=path)
    assert SORRY in first.words
    assert first.verbs == ["Say", "Pause", "Redirect"]
    assert first.action == f"{path}/{SEALED}?again=1"
    second = resort(f"{PUBLIC}{first.action}", path=path)
    assert BROKEN in second.words
    assert second.verbs == ["Gather", "Redirect"]
    assert SEALED not in second.action


@pytest.mark.parametrize("spelt", ["https://LINE.example.org", "https://line.example.org:443"])
def test_a_call_is_resumed_however_its_address_is_spelt(spelt: str) -> None:
    """Twilio signs some with the port, and so may name them with it."""
    assert resort(f"{spelt}/voice/{SEALED}").action == f"/voice/{SEALED}?again=1"


def test_parameters_of_a_get_and_a_fragment_are_not_carried_along() -> None:
    """They may hold a number, and are sent anew with every request anyway."""
    failed = f"{PUBLIC}/voice/{SEALED}?CallSid={CALL}&From=%2B447400123456#rc=2"
    assert resort(failed).action == f"/voice/{SEALED}?again=1"


@pytest.mark.parametrize(
    "failed",
    [
        "",
        "nonsense",
        PUBLIC,
        f"{PUBLIC}/voice",
        f"{PUBLIC}/voice/",
        f"{PUBLIC}/voice/fallback",
        f"{PUBLIC}/voice/status",
        f"{PUBLIC}/voice/a/b",
        f"{PUBLIC}/voice/a%0Ab",
        f"{PUBLIC}/voice/é",
        f"{PUBLIC}/voice/x y",
        f"{PUBLIC}/voice/../staff",
        f"{PUBLIC}/staff/{SEALED}",
        f"{PUBLIC}.evil.example/voice/{SEALED}",
        f"{PUBLIC}@evil.example/voice/{SEALED}",
        f"http://line.example.org/voice/{SEALED}",
        f"https://evil.example/voice/{SEALED}",
        f"https://evil.example/{PUBLIC}/voice/{SEALED}",
        f"//evil.example/voice/{SEALED}",
        f"/{SEALED}",
        f"/voice/{SEALED}",
    ],
)
def test_an_address_that_is_no_position_of_ours_is_ignored(failed: str) -> None:
    """The caller hears the fixed message and, on a key or after a wait, a new call."""
    page = resort(failed)
    assert BROKEN in page.words
    assert page.action == "/voice"
    assert page.xml[0].attrib["timeout"] == "20"
    assert page.xml[-1].text == "/voice"


@given(st.text() | st.text().map(f"{PUBLIC}/voice/".__add__))
def test_whatever_failed_the_answer_is_twiml_that_stays_with_us(failed: str) -> None:
    """Even an address that no XML may hold."""
    page = resort(failed)
    assert page.goes_on
    assert page.action.partition("?")[0].startswith("/voice")


def test_another_number_is_given_digit_by_digit_and_only_if_there_is_one() -> None:
    assert (
        "You can also ring us on 0 1 1 3, 4 9 6, 0 1 2 3."
        in resort("", number="0113 496 0123").words
    )
    without = resort("").words
    assert "You can also" not in without
    assert set(filter(str.isdigit, without)) == {"9"}  # 999 is the only number in it


# --- through the front door ------------------------------------------------------------------


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    with helpline(tmp_path_factory.mktemp("var"), IVR_OTHER_NUMBER="0113 496 0123") as found:
        yield found


def failed_at(line: Helpline, path: str) -> Answer:
    """Twilio tells its fallback address where the call failed."""
    return line.post("/voice/fallback", ErrorCode="11200", ErrorUrl=f"{line.public}{path}")


def test_a_resumed_call_is_told_its_step_again(line: Helpline) -> None:
    """The key press that failed is lost, and counts neither as silence nor as a wrong key."""
    menu = line.play("1")
    resumed = line.post(failed_at(line, menu.action).page.action).page
    assert "Not enough help" in resumed.words
    assert "Take your time" not in resumed.words.partition("Not enough help")[0]
    assert line.post(resumed.action, "4").page.words == line.post(menu.action, "4").page.words


def test_a_key_that_failed_is_not_pressed_again_on_the_caller_s_behalf(line: Helpline) -> None:
    """Should Twilio send it along with the redirect, the step is said again all the same."""
    menu = line.play("1")
    resumed = line.post(failed_at(line, menu.action).page.action, "4").page
    assert resumed.words == line.post(f"{menu.action}?again=1").page.words


def test_the_fallback_works_by_get_too(line: Helpline) -> None:
    page = line.get("/voice/fallback", ErrorUrl=f"{line.public}/voice/{SEALED}").page
    assert page.action == f"/voice/{SEALED}?again=1"
    assert line.get(page.action).page.goes_on


def test_a_fallback_that_fails_again_leads_to_the_main_menu_not_in_a_circle(line: Helpline) -> None:
    """From wherever the call was, in at most three documents."""
    menu = line.play("1")
    first = failed_at(line, menu.action).page
    second = failed_at(line, first.action).page
    assert BROKEN in second.words
    assert "0 1 1 3, 4 9 6, 0 1 2 3" in second.words
    for keys in ("", "5"):
        start = line.post(second.action, keys).page
        assert start.words.startswith("Sorry. I lost my place in this call.")
        assert "Help in school" in start.words


def test_a_call_that_starts_again_does_not_count_from_zero(tmp_path: Path) -> None:
    """Else a second wish to be rung could be taken for a repeat of the first, and be lost."""
    with helpline(tmp_path) as line:
        saved = line.play("0", "1", "1", "1", "1")
        assert saved.words.startswith("Saved.")
        first = failed_at(line, saved.action).page
        start = failed_at(line, first.action).page.action
        again = line.play("0", "1", "1", "2", "3", "1", start=start)  # for another time
        assert again.words.startswith("Saved.")
        assert len({kept["reference"] for kept in rows(tmp_path, "callback_effect")}) == 2


def test_a_foreign_address_gets_the_fixed_message(line: Helpline) -> None:
    page = line.post("/voice/fallback", ErrorUrl=f"https://evil.example/voice/{SEALED}").page
    assert BROKEN in page.words
    assert urlsplit(page.action).netloc == ""
    assert parse_qs(urlsplit(page.action).query) == {}
    assert NUMBER not in page.words


def test_a_call_that_met_a_worker_without_a_book_does_not_count_from_zero(tmp_path: Path) -> None:
    """The next wish is another one: were it taken for a repeat, "Saved" would not be true."""
    var, flows = tmp_path / "var", tmp_path / "none"
    with (
        helpline(var) as good,
        helpline(var, public=good.public, IVR_FLOWS=str(flows), IVR_VAR=str(tmp_path)) as bad,
    ):
        saved = good.play("0", "1", "1", "1", "1")
        assert saved.words.startswith("Saved.")
        broken = bad.post(saved.action, "1").page
        assert BROKEN in broken.words
        again = good.play("0", "1", "2", "01204848722", "1", "1", "1", start=broken.action)
        assert again.words.startswith("Saved.")
    assert len(rows(var, "callback_request")) == 2
