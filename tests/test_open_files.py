"""The limit of open files: each connection is one, and strangers may hold many."""

import json
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from commands import IVR, Command

from ivr.open_files import highest, raise_limit
from tests.databases import ready_url
from tests.helplines import PATIENCE, Helpline, process, settings_of

SOFT = 100  # more than an idle helpline needs, fewer than the connections of these tests
HELD = 200


def limited(option: str, to: int) -> tuple[str, ...]:
    """A command that runs another with this limit of open files: ``-Sn`` is the soft one, ``-n``
    both."""
    return ("sh", "-c", f'ulimit {option} {to} && exec "$@"', "sh")


def test_a_call_is_answered_while_strangers_hold_more_lines_than_the_soft_limit(
    tmp_path: Path,
) -> None:
    """Started directly by Hypercorn, without `ivr serve`, which could prepare the process."""
    ready_url("sqlite", tmp_path)
    with process(tmp_path, wrapper=limited("-Sn", SOFT)) as line, ExitStack() as held:
        menu = line.play()
        for _ in range(HELD):
            held.enter_context(half_sent(line))
        assert line.post(menu.action, "1").page.goes_on
        if sys.platform == "linux":
            soft, hard = resource.prlimit(line.running.pid, resource.RLIMIT_NOFILE)
            assert soft == hard


def half_sent(line: Helpline) -> socket.socket:
    wire = socket.create_connection(("127.0.0.1", line.port), timeout=PATIENCE)
    wire.sendall(b"POST /voice HTTP/1.1\r\nHost: x\r\nX-Twilio-Sig")
    return wire


def told(tmp_path: Path, *wrapper: str) -> dict[str, str]:
    """What `ivr doctor` says of open files."""
    settings = settings_of(tmp_path, "https://line.example")
    command = Command(tmp_path, settings)
    done = subprocess.run(
        [*wrapper, *IVR, "doctor", "--json"],
        env=command.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return next(one for one in json.loads(done.stdout) if one["what"] == "open files")


@pytest.mark.parametrize(("most", "state"), [(1_000, "note"), (5_000, "ok")])
def test_the_doctor_tells_how_many_may_be_open_and_the_remedy(
    tmp_path: Path, most: int, state: str
) -> None:
    sign = told(tmp_path, *limited("-n", most))
    assert sign["state"] == state
    assert f"{most:,}" in sign["said"]
    assert ("LimitNOFILE=" in sign["said"]) == (state == "note")


def test_a_system_without_such_a_limit_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no module `resource`."""
    monkeypatch.setitem(sys.modules, "resource", None)
    raise_limit()
    assert highest() is None


def test_a_system_that_refuses_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """macOS does not set an infinite limit, though it names one."""

    def refuse(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    raise_limit()
    assert "the limit of open files stays at" in caplog.text
