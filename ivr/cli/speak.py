"""``ivr speak``: make all clips."""

import asyncio
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ivr.speech.clips import Length


@click.command(epilog="Example: ivr speak --no-table")
@click.option("--table/--no-table", default=True, help="Print how long each clip is, and how fast.")
def speak(table: bool) -> None:
    """Make every clip that is missing, and print how long each is, the longest first.

    Recordings made by people, in prompts/recordings/<file>/<prompt>.wav, win over the voice.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from ivr.config import load_settings
    from ivr.core.wording import every_line
    from ivr.house import build

    house = build(load_settings())
    console = Console(stderr=True)
    with Progress(
        "Making clips", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    ) as bar:
        task = bar.add_task("clips", total=None)
        made = asyncio.run(
            house.make_clips(lambda done, total: bar.update(task, completed=done, total=total))
        )
    click.echo(
        f"{made.made} clips made and {made.reused} kept, in {made.seconds:.1f} s,"
        f" in {house.clips.directory}."
    )
    if table:
        fixed = [line for line in every_line(house.shelf.loaded.book) if not line.private]
        _print_lengths(house.clips.lengths(fixed, slow=False))
    for failure in made.failed:
        click.echo(f"No clip of {failure.what!r}: {failure.why}", err=True)
    raise SystemExit(1 if made.failed else 0)


def _print_lengths(lengths: "list[Length]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("seconds", "words a minute", "words", box=None, pad_edge=False)
    for one in sorted(lengths, key=lambda one: one.seconds, reverse=True):
        table.add_row(f"{one.seconds:.1f}", f"{one.words_per_minute:.0f}", one.text)
    Console().print(table)
