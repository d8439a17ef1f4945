"""Pages are checked in processes of their own, with the same outcome as in one."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

from theory.derivations import checking
from theory.derivations.registry import find


def without_times(checks):
    return {name: [dataclasses.replace(check, seconds=0) for check in of_page] for name, of_page in checks.items()}


def test_processes_give_what_one_process_gives(capsys):
    pages = find(["water-filling", "hadamard-gap", "granularity-slope"])
    alone, together = checking.check_pages(pages, processes=1), checking.check_pages(pages, processes=2)
    assert without_times(alone) == without_times(together)
    assert list(together) == [page.name for page in pages]
    assert all(check.passed for of_page in together.values() for check in of_page)
    capsys.readouterr()


def test_many_pages_take_processes_and_few_take_none(monkeypatch):
    asked = []
    monkeypatch.setattr(
        checking, "_in_processes", lambda pages, count, bar: asked.append(count) or dict.fromkeys(names)
    )
    pages = find(["inference"])
    names = [page.name for page in pages]
    monkeypatch.setattr(checking, "usable_processors", lambda: 7)
    checking.check_pages(pages)
    assert asked == [7]
    checking.check_pages(find(["water-filling"]))
    assert asked == [7]


def test_an_interrupt_ends_it():
    command = [sys.executable, "-m", "theory", "derive", "--check"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        time.sleep(8)
        os.killpg(process.pid, signal.SIGINT)
        shown, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert shown == ""
    assert "Traceback" not in errors
