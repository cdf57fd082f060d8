"""Options of the whole test run, and the database that many tests need."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from databases import KINDS, new_url

from ivr.database import Database, upgrade


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden transcripts")


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database that is up to date: the test runs on SQLite, and again on PostgreSQL."""
    url = new_url(request.param, tmp_path)
    await upgrade(url)
    made = Database(url)
    yield made
    await made.close()
