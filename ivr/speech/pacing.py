"""How fast words are heard: spoken, measured, and spoken again where the engine hurries or dawdles.

An engine keeps a pace of syllables, so that "When is a good time for us to ring?" is heard half as
fast again as the average, and "Occupational therapists help" a third slower. People follow words.
Words are counted as they are written; the breath at a comma counts, the written pauses do not.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ivr.speech import mulaw

ENOUGH_WORDS = 4  # fewer say nothing about a pace
NOT_HURRIED = 4  # words, or fewer: among them are numbers and names, slow for a reason
NEAR = 0.04  # of the pace: as far as words are brought, so that long ones still take longer
NEAR_ENOUGH = 0.06
QUICKER = 4 / 3  # times the usual rate, at most: past that, long words are hard to follow
SLOWEST = 85  # below that rate espeak drawls, and at 80 it stays; gaps are easier to follow
TRIES = 4  # the usual rate, another, with gaps, those at another rate


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the engine is told to speak: its rate, and the gap between words, by its own figures."""

    rate: int
    gap: int = 0


WITH_GAPS = Delivery(
    90, 2
)  # about 0.1 s between words, which brings the hastiest near 125 a minute


def paced(speak: Callable[[Delivery], bytes], rate: int, words: int, pace: int) -> bytes:
    """The sound of so many words, heard at about this pace (words a minute) if it can be had.

    ``rate`` is what is tried first. A pace of 0 is whatever comes of that.
    """
    quickest = round(rate * QUICKER) if words > NOT_HURRIED else rate
    delivery = Delivery(rate)
    sound = speak(delivery)
    for _ in range(TRIES - 1 if pace else 0):
        hurry = words * 60 * mulaw.RATE / len(sound) / pace
        better = _corrected(delivery, hurry, quickest)
        if better == delivery:
            break
        delivery, sound = better, speak(better)
    return sound


def _corrected(told: Delivery, hurry: float, quickest: int) -> Delivery:
    """What to tell the engine instead, when this was heard ``hurry`` times as fast as it should."""
    if abs(hurry - 1) <= NEAR_ENOUGH:
        return told
    rate = round(told.rate * min(max(hurry, 1 - NEAR), 1 + NEAR) / hurry)
    if rate < SLOWEST and not told.gap:
        return WITH_GAPS
    return Delivery(min(rate, quickest), told.gap)
