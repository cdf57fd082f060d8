"""Options of the whole test run, and the database that many tests need."""

import faulthandler
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from pathlib import Path

import pytest
import yaml
from databases import KINDS, ready_url

from ivr.database import Database

PATIENCE = (  # of callers, and of whoever looks whether all is well
    "ivr.callbacks.planning.PATIENCE_S",
    "ivr.callbacks.service.PATIENCE_S",
    "ivr.conversation.SERVICE_SECONDS",
    "ivr.duty.service.PATIENCE_S",
    "ivr.health.PATIENCE_S",
    "ivr.messages.service.PATIENCE_S",
    "ivr.metrics.PATIENCE_S",
    "ivr.phone.calling.PATIENCE_S",
    "ivr.phone.legs.PATIENCE_S",
    "ivr.phone.texts.PATIENCE_S",
    "ivr.speech.on_demand.IN_TIME",
    "ivr.spool.PATIENCE_S",
)
EXIT_S = 60  # seconds: then whoever keeps the process from ending is named, and it ends


def pytest_unconfigure(config: pytest.Config) -> None:
    """A thread that never ends must not keep everybody waiting for tests that are over."""
    status = getattr(config, "exit_status", 1)

    def end() -> None:
        faulthandler.dump_traceback(sys.__stderr__, all_threads=True)
        os._exit(status)

    timer = threading.Timer(EXIT_S, end)
    timer.daemon = True
    timer.start()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    # pytest hands this object to both hooks, and has no place of its own for it.
    session.config.exit_status = int(exitstatus)  # type: ignore[attr-defined]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden transcripts")


@pytest.fixture(scope="session", autouse=True)
def files_parsed_once() -> Iterator[None]:
    """The same text of YAML is parsed once for all tests: nine tenths of reading a book. What the
    parser makes of it is never changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "compose", lru_cache(maxsize=1_000)(yaml.compose))
        yield


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[None]:
    """Nobody in this process gives up because the machine is slow: a caller would hear the other
    answer, which is not what is tested. Whoever tests just that sets the patience again."""
    with pytest.MonkeyPatch.context() as patch:
        for patience in PATIENCE:
            patch.setattr(patience, 60.0)
        yield


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database that is up to date: the test runs on SQLite, and again on PostgreSQL."""
    made = Database(ready_url(request.param, tmp_path), busy_ms=60_000)  # however slow the disk is
    yield made
    await made.close()
