"""The parts of one helpline, made from its settings. The only place where the rooms meet."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from ivr.callbacks.attempts import Attempts, OnCalls
from ivr.callbacks.bell import Bell
from ivr.callbacks.counting import Counting
from ivr.callbacks.desk import Desk
from ivr.callbacks.drafts import Drafts
from ivr.callbacks.erasing import Eraser, months_before
from ivr.callbacks.keeping import Keeper
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.planning import Backlog
from ivr.callbacks.queue import Queue
from ivr.callbacks.returned import Returned
from ivr.callbacks.service import (
    AddNeed,
    CheckNumber,
    NeedsWeMeet,
    NoteSafety,
    OpenCallBack,
    PlanCallBack,
    Wishing,
)
from ivr.callbacks.spool import Spool
from ivr.callbacks.texted import ByText
from ivr.callbacks.wishes import Kind
from ivr.carrier import Carrier
from ivr.config import Settings
from ivr.conversation import Service
from ivr.core.flow import Book
from ivr.core.saying import Line
from ivr.core.speaking import vocabulary
from ivr.core.wording import every_line
from ivr.data import read_data
from ivr.database import Database
from ivr.directory.asking import Asked
from ivr.directory.current import Current, directory_of
from ivr.directory.editing import Editor
from ivr.directory.finding import FindCouncil, GuessCouncil, NarrowCouncil, SettleCouncil
from ivr.directory.service import AdviceNumber, AdviceService, WebAddress
from ivr.directory.spoken import HearCouncil
from ivr.duty.keys import Keys as DutyKeys
from ivr.duty.roster import Roster
from ivr.duty.service import RingNext, TeamOpen, WasTaken
from ivr.errors import BookError
from ivr.hours import LONDON
from ivr.journeys.batch import Journeys
from ivr.journeys.service import NoteFeedback
from ivr.messages.alarm import Alarm
from ivr.messages.erasing import Eraser as TextEraser
from ivr.messages.erasing import erase_with
from ivr.messages.inbox import Inbox
from ivr.messages.post import Post
from ivr.messages.service import CheckMobile, SendText
from ivr.names import barred_names
from ivr.people.register import Register
from ivr.people.sign_in import Entrance, Secrets
from ivr.postroom import alarm_of, carrier_of, composers_of, desk_for, post_of, texts_spool
from ivr.sealing import Sealer
from ivr.shelf import Shelf
from ivr.speech.clips import Clips
from ivr.speech.making import Made, Progress, ignore, make
from ivr.speech.on_demand import OnDemand
from ivr.speech.score import Notation
from ivr.speech.synthesis import Voice
from ivr.today.diary import Diary
from ivr.today.service import NoticeOfTheDay
from ivr.today.today import Today

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
    directory: Current
    editor: Editor
    asked: Asked
    services: Mapping[str, Service]
    queue: Queue
    desk: Desk
    roster: Roster
    counting: Counting
    attempts: Attempts
    drafts: Drafts
    bell: Bell
    carrier: Carrier
    alarm: Alarm
    post: Post
    inbox: Inbox
    text_eraser: TextEraser
    register: Register
    entrance: Entrance
    backlog: Backlog
    today: Today
    diary: Diary
    clock: Clock
    clips: Clips
    faults: Mapping[str, str]  # what beside the book cannot be used, and why

    def may_ring(self, number: str) -> bool:
        """Whether a caller may be put through to this number now: somebody vouches for it."""
        return self.directory.now().may_ring(number, self.clock().astimezone(LONDON).date())

    async def make_clips(self, progress: Progress = ignore) -> Made:
        """Make every clip that is missing; see ``ivr.speech.making.make``."""
        return await make(self.clips, *self._texts(), progress)

    @cached_property
    def on_demand(self) -> OnDemand:
        """Makes the clip that somebody waits for."""
        return OnDemand(self.clips, self._texts)

    def _texts(self) -> tuple[Iterator[Line], tuple[str, ...]]:
        """All that clips can be made of: the lines of the book, and what is spliced into a call."""
        notice = [self.today.notice()] if self.today.notice() else []
        fragments = (*notice, *vocabulary(), *self.directory.now().vocabulary())
        return every_line(self.shelf.loaded.book), fragments


# The names under which flows can ask for something: those of the services of every house.
SERVICES = frozenset(
    (
        "notice-of-the-day",
        "check-number",
        "open-call-back",
        "plan-call-back",
        "save-call-back",
        "keep-call-back",
        "needs-we-meet",
        "add-need",
        "cancel-call-back",
        "note-safety",
        "guess-council",
        "find-council",
        "narrow-council",
        "settle-council",
        "hear-council",
        "advice-service",
        "advice-number",
        "web-address",
        "note-feedback",
        "check-mobile",
        "send-text",
        "team-open",
        "ring-next",
        "was-taken",
    )
)


def build(settings: Settings, clock: Clock = now) -> House:
    """Make the parts. Opens no connection and makes no sound yet.

    Broken data beside the flows are a fault of the house: what needs them fails, all else goes on.

    Raises:
        BookError: the flows or the prompts have mistakes, or a flow asks for a service that
            nothing answers.
    """
    shelf = Shelf(settings.var / "books", settings.flows, settings.prompts, clock)
    database = Database(settings.database_url)
    journeys = Journeys(database, clock)
    data = read_data(settings.flows / "data")
    today = Today(database, settings.var / "today.json", data.hours, clock)
    backlog = Backlog(database, today.hours)
    directory = directory_of(settings, database, data.councils, data.whereabouts.places)
    asked = Asked(database, clock)
    keys = Keys(settings.fernet_keys, settings.hash_key)
    barred = barred_names(settings.demo_mode)
    ledger = Ledger(database, keys)
    keeper = Keeper(ledger, Spool(settings.var / "spool", keys))
    duty_keys = DutyKeys(settings.fernet_keys, settings.hash_key)
    roster = Roster(database, duty_keys, clock, OnCalls(database, clock), barred)
    carrier = carrier_of(settings)
    composers = composers_of(settings, lambda: shelf.loaded.book, directory.now, clock)
    post = post_of(settings, carrier, database, composers, clock)
    services = {
        **_callbacks(settings, backlog, ledger, keeper, keys, clock),
        "notice-of-the-day": NoticeOfTheDay(today),
        "guess-council": GuessCouncil(directory.now, data.whereabouts),
        "find-council": FindCouncil(directory.now),
        "narrow-council": NarrowCouncil(directory.now),
        "settle-council": SettleCouncil(directory.now),
        "hear-council": HearCouncil(directory.now),
        "advice-service": AdviceService(directory.now, clock, asked.note),
        "advice-number": AdviceNumber(directory.now, clock),
        "web-address": WebAddress(directory.now),
        "note-feedback": NoteFeedback(journeys, settings.hash_key),
        "check-mobile": CheckMobile(settings.demo_mode),
        "send-text": SendText(post, settings.demo_mode),
        "team-open": TeamOpen(roster, today.hours, clock),
        "ring-next": RingNext(roster, Returned(database, keys).last_rang, today.hours, clock),
        "was-taken": WasTaken(roster),
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
        eraser=Eraser(database, clock, settings.retention_months, erase_with),
        directory=directory,
        editor=Editor(database, directory, clock),
        asked=asked,
        services=services,
        queue=Queue(database, keys, clock),
        desk=desk_for(settings, database, today.hours, clock),
        roster=roster,
        counting=Counting(database),
        attempts=Attempts(database, keys, clock),
        drafts=Drafts(database, keys, clock),
        bell=Bell(database),
        carrier=carrier,
        alarm=alarm_of(settings, database, clock),
        post=post,
        inbox=Inbox(
            post,
            ByText(ledger, keys, backlog, clock),
            texts_spool(settings),
            settings.safety_phones_listed,
        ),
        text_eraser=TextEraser(
            database, clock, lambda: months_before(clock(), settings.retention_months)
        ),
        register=Register(database, clock, barred),
        entrance=Entrance(
            database, Secrets(settings.fernet_keys, settings.hash_key), clock, barred
        ),
        backlog=backlog,
        today=today,
        diary=Diary(database, today, clock),
        clock=clock,
        clips=Clips(
            settings.var / "clips", Notation(Voice(), respelt, settings.prompts / "recordings")
        ),
        faults=data.faults,
    )


def _callbacks(
    settings: Settings, backlog: Backlog, ledger: Ledger, keeper: Keeper, keys: Keys, clock: Clock
) -> dict[str, Service]:
    """The services of call-backs, by their names in ``flows/book.yaml``."""
    demo, hours = settings.demo_mode, backlog.hours
    return {
        "check-number": CheckNumber(demo),
        "open-call-back": OpenCallBack(ledger, hours, clock),
        "plan-call-back": PlanCallBack(backlog, hours, clock, settings.retention_months),
        "save-call-back": Wishing(Kind.SAVE, keeper, keys, clock, demo),
        "keep-call-back": Wishing(Kind.KEEP, keeper, keys, clock, demo),
        "needs-we-meet": NeedsWeMeet(settings.access_needs_met),
        "add-need": AddNeed(keeper, keys, clock),
        "cancel-call-back": Wishing(Kind.CANCEL, keeper, keys, clock, demo),
        "note-safety": NoteSafety(keeper, keys, clock),
    }


def _check_services(book: Book, services: Mapping[str, Service]) -> None:
    unknown = sorted(set(book.services) - set(services))
    if unknown:
        raise BookError(
            f"flows/book.yaml: nothing answers the service {', '.join(unknown)};"
            f" there are {', '.join(sorted(services))}"
        )
