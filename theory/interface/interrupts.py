"""What Ctrl-C does to a command: at any time, the command ends with exit code 130 and one line.

**While a command is loaded** there is nothing to lose, and it ends at once. This module is imported before anything
else, since libraries take a part of a second to load.

**While it runs** the first interrupt raises `KeyboardInterrupt`. The clean-up that follows (workers shut down, finished
runs are written and reported) is not interrupted by further signals within `GRACE_SECONDS`, such as those that both a
process and its group receive. A later one ends the command at once.

**Once its result is printed** interrupts are ignored.

A program that imports the packages keeps its own signal handlers.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["INTERRUPTED", "ignore", "install", "put_off", "treat_as_interrupt"]

INTERRUPTED = 130  # the exit code: 128 + SIGINT, as in shells
RETRY_SECONDS = 0.05  # seconds until a lost interrupt is raised again
COMMANDS = ("theory", "numerics", "figures")
GRACE_SECONDS = 2.0  # seconds after the first interrupt, within which further ones count as the same

_first: list[float] = []  # the time of the first interrupt


def install() -> None:
    """Handle Ctrl-C as described above, in a process that is a command, unless it is ignored as under `nohup`."""
    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _end):
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _raise_again


def treat_as_interrupt(number: int) -> None:
    """Treat another signal like Ctrl-C until the command ends; in other programs nothing changes."""
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(number, _interrupt)


def ignore() -> None:
    """Ignore interrupts if `install` handles them: the command has ended, and its exit code is decided."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_IGN)
    eval("None")  # after an interrupt inside an `eval`, Python would otherwise end by the signal at its exit


@contextmanager
def put_off(wake: Callable[[], None] = lambda: None) -> Iterator[Callable[[], None]]:
    """Postpone interrupts: within the block they only call `wake`, and its end passes them to their handlers.

    The block receives a function that passes on those that have arrived so far. Concerns SIGINT and SIGTERM, where a
    Python function handles them.
    """
    arrived = []

    def note(*signal_and_frame) -> None:
        arrived.append(signal_and_frame)
        wake()

    def deliver() -> None:
        while arrived:
            number, frame = arrived.pop(0)
            handlers[number](number, frame)

    # Threads other than the main one are not interrupted, and may not set handlers.
    main = threading.current_thread() is threading.main_thread()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if main}
    handlers = {number: handler for number, handler in previous.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, note)
    try:
        yield deliver
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    deliver()


def _interrupt(*_) -> None:
    if not _first:
        _first.append(time.monotonic())
        raise KeyboardInterrupt
    if time.monotonic() - _first[0] >= GRACE_SECONDS:
        _end()


def _raise_again(unraisable) -> None:
    """Raise an interrupt again that came where no error can be raised, such as in a callback of a compiler."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    again = threading.Timer(RETRY_SECONDS, _send)
    again.daemon = True
    again.start()


def _send() -> None:
    """Interrupt the main thread, even while it waits in a system call."""
    _first.clear()
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()


def _end(*_) -> None:
    with suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


def _is_command(arguments: list[str], original: list[str]) -> bool:
    """Whether Python was started to run a command of these packages (`-m theory`), and is loading it.

    While Python looks for the module, `sys.argv` has `-m` in place of the file; the name is in `sys.orig_argv`.
    """
    name = "".join(original[-len(arguments) :][:1])
    name = name.partition("m")[2] if name.startswith("-") else name  # as in -mtheory
    return arguments[:1] == ["-m"] and name.removesuffix(".__main__") in COMMANDS


if (
    _is_command(getattr(sys, "argv", []), sys.orig_argv)
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
    signal.signal(signal.SIGINT, _end)
