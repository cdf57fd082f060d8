"""The composition root: the parts of a helpline become an application that is served.

hypercorn -c hypercorn.toml 'ivr.app:create_app()'
"""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address
from pathlib import Path

from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from quart import Quart, Response
from quart.wrappers.response import DataBody

from ivr.callbacks.audit import RequestEvents
from ivr.config import Settings, load_settings
from ivr.conversation import Conversation
from ivr.core.flow import Book
from ivr.core.saying import Line
from ivr.database import Database, NoDatabaseError, upgrade
from ivr.directory.spoken import LISTENS, SPOKEN_NAME, expected
from ivr.errors import HelplineError
from ivr.health import degraded
from ivr.house import DEMO_NAME, Clock, House, build, now, welcome
from ivr.messages.inbox import Letterbox
from ivr.messages.outbox import Outbox
from ivr.messages.sender import Sender
from ivr.numbers import caller_number
from ivr.people.audit import Deeds
from ivr.phone.audio import Addresses, audio_routes
from ivr.phone.calling import Calling
from ivr.phone.legs import Legs
from ivr.phone.routes import Telephone, VoiceRoutes, voice_path
from ivr.phone.texts import Texts
from ivr.phone.twiml import Writer
from ivr.postroom import text_keys, texts_spool
from ivr.sealing import Sealer
from ivr.site.pages import Site, site_pages
from ivr.staff.office import Office, Safety
from ivr.staff.pages import staff_pages

GARBAGE = 20_000  # new objects, some ten turns' worth, before Python looks for circles among them

ERASE_S = 3600.0  # seconds between two looks for what is to be erased
BREATH_S = 2.0  # seconds before a background task that failed begins again

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None, clock: Clock = now) -> Quart:
    """The helpline as an ASGI application.

    A broken book does not stop it: every call then hears the fixed last resort, and ``/readyz``
    says why. (``ivr serve`` refuses to start instead.)

    Raises:
        SettingsError: a setting is missing or cannot be used.
    """
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
        _add_background(app, house, Sender(house.post.outbox, house.carrier, texts.status_url))
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
    return Telephone(
        tokens=settings.auth_tokens,
        public_url=settings.public_url,
        other_number=settings.other_number,
        conversation=None,
        writer=Writer(voice_path(settings.public_url), {}),
        clip=_by_twilio,
        may_dial=lambda number: False,
        texts=_texts_to_keep(app, settings, clock),
    )


def _texts_to_keep(app: Quart, settings: Settings, clock: Clock) -> Texts | None:
    """Keeps texts, and how ours fare, without a book; None if not even that can be."""
    try:
        database = Database(settings.database_url)
        outbox = Outbox(database, text_keys(settings), clock)
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
    async def readyz() -> dict[str, object]:
        return {"ready": ready, "degraded": await find()}


class WholeFile(DataBody):
    """A small file of ours, read at once: one that is read while it is sent stays open when whoever
    asked for it has gone."""

    def __init__(self, file_path: Path) -> None:
        super().__init__(file_path.read_bytes())


class Answer(Response):
    """What the pages answer with."""

    file_body_class = WholeFile  # type: ignore[assignment]  # made from a path, as the other is


class LoopbackOnly:
    """Demo mode answers this machine alone: its token is no secret worth the name."""

    def __init__(self, onward: ASGIFramework) -> None:
        self._onward = onward

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Pass on what comes from this machine; all else gets 403 and nothing more."""
        if scope["type"] != "http" or _is_here(scope):
            return await self._onward(scope, receive, send)
        await send({"type": "http.response.start", "status": 403, "headers": []})
        return await send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_here(scope: HTTPScope) -> bool:
    here = ("<local>", None)  # who calls the application itself names no client
    client = str((scope.get("client", here) or ("", None))[0])
    try:
        address = ip_address(client.partition("%")[0]) if client != "<local>" else None
        mapped = getattr(address, "ipv4_mapped", None)  # of IPv4, on a socket of IPv6
        return address is None or (mapped or address).is_loopback
    except ValueError:  # a socket file has no address, and need not be on this machine's side
        return False


def _add_background(app: Quart, house: House, sender: Sender) -> None:
    """What runs beside the calls: the upgrade of an own database, journeys, texts, clips."""
    tasks: list[asyncio.Task[None]] = []

    @app.before_serving
    async def begin() -> None:
        # The book stays, and a turn leaves no garbage in circles: looking for some at every other
        # key press would take a tenth of our time.
        gc.freeze()
        gc.set_threshold(GARBAGE)
        tasks.append(asyncio.create_task(_make_ready_and_erase(house)))
        for run in (
            house.journeys.run,
            house.keeper.run,
            house.inbox.run,
            house.bell.run,
            house.today.run,
            house.directory.run,
            house.asked.run,
            house.roster.run,
            *([sender.run] if house.post.can_text else []),
        ):
            tasks.append(asyncio.create_task(kept_running(run)))
        if house.settings.speech == "clips":
            tasks.append(asyncio.create_task(kept_running(lambda: _keep_clips(house))))

    @app.after_serving
    async def end() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sender.close()
        await house.keeper.close()
        await house.inbox.close()
        await house.database.close()


async def kept_running(run: Callable[[], Awaitable[None]]) -> None:
    """Do what is to be done while we serve: whatever ends it is told, and it begins again."""
    while True:
        try:
            await run()
        except Exception as fault:  # its message may hold a number
            name = getattr(run, "__qualname__", "a background task")
            log.error("%s failed, and begins again: %s", name, type(fault).__name__)
        await asyncio.sleep(BREATH_S)


async def _make_ready_and_erase(house: House) -> None:
    await _upgrade_own_database(house.settings)
    try:
        await welcome(house)
    except HelplineError as fault:
        log.warning("nobody can sign in as %s yet: %s", DEMO_NAME, fault)
    await kept_running(lambda: _erase(house))


async def _erase(house: House) -> None:
    """Erase what was kept long enough, every hour, until cancelled."""
    while True:
        try:
            for eraser in (house.eraser, house.text_eraser):
                while await eraser.erase():
                    pass
        except NoDatabaseError:
            log.warning("nothing was erased: the database cannot be used; tried again hourly")
        await asyncio.sleep(ERASE_S)


async def _upgrade_own_database(settings: Settings) -> None:
    """SQLite is brought up to date here; PostgreSQL is shared, and waits for `ivr db upgrade`."""
    if settings.shared_database:
        return
    try:
        await upgrade(settings.database_url)
    except Exception as fault:  # guidance is heard without a database
        log.error("the database could not be made ready: %s", type(fault).__name__)


async def _keep_clips(house: House) -> None:
    """Make all clips; and again those of new names, whenever the directory changes, and of a new
    notice."""
    news = (house.directory.changed, house.today.changed)
    while True:
        for event in news:
            event.clear()
        house.on_demand.forget()
        await _make_clips(house)
        await _any_of(news)


async def _any_of(events: Iterable[asyncio.Event]) -> None:
    """Wait until one of these is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


async def _make_clips(house: House) -> None:
    """Make the clips while calls go on: one that is not there yet is said by Twilio's voice."""
    try:
        made = await house.make_clips()
    except Exception as fault:  # calls go on in Twilio's voice
        log.error("the clips could not be made: %s", fault)
        return
    for failure in made.failed:
        log.warning("no clip of %r: %s", failure.what, failure.why)
    log.info("%d clips made, %d were there, in %.0f s", made.made, made.reused, made.seconds)
