"""``ivr directory``: the councils and their advice services."""

import json
from dataclasses import asdict

import click


@click.group()
def directory() -> None:
    """Look into the directory of councils and advice services."""


@directory.command("show", epilog="Example: ivr directory show Manchester --json")
@click.argument("council", metavar="NAME|CODE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show_command(council: str, as_json: bool) -> None:
    """Show what is known of one council's advice service, with its source."""
    from ivr.config import load_settings
    from ivr.directory.loading import load_councils
    from ivr.directory.lookup import Directory
    from ivr.directory.places import load_whereabouts

    data = load_settings().flows / "data"
    found = Directory(load_councils(data), load_whereabouts(data).places).show(council)
    if found.council is None:
        names = ", ".join(one.entry.council for one in found.candidates)
        meant = f" {found.why}" if found.why else f" Did you mean: {names}?" if names else ""
        raise click.ClickException(f'"{council}" is not one council of England.{meant}')
    entry = asdict(found.council.entry)
    if as_json:
        click.echo(json.dumps(entry, indent=1, ensure_ascii=False))
    else:
        if found.why:
            click.echo(f"{found.why}\n")
        for name, value in entry.items():
            click.echo(f"{name.replace('_', ' '):>14}  {value or '-'}")
