"""``ivr report``: how many asked to be rung, how long they waited, how it ended."""

import asyncio
import json
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from ivr.errors import BookError

if TYPE_CHECKING:
    from ivr.callbacks.figures import Counted, Report, Share, Waits


@click.command(epilog="Example: ivr report --days 7 --json")
@click.option("--days", default=28, show_default=True, help="The last so many days: 1 to 92.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; waits are in hours.")
def report(days: int, as_json: bool) -> None:
    """Count the call-backs of the last days, today included: by day, topic and council.

    Days are London's. What is erased still counts. Topics and councils with fewer than three
    requests are put together.
    """
    from ivr.config import load_settings

    settings = load_settings()
    told = asyncio.run(_counted(settings.database_url, days))
    if as_json:
        click.echo(json.dumps(_data(told), indent=1, ensure_ascii=False))
    else:
        _print(told, _councils(settings.flows))


async def _counted(url: str, days: int) -> "Report":
    from ivr.callbacks.counting import Counting
    from ivr.callbacks.spans import NoSuchSpanError, last_days
    from ivr.database import Database
    from ivr.house import now

    try:
        span = last_days(now(), days)
    except NoSuchSpanError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--days") from None
    database = Database(url)
    try:
        return await Counting(database).report(span)
    finally:
        await database.close()


def _councils(flows: Any) -> dict[str, str]:
    """The names of councils by their codes; none if the directory is broken: codes will do."""
    from ivr.directory.loading import load_councils

    try:
        return {one.entry.gss_code: one.entry.council for one in load_councils(flows / "data")}
    except BookError:
        return {}


def _data(told: "Report") -> dict[str, Any]:
    days = [{"day": day.isoformat(), **asdict(one)} for day, one in told.days.items()]
    first, last = told.span.first.isoformat(), told.span.last.isoformat()
    return {**asdict(told), "span": {"first": first, "last": last}, "days": days}


def _print(told: "Report", councils: dict[str, str]) -> None:
    from ivr.callbacks.figures import OTHERS

    whole = told.whole
    _table(
        ("day", "asked", "spoke", "ended", "in time", "late", "hours to first try", "to speaking"),
        [*((_day(day), *_row(one)) for day, one in told.days.items()), ("all", *_row(whole))],
    )
    click.echo("\nHours are those that half waited at most, and 9 of 10.")
    click.echo(
        f"Of those who asked {told.still_open} are open still; {told.asked_again} asked again.\n"
    )
    attempts = ((str(count), str(many)) for count, many in told.attempts.items())
    _table(("attempts", "ended requests"), attempts)
    click.echo()
    _table(("outcome", "how often"), ((name, str(many)) for name, many in told.outcomes.items()))
    for title, shares in (("topic", told.topics), ("council", told.councils)):
        click.echo()
        names = councils | {"": "-", OTHERS: "others"}
        _table((title, "asked", "spoke"), (_share(names, one) for one in shares))


def _share(names: dict[str, str], share: "Share") -> tuple[str, str, str]:
    return names.get(share.key, share.key), str(share.asked), str(share.spoke)


def _row(one: "Counted") -> tuple[str, ...]:
    counts = (one.asked, one.spoke, one.ended, one.kept, one.late)
    return (*map(str, counts), _hours(one.first_tried), _hours(one.spoken_with))


def _hours(waits: "Waits") -> str:
    if waits.half_h is None or waits.nine_of_ten_h is None:
        return "-"
    return f"{waits.half_h:.1f}, {waits.nine_of_ten_h:.1f}"


def _day(day: date) -> str:
    return f"{day:%a %d %b}"


def _table(columns: tuple[str, ...], rows: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
