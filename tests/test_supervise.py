"""The line stays up: `ivr serve` replaces a serving process that dies, or ends and says why."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.databases import ready_url
from tests.helplines import PATIENCE, ROOT, Helpline, process, settings_of, wait_for

PUBLIC = "https://line.example"
SERVE = """
import sys
from ivr.cli import main, supervise
command = sys.modules["ivr.cli.serve"]
{}
main()
"""
QUICK = "supervise.FAILURES, supervise.FIRST_PAUSE_S = 2, 0.0"  # gives up sooner, without pauses
CALLERS, TURNS = 4, 30

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills processes")


@dataclass
class Served(Helpline):
    """A helpline that `ivr serve` serves."""

    running: subprocess.Popen[str] = field(kw_only=True)
    log: Path = field(kw_only=True)

    def workers(self) -> list[int]:
        """The ids of all worker processes so far, the last one last."""
        return [int(pid) for pid in re.findall(r"worker (\d+) starts", self.log.read_text())]

    def kill_worker(self) -> int:
        """Kill the last worker once it serves; return its id."""
        self.is_up()
        os.kill(pid := self.workers()[-1], signal.SIGKILL)
        wait_for(lambda: f"worker {pid} died of SIGKILL" in self.log.read_text())
        return pid

    def is_up(self) -> None:
        assert self.send("GET", "/healthz").status == 200

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Ask it to stop; return its exit status."""
        self.running.send_signal(how)
        return self.running.wait(PATIENCE)


@contextmanager
def serving(folder: Path, bind: str = "127.0.0.1:0", prepare: str = "") -> Iterator[Served]:
    """Run `ivr serve`, in this folder; ``prepare`` is what Python does before."""
    settings = settings_of(folder / "var", PUBLIC)
    del settings["IVR_SPEECH"]
    (folder / ".env").write_text("IVR_SPEECH=say\n")
    ready_url("sqlite", folder / "var")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IVR_")}
    log = folder / "log"
    with log.open("w") as written:
        running = subprocess.Popen(
            [sys.executable, "-c", SERVE.format(prepare), "serve", "--bind", bind],
            env=kept | settings,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
            start_new_session=True,
        )
    assert running.stdout
    try:
        found = re.search(r"on 127\.0\.0\.1:(\d+)\. Stop with Ctrl-C", running.stdout.readline())
        assert found, log.read_text()
        yield Served(int(found[1]), PUBLIC, running=running, log=log)
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "var").mkdir()
    return tmp_path


# --- a worker dies -------------------------------------------------------------------------------


def takes_turns(line: Helpline) -> int:
    """Take the turns of a call, and again those that failed; return how many these were."""
    caller, action, failed = line.another_caller(), "/voice", 0
    for _ in range(TURNS):
        try:
            page = caller.post(action, "#").page
        except (OSError, HTTPException):  # Twilio would ask its fallback address, and then again
            failed += 1
            page = caller.post(action, "#").page
        action = page.action
    return failed


def test_calls_go_on_after_their_worker_was_killed(folder: Path) -> None:
    """Each caller loses at most the turn that was being answered: who comes while there is no
    worker waits for the next. The log says who died, and of what."""
    with serving(folder) as line:
        menu = line.play()
        with ThreadPoolExecutor(CALLERS) as callers:
            calls = [callers.submit(takes_turns, line) for _ in range(CALLERS)]
            killed = line.kill_worker()
            assert all(call.result() <= 1 for call in calls)
        assert line.post(menu.action, "1").page.goes_on
        assert re.search(rf"ERROR ivr\S*: worker {killed} died of SIGKILL", line.log.read_text())
        assert len(line.workers()) == 2
        assert line.stop() == 0


def test_a_worker_that_served_is_replaced_however_often_it_is_killed(folder: Path) -> None:
    with serving(folder, prepare=QUICK) as line:
        for _ in range(3):
            line.kill_worker()
        line.is_up()
        assert "before it served" not in line.log.read_text()


def test_of_two_workers_the_other_one_goes_on(folder: Path) -> None:
    """As many as the configuration says are started, and started again."""
    config, shipped = folder / "hypercorn.toml", (ROOT / "hypercorn.toml").read_text()
    config.write_text(shipped.replace("workers = 0", "workers = 2"))
    prepare = f"from pathlib import Path; command.HYPERCORN = Path({str(config)!r})"
    with serving(folder, prepare=prepare) as line:
        wait_for(lambda: len(line.workers()) == 2)
        line.kill_worker()
        line.is_up()
        wait_for(lambda: len(line.workers()) == 3)
        assert line.stop() == 0


def test_workers_that_die_before_they_serve_end_the_whole_with_an_error(folder: Path) -> None:
    """A setting was broken while the line was up, which a worker only sees when it starts."""
    with serving(folder, prepare=QUICK) as line:
        line.is_up()
        (folder / ".env").write_text("IVR_SPEECH=shouting\n")
        line.kill_worker()
        assert line.running.wait(PATIENCE) == 1
        log = line.log.read_text()
        assert log.count("died of exit status 1, before it served") == 2
        assert "IVR_SPEECH" in log
        assert log.splitlines()[-1].endswith(
            "2 workers in a row died before they served: giving up"
        )


# --- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("serves", [True, False])
def test_it_ends_with_its_workers_when_it_is_asked_to(folder: Path, how: int, serves: bool) -> None:
    """Also while the first worker only starts. Ctrl-C reaches the workers as well."""
    with serving(folder) as line:
        if serves:
            line.is_up()
        if how == signal.SIGINT:
            os.killpg(line.running.pid, how)
        assert line.stop(how) == 0
        log = line.log.read_text()
        assert not any(map(is_there, line.workers()))
        assert "died" not in log
        assert "Traceback" not in log


def test_a_worker_whose_supervisor_is_killed_lets_go_of_the_port(folder: Path) -> None:
    """So another one can take over."""
    with serving(folder) as line:
        line.is_up()
        line.running.kill()
        line.running.wait()
        wait_for(lambda: not listens(line.port))
    with serving(folder, bind=f"127.0.0.1:{line.port}") as again:
        again.is_up()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_directly_under_hypercorn_a_kill_is_seen_by_whatever_started_it(tmp_path: Path) -> None:
    """The process that was started is the one that serves: systemd sees how it ended."""
    ready_url("sqlite", tmp_path)
    with process(tmp_path) as line:
        assert line.play().goes_on
        line.kill()
        assert line.running.returncode == -signal.SIGKILL
