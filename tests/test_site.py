"""The public page: every answer of the line, to read, and what the texts point to."""

import asyncio
import gc
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from books import real, sample
from playwright.sync_api import Browser

from ivr.app import create_app
from ivr.config import load_settings
from ivr.core.check.menus import KEY
from ivr.core.flow import Prompt, Read, Slot
from ivr.core.speaking import DIGITS
from ivr.core.texting import answer_by_text
from ivr.site.guide import guide
from ivr.site.writing import written
from tests.browsers import CHROMIUM, Desk, chromium
from tests.helplines import Helpline, helpline

BOOK = real().book
READS = {place: step for place, step in BOOK.steps.items() if isinstance(step, Read)}
LARGEST_PAGE = 40_000  # bytes
NUMBERS = (
    *("999", "111", "116 123", "0800 1111", "0808 800 5000", "0800 144 8848", "0300 061 0614"),
    *("0370 000 2288", "0300 303 5857", "101"),
)
WINDOWS = {
    "a desktop": {"viewport": {"width": 1280, "height": 800}},
    "320 px": {"viewport": {"width": 320, "height": 640}},
    "400 % zoom": {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4},
    "the dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "forced colours": {"viewport": {"width": 1280, "height": 800}, "forced_colors": "active"},
}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    var = tmp_path_factory.mktemp("var")
    with helpline(var, IVR_TWILIO_NUMBER="+441632960123") as made:
        yield made


@pytest.fixture(scope="module")
def page(line: Helpline) -> "Reader":
    return Reader(line.send("GET", "/").body.decode())


class Reader(HTMLParser):
    """What can be read on a page, and what can be pointed to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.paragraphs: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("p", "h1", "h2", "h3", "h4", "li"):
            self.paragraphs.append("")
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        if self.paragraphs:
            self.paragraphs[-1] += data

    @property
    def words(self) -> str:
        """All words, one space apart."""
        return " ".join(" ".join(self.paragraphs).split())


# --- what is on it -------------------------------------------------------------------------------


def for_all(prompt: Prompt) -> bool:
    """Whether it says the same to everybody, and belongs to one answer."""
    has_facts = any(isinstance(part, Slot) for part in prompt.parts)
    return not has_facts and not prompt.id.startswith("shared/")


@pytest.mark.parametrize("place", sorted(READS))
def test_every_answer_is_on_the_page_word_for_word(place: str, page: Reader) -> None:
    """As it was written, without the marks of pauses; but for sentences that name a key."""
    for part in READS[place].parts:
        prompt = BOOK.prompts[part]
        if not for_all(prompt):
            continue
        spoken = re.sub(r"(?<![.?!,:;])\s+//?\s+(?=\w)", ", ", prompt.text)
        for sentence in re.split(r"(?<=[.?!])\s+", re.sub(r"\s*//?\s", " ", spoken)):
            spelled = re.search(rf"\b({'|'.join(DIGITS)}|\d),? ({'|'.join(DIGITS)}|\d)\b", sentence)
            said_again = sentence == "Once more."
            if not (KEY.search(sentence) or spelled or said_again or " dot " in sentence):
                assert " ".join(sentence.split()) in page.words, part


@pytest.mark.parametrize("number", [*NUMBERS, "ipsea.org.uk"])
def test_what_is_spelled_for_the_ear_is_written_for_the_eye(number: str, page: Reader) -> None:
    assert number in page.words


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_on_the_page_is_a_link_that_rings_it(number: str, page: Reader) -> None:
    assert f"tel:{number.replace(' ', '')}" in page.links


def test_no_number_is_on_the_page_that_is_not_spoken(page: Reader) -> None:
    """But for the helpline's own, and the one of Relay UK."""
    spoken = {
        number
        for prompt in BOOK.prompts.values()
        for sentence in written(prompt)
        for number in re.findall(r"\d[\d ]+\d\d|\d{3}", sentence)
    }
    shown = set(re.findall(r"\d[\d ]+\d\d|\d{3}", page.words))
    assert shown <= spoken | {"01632 960 123", "18001"}
    dialled = {link.removeprefix("tel:") for link in page.links if link.startswith("tel:")}
    assert dialled <= {number.replace(" ", "") for number in spoken} | {"+441632960123", "999"}


@pytest.mark.parametrize("place", [place for place, step in READS.items() if step.text])
def test_the_address_in_a_text_points_to_its_answer(place: str, page: Reader) -> None:
    text = answer_by_text(BOOK, place, "https://helpline.example.org/")
    first, *_, last = text.splitlines()
    assert first == BOOK.prompts["texts/first-line"].text
    assert BOOK.prompts[READS[place].text].text in text
    assert last.startswith("More: https://helpline.example.org/#")
    assert last.partition("#")[2] in page.ids


def test_a_long_address_gives_way_before_the_words_do() -> None:
    """First the anchor, then the page; what was asked for never."""
    host = "https://a-name-that-goes-on-and-on-and-on.example.org/"
    text = answer_by_text(BOOK, "school/complain", host, end=30)
    assert text.endswith(f"More: {host}")
    text = answer_by_text(BOOK, "school/complain", f"{host}{'a' * 60}", end=30)
    assert text.endswith(BOOK.prompts["texts/school-complain"].text)


def test_the_headings_are_those_of_the_menus_in_their_order(page: Reader) -> None:
    labels = [section.title for section in guide(BOOK).sections]
    assert labels[:2] == ["Help in school", "Council plan, or EHCP"]
    assert labels[-1] == "Someone is not safe"
    assert [section.title for section in guide(BOOK).sections[0].sections] == [
        "Not enough help",
        "Diagnosis or psychologist",
        "How school help works",
        "Your child's rights",
    ]
    assert page.tags.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_another_book_makes_another_page() -> None:
    """The small one of the tests has answers too, and another name."""
    made = guide(sample().book)
    assert made.title == "This is the library"
    assert [section.title for section in made.sections] == [
        "The rules",
        "For members",
    ]


# --- how it comes --------------------------------------------------------------------------------


def test_the_page_is_small_kept_for_a_while_and_knows_nobody(line: Helpline) -> None:
    answer = line.send("GET", "/")
    assert answer.status == 200
    assert len(answer.body) < LARGEST_PAGE
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src")
    assert b"<script" not in answer.body
    assert "set-cookie" not in answer.headers
    again = line.send("GET", "/", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert line.send("GET", "/static/site.css").status == 200


async def test_whoever_goes_away_early_leaves_no_file_open(tmp_path: Path) -> None:
    """A browser that has seen enough while its stylesheet comes."""
    app = create_app(load_settings({"IVR_VAR": str(tmp_path), "IVR_SPEECH": "say"}))
    begun = asyncio.Event()

    async def send(message: object) -> None:
        begun.set()

    async def receive() -> dict[str, str]:
        await begun.wait()
        return {"type": "http.disconnect"}

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/static/site.css"}
    scope |= {"scheme": "http", "http_version": "1.1", "query_string": b"", "headers": []}
    await app(scope, receive, send)  # type: ignore[arg-type]
    assert begun.is_set()
    gc.collect()  # an open file that nobody holds is a warning, and so a failure


def test_a_stylesheet_can_be_had_in_part(line: Helpline) -> None:
    whole = line.send("GET", "/static/site.css").body
    part = line.send("GET", "/static/site.css", headers={"Range": "bytes=4-9"})
    assert (part.status, part.body) == (206, whole[4:10])


def test_how_to_ring_is_said_where_the_number_is_known(line: Helpline, page: Reader) -> None:
    assert "To ring us: 01632 960 123. By text relay (Relay UK): dial 18001 first." in page.words
    assert "tel:+441632960123" in page.links


def test_a_helpline_without_a_book_says_so_kindly(tmp_path: Path) -> None:
    empty = tmp_path / "flows"
    empty.mkdir()
    with helpline(tmp_path / "var", IVR_FLOWS=str(empty), IVR_OTHER_NUMBER="01632 960 999") as line:
        answer = line.send("GET", "/")
    assert answer.status == 503
    assert answer.headers["retry-after"] == "600"
    reader = Reader(answer.body.decode())
    assert "Sorry, this page cannot be shown just now" in reader.words
    assert "You can also ring 01632 960 999." in reader.words
    assert "ring 999" in reader.words


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    with chromium() as made:
        yield made


@pytest.mark.parametrize("window", WINDOWS)
def test_the_page_can_be_used_by_everybody(window: str, browser: Browser, line: Helpline) -> None:
    """By axe, in each window; and the answer that a text points to is in sight."""
    context = browser.new_context(**WINDOWS[window], java_script_enabled=True)
    page = context.new_page()
    desk = Desk(page, line)
    page.goto(f"http://127.0.0.1:{line.port}/#school-rights")
    assert desk.faults() == []
    where = page.locator("#school-rights").bounding_box()
    assert where is not None
    assert 0 <= where["y"] < WINDOWS[window]["viewport"]["height"]
    context.close()
