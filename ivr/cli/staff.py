"""``ivr staff``: who may use the staff pages."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ivr.cli.common import Answer, as_json, as_whom, with_database

if TYPE_CHECKING:
    from ivr.config import Settings
    from ivr.database import Database
    from ivr.people.register import Colleague, Register

ROLES = ("adviser", "supervisor", "administrator")  # those of ivr.people.tables.Role

a_role = click.Choice(ROLES)


@click.group()
def staff() -> None:
    """Say who may use the staff pages, and what they may do there.

    An adviser works through the call-backs. A supervisor also reads the audit. An administrator
    also manages people.
    """


@staff.command("add", epilog='Example: ivr staff add "Ann Smith" --role administrator')
@click.argument("name")
@click.option("--role", type=a_role, default="adviser", show_default=True)
@as_whom
@as_json
def add_command(name: str, role: str, who: str, as_json: bool) -> None:
    """Add a person, and print their first password. It is not kept, and not shown again."""
    password = _with_register(lambda register: register.add(name, role, who))
    _print_password(name, password, as_json)


@staff.command("list", epilog="Example: ivr staff list --json")
@as_json
def list_command(as_json: bool) -> None:
    """List everybody, with their role and whether they sign in with one-time codes."""
    found = _with_register(lambda register: register.everybody())
    if as_json:
        told = [{**asdict(one), "added_at": one.added_at.isoformat()} for one in found]
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    elif not found:
        click.echo("Nobody can sign in yet. Add somebody with `ivr staff add`.")
    else:
        _table(found)


@staff.command("role", epilog='Example: ivr staff role "Ann Smith" supervisor')
@click.argument("name")
@click.argument("role", type=a_role)
@as_whom
def role_command(name: str, role: str, who: str) -> None:
    """Change what a person may do. It counts at once, also where they are signed in."""
    _with_register(lambda register: register.give_role(name, role, who))
    click.echo(f"{name} is {role} now.")


@staff.command("remove", epilog='Example: ivr staff remove "Ann Smith"')
@click.argument("name")
@as_whom
def remove_command(name: str, who: str) -> None:
    """Remove a person: they are signed out at once. What they did stays in the audit."""
    _with_register(lambda register: register.remove(name, who))
    click.echo(f"{name} is removed, and signed out.")


@staff.command("reset", epilog='Example: ivr staff reset "Ann Smith"')
@click.argument("name")
@as_whom
@as_json
def reset_command(name: str, who: str, as_json: bool) -> None:
    """Print a new password for a person who cannot get in, without one-time codes. They are signed
    out everywhere. The password is not kept, and not shown again."""
    password = _with_register(lambda register: register.reset(name, who))
    _print_password(name, password, as_json)


def _with_register(do: "Callable[[Register], Awaitable[Answer]]") -> Answer:
    """Do something with the register of the helpline that the settings describe."""

    async def doing(settings: "Settings", database: "Database") -> Answer:
        from ivr.house import now
        from ivr.names import barred_names
        from ivr.people.register import Register

        return await do(Register(database, now, barred_names(settings.demo_mode)))

    return with_database(doing)


def _print_password(name: str, password: str, as_json: bool) -> None:
    if as_json:
        given = {"name": name, "password": password}
        click.echo(json.dumps(given, indent=1, ensure_ascii=False))
        return
    click.echo(password)
    click.echo(
        f"Give this to {name} in person or by phone: at their first sign-in they must choose a"
        " password of their own. It is not shown again.",
        err=True,
    )


def _table(found: "list[Colleague]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "role", "codes", "password", box=None, pad_edge=False)
    for one in found:
        chosen = "to be changed" if one.must_change else "their own"
        chosen = "not accepted: demo mode only" if one.barred else chosen
        table.add_row(one.name, one.role, "on" if one.codes else "off", chosen)
    Console().print(table)
