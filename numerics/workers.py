"""Batches of training runs on any `concurrent.futures.Executor`: processes, a Dask cluster, MPI.

A batch is a task of its own, a function of a module and plain arrays, so it can be sent to another process or machine.
A worker descends its runs one after another, without threads: workers do not compete for cores, and a run makes the
same steps as anywhere else. Batches are sent off a bounded number at a time and collected in the order they finish.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from multiprocessing import connection
from multiprocessing.context import SpawnContext, SpawnProcess
from queue import SimpleQueue

import numpy as np

from numerics import kernels_training as kernels
from theory import interrupts

__all__ = ["WORKERS", "collect", "descend_batch", "follow_parent"]

IN_FLIGHT = 512  # batches sent off and not collected: enough for many workers, few enough to hold their copies


def descend_batch(thetas, roots, latent_dim, weights, partitions, precision, mask, kick, *settings) -> tuple:
    """`kernels.descend` from each row of `thetas`; returns (parameters, steps, losses, gradient norms, ends).

    The arguments are those of `kernels.descend_all` but for the outputs. What is not wanted any more is not run.
    """
    # What another process sends may be write-protected, which would be another type to the compiler.
    thetas, roots, weights, partitions, precision, mask, kick = (
        np.array(array, order="C") for array in (thetas, roots, weights, partitions, precision, mask, kick)
    )
    runs, history = len(thetas), np.empty(0)
    steps, ends = np.zeros(runs, dtype=np.int64), np.full(runs, kernels.NOT_RUN)
    losses, norms = np.zeros(runs), np.zeros(runs)
    for run in range(runs):
        if any(end.poll() for end in _ends):
            break
        objective = (weights[run], partitions, precision)
        steps[run], losses[run], norms[run], ends[run] = kernels.descend(
            thetas[run], roots, latent_dim, objective, mask, kick, *settings, history
        )
    return thetas, steps, losses, norms, ends


class _Worker(SpawnProcess):
    """A process that is deaf, from its first moment, to signals that are for its parent to handle."""

    def start(self) -> None:
        if not hasattr(signal, "pthread_sigmask"):
            return super().start()
        # What is blocked here stays blocked in a process that is started meanwhile.
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
_ends: list[connection.Connection] = []  # of a worker: of the pipe by which its parent says that all is over


def follow_parent(end: connection.Connection) -> None:
    """Make this worker deaf to Ctrl-C, which is for its parent to handle, and end it when its parent has ended.

    However the parent ended: one that is killed tells its workers nothing, and they would wait for it for ever. And
    when the parent closes the other end of a pipe, nothing is wanted any more, so that no further run is begun.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _ends.append(end)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def collect(
    executor: Executor,
    function: Callable,
    batches: Iterable[tuple[slice, tuple]],
    take: Callable[[slice, tuple], None],
    keep: Callable[[slice], None],
) -> None:
    """Run `function(*arguments)` for each batch, a pair of a slice and arguments; `take` each result, then `keep` it.

    After the first failure nothing more is sent off, what is under way is awaited and kept, and the failure is raised.
    An interrupt, or an error of `keep`, cancels what waits; what has finished by then is taken, and kept by the caller.

    Raises
    ------
    Exception
        whatever the executor or a worker raised, the first of them.
    KeyboardInterrupt
        between two steps, never inside one: an executor that is interrupted while it holds a lock never ends.
    """
    batches, failure = iter(batches), None
    in_flight: dict[Future, slice] = {}
    finished: SimpleQueue[Future | None] = SimpleQueue()  # None wakes up who waits for a future, after an interrupt
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
                except Exception as error:  # a broken executor takes nothing more
                    failure = error
                if not in_flight:
                    break
                future = finished.get()
                interrupt()
                if future is None:  # an interrupt that its handler let pass
                    continue
                try:
                    result = future.result()
                except Exception as error:
                    failure = failure or error
                else:
                    take(in_flight[future], result)
                    keep(in_flight[future])
                del in_flight[future]
        except BaseException:
            for future in in_flight:
                future.cancel()
            for future, part in in_flight.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    take(part, future.result())
            raise
    if failure is not None:
        raise failure
