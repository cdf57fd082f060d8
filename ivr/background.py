"""What runs beside the calls: deliveries, looks into the database, texts, clips, erasing."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Iterable

from quart import Quart

from ivr.config import Settings
from ivr.database import NoDatabaseError, upgrade
from ivr.demo import welcome
from ivr.errors import HelplineError
from ivr.house import House
from ivr.messages.sender import Sender
from ivr.names import DEMO_NAME

GARBAGE = 20_000  # new objects, some ten turns' worth, before Python looks for circles among them
ERASE_S = 3600.0  # seconds between two looks for what is to be erased
BREATH_S = 2.0  # seconds before a background task that failed begins again

log = logging.getLogger(__name__)


def add_background(app: Quart, house: House, sender: Sender) -> None:
    """What runs beside the calls: the upgrade of an own database, journeys, texts, clips."""
    tasks: list[asyncio.Task[None]] = []

    async def send_texts() -> None:
        """Send what is to be sent, after what came in before: a STOP may be among it."""
        await house.inbox.deliver()
        await sender.run()

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
            *([send_texts] if house.post.can_text else []),
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
        await welcome(house.settings, house.register)
    except HelplineError as fault:
        log.warning("nobody can sign in as %s yet: %s", DEMO_NAME, fault)
    await _warn_of_drama(house)
    await kept_running(lambda: _erase(house))


async def _warn_of_drama(house: House) -> None:
    """Name the councils, in the file or changed since, whose number is refused."""
    await house.directory.look()
    if refused := house.directory.now().refused():
        log.warning(
            "numbers for drama (Ofcom) are not read out, nor rung: %s; see ivr directory check",
            ", ".join(one.entry.council for one in refused),
        )


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
