"""What is watched and alerted on from outside: `GET /metrics`, as Prometheus reads it.

What this process has counted, and how the helpline is now. It is numbers alone: no label holds
anything of a caller, and each is one of a few words of ours. docs/metrics.md says what they mean.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from hmac import compare_digest
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from quart import Quart, Response, request

from ivr.callbacks.records import Looking, View
from ivr.config import Settings
from ivr.directory.standing import standings
from ivr.health import PARTS, PATIENCE_S
from ivr.hours import LONDON
from ivr.house import House
from ivr.phone.tally import BOUNDS, Tally

TEXT = "text/plain; charset=utf-8"
REFUSED = "Metrics are read with the bearer token of IVR_METRICS_TOKEN.\n"
Find = Callable[[], Awaitable[Mapping[str, str]]]

VIEWS = {
    "open": (View.OPEN, "Call-back requests that are open; 1001 stands for more than 1000."),
    "late": (View.MISSED, "Open call-back requests whose caller should have been rung by now."),
    "safety": (View.SAFETY, "Open requests whose caller pressed that someone is not safe."),
    "urgent": (View.URGENT, "Open call-back requests that are marked urgent."),
}


def add_metrics(
    app: Quart, settings: Settings, tally: Tally, find: Find, house: House | None
) -> None:
    """Give the application its metrics. Whoever reads them needs the token (IVR_METRICS_TOKEN).
    Where none is set nobody reads them, but in demo mode, which this machine alone can ask.

    ``find`` finds what is degraded, as for ``/readyz``; there is no house without a usable book.
    """
    token = settings.metrics_token.get_secret_value()
    open_to_all = settings.demo_mode and not token
    process, reader = ProcessCollector(registry=None), Reader(house) if house else None

    @app.get("/metrics")
    async def metrics() -> Response:
        if not (open_to_all or _has(token, request.headers.get("Authorization", ""))):
            return Response(REFUSED, 401, {"WWW-Authenticate": "Bearer"}, content_type=TEXT)
        degraded, known = await asyncio.gather(find(), reader.read() if reader else _nothing())
        counted = [*_counted(tally), *process.collect()]
        page = generate_latest(_Found([*counted, *_standing(degraded, reader is not None), *known]))
        headers = {"Cache-Control": "no-store"}
        return Response(page, headers=headers, content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Found(Collector):
    """Families of samples that were found already, as the writer takes them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._families


def _has(token: str, authorization: str) -> bool:
    """Whether there is a token, and this header brings it."""
    scheme, _, given = authorization.partition(" ")
    same = compare_digest(given.strip().encode("latin-1", "replace"), token.encode())
    return bool(token) and same and scheme.lower() == "bearer"


# --- what this process has counted -------------------------------------------------------------


def _counted(tally: Tally) -> Iterator[Metric]:
    turns = CounterMetricFamily(
        "helpline_turns_total",
        "Turns of calls that were answered, by what was heard; started is a call that comes in.",
        labels=["heard"],
    )
    for heard, number in tally.turns.items():
        turns.add_metric([heard], number)
    yield turns
    ends = [*map(str, BOUNDS), "+Inf"]
    yield HistogramMetricFamily(
        "helpline_turn_seconds",
        "Seconds from a whole request to its answer, of the turns that were answered.",
        buckets=list(zip(ends, accumulate(tally.within), strict=True)),
        sum_value=tally.seconds,
    )
    refused = CounterMetricFamily(
        "helpline_requests_refused_total",
        "Requests for /voice and /sms that were refused: with no signature, or a wrong one.",
        labels=["signature"],
    )
    for signature, number in tally.refused.items():
        refused.add_metric([signature], number)
    yield refused
    yield CounterMetricFamily(
        "helpline_last_resorts_total",
        "Requests of a call that were answered with the fixed words: a turn failed, or Twilio"
        " was not answered and asked for them.",
        tally.last_resorts,
    )


# --- how the helpline is now -------------------------------------------------------------------


async def _nothing() -> list[Metric]:
    return []


def _standing(degraded: Mapping[str, str], ready: bool) -> Iterator[Metric]:
    said = "Whether there is a usable book: 0 means that all callers hear the last resort."
    yield GaugeMetricFamily("helpline_ready", said, ready)
    said = "Whether /readyz names this part as one that does not work just now: 1, or 0."
    parts = GaugeMetricFamily("helpline_degraded", said, labels=["part"])
    for part in dict.fromkeys((*PARTS, *degraded)):
        parts.add_metric([part], part in degraded)
    yield parts


class Reader:
    """Reads how a house is; of its database one reading at a time, however long it takes."""

    def __init__(self, house: House) -> None:
        """Begin with no reading."""
        self._house = house
        self._reading: asyncio.Future[list[Metric]] | None = None

    async def read(self) -> list[Metric]:
        """Return how it is, without the database's figures if that is gone or slow."""
        spools = asyncio.to_thread(_of_spools, self._house)
        disk, database = await asyncio.gather(spools, self._of_database())
        return [*disk, *_of_day(self._house), *database]

    async def _of_database(self) -> list[Metric]:
        """A reading that is too slow is left alone, and the next who asks waits for its end: giving
        it up may take as long again, and many of them would take all connections."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(_of_database(self._house))
        await asyncio.wait({self._reading}, timeout=PATIENCE_S)
        return self._reading.result() if self._reading.done() else []


def _of_spools(house: House) -> list[Metric]:
    """Reads the disk."""
    waiting = GaugeMetricFamily(
        "helpline_spool_waiting",
        "What waits on this machine's disk for the database.",
        labels=["spool"],
    )
    aside = GaugeMetricFamily(
        "helpline_spool_aside",
        "What was set aside on this machine's disk: the database cannot take it.",
        labels=["spool"],
    )
    for name, spool in (("callbacks", house.keeper.spool), ("texts", house.inbox.spool)):
        waiting.add_metric([name], len(spool.waiting()))
        aside.add_metric([name], len(spool.aside()))
    return [waiting, aside]


def _of_day(house: House) -> list[Metric]:
    now = house.clock()
    found = standings(house.directory.now(), now.astimezone(LONDON).date())
    return [
        GaugeMetricFamily("helpline_councils", "Councils in the directory.", len(found)),
        GaugeMetricFamily(
            "helpline_councils_answered",
            "Councils whose advice service can be given with a number today.",
            sum(one.is_answered for one in found),
        ),
        GaugeMetricFamily(
            "helpline_staffed",
            "Whether these are staffed hours: 1, or 0.",
            house.today.hours().is_open(now),
        ),
    ]


async def _of_database(house: House) -> list[Metric]:
    try:
        views = [
            GaugeMetricFamily(
                f"helpline_callbacks_{name}", said, await house.queue.count(Looking(view))
            )
            for name, (view, said) in VIEWS.items()
        ]
        on_duty = GaugeMetricFamily(
            "helpline_on_duty",
            "People who are on duty, and rung when a caller asks for the team.",
            len(await house.roster.listed()),
        )
        in_doubt = GaugeMetricFamily(
            "helpline_texts_in_doubt",
            "Texts of the last day of which nobody can say whether they were sent.",
            await house.post.thread.doubts(),
        )
    except Exception:  # whatever it is, `helpline_degraded` tells of the database
        return []
    return [*views, on_duty, in_doubt]
