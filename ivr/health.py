"""What works and what does not: for `/readyz` while it runs, and for `ivr doctor` beforehand.

Nothing here rings anybody or changes what is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ivr.core.wording import every_line
from ivr.database import DamagedDatabaseError, NoDatabaseError, current, head
from ivr.directory.standing import RECENT, SOON, ring_first, standings
from ivr.hours import LONDON
from ivr.house import House
from ivr.open_files import ENOUGH, highest
from ivr.spool import Spool

PATIENCE_S = 2.0  # seconds for the database
NAMED = 3  # councils to ring first
#: All that `degraded` can name.
PARTS = (
    "hours",
    "places",
    "directory",
    "kept-directory",
    "book",
    "database",
    "texts",
    "texts waiting",
    "texts unknown",
    "alarm",
    "spool",
    "texts spool",
    "aside",
    "texts aside",
    "journeys",
)


class State(StrEnum):
    """How something is."""

    FINE = "ok"
    NOTE = "note"  # the helpline works, and somebody may want to look at it
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Sign:
    """How one thing is, in words."""

    what: str
    state: State
    said: str


async def degraded(house: House) -> dict[str, str]:
    """What does not work just now, in words. Calls are answered all the same."""
    found = dict(house.faults)
    if house.shelf.fault:
        found["book"] = f"the last good one is served, because: {house.shelf.fault}"
    if house.directory.fault:
        found["kept-directory"] = house.directory.fault
    fault = await _of_database(house)
    if fault:
        found["database"] = fault
    else:
        found.update(await _of_texts(house))
        if not house.settings.demo_mode and (alarm := await _of_alarm(house)):
            found["alarm"] = alarm
    for name, what, spool in (
        ("", "call-back wishes", house.keeper.spool),
        ("texts ", "texts", house.inbox.spool),
    ):
        waiting, aside = await asyncio.to_thread(_spooled, spool)
        if waiting:
            found[f"{name}spool"] = f"{waiting} {what} wait for the database"
        if aside:
            files = f"IVR_VAR/{spool.folder.name}/*.aside"
            found[f"{name}aside"] = f"{aside} {what} cannot be delivered: {files}"
    if house.journeys.dropped:
        found["journeys"] = f"{house.journeys.dropped} were dropped"
    return found


async def examined(house: House) -> list[Sign]:
    """How everything is that a helpline needs, those first that everything else needs."""
    wrong = await degraded(house)
    signs = [
        Sign(what, _severity(house, what), wrong.pop(what)) if what in wrong else await look(house)
        for what, look in LOOKS.items()
    ]
    return [*signs, *(Sign(what, State.WRONG, said) for what, said in wrong.items())]


def _severity(house: House, what: str) -> State:
    """How bad it is that something does not work. Without a safeguarding phone every alarm reaches
    nobody, but that is how the helpline was set up."""
    unset = what == "alarm" and not house.settings.safety_phones_listed
    return State.NOTE if unset else State.WRONG


# --- one thing after another -------------------------------------------------------------------


async def _settings(house: House) -> Sign:
    settings = house.settings
    if settings.demo_mode:
        said = "demo mode: this machine alone is answered (IVR_TWILIO_AUTH_TOKEN is not set)"
        return Sign("settings", State.NOTE, said)
    return Sign("settings", State.FINE, f"reached at {settings.public_url}")


async def _open_files(house: House) -> Sign:
    most = highest()
    if most is None or most >= ENOUGH:
        said = "no limit" if most is None else f"{most:,} at once, connections included"
        return Sign("open files", State.FINE, said)
    said = f"only {most:,} at once: idle connections can stop all calls"
    return Sign("open files", State.NOTE, f"{said} (LimitNOFILE=65536 in the systemd unit)")


async def _book(house: House) -> Sign:
    book = house.shelf.loaded.book
    said = f"{len(book.steps)} steps, {len(book.prompts)} prompts"
    return Sign("book", State.FINE, said)


async def _database(house: House) -> Sign:
    kind = "PostgreSQL" if house.settings.shared_database else "SQLite"
    return Sign("database", State.FINE, f"{kind}, at migration {head()}")


async def _hours(house: House) -> Sign:
    is_open = house.today.hours().is_open(house.clock())
    return Sign("hours", State.FINE, "staffed now" if is_open else "nobody is at the phones now")


async def _directory(house: House) -> Sign:
    await house.directory.look()
    day = house.clock().astimezone(LONDON).date()
    try:
        asked = dict(await house.asked.most_asked(day - RECENT))
    except NoDatabaseError:
        asked = {}
    found = standings(house.directory.now(), day, asked)
    answered = sum(one.is_answered for one in found)
    said = [f"{answered} of {len(found)} councils can be answered with a number today"]
    for number, what in (
        (sum(one.is_lapsed for one in found), "have lapsed"),
        (sum(one.lapses_soon for one in found), f"lapse within {SOON.days} days"),
    ):
        said += [f"{number} {what}"] if number else []
    drama = ", ".join(one.council.entry.council for one in found if one.is_drama)
    said += [f"numbers for drama are not read out: {drama} (ivr directory check)"] if drama else []
    first = [one.council.entry.council for one in ring_first(found) if one.asked][:NAMED]
    said += [f"ring first {', '.join(first)}, whom callers ask for most"] if first else []
    state = State.FINE if answered == len(found) else State.NOTE
    return Sign("directory", state, "; ".join(said))


async def _clips(house: House) -> Sign:
    if house.settings.speech == "say":
        return Sign("clips", State.FINE, "none are needed: Twilio's voice speaks (IVR_SPEECH)")
    lines = [line for line in every_line(house.shelf.loaded.book) if not line.private]
    made = sum(house.clips.ready(line, slow) for line in lines for slow in (False, True))
    missing = 2 * len(lines) - made
    if missing:
        said = f"{missing} of {2 * len(lines)} are not made; until then Twilio's voice: ivr speak"
        return Sign("clips", State.NOTE, said)
    return Sign("clips", State.FINE, f"{made} are made")


async def _accounts(house: House) -> Sign:
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await house.register.everybody()
    except Exception as fault:  # whatever it is, it is the answer
        return Sign("accounts", State.WRONG, f"they cannot be read ({type(fault).__name__})")
    number = sum(not one.barred for one in found)
    said = [f"{number} can sign in" if number else "nobody can sign in yet: ivr staff add"]
    said += [
        f"{one.name} is left over from demo mode and is not let in: ivr staff remove {one.name}"
        for one in found
        if one.barred
    ]
    state = State.FINE if number and len(said) == 1 else State.NOTE
    return Sign("accounts", state, "; ".join(said))


async def _duty(house: House) -> Sign:
    try:
        async with asyncio.timeout(PATIENCE_S):
            number = len(await house.roster.listed())
    except Exception as fault:  # whatever it is, it is the answer
        return Sign("duty", State.WRONG, f"it cannot be read ({type(fault).__name__})")
    if number:
        return Sign("duty", State.FINE, f"{number} on duty")
    said = "nobody is on duty: 0 leads to a call-back (ivr duty on)"
    return Sign("duty", State.NOTE, said)


async def _ringing(house: House) -> Sign:
    if house.carrier.can_ring:
        return Sign("ringing", State.FINE, "staff can ring callers from their page")
    said = "staff ring by hand; IVR_TWILIO_ACCOUNT_SID, _AUTH_TOKEN and _NUMBER are needed"
    return Sign("ringing", State.NOTE, said)


async def _texts(house: House) -> Sign:
    if house.post.can_text:
        return Sign("texts", State.FINE, f"they come from {house.settings.text_from}")
    said = "nothing offers them; IVR_TEXT_FROM and the account at Twilio are needed"
    return Sign("texts", State.NOTE, said)


async def _alarm(house: House) -> Sign:
    number = len(house.settings.safety_phones_listed)
    if house.settings.demo_mode:
        return Sign("alarm", State.NOTE, "in demo mode an urgent request alarms no phone")
    return Sign("alarm", State.FINE, f"an urgent request is texted to {number} phones")


#: What is looked at, in this order; by the names under which `degraded` tells of it.
LOOKS: dict[str, Callable[[House], Awaitable[Sign]]] = {
    "settings": _settings,
    "open files": _open_files,
    "book": _book,
    "database": _database,
    "hours": _hours,
    "directory": _directory,
    "clips": _clips,
    "accounts": _accounts,
    "duty": _duty,
    "ringing": _ringing,
    "texts": _texts,
    "alarm": _alarm,
}


async def _of_database(house: House) -> str:
    """What is wrong with the database; "" if nothing is."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await current(house.settings.database_url)
    except DamagedDatabaseError:
        return "its file is damaged: put a good copy there, or move it away; then ivr db upgrade"
    except Exception as fault:  # whatever it is, it is the answer
        return f"it cannot be reached ({type(fault).__name__})"
    return (
        "" if found == head() else f"at migration {found or 'none'}, not {head()}: ivr db upgrade"
    )


async def _of_texts(house: House) -> Mapping[str, str]:
    """Which texts are stuck."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await house.post.thread.stuck()
    except Exception as fault:  # whatever it is, it is the answer
        return {"texts": f"they cannot be read ({type(fault).__name__})"}


async def _of_alarm(house: House) -> str:
    """Why an urgent request does not alarm every safeguarding phone; "" if it does."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await house.alarm.fault()
    except Exception as fault:  # whatever it is, it is the answer
        return f"whom it reaches cannot be read ({type(fault).__name__})"


def _spooled(spool: Spool[Any]) -> tuple[int, int]:
    return len(spool.waiting()), len(spool.aside())
