"""The explorer as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]


@contextmanager
def explorer(*options: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """The address of a running explorer, and its process, which is ended if it still runs."""
    command = [sys.executable, "-m", "figures", "explore", "--no-browser", "--port", "0", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, **pipes) as process:
        line = process.stderr.readline()
        found = re.fullmatch(r"explore: (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)\n", line)
        try:
            assert found, line
            yield found[1], process
        finally:
            if process.poll() is None:
                interrupt(process)


def interrupt(process: subprocess.Popen, number: int = signal.SIGINT) -> tuple[int, str, str]:
    """Ctrl-C: the exit code, and what it has printed since it listens."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err
