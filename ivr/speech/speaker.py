"""The child process that speaks: ``python -m ivr.speech.speaker LANGUAGE SECONDS``.

It reads one order a line (JSON) and answers each with one line: ``{"error": ""}``, or why it could
not. An order names the file to write (``into``), and either a recording to shape (``recording``) or
words and a rate to speak them at (``say``, ``rate``) and, if they are enough to have a pace, how
many words they are and how many a minute should be heard (``words``, ``pace``).

Why a child: pyttsx3 allows one engine a process, blocks while it speaks, and has been seen to hang.
One utterance an engine run, because of several queued ones only the last is written. A child ends
when its parent does (end of input), and ends itself when one order takes longer than SECONDS.
"""

import ctypes
import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from ivr.speech import mulaw
from ivr.speech.pacing import Delivery, paced
from ivr.speech.shaping import shaped

SHORTEST_WORD = 0.08  # seconds, on average; our voice takes 0.4
ESPEAK_WORD_GAP = 7  # espeakWORDGAP in speak_lib.h
POLITE = 10  # of 19: a clip can wait, a caller cannot


def main() -> None:
    """Speak until there are no more orders."""
    language, seconds = sys.argv[1].lower(), float(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our parent, who then ends us
    os.nice(POLITE)
    answers = _own_stdout()
    for order in sys.stdin:
        faulthandler.dump_traceback_later(seconds, exit=True)  # works even if the engine hangs
        problem = _carried_out(json.loads(order), language)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps({"error": problem}), file=answers, flush=True)


def _own_stdout() -> TextIO:
    """Keep stdout for our answers; what pyttsx3 prints goes where stderr goes."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _carried_out(order: Mapping[str, Any], language: str) -> str:
    """Write what is ordered; the answer is empty, or says in words what went wrong."""
    try:
        into = Path(order["into"])
        if "recording" in order:
            sound = shaped(Path(order["recording"]))
        else:
            sound = _paced(order, language, into.with_suffix(".engine"))
        into.write_bytes(mulaw.wrap(sound))
    except Exception as error:  # whatever the engine throws belongs to this order alone
        return str(error) or type(error).__name__
    return ""


def _paced(order: Mapping[str, Any], language: str, said: Path) -> bytes:
    """These words as sound, at the pace that is ordered."""

    def speak(delivery: Delivery) -> bytes:
        return _spoken(order["say"], delivery, language, said)

    return paced(speak, order["rate"], order.get("words", 0), order.get("pace", 0))


def _spoken(words: str, delivery: Delivery, language: str, said: Path) -> bytes:
    """These words as sound, by way of the engine's own file."""
    said.unlink(missing_ok=True)
    engine, finished = _engine(language)
    finished.clear()
    engine.setProperty("rate", delivery.rate)
    _leave_gaps(engine, delivery.gap)
    _let_espeak_rest(engine)
    engine.save_to_file(words, str(said))
    engine.runAndWait()
    if engine.driver_name == "espeak":
        finished.wait()  # runAndWait may return before the file is written
    sound = shaped(said)
    said.unlink()
    if len(sound) < len(words.split()) * SHORTEST_WORD * mulaw.RATE:
        raise ValueError("the engine cut these words short")
    return sound


def _leave_gaps(engine: Any, gap: int) -> None:
    """Leave this gap between words, with espeak. pyttsx3 knows no name for that."""
    if engine.driver_name == "espeak":
        import_module("pyttsx3.drivers._espeak").SetParameter(ESPEAK_WORD_GAP, gap, 0)


def _let_espeak_rest(engine: Any) -> None:
    """Wait until espeak has done as told, if only set its rate.

    It works in a thread of its own, and a run that finds it busy cancels its own utterance.
    """
    if engine.driver_name == "espeak":
        while import_module("pyttsx3.drivers._espeak").IsPlaying():
            time.sleep(0.001)


@cache
def _engine(language: str) -> tuple[Any, threading.Event]:
    """The one engine of this process, and the event that it has finished an utterance."""
    _load_espeak()
    engine = import_module("pyttsx3").init()
    engine.setProperty("voice", _voice(engine.getProperty("voices"), language))
    _let_espeak_rest(engine)
    engine.runAndWait()  # until its first run an engine only notes what it is told, even its rate
    finished = threading.Event()
    engine.connect("finished-utterance", lambda name, completed: finished.set())
    return engine, finished


def _load_espeak() -> None:
    """Bring the espeak-ng that is a Python package, if installed; else the system's voices serve.

    Once loaded, pyttsx3's own search finds the library by its name, wherever it came from.
    """
    try:
        loader = import_module("espeakng_loader")
    except ImportError:
        return
    os.environ["ESPEAK_DATA_PATH"] = loader.get_data_path()
    ctypes.CDLL(loader.get_library_path())


def _voice(voices: list[Any], language: str) -> str:
    """The first voice of exactly this language, which systems write en-GB, en_GB or en-gb."""
    for voice in voices:
        if language in {str(spoken).lower().replace("_", "-") for spoken in voice.languages}:
            return str(voice.id)
    raise LookupError(f"this machine has no voice for {language}")


if __name__ == "__main__":
    main()
