"""Clips over HTTP: fixed words for a year, words of one call for a quarter of an hour."""

import fcntl
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from ivr.config import load_settings
from ivr.core.saying import Line, Phrase, Words
from ivr.core.speaking import vocabulary
from ivr.core.wording import every_line
from ivr.house import House, build
from ivr.speech import mulaw
from ivr.speech.score import Rest
from tests.helplines import Helpline, Page, SetClock, done, helpline, settings_of, wait_for

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CLIP = mulaw.wrap(mulaw.silence(0.1))  # a clip need not be heard to be served
HASH = "0123456789abcdef"
SAVE_A_CALL_BACK = ("0", "1", "2", "07400654321", "1", "1", "1")


def fill(var: Path) -> None:
    """Put a short silence in the place of every clip, so that none has to be spoken here."""
    house = build(load_settings(settings_of(var, "http://helpline.test", IVR_SPEECH="clips")))
    house.clips.directory.mkdir(parents=True)
    fragments = {*vocabulary(), *house.directory.now().vocabulary()}
    lines = [
        *every_line(house.shelf.loaded.book),
        *(Line((Phrase((Words(text),)),)) for text in fragments),
    ]
    for line in lines:
        for slow in (False, True):
            score = house.clips.score(line, slow)
            parts = [part for part in score.parts if not isinstance(part, Rest)]
            for named in parts if line.private else [score, *parts]:
                (house.clips.directory / f"{named.name}.txt").write_text(named.text)
                (house.clips.directory / f"{named.name}.wav").write_bytes(CLIP)


@dataclass
class Studio:
    """A helpline with all its clips, and the clock that it goes by."""

    line: Helpline
    clock: SetClock
    var: Path

    def played(self, *keys: str) -> list[str]:
        """The addresses of the clips that are played after these keys."""
        return plays(self.line.play(*keys))


def plays(page: Page) -> list[str]:
    return [play.text or "" for play in page.xml.iter("Play")]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    var, clock = tmp_path_factory.mktemp("var"), SetClock(MONDAY)
    fill(var)
    with helpline(var, clock, IVR_SPEECH="clips") as line:
        yield Studio(line, clock, var)


@pytest.fixture
def reference(studio: Studio) -> Iterator[str]:
    """The address of the clip that speaks a reference."""
    studio.clock.at = MONDAY
    yield [clip for clip in studio.played(*SAVE_A_CALL_BACK) if len(clip) > 100][-1]
    studio.clock.at = MONDAY


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("1", "1", "1"),
        ("3", "626"),
        ("9",),
        SAVE_A_CALL_BACK,
    ],
)
def test_with_all_clips_made_nothing_is_left_to_twilio_s_voice(
    studio: Studio, keys: tuple[str, ...]
) -> None:
    """One call hears one voice, in menus, answers, numbers and names of councils alike."""
    page = studio.line.play(*keys)
    assert plays(page)
    assert [words_of(say) for say in page.xml.iter("Say") if words_of(say)] == []


def words_of(say: Element) -> str:
    return "".join(say.itertext()).strip()


def test_fixed_words_are_kept_for_a_year(studio: Studio) -> None:
    """Their address says all about them: it is the hash of what is heard."""
    address = studio.played()[0]
    assert re.fullmatch(r"/audio/[0-9a-f]{16}\.wav", address)
    sound = studio.line.send("GET", address)
    assert sound.status == 200
    assert sound.headers["content-type"] == "audio/wav"
    assert sound.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sound.body == CLIP
    text = studio.line.send("GET", address.replace(".wav", ".txt"))
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert text.body.decode() == "Hello. Helpline for special needs in school, for England."


def test_words_of_a_call_are_spliced_and_never_kept(studio: Studio, reference: str) -> None:
    sound = studio.line.send("GET", reference)
    assert sound.status == 200
    assert sound.headers["cache-control"] == "no-store"
    assert len(mulaw.unwrap(sound.body)) > 10 * len(mulaw.unwrap(CLIP))
    text = studio.line.send("GET", reference.replace(".wav", ".txt"))
    assert text.headers["cache-control"] == "no-store"
    assert re.match(r"Your reference is (\w+ ){2}\w+, (\w+ ){2}\w+\.", text.body.decode())


def test_words_of_a_call_are_gone_after_a_quarter_of_an_hour(
    studio: Studio, reference: str
) -> None:
    """Long enough for a slow phone, too short to be found later."""
    studio.clock.at = MONDAY + timedelta(minutes=15)
    assert studio.line.send("GET", reference).status == 200
    studio.clock.at = MONDAY + timedelta(minutes=15, seconds=2)
    for address in (reference, reference.replace(".wav", ".txt")):
        gone = studio.line.send("GET", address)
        assert (gone.status, gone.body) == (404, b"")
        assert gone.headers["cache-control"] == "no-store"


def test_no_word_of_a_call_stands_in_an_address(studio: Studio, reference: str) -> None:
    """Nor does the same reference make the same address twice."""
    told = studio.line.send("GET", reference.replace(".wav", ".txt")).body.decode()
    page = studio.line.play(*SAVE_A_CALL_BACK)
    addresses = [*plays(page), page.action]
    assert reference not in addresses
    for word in ("zero", "one", "two", "reference", "123456", *told.split()):
        assert not any(word in address for address in addresses if len(word) > 3)


def test_a_clip_s_address_opens_no_turn_and_a_turn_s_no_clip(
    studio: Studio, reference: str
) -> None:
    """Each sealed address is good for one purpose."""
    sealed = reference.removeprefix("/audio/").removesuffix(".wav")
    lost = studio.line.post(f"/voice/{sealed}").page
    start = studio.line.play()
    assert plays(lost)[1:] == plays(start)  # an apology first
    assert studio.line.send("GET", f"/audio{start.action.removeprefix('/voice')}.wav").status == 404


@pytest.mark.parametrize(
    "name",
    [
        f"{HASH}.wav",
        f"{HASH}.txt",
        f"{HASH.upper()}.wav",
        f"{HASH}.mp3",
        f"{HASH}",
        ".wav",
        "a.wav",
        "_500.wav",
        "%C3%A9.wav",
        "%00.wav",
        "%FF.txt",
        "a%0Ab.txt",
        "../helpline.db",
        "../secret-keys.txt",
        "..%2Fsecret-keys.txt",
        "..%2F..%2Fetc%2Fpasswd.txt",
        "%2e%2e/secret-keys.txt",
        "..%5Csecret-keys.txt",
        "/etc/passwd.txt",
        "%2Fetc%2Fpasswd.txt",
        "x" * 5000 + ".wav",
        "gAAAAABp.txt",
    ],
)
def test_anything_else_is_not_found(studio: Studio, name: str) -> None:
    """Whatever the path, no other file is read, and nothing is said of why."""
    (studio.var / "secret-keys.txt").write_text("secret")
    answer = studio.line.send("GET", f"/audio/{name}")
    assert answer.status == 404
    assert b"secret" not in answer.body


def test_a_clip_with_another_ending_is_not_found(studio: Studio, reference: str) -> None:
    for address in (studio.played()[0], reference):
        assert studio.line.send("GET", address.replace(".wav", ".mp3")).status == 404
        assert studio.line.send("POST", address).status == 405


def test_words_of_a_call_are_neither_written_to_disk_nor_logged(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    """Not by the maker of clips, not by a cache, not by the log of addresses."""
    before = set((studio.var / "clips").rglob("*"))
    with caplog.at_level(logging.DEBUG):
        clips = studio.played(*SAVE_A_CALL_BACK)
        texts = [
            studio.line.send("GET", clip.replace(".wav", ".txt")).body
            for clip in clips
            if studio.line.send("GET", clip).headers["cache-control"] == "no-store"
        ]
    told = next(text for text in texts if b"Your reference is" in text)
    assert set((studio.var / "clips").rglob("*")) == before
    for path in studio.var.rglob("*"):
        with suppress(IsADirectoryError, FileNotFoundError):  # what is written whole has a draft
            assert told not in path.read_bytes()
    assert told.decode() not in caplog.text
    assert not any(clip in caplog.text for clip in clips if len(clip) > 100)


# --- a machine that has no clips yet, behind the same balancer ------------------------------------


@pytest.fixture
def newcomer(studio: Studio, tmp_path: Path) -> Iterator[Studio]:
    """Another machine of the same helpline, just started, whose turn to make all is yet to come."""
    clips = tmp_path / "clips"
    clips.mkdir()
    with (clips / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with helpline(tmp_path, studio.clock, IVR_SPEECH="clips") as line:
            yield Studio(line, studio.clock, tmp_path)


def test_a_clip_that_is_not_made_yet_is_said_instead(newcomer: Studio) -> None:
    page = newcomer.line.play("4")
    assert plays(page) == []
    assert [words_of(say) for say in page.xml.iter("Say") if words_of(say)]


@pytest.mark.parametrize("keys", [(), ("9",)])
def test_an_address_from_another_machine_is_answered_at_once(
    studio: Studio, newcomer: Studio, keys: tuple[str, ...]
) -> None:
    """The clip is made for who asks, at either pace, though nothing else has been made yet."""
    address = studio.played(*keys)[-1]
    sound = newcomer.line.send("GET", address)
    assert (sound.status, sound.headers["content-type"]) == (200, "audio/wav")
    assert sound.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(mulaw.unwrap(sound.body)) > mulaw.RATE / 2
    assert newcomer.line.send("GET", address).body == sound.body
    text = address.replace(".wav", ".txt")
    assert newcomer.line.send("GET", text).body == studio.line.send("GET", text).body


def test_words_of_a_call_from_another_machine_are_spliced_too(
    studio: Studio, newcomer: Studio, reference: str
) -> None:
    sound = newcomer.line.send("GET", reference)
    assert (sound.status, sound.headers["cache-control"]) == (200, "no-store")
    texts = {path.read_text() for path in (newcomer.var / "clips").glob("*.txt")}
    assert "Your reference is" in texts
    assert not any(word in text for text in texts for word in ("Helpline", "council"))


def test_many_who_ask_at_once_all_hear_it(studio: Studio, newcomer: Studio) -> None:
    """One at a time is made, by one child; its folder is gone afterwards."""
    addresses = studio.played()[:3] * 4
    with ThreadPoolExecutor(len(addresses)) as phones:
        sounds = list(phones.map(lambda address: newcomer.line.send("GET", address), addresses))
    assert {sound.status for sound in sounds} == {200}
    assert len({sound.body for sound in sounds}) == len(set(addresses))
    assert list((newcomer.var / "clips").glob("asked-*")) == []


def test_no_clip_is_made_of_what_is_not_in_the_book(newcomer: Studio) -> None:
    for ending in ("wav", "txt", "mp3"):
        assert newcomer.line.send("GET", f"/audio/{HASH}.{ending}").status == 404
    assert list((newcomer.var / "clips").glob("*.wav")) == []


def test_a_clip_that_went_missing_is_made_again(studio: Studio) -> None:
    address = studio.played("4")[0]
    missing = studio.var / "clips" / Path(address).name
    before = missing.read_bytes()
    missing.unlink()
    try:
        assert studio.line.send("GET", address).status == 200
        assert mulaw.unwrap(missing.read_bytes())
    finally:
        missing.write_bytes(before)


def elsewhere(studio: Studio, do: Callable[[House], Awaitable[object]]) -> None:
    """Do this in another worker of the same helpline."""

    async def doing() -> None:
        settings = settings_of(studio.var, "http://helpline.test", IVR_SPEECH="clips")
        house = build(load_settings(settings), studio.clock)
        try:
            await do(house)
        finally:
            await house.database.close()

    done(doing())


def test_a_notice_of_the_day_soon_has_its_clip(studio: Studio) -> None:
    """Made when somebody writes it; the next call hears it all the same, in Twilio's voice."""
    studio.clock.at = MONDAY
    text = "We are very busy today."
    elsewhere(studio, lambda house: house.diary.put_up(text, MONDAY.date(), "Bea"))

    def notice_is_played() -> bool:
        greeting = studio.line.another_caller().play()
        texts = (
            studio.line.send("GET", play.replace(".wav", ".txt")).body.decode()
            for play in plays(greeting)
        )
        return text in texts

    wait_for(notice_is_played)
    elsewhere(studio, lambda house: house.diary.take_down())


def test_a_service_that_is_renamed_soon_has_a_clip_of_its_new_name(studio: Studio) -> None:
    """Until then Twilio's voice says the line: the call waits for nothing."""
    studio.clock.at = MONDAY
    settings = settings_of(studio.var, "http://helpline.test", IVR_SPEECH="clips")
    house = build(load_settings(settings), studio.clock)
    named = {"service_name": "Families Together Manchester"}

    async def rename() -> None:
        await house.editor.change("E08000003", named, 0, "Bea")
        await house.database.close()

    done(rename())

    def name_is_played() -> bool:
        page = studio.line.another_caller().play("3", "626", "1")
        texts = [
            studio.line.send("GET", play.replace(".wav", ".txt")).body.decode()
            for play in plays(page)
        ]
        return any("Families Together Manchester" in text for text in texts)

    wait_for(name_is_played)
