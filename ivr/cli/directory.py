"""``ivr directory``: the councils and their advice services, as callers hear of them now."""

import json
from typing import TYPE_CHECKING, Any

import click

from ivr.cli.common import as_json
from ivr.cli.keeping import (
    history_command,
    import_command,
    meant,
    undo_command,
    verify_command,
    with_editor,
)

if TYPE_CHECKING:
    from ivr.directory.editing import Editor
    from ivr.directory.standing import Standing

STATES = ("verified", "published", "unconfirmed", "missing")


@click.group()
def directory() -> None:
    """Look into the directory of councils and advice services, and keep it true."""


for command in (history_command, import_command, undo_command, verify_command):
    directory.add_command(command)


@directory.command("list", epilog="Example: ivr directory list --to-ring")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option(
    "--answerable/--unanswerable",
    default=None,
    help="Only those whose number callers hear, or not.",
)
@click.option("--lapsing", is_flag=True, help="Only those that lapse within 30 days.")
@click.option("--lapsed", is_flag=True, help="Only those that were checked too long ago.")
@click.option("--to-ring", is_flag=True, help="Whom to ring first, by how often callers asked.")
@as_json
def list_command(
    state: str | None,
    answerable: bool | None,
    lapsing: bool,
    lapsed: bool,
    to_ring: bool,
    as_json: bool,
) -> None:
    """List the councils, and which of them can be answered with a number today.

    "Asked" counts how often callers came to the council's service in the last 90 days.
    """
    from ivr.directory.standing import ring_first

    everybody = with_editor(_standings)
    found = [
        one
        for one in (ring_first(everybody) if to_ring else everybody)
        if state in (None, one.council.entry.state)
        and answerable in (None, one.is_answered)
        and (one.lapses_soon or not lapsing)
        and (one.is_lapsed or not lapsed)
    ]
    if as_json:
        click.echo(json.dumps([_as_data(one) for one in found], indent=1, ensure_ascii=False))
    else:
        _table(found)
        answered = sum(one.is_answered for one in everybody)
        click.echo(f"\n{answered} of {len(everybody)} councils can be answered today.")


@directory.command("show", epilog="Example: ivr directory show Manchester --json")
@click.argument("council", metavar="NAME|CODE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show_command(council: str, as_json: bool) -> None:
    """Show what is known of one council's advice service, with its source, and who checked it."""
    found, why = with_editor(lambda editor: _shown(editor, council))
    entry = found.council.entry.as_dict()
    if as_json:
        click.echo(json.dumps(entry, indent=1, ensure_ascii=False))
        return
    if why:
        click.echo(f"{why}\n")
    for name, value in entry.items():
        click.echo(f"{name.replace('_', ' '):>14}  {value or '-'}")
    click.echo(f"{'callers':>14}  {_heard(found)}")


@directory.command("check", epilog="Example: ivr directory check --strict")
@click.option("--strict", is_flag=True, help="Warnings count as problems too.")
@as_json
def check_command(strict: bool, as_json: bool) -> None:
    """Say which numbers have lapsed or will lapse within 30 days, and what has no source.

    Mistakes in the file itself are told first, all of them. Exits 1 if something is wrong.
    """
    from ivr.directory.standing import troubles

    found = with_editor(_standings)
    told = list(troubles(found))
    if as_json:
        data = [
            {
                "gss_code": one.council.entry.gss_code,
                "council": one.council.entry.council,
                "severity": _severity(one.is_wrong),
                "message": one.message,
                "remedy": one.remedy,
            }
            for one in told
        ]
        click.echo(json.dumps({"findings": data}, indent=1, ensure_ascii=False))
    else:
        for one in told:
            name = one.council.entry.council
            click.echo(f"{name}: {_severity(one.is_wrong)}: {one.message} ({one.remedy})")
        answered = sum(one.is_answered for one in found)
        click.echo(f"{answered} of {len(found)} councils can be answered with a number today.")
    raise SystemExit(any(one.is_wrong or strict for one in told))


@directory.command("export", epilog="Example: ivr directory export councils.csv")
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=False), default="-")
def export_command(file: Any) -> None:
    """Write all councils to FILE, or here, as a sheet: one row each, as they are now.

    It can be changed in a spreadsheet and imported; it also fits in the place of
    flows/data/councils.csv.
    """
    file.write(with_editor(_sheet))


async def _standings(editor: "Editor") -> "list[Standing]":
    from ivr.database import NoDatabaseError
    from ivr.directory.asking import Asked
    from ivr.directory.standing import RECENT, standings

    day = editor.day()
    try:
        asked = dict(await Asked(editor.database, editor.clock).most_asked(day - RECENT))
    except NoDatabaseError:
        asked = {}
    return standings(editor.current.now(), day, asked)


async def _shown(editor: "Editor", council: str) -> "tuple[Standing, str]":
    wanted, why = meant(editor, council)
    found = await _standings(editor)
    return next(one for one in found if one.council == wanted), why


async def _sheet(editor: "Editor") -> str:
    from ivr.directory.importing import exported

    now = editor.current.now()
    return exported(now.council(code).entry for code in editor.current.codes)


def _as_data(standing: "Standing") -> dict[str, Any]:
    return standing.council.entry.as_dict() | {
        "answered": standing.is_answered,
        "lapses_on": standing.lapses.isoformat() if standing.lapses else "",
        "asked": standing.asked,
    }


def _heard(standing: "Standing") -> str:
    """What callers get, in words."""
    if standing.is_answered:
        return f"hear the number until {standing.lapses}"
    since = f" since {standing.lapses}" if standing.lapses else ""
    return f"do not hear a number{since}"


def _severity(is_wrong: bool) -> str:
    return "error" if is_wrong else "warning"


def _table(found: "list[Standing]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("code", "council", "state", box=None, pad_edge=False)
    for column in ("number", "checked on", "lapses"):
        table.add_column(column, no_wrap=True)
    table.add_column("asked", justify="right")
    for one in found:
        entry, lapses = one.council.entry, str(one.lapses or "-")
        number = entry.phone_printed or "-"
        row = (entry.gss_code, entry.council, entry.state, number, entry.checked_on or "-", lapses)
        table.add_row(*row, str(one.asked))
    Console().print(table)
