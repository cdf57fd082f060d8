"""What one process has answered since it started, counted in memory: each count is one addition."""

from bisect import bisect_left
from collections import Counter

# What can be heard in a turn, by the names of its kinds.
KINDS = ("started", "keys", "spoken", "silence", "dialled", "resumed", "lost")
NONE, WRONG = SIGNATURES = ("none", "wrong")  # of a request that is refused
#: Seconds. A turn takes some thousandths, a service three at most, and Twilio gives up after 15.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Tally:
    """Counts turns, refusals and last resorts, all in one event loop."""

    def __init__(self) -> None:
        """Begin at nothing: what has not happened yet counts as 0 and is there."""
        self.turns = Counter(dict.fromkeys(KINDS, 0))  # answered, by what was heard
        self.within = [0] * (len(BOUNDS) + 1)  # turns by the first bound that they kept, or none
        self.seconds = 0.0  # that these turns took in all
        self.refused = Counter(dict.fromkeys(SIGNATURES, 0))  # requests, by their signature
        self.last_resorts = 0  # calls that heard the fixed words

    def turn(self, heard: str, seconds: float) -> None:
        """A turn was answered."""
        self.turns[heard] += 1
        self.within[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
