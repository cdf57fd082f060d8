"""The ``ivr`` command for the tests: in this process, or as a process of its own.

A process takes a second to start, most of it imports; what a command says, and its exit status, are
the same without one. ``tests/test_cli.py`` holds that to be so.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ivr.cli import main

IVR = (sys.executable, "-c", "from ivr.cli import main; main()")


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Command:
    """The command, with settings of its own and in a folder of its own; nothing else of ours is
    set."""

    folder: Path
    settings: Mapping[str, str]

    def __call__(self, *arguments: str, stdin: str = "", **settings: str) -> Done:
        """Run it in this process. What it does not catch is raised: it would be a traceback."""
        ours = dict.fromkeys(name for name in os.environ if name.startswith("IVR_"))
        env: dict[str, str | None] = {**ours, **self.settings, **settings}
        with chdir(self.folder):
            ran: Any = CliRunner().invoke(
                main, arguments, stdin, env, catch_exceptions=False, prog_name="ivr"
            )
        return Done(ran.exit_code, ran.stdout, ran.stderr)

    def alone(self, *arguments: str, stdin: str = "", **settings: str) -> Done:
        """Run it as people and scripts do, in a process of its own."""
        done = subprocess.run(
            [*IVR, *arguments],
            env=self.environment | settings,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it as a process that goes on running."""
        return subprocess.Popen(
            [*IVR, *arguments],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment that a process of its own is given."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IVR_")}
        return kept | dict(self.settings)
