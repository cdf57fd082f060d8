"""``ivr callbacks``: the call-back requests, at the prompt."""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ivr.callbacks.queue import CallBack, Queue


@click.group()
def callbacks() -> None:
    """Read the call-back requests."""


@callbacks.command("list", epilog="Example: ivr callbacks list --all --json")
@click.option("--all", "every", is_flag=True, help="Every request, not only the open ones.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; times are UTC.")
def list_command(every: bool, as_json: bool) -> None:
    """List the open requests, the next due first. Numbers are masked."""
    found = _read(lambda queue: queue.all() if every else queue.open())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
    elif not found:
        click.echo("No call-back is waiting.")
    else:
        _table(found)


@callbacks.command("show", epilog="Example: ivr callbacks show 482195 --reveal")
@click.argument("reference")
@click.option("--reveal", is_flag=True, help="Show the whole number. This is recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; times are UTC.")
def show_command(reference: str, reveal: bool, as_json: bool) -> None:
    """Show the requests with this reference (there can be more than one)."""
    found = _read(
        lambda queue: (
            queue.reveal(reference, getpass.getuser()) if reveal else queue.find(reference)
        )
    )
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
    else:
        for one in found:
            for name, value in asdict(one).items():
                click.echo(f"{name.replace('_', ' '):>14}  {value or '-'}")
            click.echo()
    if not found:
        raise click.ClickException(f"No request has the reference {reference}.")


def _read(ask: "Callable[[Queue], Awaitable[Sequence[CallBack]]]") -> "Sequence[CallBack]":
    from ivr.callbacks.keys import Keys
    from ivr.callbacks.queue import Queue
    from ivr.config import load_settings
    from ivr.database import Database
    from ivr.house import now

    settings = load_settings()

    async def reading() -> "Sequence[CallBack]":
        database = Database(settings.database_url)
        try:
            keys = Keys(settings.fernet_keys, settings.hash_key)
            return await ask(Queue(database, keys, now))
        finally:
            await database.close()

    return asyncio.run(reading())


def _table(found: "Sequence[CallBack]") -> None:
    from rich.console import Console
    from rich.table import Table

    columns = ("reference", "state", "number", "due_at", "topic", "council", "attempts", "holder")
    table = Table(*(name.replace("_", " ") for name in columns), box=None, pad_edge=False)
    for one in found:
        table.add_row(*(str(getattr(one, name) or "-") for name in columns))
    Console().print(table)
