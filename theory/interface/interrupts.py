"""What Ctrl-C does to a command: it ends with exit code 130 and one line, whenever it comes.

While a command is being loaded there is nothing to lose, and it ends at once. Later an interrupt raises
`KeyboardInterrupt`; what that sets off (workers that end, finished runs that are written and told) is not interrupted
by others that follow on its heels, as a signal to a process and to its group does, or an impatient hand. One that comes
`SAME` seconds later or more ends the command at once. When all is said, interrupts change nothing any more.

Imported before anything else, since libraries take a part of a second to load. Nothing here changes a program that
imports the packages: its signals are its own.
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

__all__ = ["INTERRUPTED", "also", "ignore", "put_off", "take"]

INTERRUPTED = 130  # the exit code: 128 + SIGINT, as shells have it
AGAIN = 0.05  # seconds until an interrupt that was lost is raised once more
COMMANDS = ("theory", "numerics", "figures")
SAME = 2.0  # seconds from the first interrupt, within which others are the same one

_came: list[float] = []  # when the first interrupt did


def take() -> None:
    """Treat Ctrl-C as the module says, in a process that is a command; not where it is ignored, as behind `nohup`."""
    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _end):
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _lost


def also(number: int) -> None:
    """Let another signal be an interrupt too, until the command ends; in other programs it stays what it is."""
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(number, _interrupt)


def ignore() -> None:
    """Ignore interrupts, if `take` has taken them: the command has ended, and its exit code stands."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_IGN)
    eval("None")  # else Python would end by the signal once more, if the first one came inside an `eval`


@contextmanager
def put_off(wake: Callable[[], None] = lambda: None) -> Iterator[Callable[[], None]]:
    """Interrupts of the block only call `wake`; what the block is given hands those that have come to their handlers.

    So does the end of the block. Of SIGINT and SIGTERM, those that a Python function handles.
    """
    came = []

    def note(*signal_and_frame) -> None:
        came.append(signal_and_frame)
        wake()

    def deliver() -> None:
        while came:
            number, frame = came.pop(0)
            handlers[number](number, frame)

    main = threading.current_thread() is threading.main_thread()  # others are not interrupted, and may set no handler
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if main}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, note)
    try:
        yield deliver
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    deliver()


def _interrupt(*_) -> None:
    if not _came:
        _came.append(time.monotonic())
        raise KeyboardInterrupt
    if time.monotonic() - _came[0] >= SAME:
        _end()


def _lost(what) -> None:
    """Raise an interrupt once more that came where no error can be raised, as in what a compiler calls back."""
    if not issubclass(what.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(what)
        return
    again = threading.Timer(AGAIN, _send)
    again.daemon = True
    again.start()


def _send() -> None:
    """Interrupt the main thread, also where it waits for the system."""
    _came.clear()
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()


def _end(*_) -> None:
    with suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


def _is_command(arguments: list[str], original: list[str]) -> bool:
    """Whether Python was told to run a command of these packages (`-m theory`), and is loading it.

    As long as it looks for what it will run, it says `-m` in place of the file; the name is in its own arguments.
    """
    name = "".join(original[-len(arguments) :][:1])
    name = name.partition("m")[2] if name.startswith("-") else name  # as in -mtheory
    return arguments[:1] == ["-m"] and name.removesuffix(".__main__") in COMMANDS


if (
    _is_command(getattr(sys, "argv", []), sys.orig_argv)
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
    signal.signal(signal.SIGINT, _end)
