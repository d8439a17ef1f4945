"""Drawing figures, one after another in this process or several at a time in others, with the same bytes.

Every figure computes with one thread of the BLAS, whatever the number of processes, since the order of a sum may depend
on the threads. A process writes each figure whole; it ends when its parent ends or wants no more figures, but not while
it writes.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path

from threadpoolctl import threadpool_limits

from figures.kit.table import NotCompared
from figures.registry import PNG_DPI, FigureEntry, every_figure, file_name
from numerics.comparison import Comparison
from numerics.sweeps.compiled_once import compile_once
from numerics.sweeps.workers import WORKERS, collect, end_with_parent
from theory.interface.garbage import collect_rarely

__all__ = ["Drawn", "Look", "drawn_figures"]

Report = Callable[[str, str], object]  # of a figure's name and a message


@dataclass(frozen=True)
class Look:
    """How a figure is drawn: in which formats, whole or one panel alone, and the pixels in an inch of a png."""

    formats: list[str]
    panel: str | None = None
    dpi: int = PNG_DPI


@dataclass(frozen=True)
class Drawn:
    """A figure that is written: its files, the comparisons, and the lines of theory that nothing is compared with."""

    name: str
    files: list[Path]
    comparisons: tuple[Comparison, ...]
    without_comparison: tuple[NotCompared, ...]


def drawn_figures(
    chosen: Sequence[FigureEntry],
    folder: Path,
    look: Look,
    quick: bool,
    data: dict,
    commands: Mapping[str, str],
    jobs: int,
    report: Report,
) -> Iterator[Drawn]:
    """Draw the chosen figures, and yield each as soon as it is written.

    Parameters
    ----------
    chosen, folder, look, quick
        which figures, where to, and how.
    data : dict
        options of the figures that take the user's data.
    commands : mapping
        the command that draws a figure, by its name; for the captions.
    jobs : int
        processes; 1 draws in this one.
    report
        receives the name of a figure and what it does now.

    Raises
    ------
    ValueError
        if a process ends before it is done, as when memory runs out.
    """
    tasks = [
        (entry.name, folder, look, quick, data if entry.takes_data else {}, commands[entry.name]) for entry in chosen
    ]
    if jobs == 1 or len(chosen) < 2:
        yield from (_draw(*task, report) for task in tasks)
        return
    compile_once()
    # The longest first, so that the last process to end does not end long after the others.
    tasks = sorted(tasks, key=lambda task: -every_figure()[task[0]].share)
    found: list[Drawn] = []
    batches = ((slice(at, at + 1), task) for at, task in enumerate(tasks))
    try:
        with (
            _pool(min(jobs, len(tasks)), report) as pool,
            closing(collect(pool, _draw_in_worker, batches, lambda _, one: found.append(one))) as finished,
        ):
            for _ in finished:
                yield found[-1]
    except BrokenExecutor:
        raise ValueError(
            "--jobs must leave each process its memory: one ended before its figure was done; pass a smaller number"
        ) from None


def _draw(name: str, folder: Path, look: Look, quick: bool, data: dict, command: str, report: Report) -> Drawn:
    from figures.kit.output import draw, write  # with matplotlib, which a process that draws nothing does without

    entry = every_figure()[name]
    with threadpool_limits(1, user_api="blas"):
        table = entry.module.data(quick=quick, progress=lambda message: report(name, message), **data)
    with _writing:
        figure = draw(entry.module, table, look.panel, dpi=look.dpi)
        stem = file_name(name, look.panel)
        files = write(folder, stem, figure, look.formats, command=command, stands_for=entry.stands_for)
    return Drawn(name, files, table.comparisons, table.without_comparison)


@contextmanager
def _pool(count: int, report: Report) -> Iterator[ProcessPoolExecutor]:
    """Processes that pass on their messages, and end at once if the block is left by an error or an interrupt."""
    messages = WORKERS.SimpleQueue()

    def listen() -> None:
        while (message := messages.get()) is not None:
            report(*message)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    theirs, ours = WORKERS.Pipe(duplex=False)
    try:
        with theirs, ours, ProcessPoolExecutor(count, WORKERS, _begin, (theirs, messages, count)) as pool:
            try:
                yield pool
            except BaseException:
                ours.close()  # else the pool would wait for the figures under way
                raise
    finally:
        messages.put(None)
        listener.join()


_writing = threading.Lock()  # held while files are written
_messages: list[multiprocessing.SimpleQueue] = []  # in a worker: where its messages go


def _begin(pipe: connection.Connection, messages, count: int) -> None:
    """Ignore Ctrl-C, which the parent handles, and end with the parent, or when it closes its end of the pipe."""
    from numba import set_num_threads

    from theory.interface.processors import usable_processors

    collect_rarely()
    _messages.append(messages)
    set_num_threads(max(1, usable_processors() // count))
    end_with_parent(pipe, unless_held=_writing)


def _draw_in_worker(*task) -> Drawn:
    (messages,) = _messages
    return _draw(*task, lambda name, message: messages.put((name, message)))
