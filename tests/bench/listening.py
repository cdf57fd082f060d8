"""What a caller waits for: the first words in a terminal, and the clips."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from ivr.house import House
from tests.bench import turns
from tests.bench.report import Row
from tests.bench.servers import ROOT

FIRST_WORDS_LIMIT = 2.0  # seconds
CLIPS_LIMIT = 30.0  # seconds, on two processors
IVR = "from ivr.cli import main; main()"


def first_words(folder: Path, clips: Path, rounds: int) -> list[Row]:
    """From Return to the first words of ``ivr call --keys 1``.

    A script's words are printed when it is over, so this is more than a person waits: it holds a
    whole turn and the end of the call too.
    """
    fresh = [folder / f"fresh-{number}" for number in range(rounds)]
    return [
        _words("first words, nothing made yet", [_first_words(var) for var in fresh]),
        _words("first words, all clips made", [_first_words(clips) for _ in range(rounds)]),
    ]


def _words(what: str, took: list[float]) -> Row:
    seconds = median(took)
    target = f"<= {FIRST_WORDS_LIMIT:.0f} s"
    return Row(f"ivr call: {what}", f"{seconds:.2f} s", target, seconds <= FIRST_WORDS_LIMIT)


def _first_words(var: Path) -> float:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", IVR, "call", "--keys", "1"],
        env=turns.environment(var) | {"IVR_TWILIO_AUTH_TOKEN": "", "IVR_PUBLIC_URL": ""},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    first = process.stdout.read(1) if process.stdout else b""
    took = time.perf_counter() - begun
    _, problem = process.communicate()
    if not first or process.returncode:
        raise SystemExit(f"ivr call failed:\n{problem.decode()}")
    return took


def all_clips(parts: House) -> list[Row]:
    """Every clip from nothing, and then once more with nothing changed."""
    first = asyncio.run(parts.make_clips())
    again = asyncio.run(parts.make_clips())
    if first.failed or not first.made:
        raise SystemExit(f"Clips could not be made: {first.failed}")
    return [
        Row(
            f"all {first.made} clips from nothing",
            f"{first.seconds:.1f} s",
            f"<= {CLIPS_LIMIT:.0f} s on 2 cores",
            first.seconds <= CLIPS_LIMIT,
        ),
        Row(
            "  once more with nothing changed",
            f"{again.made} made in {again.seconds:.2f} s",
            "0 made",
            again.made == 0,
        ),
    ]
