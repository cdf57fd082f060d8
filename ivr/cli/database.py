"""``ivr db``: the database's tables."""

import asyncio

import click


@click.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade", epilog="Example: ivr db upgrade")
def upgrade_command() -> None:
    """Make the database, or bring its tables up to date. Safe at any time."""
    from ivr.config import load_settings
    from ivr.database import current, upgrade

    settings = load_settings()

    async def upgraded() -> tuple[str, str]:
        before = await current(settings.database_url)
        return before, await upgrade(settings.database_url)

    before, after = asyncio.run(upgraded())
    if before == after:
        click.echo(f"The database is up to date (migration {after}).")
    else:
        click.echo(f"The database is now at migration {after} (it was at {before or 'none'}).")
