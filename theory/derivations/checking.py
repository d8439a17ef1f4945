"""Checks many pages of the book at once, each in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import active_children, get_context

from theory.derivations.engine.check import StepCheck, check_derivation
from theory.derivations.engine.page import Derivation
from theory.interface.garbage import collect_rarely
from theory.interface.interrupts import put_off
from theory.interface.processors import usable_processors
from theory.interface.progress import progress_bar

__all__ = ["check_pages"]

FEW_STEPS = 30  # up to so many steps a process would take longer to start than to check them
PATIENCE = 0.2  # seconds between two looks at interrupts


def check_pages(pages: Sequence[Derivation], *, processes: int | None = None) -> dict[str, list[StepCheck]]:
    """The checks of all steps of pages, by the name of the page; progress goes to stderr.

    Parameters
    ----------
    pages : sequence of Derivation
    processes : int, optional
        the number of processors by default, and one, the calling process, for a few steps.
    """
    steps = sum(len(page.steps) for page in pages)
    if processes is None:
        processes = 1 if steps <= FEW_STEPS else usable_processors()
    with progress_bar(total=steps, desc="checking", unit="step") as bar:
        if processes == 1:
            done = {page.name: _noted(bar, page.name, list(check_derivation(page))) for page in pages}
        else:
            done = _in_processes(pages, processes, bar)
    return {page.name: done[page.name] for page in pages}


def _in_processes(pages: Sequence[Derivation], processes: int, bar) -> dict[str, list[StepCheck]]:
    """Every page in its turn, the longest first; an interrupt is taken between two looks at what is done."""
    done = {}
    names = [page.name for page in sorted(pages, key=lambda page: -len(page.steps))]
    workers = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=collect_rarely)
    with put_off() as deliver, workers as executor:
        others = set(active_children())
        waiting = {executor.submit(_check_named, name): name for name in names}
        try:
            while waiting:
                deliver()
                finished, _ = wait(waiting, PATIENCE, FIRST_COMPLETED)
                for future in finished:
                    name = waiting.pop(future)
                    done[name] = _noted(bar, name, future.result())
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            for worker in set(active_children()) - others:  # not when their pages are done
                worker.terminate()
            raise
    return done


def _check_named(name: str) -> list[StepCheck]:
    from theory.derivations.registry import find

    (page,) = find([name])
    return list(check_derivation(page))


def _noted(bar, name: str, checks: list[StepCheck]) -> list[StepCheck]:
    bar.set_postfix_str(name)
    bar.update(len(checks))
    return checks
