"""Sound as the telephone carries it: 8 kHz mono mu-law, one byte a sample, in a WAV file.

We write the header ourselves, always alike, so that clips are joined by joining their bytes: no
decoding, no loss, and nothing but the standard library in the server's own process.
"""

import struct

RATE = 8000  # samples, and bytes, a second
_ZERO = b"\xff"  # mu-law's positive zero
_MULAW = 7  # WAVE_FORMAT_MULAW

_HEADER = struct.Struct("<4sI4s 4sIHHIIHHH 4sII 4sI")  # RIFF; fmt; fact; data
HEADER_BYTES = _HEADER.size


def silence(seconds: float) -> bytes:
    """So many seconds of nothing at all, exact to the sample."""
    return _ZERO * round(seconds * RATE)


def wrap(sound: bytes) -> bytes:
    """The WAV file that holds this sound. A chunk of odd length is padded, as RIFF demands."""
    padding = b"\0" * (len(sound) % 2)
    header = _HEADER.pack(
        *(b"RIFF", HEADER_BYTES - 8 + len(sound) + len(padding), b"WAVE"),
        *(b"fmt ", 18, _MULAW, 1, RATE, RATE, 1, 8, 0),
        *(b"fact", 4, len(sound)),
        *(b"data", len(sound)),
    )
    return header + sound + padding


def unwrap(wav: bytes) -> bytes:
    """The sound in a WAV file of ours; ValueError if it is cut short, empty, or not of ours."""
    sound = wav[HEADER_BYTES:]
    if len(wav) > HEADER_BYTES:
        length: int = _HEADER.unpack_from(wav)[-1]
        sound = sound[:length]
    if not sound or wrap(sound) != wav:
        raise ValueError("not a whole 8 kHz mono mu-law WAV file")
    return sound


def seconds(size: int) -> float:
    """How long a WAV file of ours sounds, from its size in bytes (exact to one sample)."""
    return max(0, size - HEADER_BYTES) / RATE
