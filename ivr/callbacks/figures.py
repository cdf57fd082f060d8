"""The figures of a report, as plain records, and how small ones are put together. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from ivr.callbacks.spans import Span

FEWEST = 3  # requests: a topic or council with fewer is counted among the others
MOST_COUNCILS = 10  # that are named
OTHERS = "(others)"  # instead of a flow or a code


@dataclass(frozen=True, slots=True)
class Waits:
    """How long callers waited from asking: half of them at most the one, 9 of 10 the other."""

    count: int = 0
    half_h: float | None = None
    nine_of_ten_h: float | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What happened on one day, or in all days.

    A promise is kept when we first tried by when we had said. Of those that ended, neither kept nor
    late are those that the caller called off before they were due.
    """

    asked: int = 0
    ended: int = 0
    spoke: int = 0  # of those that ended
    kept: int = 0  # of those that ended
    late: int = 0  # of those that ended
    first_tried: Waits = field(default_factory=Waits)
    spoken_with: Waits = field(default_factory=Waits)


@dataclass(frozen=True, slots=True)
class Share:
    """The requests about one topic, or from one council."""

    key: str  # a flow or a GSS code, "" if none is known, or OTHERS
    asked: int
    spoke: int  # of those that asked, so far


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a span of days."""

    span: Span
    whole: Counted
    days: Mapping[date, Counted]
    still_open: int  # of those that asked
    asked_again: int  # of those that asked: how many did so more than once
    repeats: int  # and how often, all together
    attempts: Mapping[int, int]  # how many of those that ended took so many attempts
    outcomes: Mapping[str, int]  # how many attempts, or cancellings, ended so
    topics: list[Share]
    councils: list[Share]


def joined(shares: Iterable[Share], most: int | None = None) -> list[Share]:
    """The largest shares first, and in the last one all others: those of fewer than three requests,
    by which somebody might be known, and those beyond ``most``."""
    ranked = sorted(shares, key=lambda share: (-share.asked, share.key))
    named = [share for share in ranked if share.asked >= FEWEST][:most]
    rest = ranked[len(named) :]
    return [*named, _together(OTHERS, rest)] if rest else named


def by_flow(places: Iterable[Share]) -> list[Share]:
    """The shares of places put together by the flow that each stands in."""
    flows: dict[str, list[Share]] = {}
    for share in places:
        flows.setdefault(share.key.partition("/")[0], []).append(share)
    return [_together(flow, shares) for flow, shares in flows.items()]


def _together(key: str, shares: list[Share]) -> Share:
    return Share(key, sum(one.asked for one in shares), sum(one.spoke for one in shares))
