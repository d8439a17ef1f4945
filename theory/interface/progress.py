"""Progress of long work on stderr: a bar in a terminal, and elsewhere a plain line every ten seconds.

A log file, or the output of a job on a cluster, is no place for a bar that is drawn again and again. There a line says
what is done and what is left:

    verify: 12 of 44 results, 31 s, about 83 s left (rotation_energy)
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sized

from theory import validation

__all__ = ["Lines", "asked", "progress_bar"]

EVERY = 10.0  # seconds from one line to the next


def progress_bar(
    iterable: Iterable | None = None,
    *,
    total: int | None = None,
    desc: str,
    unit: str,
    progress: bool | None = None,
    leave: bool = True,
):
    """A bar of tqdm in a terminal, `Lines` elsewhere: both are iterated, or updated, in a `with` block or to the end.

    Parameters
    ----------
    iterable : iterable, optional
        whose entries the bar passes on; without one, `update` is called.
    total : int, optional
        by default the length of `iterable`.
    desc, unit : str
        the name of the work, and of one of its parts.
    progress : bool, optional
        False shows nothing, True a bar even where stderr is no terminal.
    leave : bool
        whether the bar stays in the terminal when it is complete.
    """
    shown = asked(progress)
    if shown is None and not sys.stderr.isatty():
        return Lines(iterable, total=total, desc=desc, unit=unit)
    from tqdm import tqdm

    return tqdm(iterable, total=total, desc=desc, unit=unit, file=sys.stderr, disable=shown is False, leave=leave)


def asked(progress: bool | None) -> bool | None:
    """The argument `progress` of an experiment, checked."""
    return None if progress is None else validation.flag("progress", progress)


class Lines:
    """The part of a bar's interface that the project uses, as plain lines from a thread; none if the work is short."""

    def __init__(
        self,
        iterable: Iterable | None = None,
        *,
        total: int | None = None,
        desc: str,
        unit: str,
        every: float | None = None,
    ):
        self.iterable, self.desc, self.unit = iterable, desc, unit
        self.every = EVERY if every is None else every
        self.total = len(iterable) if total is None and isinstance(iterable, Sized) else total
        self.done, self.doing, self.begin = 0, "", time.monotonic()
        self.stream, self.ended = sys.stderr, threading.Event()
        self.thread = threading.Thread(target=self._write_lines, daemon=True)
        self.thread.start()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __iter__(self) -> Iterator:
        with self:
            for entry in self.iterable:
                yield entry
                self.update()

    def update(self, count: int = 1) -> None:
        self.done += count

    def set_postfix_str(self, text: str) -> None:
        self.doing = text

    def write(self, text: str, file=None) -> None:
        print(text, file=file or self.stream, flush=True)

    def close(self) -> None:
        self.ended.set()

    def line(self, seconds: float) -> str:
        """What is done after so many seconds, and what is left."""
        of = "" if self.total is None else f" of {self.total}"
        left = ""
        if self.done and self.total is not None and self.done < self.total:
            left = f", about {seconds / self.done * (self.total - self.done):.0f} s left"
        doing = f" ({self.doing})" if self.doing else ""
        return f"{self.desc}: {self.done}{of} {self.unit}s, {seconds:.0f} s{left}{doing}"

    def _write_lines(self) -> None:
        while not self.ended.wait(self.every):
            try:
                self.write(self.line(time.monotonic() - self.begin))
            except (OSError, ValueError):  # stderr is closed or full: nobody reads it
                return
