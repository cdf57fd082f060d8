"""``ivr call``: phone the helpline from a terminal, or by a script."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import click

from ivr.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from ivr.config import Settings
    from ivr.handset import Caller, Phone

LONDON = ZoneInfo("Europe/London")


@click.command(
    epilog="Examples: ivr call        ivr call --keys '1 2 #'        ivr call --keys '0 1' --json"
)
@click.option("--keys", metavar="TOKENS", help="Play a script: 1 * # - 07400123456 @busy")
@click.option("--json", "as_json", is_flag=True, help="Print the script's turns as JSON.")
@click.option(
    "--from", "from_number", metavar="NUMBER", help="Ring from this number: +447700900123"
)
@click.option("--withheld", is_flag=True, help="Ring with the number withheld.")
@click.option("--at", metavar="TIME", help="Ring at this time in London: 2026-12-25T03:00")
@click.option("--url", metavar="URL", help="Ring a helpline that is running, at this address.")
@click.option("--sound", is_flag=True, help="Play the clips too, if this machine can.")
def call(  # noqa: PLR0913, PLR0917 - each is an option that a person types
    keys: str | None,
    as_json: bool,
    from_number: str | None,
    withheld: bool,
    at: str | None,
    url: str | None,
    sound: bool,
) -> None:
    """Phone the helpline: a real call, by signed webhooks over HTTP.

    Without --url a helpline is started for this call alone, with the same settings. With --keys,
    or with no terminal to read from, the call is played from tokens: a key, several keys in one
    go, - for silence, "words" for speech, @busy @no-answer @completed @refused for a Dial.
    """
    if url is not None and at:
        raise UsageError("--at sets the clock of a helpline started for this call, not of --url.")
    if withheld and from_number is not None:
        raise UsageError("A call is either --withheld or --from a number.")
    line = Line(
        _helpline_at(url) if url is not None else None,
        at,
        _number(from_number) if from_number is not None else None,
        withheld,
    )
    script = keys if keys is not None else None if sys.stdin.isatty() else sys.stdin.read()
    if script is None:
        asyncio.run(_talk(line, sound))
    else:
        raise SystemExit(asyncio.run(_play(line, script, as_json)))


@dataclass(frozen=True, slots=True)
class Line:
    """Which helpline is rung, and by whom."""

    url: str | None
    at: str | None
    from_number: str | None
    withheld: bool

    def caller(self) -> "Caller":
        """Whose number Twilio would give."""
        from ivr.handset import Caller

        if self.withheld:
            return Caller.withheld()
        return Caller(number=self.from_number) if self.from_number else Caller()


async def _talk(line: Line, sound: bool) -> None:
    from ivr.handset import Terminal

    async with _phone(line) as phone:
        await Terminal(phone, aloud=sound).call()


async def _play(line: Line, script: str, as_json: bool) -> int:
    from ivr.handset import parse, scripted, transcript

    tokens = parse(script)
    async with _phone(line, is_script=True) as phone:
        played = await scripted(phone, tokens)
    if as_json:
        click.echo(json.dumps(played.records(), indent=1, ensure_ascii=False))
    else:
        click.echo(transcript(played.turns))
    if played.remaining:
        click.echo(f"The line closed before: {' '.join(played.remaining)}", err=True)
    return 1 if played.remaining else 0


@asynccontextmanager
async def _phone(line: Line, is_script: bool = False) -> "AsyncIterator[Phone]":
    """A phone that reaches the helpline at the line's address, or one started for this call. It is
    hung up in the end."""
    from ivr.config import load_settings
    from ivr.handset import Phone

    settings = load_settings()
    token, public = settings.auth_tokens[0], settings.public_url or None
    if line.url:
        async with _hung_up(Phone(line.url, token, line.caller(), public_url=public)) as phone:
            yield phone
    else:
        async with (
            _own_helpline(settings, line.at, is_script) as address,
            _hung_up(Phone(address, token, line.caller())) as phone,
        ):
            yield phone


@asynccontextmanager
async def _hung_up(phone: "Phone") -> "AsyncIterator[Phone]":
    """This phone, which is hung up in the end: the helpline hears of it as from Twilio."""
    async with phone:
        try:
            yield phone
        finally:
            await phone.hang_up()


@asynccontextmanager
async def _own_helpline(
    settings: "Settings", at: str | None, is_script: bool
) -> AsyncIterator[str]:
    """A helpline of our own on loopback, for as long as the call lasts."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from ivr.app import create_app
    from ivr.book import load_book
    from ivr.house import now

    load_book(settings.flows, settings.prompts)  # says what is wrong with it, if anything is
    ahead = _moment(at) - now() if at else timedelta()
    if is_script and not settings.shared_database:
        # A script asks for a call-back sooner than a new database is made; a person never does.
        await _make_database(settings)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()  # who rings before the server is up waits, and is answered
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.errorlog = None
    here = settings.model_copy(update={"public_url": address})
    app = create_app(here, clock=lambda: now() + ahead)
    stop = asyncio.Event()
    served = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    try:
        yield address
    finally:
        stop.set()
        await served


async def _make_database(settings: "Settings") -> None:
    """Make the helpline's own database ready; without one, guidance is heard all the same."""
    from ivr.database import upgrade

    try:
        await upgrade(settings.database_url)
    except SettingsError as problem:
        click.echo(f"{problem} The call goes on without it.", err=True)
    except Exception as problem:  # whatever is wrong with the file, it is no reason not to ring
        cause = problem.__cause__ or problem
        why = str(getattr(cause, "orig", None) or cause).partition("\n")[0]
        click.echo(
            f"The database {settings.database_url.partition(':///')[2]} cannot be used ({why});"
            " the call goes on without it. Put a good copy there, or move it away and run"
            " `ivr db upgrade`.",
            err=True,
        )


def _helpline_at(url: str) -> str:
    """The address of the helpline itself, though that of its webhook (``/voice``) was given."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none, half an address of IPv6
        usable = False
    if not usable or parts.query or parts.fragment or re.search(r"[\s@]", parts.netloc):
        raise UsageError(f'"{url}" is no address of a helpline; try http://127.0.0.1:8000')
    path = parts.path.rstrip("/").removesuffix("/voice").rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def _number(text: str) -> str:
    """The number that Twilio would give for what was typed."""
    number = "".join(text.split())
    if re.fullmatch(r"0[0-9]{9,10}", number):  # as it is dialled in the UK
        return f"+44{number[1:]}"
    if re.fullmatch(r"\+[0-9]{7,15}", number):
        return number
    raise UsageError(f'"{text}" is not a number to ring from; write it as +447700900123')


def _moment(at: str) -> datetime:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise UsageError(f'"{at}" is not a time; write it as 2026-12-25T03:00') from None
    return moment if moment.tzinfo else moment.replace(tzinfo=LONDON)
