"""From whatever a voice or a person made to what a telephone plays, at one loudness.

Speech is brought to -20 dBFS as ITU-T P.56 counts it: pauses are left out of the measure, so that a
breath in a sentence does not make its words louder than the next one's.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ivr.speech import mulaw

Sound = NDArray[np.float32]

SPEECH_LEVEL = -20.0  # dBFS, root mean square of what is spoken
HIGHEST_PEAK = -1.0  # dBFS; a sharp voice stays quieter rather than clip
LONGEST = 180.0  # seconds of one recording
UNHEARD = -60.0  # dBFS; a recording that never rises above this is taken for empty
PAUSE_BELOW = -30.0  # dB under the loudest moment: not counted as speech
EDGE_BELOW = -36.0  # dB under the speech: silence, when it stands at an edge
EDGE_KEPT = 0.005  # seconds left before the first and after the last sound, and faded
MOMENT = mulaw.RATE // 100  # samples: 10 ms


def shaped(path: Path) -> bytes:
    """Mu-law sound of an audio file of any kind: trimmed, levelled, 8 kHz.

    Raises ValueError (too long, silent, damaged) or soundfile's errors (unreadable).
    """
    sound = _trimmed(_telephone(path))
    return _encoded(sound * _gain(sound))


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _telephone(path: Path) -> Sound:
    """The file's sound at 8 kHz, in one channel, without a constant offset."""
    with soundfile.SoundFile(path) as file:
        if file.frames > LONGEST * file.samplerate:
            raise ValueError(f"longer than {LONGEST:.0f} seconds")
        samples: Sound = file.read(dtype="float32", always_2d=True).mean(axis=1)
        rate = file.samplerate
    if not samples.size or not np.isfinite(samples).all():
        raise ValueError("empty or damaged")
    sound: Sound = soxr.resample(samples - samples.mean(), rate, mulaw.RATE)
    if not sound.size or np.abs(sound).max() < _ratio(UNHEARD):
        raise ValueError("nothing can be heard")
    return sound


def _speech_level(sound: Sound) -> float:
    """Root mean square of the moments in which something is said."""
    moments = np.pad(sound, (0, -sound.size % MOMENT)).reshape(-1, MOMENT)
    power = (moments.astype(np.float64) ** 2).mean(axis=1)
    return float(np.sqrt(power[power > power.max() * _ratio(PAUSE_BELOW) ** 2].mean()))


def _trimmed(sound: Sound) -> Sound:
    """Without the silence at its edges, so that written pauses are exact; cut without a click."""
    moving = np.minimum(np.abs(sound), np.abs(sound - _drift(sound)))
    heard = np.flatnonzero(moving > _speech_level(sound) * _ratio(EDGE_BELOW))
    kept = round(EDGE_KEPT * mulaw.RATE)
    start, stop = max(0, heard[0] - kept), heard[-1] + 1 + kept
    trimmed = sound[start:stop].copy()
    fade = np.linspace(0, 1, min(kept, trimmed.size), dtype=np.float32)
    trimmed[: fade.size] *= fade
    trimmed[-fade.size :] *= fade[::-1]
    return trimmed


def _drift(sound: Sound) -> Sound:
    """What each moment wavers about: a voice that leans to one side leaves its silence off zero."""
    padded = np.pad(sound, MOMENT, mode="edge")
    weights = np.full(2 * MOMENT + 1, 1 / (2 * MOMENT + 1), dtype=np.float32)
    return np.convolve(padded, weights, mode="valid")


def _gain(sound: Sound) -> float:
    loudest = float(np.abs(sound).max())
    return min(_ratio(SPEECH_LEVEL) / _speech_level(sound), _ratio(HIGHEST_PEAK) / loudest)


def _encoded(sound: Sound) -> bytes:
    raw = io.BytesIO()
    how: dict[str, Any] = {"format": "RAW", "subtype": "ULAW"}
    soundfile.write(raw, sound, mulaw.RATE, **how)
    return raw.getvalue()
