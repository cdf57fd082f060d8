"""The composition root: the parts of a helpline become an application that is served.

hypercorn -c hypercorn.toml 'ivr.app:create_app()'
"""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from hypercorn.typing import ASGIFramework
from quart import Quart, Response
from quart.wrappers.response import DataBody

from ivr.background import add_background
from ivr.callbacks.audit import RequestEvents
from ivr.config import Settings, load_settings
from ivr.conversation import Conversation
from ivr.core.flow import Book
from ivr.core.saying import Line
from ivr.database import Database
from ivr.demo import LoopbackOnly
from ivr.directory.spoken import LISTENS, SPOKEN_NAME, expected
from ivr.health import degraded
from ivr.house import Clock, House, build, now
from ivr.messages.inbox import Letterbox
from ivr.messages.sender import Sender
from ivr.metrics import add_metrics
from ivr.numbers import caller_number
from ivr.open_files import raise_limit
from ivr.people.audit import Deeds
from ivr.phone.audio import Addresses, audio_routes
from ivr.phone.calling import Calling
from ivr.phone.legs import Legs
from ivr.phone.routes import Telephone, VoiceRoutes, voice_path
from ivr.phone.tally import Tally
from ivr.phone.texts import Texts
from ivr.phone.twiml import Writer
from ivr.postroom import outbox_of, texts_spool
from ivr.sealing import Sealer
from ivr.site.pages import Site, site_pages
from ivr.staff.office import Office, Safety
from ivr.staff.pages import staff_pages
from ivr.wire_limits import bound_requests

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None, clock: Clock = now) -> Quart:
    """The helpline as an ASGI application.

    A broken book does not stop it: every call then hears the fixed last resort, and ``/readyz``
    answers 503 and says why. (``ivr serve`` refuses to start instead.)

    Raises:
        SettingsError: a setting is missing or cannot be used.
    """
    bound_requests()
    settings = settings or load_settings()
    app = Quart("ivr", static_folder=None)
    app.response_class = Answer
    try:
        house = build(settings, clock)
    except Exception as problem:  # whatever it is, calls that come in must hear something
        log.error("the helpline only has its last resort: %s", problem)
        telephone = _add_last_resort(app, settings, clock, problem)
    else:
        for name, fault in house.faults.items():
            log.error("the %s cannot be used: %s", name, fault)
        calling = _calling(house)
        texts = _texts(house)
        telephone = _telephone(house, calling, texts)
        audio_routes(app, house.clips, house.sealer, house.on_demand.make)
        staff_pages(app, _office(house, calling), house.bell)
        site_pages(app, _site(settings, lambda: house.shelf.loaded.book))
        _add_health(app, lambda: degraded(house))
        add_metrics(app, settings, telephone.tally, lambda: degraded(house), house)
        add_background(app, house, Sender(house.post.outbox, house.carrier, texts.status_url))

    @app.before_serving
    async def begin() -> None:
        raise_limit()  # here, so that it holds whatever server the application runs on

    first: ASGIFramework = VoiceRoutes(telephone, app.asgi_app)
    if settings.demo_mode:
        first = LoopbackOnly(first)
    app.asgi_app = first  # type: ignore[method-assign, assignment]  # Quart's documented way
    return app


def _add_last_resort(app: Quart, settings: Settings, clock: Clock, problem: Exception) -> Telephone:
    """A helpline without a book can only say that it does not work, and does say so; texts that
    come in are kept for the next one."""

    async def without_book() -> dict[str, str]:
        return {"book": str(problem) or type(problem).__name__}

    _add_health(app, without_book, ready=False)
    site_pages(app, _site(settings, lambda: None))
    tally = Tally()
    add_metrics(app, settings, tally, without_book, None)
    return Telephone(
        tokens=settings.auth_tokens,
        public_url=settings.public_url,
        other_number=settings.other_number,
        conversation=None,
        writer=Writer(voice_path(settings.public_url), {}),
        clip=_by_twilio,
        may_dial=lambda number: False,
        texts=_texts_to_keep(app, settings, clock),
        tally=tally,
    )


def _texts_to_keep(app: Quart, settings: Settings, clock: Clock) -> Texts | None:
    """Keeps texts, and how ours fare, without a book; None if not even that can be."""
    try:
        database = Database(settings.database_url)
        outbox = outbox_of(settings, database, clock)
        sealer, letterbox = Sealer(settings.fernet_keys, clock), Letterbox(texts_spool(settings))
    except Exception as problem:
        log.error("texts that come in are lost: %s", type(problem).__name__)
        return None
    app.after_serving(database.close)
    return Texts(sealer, outbox, letterbox, settings.public_url, settings.demo_mode)


def _telephone(house: House, calling: Calling, texts: Texts) -> Telephone:
    settings = house.settings
    addresses = Addresses(house.clips, house.sealer, settings.public_url)
    lexicon = {term: entry.say for term, entry in house.shelf.loaded.lexicon.items()}
    return Telephone(
        tokens=settings.auth_tokens,
        public_url=settings.public_url,
        other_number=settings.other_number,
        conversation=Conversation(
            house.shelf.book,
            house.sealer,
            house.services,
            house.journeys.record,
            _known(house),
        ),
        writer=Writer(
            voice_path(settings.public_url),
            lexicon,
            settings.twilio_number,
            {SPOKEN_NAME: lambda: expected(house.directory.now())},
        ),
        clip=addresses.clip if settings.speech == "clips" else _by_twilio,
        may_dial=house.may_ring,
        legs=Legs(house.sealer, house.roster, settings.twilio_number),
        calling=calling,
        texts=texts,
    )


def _texts(house: House) -> Texts:
    settings = house.settings
    return Texts(
        house.sealer, house.post.outbox, house.inbox, settings.public_url, settings.demo_mode
    )


def _calling(house: House) -> Calling:
    settings = house.settings
    return Calling(house.sealer, house.attempts, house.carrier, settings.public_url)


def _known(house: House) -> Callable[[str], dict[str, str]]:
    """What gives the facts that are known at the start of a call from a sender."""
    can = {"texts": house.post.can_text, LISTENS: house.settings.listen}
    always = {fact: "yes" for fact, so in can.items() if so}

    def known(sender: str) -> dict[str, str]:
        number = caller_number(sender, house.settings.demo_mode)
        return {"caller_number": number, **always} if number else dict(always)

    return known


def _office(house: House, calling: Calling) -> Office:
    settings = house.settings
    return Office(
        queue=house.queue,
        desk=house.desk,
        counting=house.counting,
        register=house.register,
        entrance=house.entrance,
        events=RequestEvents(house.database),
        deeds=Deeds(house.database),
        roster=house.roster,
        directory=house.directory.now,
        editor=house.editor,
        asked=house.asked,
        hours=house.today.hours,
        backlog=house.backlog,
        diary=house.diary,
        book=lambda: house.shelf.loaded.book,
        safety=Safety(settings.safety_lead, settings.safety_steps_listed),
        clock=house.clock,
        public_url=settings.public_url,
        demo=settings.demo_mode,
        proxies=settings.proxies,
        attempts=house.attempts,
        drafts=house.drafts,
        alarm=house.alarm,
        post=house.post,
        ring=calling.begin if calling.can_ring else None,
    )


def _site(settings: Settings, book: Callable[[], Book | None]) -> Site:
    return Site(book, settings.twilio_number, settings.other_number, settings.public_url)


def _by_twilio(line: Line, slow: bool) -> str:
    """No clip: Twilio's own voice says it."""
    return ""


def _add_health(
    app: Quart, find: Callable[[], Awaitable[dict[str, str]]], ready: bool = True
) -> None:
    @app.get("/healthz")
    async def healthz() -> Response:
        return Response("ok\n", content_type="text/plain")

    @app.get("/readyz")
    async def readyz() -> tuple[dict[str, object], int]:
        return {"ready": ready, "degraded": await find()}, 200 if ready else 503


class WholeFile(DataBody):
    """A small file of ours, read at once: one that is read while it is sent stays open when whoever
    asked for it has gone."""

    def __init__(self, file_path: Path) -> None:
        super().__init__(file_path.read_bytes())


class Answer(Response):
    """What the pages answer with."""

    file_body_class = WholeFile  # type: ignore[assignment]  # made from a path, as the other is
