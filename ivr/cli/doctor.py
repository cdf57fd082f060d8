"""``ivr doctor``: what works here, and what does not."""

import asyncio
import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ivr.health import Sign


@click.command(epilog="Example: ivr doctor --json")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def doctor(as_json: bool) -> None:
    """Say what works here and what does not, with what to do about it.

    It rings nobody. Exits 1 if something is wrong; notes are no faults.
    """
    from ivr.config import load_settings
    from ivr.health import State

    signs = asyncio.run(_examined())
    if as_json:
        found = [{"what": one.what, "state": one.state, "said": one.said} for one in signs]
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        click.echo(f"IVR_VAR is {load_settings().var}.")
        for one in signs:
            click.echo(f"{one.state:>5}  {one.what:<10} {one.said}")
    raise SystemExit(any(one.state is State.WRONG for one in signs))


async def _examined() -> "list[Sign]":
    from ivr.config import load_settings
    from ivr.health import examined
    from ivr.house import build

    house = build(load_settings())
    try:
        return await examined(house)
    finally:
        await house.database.close()
