"""What several commands share: the database of the settings, and options that mean the same."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from ivr.config import Settings
    from ivr.database import Database

Answer = TypeVar("Answer")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; times are UTC.")
as_whom = click.option(
    "--as", "who", default=getpass.getuser, help="Who does it. Unset: your name on this machine."
)


def with_database(do: "Callable[[Settings, Database], Awaitable[Answer]]") -> Answer:
    """Do something with the database that the settings name, and close it.

    Raises SettingsError, NoDatabaseError.
    """
    from ivr.config import load_settings
    from ivr.database import Database

    settings = load_settings()

    async def doing() -> Answer:
        database = Database(settings.database_url)
        try:
            return await do(settings, database)
        finally:
            await database.close()

    return asyncio.run(doing())
