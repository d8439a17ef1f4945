"""Ctrl-C ends a command with exit code 130 and one line, whenever it comes, and changes no other program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from theory.interface import interrupts

ROOT = Path(__file__).parents[3]

COMMAND = """
import argparse, signal, sys, time
from theory.interface import interrupts
from theory.interface.report import Report
from theory.interface.run import Parser, add_command, run_command

def work(arguments):
{work}
    return Report({{}}, "done")

parser = Parser(prog="python -m something")
add_command(parser.add_subparsers(), "work", work, "", "")
sys.argv[1:] = ["work"]
code = run_command(parser)
{after}
sys.exit(code)
"""


def run(work: str, after: str = "") -> subprocess.CompletedProcess:
    code = COMMAND.format(work="\n".join(f"    {line}" for line in work.strip().splitlines()), after=after)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)


def end_of(done: subprocess.CompletedProcess) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


INTERRUPTED = (130, "", "python -m something: interrupted\n")


@pytest.mark.parametrize("options", [["-m", "theory"], ["-Bmtheory"], ["-m", "theory.__main__"]])
def test_while_a_command_is_being_loaded(options):
    """`sys.argv` has `-m` while Python looks for the command; the interrupt comes while a slow module is loaded."""
    code = (
        f"import sys; sys.argv = ['-m', 'optimum']; sys.orig_argv = ['python', *{options}, 'optimum']; "
        "import theory, signal; signal.raise_signal(signal.SIGINT)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert end_of(done) == (130, "", "interrupted\n")


@pytest.mark.parametrize("module", ["other", "other.part"])
def test_another_command_that_loads_the_packages_keeps_its_signals(tmp_path, module):
    """Its package may import ours while Python still looks for the module to run; Ctrl-C remains its own."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "__init__.py").write_text("import theory\n")
    for name in ("__main__", "part"):
        (tmp_path / "other" / f"{name}.py").write_text("import signal\nprint(signal.getsignal(signal.SIGINT))\n")
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", module, "theory"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
        timeout=60,
    )
    assert end_of(done) == (0, f"{signal.default_int_handler}\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("package", ["theory", "numerics", "figures"])
def test_a_command_is_ready_for_it_before_it_loads_anything(package):
    """The signal comes while NumPy is loaded, which all commands load first: a module in its place sends it."""
    code = f"""
import runpy, signal, sys, types
class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "numpy":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.argv, sys.orig_argv = ["-m"], ["python", "-m", "{package}"]
import {package}.__main__
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert end_of(done) == (130, "", "interrupted\n")


def test_a_second_interrupt_during_the_clean_up_changes_nothing():
    assert end_of(run("signal.raise_signal(signal.SIGINT)")) == INTERRUPTED
    assert end_of(run("eval('signal.raise_signal(signal.SIGINT)')")) == INTERRUPTED
    work = """
try:
    signal.raise_signal(signal.SIGINT)
finally:
    for _ in range(3):
        signal.raise_signal(signal.SIGINT)
    print("written", flush=True)
"""
    assert end_of(run(work)) == (130, "written\n", "python -m something: interrupted\n")


def test_a_later_interrupt_ends_the_command_at_once():
    work = """
interrupts.GRACE_SECONDS = 0.0
try:
    signal.raise_signal(signal.SIGINT)
finally:
    signal.raise_signal(signal.SIGINT)
    print("never")
"""
    assert end_of(run(work)) == (130, "", "interrupted\n")


def test_an_interrupt_where_nothing_can_be_raised_is_raised_again():
    work = """
class Last:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
Last()
time.sleep(20)
"""
    start = time.monotonic()
    assert end_of(run(work)) == INTERRUPTED
    assert time.monotonic() - start < 15


def test_after_the_result_it_changes_nothing():
    assert end_of(run("pass", "signal.raise_signal(signal.SIGINT)")) == (0, "done\n", "")
    after = "signal.raise_signal(signal.SIGINT)"
    assert end_of(run("raise KeyboardInterrupt", after)) == INTERRUPTED


def test_where_it_is_ignored_it_stays_ignored():
    work = "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN; signal.raise_signal(signal.SIGINT)"
    code = COMMAND.format(work=f"    {work}", after="")
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    done = subprocess.run([sys.executable, "-c", ignored + code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert end_of(done) == (0, "done\n", "")


def test_another_signal_is_an_interrupt_only_if_treated_as_one():
    work = "interrupts.treat_as_interrupt(signal.SIGTERM)\nsignal.raise_signal(signal.SIGTERM)"
    assert end_of(run(work)) == INTERRUPTED
    assert run("signal.raise_signal(signal.SIGTERM)").returncode == -signal.SIGTERM


def test_another_program_keeps_its_signals():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    interrupts.treat_as_interrupt(signal.SIGTERM)
    interrupts.ignore()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_put_off_until_wanted_or_the_end():
    woken, handled = [], []
    before = signal.signal(signal.SIGTERM, lambda *_: handled.append("by its handler"))
    try:
        with interrupts.put_off(lambda: woken.append(True)) as deliver:
            signal.raise_signal(signal.SIGTERM)
            assert (woken, handled) == ([True], [])
            deliver()
            assert handled == ["by its handler"]
            signal.raise_signal(signal.SIGTERM)
        assert len(handled) == 2
        with pytest.raises(KeyboardInterrupt), interrupts.put_off():
            signal.raise_signal(signal.SIGINT)
            handled.append("all of the block")
        assert handled[-1] == "all of the block"
    finally:
        signal.signal(signal.SIGTERM, before)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
