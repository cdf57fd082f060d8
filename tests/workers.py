"""Processes that do the same at the same moment, as several workers of a helpline may.

One process imports what they need, which takes longer than all that they do, and then becomes
several: each has its own arguments and its own output. Their input ends for all at once.
"""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).parent.parent
DRIVERS = "import aiosqlite, asyncpg"  # which the first use of a database imports


@dataclass
class Worker:
    """One of these processes: its id, and what it prints."""

    pid: int
    out: TextIO


@contextmanager
def started(script: str, arguments: Sequence[Sequence[str]]) -> Iterator[list[Worker]]:
    """Run a script in several processes, one for each list of arguments: each prints ``ready`` and
    reads its input. Then they go on, and the block begins; at its end all have ended, and none by
    an error of its own."""
    pipes = [os.pipe() for _ in arguments]
    work = [[given, list(each)] for (_, given), each in zip(pipes, arguments, strict=True)]
    first = subprocess.Popen(
        [sys.executable, __file__, json.dumps([script, work])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        pass_fds=[given for _, given in pipes],
    )
    with ExitStack() as open_files, first:
        for _, given in pipes:
            os.close(given)
        outs = [open_files.enter_context(os.fdopen(out)) for out, _ in pipes]
        assert first.stdin is not None
        assert first.stdout is not None
        pids = map(int, first.stdout.readline().split())
        workers = [Worker(pid, out) for pid, out in zip(pids, outs, strict=True)]
        for worker in workers:
            assert worker.out.readline() == "ready\n"
        first.stdin.close()
        yield workers
        assert first.wait() == 0


def run_at_once(script: str, arguments: Sequence[Sequence[str]]) -> list[str]:
    """Run a script as ``started`` does; return what each process prints."""
    with started(script, arguments) as workers:
        return [worker.out.read().strip() for worker in workers]


# --- the first process, and those that it becomes ------------------------------------------------


def become_many() -> None:
    """Import what the script imports, and run it in a process for each list of arguments."""
    script, work = json.loads(sys.argv[1])
    imports = [line for line in script.splitlines() if line.startswith(("import ", "from "))]
    exec("\n".join([DRIVERS, *imports]), {})
    pids = [forked(script, *each) for each in work]
    print(*pids, flush=True)
    for out, _ in work:
        os.close(out)
    ends = [os.waitpid(pid, 0)[1] for pid in pids]
    sys.exit(any(os.WIFEXITED(end) and os.WEXITSTATUS(end) for end in ends))


def forked(script: str, out: int, arguments: list[str]) -> int:
    """The id of a process that runs this script."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.dup2(out, 1)
        sys.argv[1:] = arguments
        exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})
        sys.stdout.flush()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    become_many()
