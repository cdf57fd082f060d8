"""``ivr callbacks``: the call-back requests, at the prompt."""

import csv
import getpass
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, TextIO, TypeAlias

import click

from ivr.cli.common import Answer, as_json, as_whom, with_database

if TYPE_CHECKING:
    from ivr.callbacks.desk import Claim, Desk
    from ivr.callbacks.queue import Queue
    from ivr.callbacks.records import CallBack, Happening
    from ivr.config import Settings
    from ivr.database import Database

Shown: TypeAlias = "tuple[CallBack, list[Happening]]"


@dataclass(frozen=True)
class Office:
    """What these commands work with."""

    queue: "Queue"
    desk: "Desk"


@click.group()
def callbacks() -> None:
    """Read the call-back requests, and work through them."""


@callbacks.command("list", epilog="Example: ivr callbacks list --all --json")
@click.option("--all", "every", is_flag=True, help="Every request, not only the open ones.")
@as_json
def list_command(every: bool, as_json: bool) -> None:
    """List the open requests: urgent ones first, then the next due. Numbers are masked."""
    found = _at(lambda office: office.queue.all() if every else office.queue.open())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
    elif not found:
        click.echo("No call-back is waiting.")
    else:
        _table(found)


@callbacks.command("show", epilog="Example: ivr callbacks show 482195 --reveal")
@click.argument("reference")
@click.option(
    "--reveal", is_flag=True, help="Show the whole number and the notes. This is recorded."
)
@as_json
def show_command(reference: str, reveal: bool, as_json: bool) -> None:
    """Show the requests with this reference (there can be more than one), and what happened to
    them; with --reveal the notes of staff too."""
    found = _at(lambda office: _show(office, reference, reveal))
    _print(found, as_json)
    if not found:
        raise click.ClickException(f"No request has the reference {reference}.")


@callbacks.command("claim", epilog="Example: ivr callbacks claim  (the next due)")
@click.argument("reference", required=False)
@click.option("--take-over", is_flag=True, help="Take it from whoever holds it. This is recorded.")
@as_whom
@as_json
def claim_command(reference: str | None, take_over: bool, who: str, as_json: bool) -> None:
    """Claim the first of the queue, or the request with this REFERENCE, and show its number.

    Nobody else can claim it for 15 minutes. Say how it went with `ivr callbacks outcome`.
    """
    if take_over and not reference:
        raise click.UsageError("--take-over needs the reference of the request.")
    found = _at(lambda office: _claim(office, reference, who, take_over))
    _print(found, as_json)


@callbacks.command("release", epilog="Example: ivr callbacks release 482195")
@click.argument("reference")
@as_whom
@as_json
def release_command(reference: str, who: str, as_json: bool) -> None:
    """Give a request that you have claimed back to the queue; it keeps its place."""
    found = _at(lambda office: _release(office, reference, who))
    if as_json:
        _print(found, as_json)
    else:
        click.echo("It is back in the queue.")


@callbacks.command("outcome", epilog='Example: ivr callbacks outcome 482195 "no answer"')
@click.argument("reference")
@click.argument("outcome")
@click.option("--note", default="", help="For the next person. Kept sealed.")
@click.option(
    "--again",
    type=click.DateTime(["%Y-%m-%dT%H:%M"]),
    help="When to ring again (London), such as 2026-12-08T13:00; with spoke, it stays open.",
)
@as_whom
@as_json
def outcome_command(
    reference: str, outcome: str, note: str, again: datetime | None, who: str, as_json: bool
) -> None:
    """Say how ringing went: spoke, no answer, engaged, left message, wrong number, asked not to be
    called, abusive, other. Unless that ends it, it is due again, in staffed hours."""
    found = _at(lambda office: _finish(office, reference, outcome, note, again, who))
    _print(found, as_json)


@callbacks.command("urgent", epilog='Example: ivr callbacks urgent 482195 --note "child at risk"')
@click.argument("reference")
@click.option("--note", default="", help="Why. Kept sealed.")
@click.option("--not", "is_not", is_flag=True, help="It is not urgent any more.")
@as_whom
@as_json
def urgent_command(reference: str, note: str, is_not: bool, who: str, as_json: bool) -> None:
    """Mark a request urgent, because somebody may not be safe. It is not erased while it is."""
    found = _at(lambda office: _mark(office, reference, who, not is_not, note))
    _print(found, as_json)


@callbacks.command("export", epilog="Example: ivr callbacks export requests.csv")
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True), default="-")
@as_json
def export_command(file: TextIO, as_json: bool) -> None:
    """Write every request as CSV (or JSON), with masked numbers, to FILE or to standard output."""
    found = _at(lambda office: office.queue.all())
    if as_json:
        file.write(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False) + "\n")
    else:
        _as_csv(found, file)
    if file.name != "-":
        plural = "request is" if len(found) == 1 else "requests are"
        click.echo(f"{len(found)} {plural} in {file.name}.", err=True)


# --- what they do ------------------------------------------------------------------------------


async def _show(office: Office, reference: str, reveal: bool) -> list[Shown]:
    queue = office.queue
    return [
        (
            await (queue.reveal_one(one, getpass.getuser()) if reveal else queue.one(one)),
            await queue.history(one, notes=reveal),
        )
        for one in await queue.ids(reference)
    ]


async def _claim(office: Office, reference: str | None, who: str, take_over: bool) -> list[Shown]:
    if reference is None:
        claim = await office.desk.claim_next(who)
        if claim is None:
            raise click.ClickException("Nobody is to be rung just now.")
        return [await _claimed(office, claim, who)]
    take = office.desk.take_over if take_over else office.desk.claim
    for request_id in await office.queue.ids(reference):
        if claim := await take(request_id, who):
            return [await _claimed(office, claim, who)]
    found = await office.queue.find(reference)
    if not found:
        raise click.ClickException(f"No request has the reference {reference}.")
    held = f", by {found[0].holder}; --take-over takes it" if found[0].holder else ""
    raise click.ClickException(f"{reference} cannot be claimed: it is {found[0].state}{held}.")


async def _claimed(office: Office, claim: "Claim", who: str) -> Shown:
    """What its holder needs to ring: the whole number, and what happened so far."""
    shown = await office.queue.reveal_one(claim.request_id, who)
    return shown, await office.queue.history(claim.request_id, notes=True)


async def _mark(office: Office, reference: str, who: str, urgent: bool, note: str) -> list[Shown]:
    found = await office.queue.ids(reference)
    if not found:
        raise click.ClickException(f"No request has the reference {reference}.")
    reached = [await office.desk.mark(request_id, who, urgent, note) for request_id in found]
    if urgent and not all(reached):
        click.echo("Nobody can be texted about it: ring your safeguarding lead now.", err=True)
    return await _show(office, reference, reveal=False)


async def _release(office: Office, reference: str, who: str) -> list[Shown]:
    claim = await _mine(office, reference, who)
    await office.desk.release(claim)
    one = claim.request_id
    return [(await office.queue.one(one), await office.queue.history(one))]


async def _finish(
    office: Office, reference: str, outcome: str, note: str, again: datetime | None, who: str
) -> list[Shown]:
    from ivr.hours import LONDON

    claim = await _mine(office, reference, who)
    again_at = again.replace(tzinfo=LONDON) if again else None
    await office.desk.finish(claim, outcome, note, again_at)
    one = claim.request_id
    return [(await office.queue.one(one), await office.queue.history(one))]


async def _mine(office: Office, reference: str, who: str) -> "Claim":
    for request_id in await office.queue.ids(reference):
        if claim := await office.desk.held(request_id, who):
            return claim
    raise click.ClickException(f"You hold no request {reference}. Claim it first.")


def _at(do: Callable[[Office], Awaitable[Answer]]) -> Answer:
    """Do something in the office of the helpline that the settings describe."""

    async def doing(settings: "Settings", database: "Database") -> Answer:
        from ivr.callbacks.keys import Keys
        from ivr.callbacks.queue import Queue
        from ivr.hours import load_hours
        from ivr.house import now
        from ivr.postroom import desk_for
        from ivr.today.today import Today

        keys = Keys(settings.fernet_keys, settings.hash_key)
        hours = load_hours(settings.flows / "data" / "hours.yaml")
        today = Today(database, settings.var / "today.json", hours, now)
        await today.look()
        desk = desk_for(settings, database, today.hours, now)
        return await do(Office(Queue(database, keys, now), desk))

    return with_database(doing)


# --- what they print ---------------------------------------------------------------------------


def _print(found: Sequence[Shown], as_json: bool) -> None:
    if as_json:
        told = [
            {**asdict(one), "history": [asdict(each) for each in history]} for one, history in found
        ]
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    from ivr.staff.contact_rules import contact_rules

    for one, history in found:
        for name, value in {**asdict(one), "access": contact_rules(one.access)}.items():
            shown = "\n                ".join(value) if isinstance(value, list) else str(value)
            click.echo(f"{name.replace('_', ' '):>14}  {shown or '-'}")
        for each in history:
            click.echo(f"{each.at:>22}  {each.who}: {each.what}")
            if each.note:
                click.echo(f"{'':>22}  {each.note}")
        click.echo()


def _as_csv(found: "Sequence[CallBack]", file: TextIO) -> None:
    from ivr.callbacks.records import CallBack
    from ivr.staff.contact_rules import contact_rules

    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(field.name for field in fields(CallBack))
    for one in found:
        row = replace(one, access=contact_rules(one.access))
        writer.writerow("; ".join(v) if isinstance(v, list) else v for v in astuple(row))


def _table(found: "Sequence[CallBack]") -> None:
    from rich.console import Console
    from rich.table import Table

    from ivr.hours import LONDON

    columns = ("reference", "state", "number", "topic", "council", "attempts", "holder")
    table = Table("due", "safety", *columns, box=None, pad_edge=False)
    for one in found:
        due = datetime.fromisoformat(one.due_at).astimezone(LONDON)
        shown = (str(getattr(one, name) or "-") for name in columns)
        safety = "urgent" if one.urgent else one.safety or "-"
        table.add_row(f"{due:%a %d %b %H:%M}", safety, *shown)
    Console().print(table)
