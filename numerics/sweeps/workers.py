"""Batches of training runs on any `concurrent.futures.Executor`: processes, a Dask cluster, MPI.

A batch is a function of a module with plain arrays as arguments, so it can be sent to another process or machine. A
worker descends its runs one after another, without threads: workers do not compete for cores, and a run makes the same
steps as anywhere else. A bounded number of batches is sent at a time; they are collected in the order in which they
finish.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import connection
from multiprocessing.context import SpawnContext, SpawnProcess
from queue import SimpleQueue

import numpy as np

from numerics.kernels import descent
from numerics.kernels.descent import Limits, Outcomes
from numerics.kernels.digest import kernel_digest
from numerics.kernels.objective import Objective
from theory.interface import interrupts

__all__ = ["WORKERS", "collect", "descend_batch", "end_with_parent", "follow_parent"]

IN_FLIGHT = 512  # batches sent and not collected: enough for many workers, few enough to keep their copies in memory


def descend_batch(
    digest: str, thetas, weights, objective: Objective, perturbation, code: int, limits: Limits
) -> tuple[np.ndarray, Outcomes]:
    """`descent.descend` from each row of `thetas`; returns the parameters at the ends, and the outcomes.

    The arguments are the `kernel_digest` of the sender and those of `descent.descend_all` but for threads and
    outcomes. Runs that are no longer wanted are skipped.

    Raises
    ------
    RuntimeError
        if the kernels here are not those of the sender, which would make other runs.
    """
    if digest != kernel_digest():
        raise RuntimeError(
            f"the kernels of this worker have the digest {kernel_digest()}, those of the sweep have {digest}; install "
            "the same version of this project, numba and llvmlite on every worker, and restart the workers"
        )
    # Arrays from another process may be write-protected, a different type to the compiler.
    thetas, weights, perturbation, *parts = (
        np.array(array, order="C") for array in (thetas, weights, perturbation, *objective)
    )
    objective, limits = Objective(*parts), Limits(*limits)
    outcomes, history = Outcomes.of_none(len(thetas)), np.empty(0)
    for run in range(len(thetas)):
        if any(pipe.poll() for pipe in _pipes):
            break
        own = objective._replace(weights=weights[run])
        outcomes.put(run, descent.descend(thetas[run], own, perturbation, code, limits, history))
    return thetas, outcomes


class _Worker(SpawnProcess):
    """A process that ignores, from its first moment, the signals that its parent handles."""

    def start(self) -> None:
        if not hasattr(signal, "pthread_sigmask"):
            return super().start()
        # Signals blocked here stay blocked in a process that is started meanwhile.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def terminate(self) -> None:
        self.kill()


class _Workers(SpawnContext):
    """How to start workers: spawned, since a fork of a process with threads may hang."""

    Process = _Worker


WORKERS = _Workers()  # for ProcessPoolExecutor(mp_context=WORKERS, initializer=follow_parent, initargs=...)
_pipes: list[connection.Connection] = []  # in a worker: closed by its parent when no more results are wanted


def follow_parent(pipe: connection.Connection) -> None:
    """Make this worker ignore Ctrl-C, which its parent handles, and exit when its parent has ended.

    A parent that is killed cannot stop its workers, and they would wait for ever. When the parent closes the other end
    of the pipe, no more results are wanted, and the worker begins no further run.
    """
    _pipes.append(pipe)
    end_with_parent()


def end_with_parent(*pipes: connection.Connection, unless_held: AbstractContextManager | None = None) -> None:
    """Make this worker ignore Ctrl-C, and exit when its parent has ended or closes its end of one of the pipes.

    It waits for a lock that is held, `unless_held`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        connection.wait([parent.sentinel, *pipes])
        with unless_held or nullcontext():
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def collect(
    executor: Executor,
    function: Callable,
    batches: Iterable[tuple[slice, tuple]],
    take: Callable[[slice, tuple], None],
) -> Iterator[slice]:
    """Run `function(*arguments)` for each batch, a pair of a slice and arguments; `take` each result, yield its slice.

    After the first failure no batch is sent, those under way are awaited and yielded, and the failure is raised. An
    interrupt, or closing this generator (as an error of its consumer does), cancels waiting batches; those finished by
    then are taken. Interrupts are put off from the first step to the last, also while the consumer works.

    Raises
    ------
    Exception
        whatever the executor or a worker raised, the first of them.
    KeyboardInterrupt
        between two steps, never inside one: an executor that is interrupted while it holds a lock would never end.
    """
    batches, failure = iter(batches), None
    in_flight: dict[Future, slice] = {}
    finished: SimpleQueue[Future | None] = SimpleQueue()  # None wakes up the loop below after an interrupt
    with interrupts.put_off(lambda: finished.put(None)) as interrupt:
        try:
            while True:
                try:
                    while failure is None and len(in_flight) < IN_FLIGHT:
                        interrupt()
                        part, arguments = next(batches)
                        future = executor.submit(function, *arguments)
                        in_flight[future] = part
                        future.add_done_callback(finished.put)
                except StopIteration:
                    pass
                except Exception as error:  # a broken executor accepts no more batches
                    failure = error
                if not in_flight:
                    break
                future = finished.get()
                interrupt()
                if future is None:  # an interrupt that its handler ignored
                    continue
                part = in_flight.pop(future)
                try:
                    result = future.result()
                except Exception as error:
                    failure = failure or error
                else:
                    take(part, result)
                    yield part
        except BaseException:
            for future in in_flight:
                future.cancel()
            for future, part in in_flight.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    take(part, future.result())
            raise
    if failure is not None:
        raise failure
