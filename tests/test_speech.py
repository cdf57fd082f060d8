"""The voice: real clips by the real engine, measured."""

import asyncio
import errno
import io
import os
import re
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import psutil
import pytest
import soundfile
from numpy.typing import NDArray

from ivr.book import Loaded, load_book
from ivr.core.saying import Line, Pause, Phrase, Words
from ivr.core.speaking import DIGITS
from ivr.core.wording import every_line
from ivr.errors import SettingsError
from ivr.speech import mulaw
from ivr.speech.clips import Clips
from ivr.speech.making import make
from ivr.speech.score import Fragment, Notation, is_name
from ivr.speech.synthesis import Order, Speaker, SpeechError, Voice
from tests.helplines import PATIENCE, ROOT, later, wait_for

Sound: TypeAlias = NDArray[np.float64]
Children: TypeAlias = list[Process]

PROSE = (
    "The special educational needs co-ordinator",
    "Council plan for education, health and care",
    "School places, exclusion, safety",
    "School help depends on what your child needs, not on a label.",
    "The school should not wait for a diagnosis.",
    "Ask the school for a meeting.",
    "Say what you have noticed at home, and what you would like the school to try.",
    "Write down what is agreed, and who will do it.",
    "You can bring someone with you.",
    "If the school says no, ask for the reasons in writing.",
    "Your local advice service is free, and it does not take sides.",
    "The council must tell you its decision within six weeks.",
    "If we miss you, we will try twice more.",
    "Take your time.",
    "To hear it slower",
)


def line(*pieces: str | float | Words, prompt: str = "") -> Line:
    """A line of one phrase: words, and pauses in seconds."""
    return Line((Phrase(tuple(_piece(piece) for piece in pieces), prompt),))


def _piece(piece: str | float | Words) -> Words | Pause:
    if isinstance(piece, str):
        return Words(piece)
    return piece if isinstance(piece, Words) else Pause(piece)


HELLO = "Hello. This is the school support helpline, for England."
PERSON = "For a person"
GREETING = line(HELLO, 0.5, PERSON, 1)
A_TRIFLE = 160  # samples, 20 ms: the engine's breath differs from one take to the next
FRAGMENTS = ("zero", "seven", HELLO, PERSON)


def clips_in(
    directory: Path, lexicon: Mapping[str, str] | None = None, voice: Voice | None = None
) -> Clips:
    """Clips as a server would have them, with recordings beside them."""
    notation = Notation(voice or Voice(), lexicon or {}, directory / "recordings")
    return Clips(directory / "clips", notation)


def heard(wav: bytes | None) -> Sound:
    """The samples of a clip, as someone else's library reads them."""
    assert wav is not None
    samples, rate = soundfile.read(io.BytesIO(wav))
    assert rate == 8000
    return np.asarray(samples)


def sound(clips: Clips, a_line: Line, slow: bool = False) -> bytes:
    """The mu-law bytes of a fixed line's clip."""
    return mulaw.unwrap(clips.wav(clips.name(a_line, slow)) or b"")


def decibels(samples: Sound) -> float:
    """Root mean square, dBFS."""
    return float(20 * np.log10(np.sqrt((samples**2).mean())))


def record(directory: Path, prompt: str, seconds: float = 1.0, rate: int = 44_100) -> Path:
    """A recording as a person might hand it in: stereo, another rate, quiet, silent edges."""
    path = directory / "recordings" / f"{prompt}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    moments = np.arange(round(seconds * rate)) / rate
    tone = 0.01 * np.sin(2 * np.pi * 440 * moments)
    edge = np.zeros(rate // 2)
    mono = np.concatenate([edge, tone, edge]) + 0.002  # and a constant offset
    soundfile.write(path, np.stack([mono, mono], axis=1), rate, subtype="PCM_24")
    return path


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Clips of all the prose and the greeting, made once for all tests that only listen."""
    clips = clips_in(tmp_path_factory.mktemp("studio"))
    made = asyncio.run(make(clips, [GREETING, line(2), *map(line, PROSE)], FRAGMENTS))
    assert made.failed == ()
    return clips


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    """Every child process started during a test, in order."""
    started: Children = []
    really_start = asyncio.create_subprocess_exec

    async def start(*command: str, **how: Any) -> Process:
        started.append(await really_start(*command, **how))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    return started


# --- how it sounds --------------------------------------------------------------------------------


def test_a_clip_is_what_the_telephone_carries(studio: Clips) -> None:
    wav = studio.wav(studio.name(GREETING, False))
    assert wav is not None
    info = soundfile.info(io.BytesIO(wav))
    assert (info.samplerate, info.channels, info.format, info.subtype) == (8000, 1, "WAV", "ULAW")
    assert info.frames == len(mulaw.unwrap(wav))


@pytest.mark.parametrize(("slow", "least", "most"), [(False, 140, 160), (True, 118, 132)])
def test_it_speaks_at_the_pace_that_people_follow(
    studio: Clips, slow: bool, least: float, most: float
) -> None:
    lengths = studio.lengths([GREETING, *map(line, PROSE)], slow)
    words = sum(len(length.text.split()) for length in lengths)
    speech = sum(length.seconds - length.pauses for length in lengths)
    assert least < 60 * words / speech < most


def longer_lines(loaded: Loaded) -> list[Line]:
    """The book's lines of eight words or more, but for those that read out a telephone number."""
    numbers = set(DIGITS)
    return [
        a_line
        for a_line in dict.fromkeys(every_line(loaded.book))
        if not a_line.private and len(a_line.text.split()) >= 8
        if not any(
            set(re.findall(r"\w+", words.text)) <= numbers
            for words in a_line.pieces
            if isinstance(words, Words)
        )
    ]


def test_each_of_the_guide_s_sentences_keeps_that_pace(tmp_path: Path) -> None:
    """Of long words or of short ones: not only their average does."""
    loaded = load_book(ROOT / "flows", ROOT / "prompts")
    some = longer_lines(loaded)[::3]
    clips = clips_in(tmp_path, {term: entry.clip for term, entry in loaded.lexicon.items()})
    made = asyncio.run(make(clips, some))
    assert made.failed == ()
    for slow, least, most in [(False, 135, 165), (True, 115, 135)]:
        lengths = clips.lengths(some, slow)
        assert len(lengths) == len(some) > 30
        assert [one for one in lengths if not least <= one.words_per_minute <= most] == []


@pytest.mark.parametrize("words", ["seven", "zero eight zero eight", "Take your time."])
async def test_numbers_and_a_few_words_are_never_hurried(tmp_path: Path, words: str) -> None:
    clips, plain = clips_in(tmp_path), tmp_path / "plain.wav"
    await make(clips, [line(words)])
    speaker = Speaker(Voice())
    await speaker.carry_out({"into": str(plain), "say": words, "rate": Voice().rate})
    await speaker.stop()
    usual = len(mulaw.unwrap(plain.read_bytes()))
    assert len(sound(clips, line(words))) > usual - A_TRIFLE


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("words", PROSE)
def test_every_clip_is_equally_loud_and_none_clips(studio: Clips, words: str, slow: bool) -> None:
    samples = heard(studio.wav(studio.name(line(words), slow)))
    assert -23 < decibels(samples) < -19
    assert np.abs(samples).max() < 0.9


@pytest.mark.parametrize("words", PROSE)
def test_no_silence_is_left_at_the_edges(studio: Clips, words: str) -> None:
    samples = heard(studio.wav(studio.name(line(words), False)))
    audible = np.flatnonzero(np.abs(samples) > 0.001)
    assert audible[0] < 0.02 * mulaw.RATE
    assert len(samples) - audible[-1] < 0.02 * mulaw.RATE


async def test_a_voice_that_leans_to_one_side_keeps_no_silence_either(tmp_path: Path) -> None:
    """Its silence is not zero but a constant: half a second of it stood after some names."""
    clips, names = clips_in(tmp_path), [line("Sefton"), line("the fifteenth"), line("Suffolk")]
    await make(clips, names)
    for name in names:
        for slow in (False, True):
            changes = np.flatnonzero(np.diff(heard(clips.wav(clips.name(name, slow)))))
            assert np.diff(changes).max() < 0.1 * mulaw.RATE


@pytest.mark.parametrize(("slow", "times"), [(False, 1), (True, 2)])
def test_written_pauses_are_exact_and_the_slow_pace_doubles_them(
    studio: Clips, slow: bool, times: int
) -> None:
    hello, person = (sound(studio, line(words), slow) for words in (HELLO, PERSON))
    pause, closing = (bytes([0xFF]) * times * samples for samples in (4000, 8000))
    assert sound(studio, GREETING, slow) == hello + pause + person + closing


def test_a_clip_of_nothing_but_a_pause_is_that_long(studio: Clips) -> None:
    assert sound(studio, line(2)) == mulaw.silence(2)


def test_one_utterance_never_cuts_the_next_one_short(studio: Clips) -> None:
    """An engine told its rate too shortly before it runs has been seen to write empty files."""

    async def say_often(into: Path) -> list[int]:
        speaker, takes = Speaker(Voice()), []
        for rate in [123, 102] * 20:
            await speaker.carry_out({"into": str(into), "say": "one", "rate": rate})
            takes.append(into.stat().st_size)
        await speaker.stop()
        return takes

    takes = asyncio.run(say_often(studio.directory.parent / "take.wav"))
    assert max(takes[::2]) - min(takes[::2]) < A_TRIFLE
    assert max(takes[1::2]) - min(takes[1::2]) < A_TRIFLE


# --- the lexicon ----------------------------------------------------------------------------------


async def test_a_term_is_spoken_as_the_lexicon_has_it_and_read_as_it_is_written(
    tmp_path: Path,
) -> None:
    plain = clips_in(tmp_path)
    taught = clips_in(tmp_path, {"SENDIASS": "local advice"})
    written, respelled = line("Ask SENDIASS."), line("Ask local advice.")
    await make(plain, [respelled])
    await make(taught, [written])
    assert abs(len(sound(taught, written)) - len(sound(plain, respelled))) < A_TRIFLE
    assert taught.text(taught.name(written, False)) == "Ask SENDIASS."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SEN, and the SENCO's plan.", "S E N, and the senko's plan."),
        ("SENCOs and a sen", "SENCOs and a sen"),
        ("on GOV.UK.", "on guv dot you kay."),
    ],
)
def test_only_whole_words_are_respelled_and_the_longest_wins(
    tmp_path: Path, text: str, said: str
) -> None:
    lexicon = {"SEN": "S E N", "SENCO": "senko", "GOV.UK": "guv dot you kay"}
    (fragment,) = clips_in(tmp_path, lexicon).score(line(text), False).parts
    assert isinstance(fragment, Fragment)
    assert fragment.say == said


# --- names, and what is made again ----------------------------------------------------------------


async def test_nothing_is_made_again_when_nothing_changed(tmp_path: Path) -> None:
    lines = [line("Yes", 0.5, "No"), line("No")]
    first = await make(clips_in(tmp_path), lines)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "clips").iterdir()}
    steps: list[tuple[int, int]] = []
    second = await make(clips_in(tmp_path), lines, progress=lambda *step: steps.append(step))
    assert (first.made, first.reused) == (4, 0)
    assert (second.made, second.reused) == (0, 4)
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "clips").iterdir()}
    assert steps == [(4, 4)]


async def test_a_longer_pause_needs_no_new_speech(tmp_path: Path) -> None:
    await make(clips_in(tmp_path), [line("Yes", 0.5, "No")])
    before = {path.name for path in (tmp_path / "clips").glob("*.wav")}
    await make(clips_in(tmp_path), [line("Yes", 0.7, "No")])
    after = {path.name for path in (tmp_path / "clips").glob("*.wav")}
    assert len(after - before) == 2  # the line itself, at each pace


def test_a_name_changes_with_everything_that_can_be_heard(tmp_path: Path) -> None:
    clips, said = clips_in(tmp_path), line("Ask the SENCO", 0.5, prompt="school/ask")
    quick = clips_in(tmp_path, voice=Voice(rate=140))
    names = [
        clips.name(said, False),
        clips.name(said, True),
        clips.name(line("Ask the SENCO", 1, prompt="school/ask"), False),
        clips.name(line("Ask a SENCO", 0.5, prompt="school/ask"), False),
        clips_in(tmp_path, {"SENCO": "senko"}).name(said, False),
        quick.name(said, False),
    ]
    record(tmp_path, "school/ask", seconds=1)
    names.append(clips_in(tmp_path).name(said, False))
    record(tmp_path, "school/ask", seconds=2)
    names.append(clips_in(tmp_path).name(said, False))
    assert len(set(names)) == len(names)
    assert all(map(is_name, names))


async def test_progress_counts_up_to_everything(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    await make(clips_in(tmp_path), [line("Yes")], ["No"], lambda *step: steps.append(step))
    assert steps == [(done, 4) for done in range(5)]


# --- recordings by a person -----------------------------------------------------------------------


async def test_a_recording_wins_at_the_same_loudness_as_the_voice(tmp_path: Path) -> None:
    record(tmp_path, "main/hello", seconds=1)
    clips, said = clips_in(tmp_path), line("Hello.", 0.5, "Take your time.", prompt="main/hello")
    made = await make(clips, [said])
    samples = heard(clips.wav(clips.name(said, False)))
    assert made.failed == ()
    assert len(samples) / 8000 == pytest.approx(1, abs=0.02)
    assert decibels(samples) == pytest.approx(-20, abs=0.3)
    assert clips.text(clips.name(said, False)) == "Hello. Take your time."


@pytest.mark.parametrize("damage", [b"", b"this is not sound", b"RIFF\0\0\0\0WAVEfmt "])
async def test_the_voice_takes_the_place_of_a_broken_recording_and_says_so(
    tmp_path: Path, damage: bytes
) -> None:
    broken = record(tmp_path, "main/hello")
    broken.write_bytes(damage)
    said = line("Yes", 0.5, "No", prompt="main/hello")
    clips = clips_in(tmp_path)
    for times, count in enumerate([2, 0]):  # it is said again each time, until it is put right
        made = await make(clips, [said])
        assert (made.made, made.reused) == (count, 2 * times)
        assert [failure.what for failure in made.failed] == [str(broken)]
    plain = line("Yes", 0.5, "No")
    await make(clips, [plain])
    assert sound(clips, said) == sound(clips, plain)


@pytest.mark.parametrize("seconds", [0, 200])
async def test_a_silent_or_endless_recording_is_not_used(tmp_path: Path, seconds: float) -> None:
    record(tmp_path, "main/hello", seconds, rate=8000)
    made = await make(clips_in(tmp_path), [line("Yes", prompt="main/hello")])
    assert len(made.failed) == 1
    assert made.made == 2


def test_a_recording_never_replaces_words_of_this_call(tmp_path: Path) -> None:
    record(tmp_path, "main/typed")
    said = line("You typed", Words("seven", private=True), prompt="main/typed")
    parts = clips_in(tmp_path).score(said, False).parts
    assert [type(part) for part in parts] == [Fragment, Fragment]


# --- words known only during the call -------------------------------------------------------------

TYPED = line("You typed", 0.5, Words("zero", True), 0.3, Words("seven", True), 1)


async def test_what_a_caller_typed_is_spliced_without_a_gap(tmp_path: Path) -> None:
    clips = clips_in(tmp_path)
    assert clips.fragments(TYPED, False) is None
    await make(clips, [TYPED], ["zero", "seven"])
    sequence = clips.fragments(TYPED, False)
    assert sequence is not None
    typed, zero, seven = (sound(clips, line(word)) for word in ("You typed", "zero", "seven"))
    rests = [mulaw.silence(seconds) for seconds in (0.5, 0.3, 1)]
    expected = typed + rests[0] + zero + rests[1] + seven + rests[2]
    assert mulaw.unwrap(clips.splice(sequence) or b"") == expected
    assert clips.words(sequence) == TYPED.text


def test_the_slow_pace_doubles_spliced_pauses_and_reads_the_same(studio: Clips) -> None:
    said = line(Words("zero", True), 0.3, Words("seven", True))
    slow, normal = studio.fragments(said, True), studio.fragments(said, False)
    assert slow is not None and normal is not None
    assert studio.words(slow) == studio.words(normal) == "zero seven"
    zero, seven = (sound(studio, line(word), slow=True) for word in ("zero", "seven"))
    assert mulaw.unwrap(studio.splice(slow) or b"") == zero + mulaw.silence(0.6) + seven


def test_a_whole_number_read_out_fits_into_an_address(studio: Clips) -> None:
    digits = [piece for _ in range(11) for piece in (Words("seven", True), 0.3)]
    sequence = studio.fragments(line(*digits), True)
    assert sequence is not None
    assert len(" ".join(sequence)) < 300


async def test_words_of_this_call_never_reach_the_disk(tmp_path: Path) -> None:
    clips = clips_in(tmp_path)
    await make(clips, [line("You are", 0.5, Words("Alexandra", True))])
    files = {path.read_text() for path in (tmp_path / "clips").glob("*.txt")}
    assert files == {"You are"}
    with pytest.raises(ValueError, match="private"):
        clips.name(TYPED, False)
    assert not clips.ready(TYPED, False)


@pytest.mark.parametrize("name", ["", "../recordings/x", "0123456789abcde/", "0" * 16, "_5000000"])
def test_only_a_name_of_ours_is_looked_up(studio: Clips, name: str) -> None:
    assert studio.wav(name) is None
    assert studio.text(name) is None
    assert studio.splice((name,)) is None
    assert studio.words((name,)) is None


# --- trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_dead_or_hung_child_is_replaced(
    tmp_path: Path,
    children: Children,
    blow: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    speaker, into = Speaker(Voice(), PATIENCE), tmp_path / "yes.wav"
    order: Order = {"into": str(into), "say": "Yes", "rate": 150}
    await speaker.carry_out(order)
    into.unlink()
    os.kill(children[0].pid, blow)
    carrying_out = asyncio.create_task(speaker.carry_out(order))
    await asyncio.sleep(0)  # it has asked, and waits
    if blow == signal.SIGSTOP:
        later(monkeypatch, PATIENCE)
    await carrying_out
    assert mulaw.unwrap(into.read_bytes())
    await speaker.stop()
    killed, replacement = children
    assert killed.returncode == -signal.SIGKILL
    assert replacement.returncode is not None


async def test_a_child_that_hangs_each_time_is_given_up(tmp_path: Path, children: Children) -> None:
    speaker = Speaker(Voice(), patience=0.001)
    with pytest.raises(SpeechError, match="hung"):
        await speaker.carry_out({"into": str(tmp_path / "x.wav"), "say": "Yes", "rate": 150})
    assert len(children) == 2
    assert all(child.returncode is not None for child in children)


def test_a_child_ends_when_its_parent_does() -> None:
    command = [sys.executable, "-m", "ivr.speech.speaker", "en-gb", "20"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=PATIENCE) == 0


async def test_what_cannot_be_spoken_is_told_and_the_rest_is_made(tmp_path: Path) -> None:
    clips = clips_in(tmp_path)
    made = await make(clips, [line("Yes"), line("Yes", 1, "...")])
    assert made.made == 2
    assert [failure.what for failure in made.failed] == ["..."]
    assert clips.ready(line("Yes"), False)
    assert not clips.ready(line("Yes", 1, "..."), False)


async def test_no_voice_for_the_language_is_told_in_words(tmp_path: Path) -> None:
    made = await make(clips_in(tmp_path, voice=Voice(language="tlh")), [line("Yes")])
    assert {failure.why for failure in made.failed} == {"this machine has no voice for tlh"}


async def test_two_makers_at_once_share_the_work(tmp_path: Path) -> None:
    lines = [line(words) for words in PROSE[-4:]]
    both = await asyncio.gather(*(make(clips_in(tmp_path), lines) for _ in range(2)))
    assert sorted(made.made for made in both) == [0, 8]
    assert all(made.failed == () for made in both)


async def test_cancelling_ends_the_children_and_the_next_one_goes_on(
    tmp_path: Path, children: Children
) -> None:
    clips, lines = clips_in(tmp_path), [line(words) for words in PROSE]
    some, enough = asyncio.Event(), 3
    making = asyncio.create_task(
        make(clips, lines, progress=lambda done, total: some.set() if done >= enough else None)
    )
    await some.wait()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert all(child.returncode is not None for child in children)
    rest = await make(clips_in(tmp_path), lines)
    assert rest.reused >= enough
    assert rest.made + rest.reused == 2 * len(PROSE)


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_killed_maker_holds_nothing_and_leaves_only_whole_clips(tmp_path: Path) -> None:
    script = f"""
import asyncio
from tests.test_speech import PROSE, clips_in, line, make
from pathlib import Path
asyncio.run(make(clips_in(Path({str(tmp_path)!r})), map(line, PROSE), progress=print))
"""
    command = [sys.executable, "-u", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        assert [maker.stdout.readline() for _ in range(4)][-1] == f"3 {2 * len(PROSE)}\n"
        maker.send_signal(signal.SIGSTOP)
        speaking = psutil.Process(maker.pid).children()
        maker.kill()
    wait_for(lambda: all(map(has_ended, speaking)))  # each when it has said its sentence
    left = list((tmp_path / "clips").glob("*.wav"))
    assert all(mulaw.unwrap(path.read_bytes()) for path in left)
    made = await make(clips_in(tmp_path), map(line, PROSE))
    assert made.made + made.reused == 2 * len(PROSE)


async def test_what_a_killed_maker_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "clips" / "making-of-one-that-is-dead"
    left.mkdir(parents=True)
    (left / "half.wav").write_bytes(b"RIFF")
    await make(clips_in(tmp_path), [line("Yes")])
    assert [path.name for path in (tmp_path / "clips").iterdir() if path.is_dir()] == []


async def test_a_file_cut_short_is_not_taken_in(tmp_path: Path) -> None:
    clips, made = clips_in(tmp_path), tmp_path / "made.wav"
    made.write_bytes(mulaw.wrap(b"\x80" * 100)[:-1])
    with pytest.raises(ValueError, match="whole"):
        clips.adopt(made, "0" * 16, "Yes")
    assert not clips.has("0" * 16)


async def test_a_directory_that_cannot_hold_clips_is_named(tmp_path: Path) -> None:
    (tmp_path / "clips").write_text("a file stands in the way")
    with pytest.raises(SettingsError, match="IVR_VAR"):
        await make(clips_in(tmp_path), [line("Yes")])


async def test_a_full_disk_is_told_clip_by_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    made = await make(clips_in(tmp_path), [line("Yes")])
    assert made.made == 0
    assert {failure.why for failure in made.failed} == {"[Errno 28] No space left on device"}


async def test_what_the_engine_prints_is_not_seen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await make(clips_in(tmp_path), [line("Yes")])
    assert capfd.readouterr() == ("", "")


def test_the_server_itself_loads_no_sound_library() -> None:
    heavy = "{'numpy', 'soundfile', 'soxr', 'pyttsx3'} & set(sys.modules)"
    script = f"import sys, ivr.speech.making; sys.exit(str({heavy}) if {heavy} else 0)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("length", [1, 2, 8001])
def test_wrapping_and_unwrapping_a_sound_changes_nothing(length: int) -> None:
    tone = bytes(byte % 251 for byte in range(length))
    assert mulaw.unwrap(mulaw.wrap(tone)) == tone
    assert soundfile.info(io.BytesIO(mulaw.wrap(tone))).frames == length
