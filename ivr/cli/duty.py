"""``ivr duty``: who is rung when a caller asks for our team."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from ivr.cli.common import Answer, as_json, with_database
from ivr.errors import UsageError

if TYPE_CHECKING:
    from ivr.duty.roster import OnDuty, Roster


@click.group()
def duty() -> None:
    """Say who is on duty: they are rung, one after another, when a caller asks for our team."""


@duty.command("on", epilog='Example: ivr duty on "Ada Bell" --phone 07400123456 --until 17:00')
@click.argument("name")
@click.option("--phone", required=True, help="The number to ring: 01, 02, 03 or 07.")
@click.option("--until", metavar="HH:MM", help="By London's clock. Unset: for twelve hours.")
def on_command(name: str, phone: str, until: str | None) -> None:
    """Put NAME on duty, or change their phone. They must press 1 to take a call.

    Give the name under which they work with call-backs: a parent who returns a missed call then
    reaches them first.
    """
    from ivr.config import load_settings
    from ivr.duty.shift import WrongTimeError, ends_at
    from ivr.house import now
    from ivr.numbers import usable

    number = usable(phone, load_settings().demo_mode)
    if not number:
        raise UsageError(f'"{phone}" is no UK number that we ring; write it as 07400 123456.')
    try:
        ends = ends_at(until or "", now())
    except WrongTimeError as wrong:
        raise UsageError(str(wrong)) from None
    _at(lambda roster: roster.on(name, number, ends))
    click.echo(f"{name} is on duty until {_clock(ends)}.")


@duty.command("off", epilog='Example: ivr duty off "Ada Bell"')
@click.argument("name")
def off_command(name: str) -> None:
    """Take NAME off duty, and forget their number. A call that they have goes on."""
    _at(lambda roster: roster.off(name))
    click.echo(f"{name} is off duty.")


@duty.command("list", epilog="Example: ivr duty list --json")
@as_json
def list_command(as_json: bool) -> None:
    """List who is on duty, in the order in which they will be rung. Numbers are masked."""
    found = _at(lambda roster: roster.listed())
    if as_json:
        told = [
            {**asdict(one), "since": _utc(one.since), "until": _utc(one.until)} for one in found
        ]
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    elif not found:
        click.echo("Nobody is on duty: callers are offered a call-back.")
    else:
        _table(found)


def _at(do: "Callable[[Roster], Awaitable[Answer]]") -> Answer:
    """Do something with the roster of the helpline that the settings describe."""
    from ivr.callbacks.attempts import OnCalls
    from ivr.duty.keys import Keys
    from ivr.duty.roster import Roster
    from ivr.house import now
    from ivr.names import barred_names

    return with_database(
        lambda settings, database: do(
            Roster(
                database,
                Keys(settings.fernet_keys, settings.hash_key),
                now,
                OnCalls(database, now),
                barred_names(settings.demo_mode),
            )
        )
    )


def _utc(moment: datetime) -> str:
    from ivr.callbacks.service import utc_text

    return utc_text(moment)


def _clock(moment: datetime) -> str:
    from ivr.hours import LONDON

    return f"{moment.astimezone(LONDON):%H:%M}"


def _table(found: "list[OnDuty]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "number", "since", "until", "now", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.name, one.number, _clock(one.since), _clock(one.until), one.state)
    Console().print(table)
