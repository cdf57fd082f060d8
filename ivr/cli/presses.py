"""``ivr directory presses``: how many entries lead to each council."""

import json
from collections import Counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ivr.directory.presses import Reaching


@click.command(epilog="Example: ivr directory presses --places")
@click.option("--places", is_flag=True, help="Districts and towns too.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def presses(places: bool, as_json: bool) -> None:
    """Show how many entries it takes to be at each council, by each of its names.

    An entry is one time that the caller is waited for: three letters, or one key. Exits 1 if a
    name takes more than three where its letters fit four places or fewer, or more than four.
    """
    from ivr.config import load_settings
    from ivr.directory.loading import load_councils
    from ivr.directory.lookup import Directory
    from ivr.directory.places import load_whereabouts
    from ivr.directory.presses import of_councils, of_places

    data = load_settings().flows / "data"
    directory = Directory(load_councils(data), load_whereabouts(data).places)
    table = [*of_councils(directory), *(of_places(directory) if places else ())]
    if as_json:
        click.echo(json.dumps([_row(one) for one in table], indent=1, ensure_ascii=False))
    else:
        _print(table)
    wrong = any(not 0 < one.entries <= one.most for one in table)
    raise SystemExit(1 if wrong else 0)


def _row(one: "Reaching") -> dict[str, str | int]:
    names = {"name": one.name, "council": one.area, "letters": one.letters}
    return {**names, "fits": one.fits, "entries": one.entries, "most": one.most}


def _print(table: list["Reaching"]) -> None:
    click.echo(f"{'name':40}  {'council':16}  letters       fits  entries")
    for one in table:
        note = "" if 0 < one.entries <= one.most else f"  more than {one.most}, or in vain"
        row = f"{one.name:40}  {one.area:16}  {one.letters:12}  {one.fits:4}  {one.entries:7}"
        click.echo(row + note)
    worst = max(table, key=lambda one: one.entries)
    counted = sorted(Counter(one.entries for one in table).items())
    click.echo("\n" + ", ".join(f"{names} names in {entries}" for entries, names in counted) + ".")
    average = sum(one.entries for one in table) / len(table)
    click.echo(f"{average:.2f} entries on average; {worst.name} takes most, {worst.entries}.")
