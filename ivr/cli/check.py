"""``ivr check``: every mistake in the flows and prompts."""

import json

import click


@click.command(epilog="Example: ivr check --format json")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--strict", is_flag=True, help="Warnings count as problems too.")
def check(form: str, strict: bool) -> None:
    """Check the flows and prompts, and print every mistake with its place.

    Exits 1 if there are errors.
    """
    from ivr.book import read_book
    from ivr.config import load_settings

    settings = load_settings()
    reading = read_book(settings.flows, settings.prompts)
    if form == "json":
        found = [finding.as_dict() for finding in reading.findings]
        click.echo(json.dumps({"findings": found}, indent=1, ensure_ascii=False))
    else:
        for finding in reading.findings:
            click.echo(str(finding))
        if reading.loaded and not reading.findings:
            book = reading.loaded.book
            click.echo(f"No mistakes in {len(book.steps)} steps and {len(book.prompts)} prompts.")
    errors = [finding for finding in reading.findings if finding.severity == "error"]
    raise SystemExit(1 if errors or (strict and reading.findings) else 0)
