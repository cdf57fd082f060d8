"""``ivr serve``: start the helpline."""

import socket
from ipaddress import ip_address
from pathlib import Path

import click

HYPERCORN = Path(__file__).parents[2] / "hypercorn.toml"

LAST_PORT = 65_535


@click.command(epilog="Example: ivr serve --bind 127.0.0.1:9000")
@click.option("--bind", metavar="HOST:PORT", help="Where to listen; port 0 is any free one.")
def serve(bind: str | None) -> None:
    """Start the helpline: hypercorn -c hypercorn.toml 'ivr.app:create_app()'.

    A serving process that dies is replaced, and the log says what it died of. Exits 1 when none can
    be kept alive.

    A book with mistakes is refused, unless a good one was served before: then that one is served,
    and /readyz says so. Without a Twilio token this is demo mode: it answers this
    machine only, with a token of its own.
    """
    from hypercorn.config import Config

    from ivr.cli.supervise import Supervisor
    from ivr.config import load_settings
    from ivr.demo import demo_password
    from ivr.errors import BookError
    from ivr.house import build
    from ivr.names import DEMO_NAME

    settings = load_settings()
    house = build(settings)
    if house.faults:
        raise BookError("\n".join(house.faults.values()))
    shelf = house.shelf
    config = Config.from_toml(HYPERCORN) if HYPERCORN.exists() else Config()
    if bind:
        config.bind = [bind]
    for address in config.bind:
        _check(address, settings.demo_mode)
    if settings.demo_mode:
        click.echo("Demo mode: no Twilio token is set. Only this machine is answered.")
        click.echo(f"Requests are signed with the token in {settings.var / 'demo-token'}.")
        settings.auth_tokens  # noqa: B018 - made now, so that the workers find one and the same
    if shelf.fault:
        click.echo(f"The last good book is served, because this one has mistakes:\n{shelf.fault}")
    steps = len(shelf.loaded.book.steps)
    asked = ", ".join(config.bind)
    try:
        bound = dict(map(_bound, config.bind))
        config.bind = list(bound.values())
        supervisor = Supervisor(config)
    except OSError as problem:
        raise click.ClickException(
            f"Cannot listen on {asked}: {problem.strerror}."
            " Choose another with --bind, such as --bind 127.0.0.1:8001."
        ) from None
    click.echo(f"Serving {steps} steps on {', '.join(bound)}. Stop with Ctrl-C.")
    here = f"http://{next(iter(bound))}"
    click.echo(f"Hear it from another terminal: make call URL={here}")
    if settings.demo_mode:
        known_as = f"{DEMO_NAME}, password {demo_password(settings)}"
        click.echo(f"Staff pages: {here}/staff (sign in as {known_as})")
    raise SystemExit(supervisor.run())


def _bound(address: str) -> tuple[str, str]:
    """How others find this address, and what hypercorn is to listen on.

    For port 0 a free one is taken here and now, so that it can be told.
    """
    host, _, port = address.rpartition(":")
    plain = host.strip("[]")
    shown = f"[{plain}]" if ":" in plain else plain
    if int(port):
        return f"{shown}:{port}", address
    family = socket.AF_INET6 if ":" in plain else socket.AF_INET
    taken = socket.create_server((plain, 0), family=family)
    return f"{shown}:{taken.getsockname()[1]}", f"fd://{taken.detach()}"


def _check(address: str, demo: bool) -> None:
    host, colon, port = address.rpartition(":")
    if not (colon and port.isdecimal() and int(port) <= LAST_PORT):
        raise click.UsageError(f'"{address}" is not HOST:PORT; try 127.0.0.1:8000')
    if demo and not _is_loopback(host.strip("[]")):
        raise click.UsageError(
            f"In demo mode the helpline listens on this machine only, not on {host}. Use"
            " 127.0.0.1, or set IVR_TWILIO_AUTH_TOKEN and IVR_PUBLIC_URL."
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
