"""``ivr check``: every mistake in the flows, the prompts and the data beside them."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ivr.yamlfile import Finding


@click.command(epilog="Example: ivr check --format json")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--strict", is_flag=True, help="Warnings count as problems too.")
def check(form: str, strict: bool) -> None:
    """Check the flows, the prompts and the data, and print every mistake with its place.

    Also warns of prompts that should have been read again by today. Exits 1 if there are errors.
    """
    from ivr.book import read_book
    from ivr.config import load_settings
    from ivr.house import SERVICES

    settings = load_settings()
    reading = read_book(settings.flows, settings.prompts, date.today(), SERVICES)
    findings = sorted((*reading.findings, *_in_data(settings.flows.resolve())))
    if form == "json":
        found = [finding.as_dict() for finding in findings]
        click.echo(json.dumps({"findings": found}, indent=1, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(str(finding))
        if reading.loaded and not findings:
            book = reading.loaded.book
            click.echo(f"No mistakes in {len(book.steps)} steps and {len(book.prompts)} prompts.")
    errors = [finding for finding in findings if finding.severity == "error"]
    raise SystemExit(1 if errors or (strict and findings) else 0)


def _in_data(flows: Path) -> list["Finding"]:
    """The mistakes in what services know: the hours, the councils and the places."""
    from ivr.directory.loading import read_councils
    from ivr.directory.places import read_whereabouts
    from ivr.hours import read_hours
    from ivr.yamlfile import Report, shown

    report, data = Report(), flows / "data"
    if flows.is_dir():  # if not, that is told already
        hours = data / "hours.yaml"
        read_hours(hours, shown(hours, flows.parent), report)
        read_councils(data, shown(data, flows.parent), report)
        read_whereabouts(data, shown(data, flows.parent), report)
    return report.findings
