"""The parts of one helpline, made from its settings. The only place where the rooms meet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ivr.callbacks.erasing import Eraser
from ivr.callbacks.keeping import Keeper
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.planning import Backlog
from ivr.callbacks.service import (
    AddNeed,
    CheckNumber,
    NeedsWeMeet,
    OpenCallBack,
    PlanCallBack,
    Wishing,
)
from ivr.callbacks.spool import Spool
from ivr.callbacks.wishes import Kind
from ivr.config import Settings
from ivr.conversation import Service
from ivr.core.flow import Book
from ivr.core.wording import every_line, vocabulary
from ivr.database import Database
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.service import AdviceService, FindCouncil
from ivr.errors import BookError
from ivr.hours import load_hours
from ivr.journeys.batch import Journeys
from ivr.journeys.service import NoteFeedback
from ivr.sealing import Sealer
from ivr.shelf import Shelf
from ivr.speech.clips import Clips
from ivr.speech.making import Made, Progress, ignore, make
from ivr.speech.score import Notation
from ivr.speech.synthesis import Voice

Clock = Callable[[], datetime]


def now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class House:
    """The parts of one running helpline."""

    settings: Settings
    shelf: Shelf
    sealer: Sealer
    database: Database
    journeys: Journeys
    keeper: Keeper
    eraser: Eraser
    directory: Directory
    services: Mapping[str, Service]
    clips: Clips

    async def make_clips(self, progress: Progress = ignore) -> Made:
        """Make every clip that is missing; see ``ivr.speech.making.make``."""
        fragments = (*vocabulary(), *self.directory.vocabulary())
        return await make(self.clips, every_line(self.shelf.loaded.book), fragments, progress)


# The names under which flows can ask for something: those of the services of every house.
SERVICES = frozenset(
    (
        "check-number",
        "open-call-back",
        "plan-call-back",
        "save-call-back",
        "keep-call-back",
        "needs-we-meet",
        "add-need",
        "cancel-call-back",
        "find-council",
        "advice-service",
        "note-feedback",
    )
)


def build(settings: Settings, clock: Clock = now) -> House:
    """Make the parts. Opens no connection and makes no sound yet.

    Raises:
        BookError: the flows, the prompts or the data beside them have mistakes, or a flow asks
            for a service that nothing answers.
    """
    shelf = Shelf(settings.var / "books", settings.flows, settings.prompts, clock)
    database = Database(settings.database_url)
    journeys = Journeys(database, clock)
    directory = Directory(load_councils(settings.flows / "data"))
    keys = Keys(settings.fernet_keys, settings.hash_key)
    keeper = Keeper(Ledger(database, keys), Spool(settings.var / "spool", keys))
    services = {
        **_callbacks(settings, database, keeper, keys, clock),
        "find-council": FindCouncil(directory),
        "advice-service": AdviceService(directory),
        "note-feedback": NoteFeedback(journeys, settings.hash_key),
    }
    _check_services(shelf.loaded.book, services)
    respelt = {term: entry.clip for term, entry in shelf.loaded.lexicon.items()}
    return House(
        settings=settings,
        shelf=shelf,
        sealer=Sealer(settings.fernet_keys, clock),
        database=database,
        journeys=journeys,
        keeper=keeper,
        eraser=Eraser(database, clock, settings.retention_months),
        directory=directory,
        services=services,
        clips=Clips(
            settings.var / "clips", Notation(Voice(), respelt, settings.prompts / "recordings")
        ),
    )


def _callbacks(
    settings: Settings, database: Database, keeper: Keeper, keys: Keys, clock: Clock
) -> dict[str, Service]:
    """The services of call-backs, by their names in ``flows/book.yaml``."""
    demo = settings.demo_mode
    hours = load_hours(settings.flows / "data" / "hours.yaml")
    backlog = Backlog(database, hours)
    return {
        "check-number": CheckNumber(demo),
        "open-call-back": OpenCallBack(Ledger(database, keys), hours, clock),
        "plan-call-back": PlanCallBack(backlog, hours, clock, settings.retention_months),
        "save-call-back": Wishing(Kind.SAVE, keeper, keys, clock, demo),
        "keep-call-back": Wishing(Kind.KEEP, keeper, keys, clock, demo),
        "needs-we-meet": NeedsWeMeet(settings.access_needs_met),
        "add-need": AddNeed(keeper, keys, clock),
        "cancel-call-back": Wishing(Kind.CANCEL, keeper, keys, clock, demo),
    }


def _check_services(book: Book, services: Mapping[str, Service]) -> None:
    unknown = sorted(set(book.services) - set(services))
    if unknown:
        raise BookError(
            f"flows/book.yaml: nothing answers the service {', '.join(unknown)};"
            f" there are {', '.join(sorted(services))}"
        )
