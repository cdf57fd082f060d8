"""The commands of ``ivr directory`` that change it, and what all of its commands share."""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ivr.cli.common import Answer, as_json, as_whom, with_database

if TYPE_CHECKING:
    from ivr.config import Settings
    from ivr.database import Database
    from ivr.directory.editing import Editor
    from ivr.directory.entries import Council
    from ivr.directory.importing import Plan
    from ivr.directory.tables import DirectoryChange
    from ivr.yamlfile import Finding


NOT_ONE = "is not one council of England."


def with_editor(do: "Callable[[Editor], Awaitable[Answer]]") -> Answer:
    """Do something with the directory of the settings, as it is now; without its database, as it
    was last, and that is said. Raises BookError when the files of the councils have mistakes."""
    from ivr.directory.current import directory_of
    from ivr.directory.editing import Editor
    from ivr.directory.loading import load_councils
    from ivr.directory.places import load_whereabouts
    from ivr.house import now

    async def doing(settings: "Settings", database: "Database") -> Answer:
        data = settings.flows / "data"
        councils, places = load_councils(data), load_whereabouts(data).places
        current = directory_of(settings, database, councils, places)
        await current.look()
        if current.is_stale:
            click.echo("The database cannot be read: what was changed since is not here.", err=True)
        return await do(Editor(database, current, now))

    return with_database(doing)


def meant(editor: "Editor", council: str) -> "tuple[Council, str]":
    """Return the council that somebody means, and why, if not by its own name. Raises
    ClickException with those that they may have meant."""
    found = editor.current.now().show(council)
    if found.council is None:
        names = ", ".join(one.entry.council for one in found.candidates)
        said = found.why or (f"Did you mean: {names}?" if names else "")
        none = "" if said.endswith(NOT_ONE) else f'"{council}" {NOT_ONE} '
        raise click.ClickException(f"{none}{said}".strip())
    return found.council, found.why


def code_of(editor: "Editor", council: str) -> str:
    """Return the code of the council that somebody means; see ``meant``."""
    return meant(editor, council)[0].entry.gss_code


@click.command("verify", epilog='Example: ivr directory verify Manchester --by "Ada Bell"')
@click.argument("council", metavar="NAME|CODE")
@click.option(
    "--number", default="", help="As it should be read out. Unset: the one that is there."
)
@click.option("--by", default="", help="Who rang. Unset: whoever does this.")
@click.option("--service-name", default="", help="The service's name, where none is there.")
@as_whom
def verify_command(council: str, number: str, by: str, service_name: str, who: str) -> None:
    """Note that somebody rang this council's advice service today, and that its number is right.

    Callers hear it from now on, until it lapses. At a terminal, the number that is there is asked
    about first.
    """

    async def verifying(editor: "Editor") -> str:
        code = code_of(editor, council)
        entry, seen = editor.entry(code), editor.last_change(code)
        if entry.phone and not number and sys.stdin.isatty():
            asked = f"{entry.council}: was {entry.phone_printed} rung, and is it right?"
            click.confirm(asked, abort=True)
        await editor.verify(code, who, number, by, service_name, seen)
        entry = editor.entry(code)
        return f"{entry.council}: {entry.phone_printed}, verified today by {entry.checked_by}."

    click.echo(with_editor(verifying))


@click.command("history", epilog="Example: ivr directory history Leeds --json")
@click.argument("council", metavar="NAME|CODE")
@as_json
def history_command(council: str, as_json: bool) -> None:
    """Show every change of one council's record, the newest first: who, when, old and new."""

    async def asking(editor: "Editor") -> "Sequence[DirectoryChange]":
        return await editor.history(code_of(editor, council))

    found = with_editor(asking)
    if as_json:
        told = [{**one.model_dump(), "at": _utc(one)} for one in found]
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    elif not found:
        click.echo("It is as in flows/data/councils.csv: nobody has changed it.")
    for one in () if as_json else found:
        click.echo(f"{one.id}  {_utc(one)}  {one.why}, by {one.who}")
        for column, new in one.new.items():
            if one.old.get(column, "") != new:
                _difference(column, one.old.get(column, ""), new)


@click.command("undo", epilog="Example: ivr directory undo Leeds")
@click.argument("council", metavar="NAME|CODE")
@as_whom
def undo_command(council: str, who: str) -> None:
    """Undo the last change of one council's record. This is a change too, and can be undone."""

    async def undoing(editor: "Editor") -> str:
        code = code_of(editor, council)
        last = editor.last_change(code)
        if not last:
            raise click.ClickException("Nobody has changed it: there is nothing to undo.")
        await editor.undo(code, last, who)
        return f"{editor.entry(code).council} is as it was before."

    click.echo(with_editor(undoing))


@click.command("import", epilog="Example: ivr directory import councils.csv --apply")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--apply", is_flag=True, help="Do it. Unset: only show what would be changed.")
@as_whom
@as_json
def import_command(file: Path, apply: bool, who: str, as_json: bool) -> None:
    """Take over what was changed in a sheet that `ivr directory export` wrote.

    Shows the differences; nothing is changed without --apply, and nothing at all if any row is
    wrong: every mistake is told, with its line and column. Councils that are not in FILE stay as
    they are; so do the columns that the older form of the sheet does not have. The phone may be
    left empty: it is made from the number as it is printed.
    """
    plan, findings, heard = with_editor(lambda editor: _import(editor, file, apply, who))
    done = apply and not findings
    if as_json:
        told = {
            "findings": [one.as_dict() for one in findings],
            "differences": [asdict(one) for one in plan.differences],
            "applied": done,
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        _tell(plan, findings, heard, done)
    raise SystemExit(bool(findings))


async def _import(
    editor: "Editor", file: Path, apply: bool, who: str
) -> "tuple[Plan, list[Finding], tuple[int, int]]":
    """What the sheet would change, its mistakes, and how many numbers callers hear before and
    after."""
    from ivr.directory.editing import Why
    from ivr.directory.importing import planned
    from ivr.yamlfile import Report

    report = Report()
    plan = planned(file, file.name, editor, report)
    before = _heard(editor, {})
    after = _heard(editor, {one.record: one.values for one in plan.wanted})
    if apply and not report.findings:
        await editor.change_all(plan.wanted, who, Why.IMPORT)
    return plan, sorted(report.findings), (before, after)


def _heard(editor: "Editor", values: "Mapping[str, Mapping[str, str]]") -> int:
    """How many councils' numbers callers hear today, with these values of records."""
    from ivr.directory.entries import may_be_spoken

    now, day = editor.current.now(), editor.day()
    entries = (one.entry for one in now.councils)
    return sum(
        may_be_spoken(one.changed(values.get(one.recorded, {})), day, now.periods)
        for one in entries
    )


def _tell(plan: "Plan", findings: "list[Finding]", heard: tuple[int, int], done: bool) -> None:
    for finding in findings:
        click.echo(str(finding))
    if findings:
        click.echo("Nothing was changed: no row is taken over while one is wrong.")
        return
    for (code, council), found in groupby(
        plan.differences, lambda one: (one.gss_code, one.council)
    ):
        click.echo(f"{council} ({code})")
        for one in found:
            _difference(one.column, one.old, one.new)
    records, same = len(plan.wanted), "the other rows are as they were"
    if not records:
        click.echo(f"{plan.rows} rows, and nothing in them is different.")
        return
    click.echo(f"{records} of {plan.rows} rows differ; {same}.")
    click.echo(f"Callers hear {heard[1]} numbers then; before, {heard[0]}.")
    click.echo("It is done." if done else "Nothing is changed yet: add --apply to do it.")


def _difference(column: str, old: str, new: str) -> None:
    click.echo(f"  {column.replace('_', ' '):>13}  {old or '-'}  ->  {new or '-'}")


def _utc(change: "DirectoryChange") -> str:
    from ivr.callbacks.service import utc_text

    return utc_text(change.at)
