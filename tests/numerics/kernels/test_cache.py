"""Compiled kernels are kept by version; and where they go in an installation that cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import numerics
import theory
from numerics.kernels import cache
from numerics.kernels.digest import kernel_digest

# A small kernel that calls a function in another file: what it computes, and whether it was taken from the cache.
CALLER = """
import numpy as np
from numerics.kernels import cache, objective
loss = objective.Objective(np.ones(1), np.ones(4), np.zeros((3, 0), dtype=int), np.eye(0), np.ones(1))
found = objective.rounding_error(np.zeros(1), loss, 0.0) / objective.ROUNDING
print(found, sum(objective.rounding_error.stats.cache_hits.values()), cache._folder() is not None)
"""
# Mounts two folders as read-only, in a name space of its own, for root, whom modes do not stop.
READ_ONLY = """
for folder in "$1" "$2"; do mount --bind "$folder" "$folder" && mount -o remount,ro,bind "$folder" || exit; done
shift 2
exec "$@"
"""


def run_where_nothing_can_be_written(command, site, home, temporary):
    """A process to which package and home are read-only; the test is skipped where that state cannot be made."""
    (temporary / "probe.py").write_text(f"import pathlib; pathlib.Path({str(site / 'x')!r}).touch()")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "XDG", "PYTEST"))}
    environment |= {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": str(site)}
    if os.geteuid() == 0:
        before = ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", str(site), str(home)]
    else:
        before = []
        for folder in (site, home):
            for path in (folder, *folder.rglob("*")):
                path.chmod(path.stat().st_mode & ~0o222)
    options = {"capture_output": True, "text": True, "cwd": temporary, "env": environment}
    try:
        probe = subprocess.run([*before, sys.executable, str(temporary / "probe.py")], **options)
    except FileNotFoundError:
        pytest.skip("root cannot be kept from writing here: there is no unshare")
    if "Read-only" not in probe.stderr and "PermissionError" not in probe.stderr:
        pytest.skip(f"nothing can be made read-only here: {probe.stderr.strip() or 'it was written'}")
    return subprocess.run([*before, *command], **options)


def test_a_read_only_installation_without_a_home_compiles_into_a_temporary_folder(tmp_path):
    site, home, temporary = (tmp_path / name for name in ("site", "home", "temporary"))
    for package in (numerics, theory):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(package.__file__).parent, site / package.__name__, ignore=ignored)
    home.mkdir()
    temporary.mkdir()
    command = [sys.executable, "-c", CALLER]
    first, second = (run_where_nothing_can_be_written(command, site, home, temporary) for _ in range(2))
    user = os.getuid()
    folder = temporary / f"linear-beta-vae-{user}-{kernel_digest()}"
    for run, hits in ((first, 0), (second, 1)):
        assert run.returncode == 0, run.stderr
        assert run.stdout == f"2.0 {hits} True\n"  # the second process compiles nothing
        assert run.stderr.splitlines() == [
            f"numerics: no folder of its own can be written; kernels are compiled in {folder}"
        ]
    assert folder.stat().st_mode & 0o777 == 0o700  # what is in it will be executed


def run_in(site, code=CALLER):
    """What a process prints that takes the packages from a folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "PYTEST"))}
    environment |= {"PYTHONPATH": str(site)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=site, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.slow
def test_a_callee_that_changed_in_another_file_is_compiled_anew_and_the_old_version_removed(tmp_path):
    for package in (numerics, theory):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(package.__file__).parent, tmp_path / package.__name__, ignore=ignored)
    kernels = tmp_path / "numerics" / "kernels"

    def folders():
        return list((kernels / "__pycache__").glob("linear-beta-vae-*"))

    assert run_in(tmp_path) == ["2.0", "0", "True"]
    (first,) = folders()
    assert run_in(tmp_path) == ["2.0", "1", "True"]  # the second process compiles nothing
    source = (kernels / "products.py").read_text()
    edited = source.replace("total += x[p] * y[p]", "total -= x[p] * y[p]")
    assert edited != source
    (kernels / "products.py").write_text(edited)
    assert run_in(tmp_path) == ["0.0", "0", "True"]
    (second,) = folders()
    assert second != first


@pytest.fixture
def temporary_folder(monkeypatch, tmp_path):
    """No folder but temporary ones, in `tmp_path`."""
    monkeypatch.setattr(cache, "_parents", list)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"linear-beta-vae-{os.getuid()}-{kernel_digest()}"


def test_a_folder_that_others_may_write_is_not_taken(temporary_folder, capsys):
    temporary_folder.mkdir()
    temporary_folder.chmod(0o777)
    chosen = cache._folder.__wrapped__()
    assert chosen.parent == temporary_folder.parent
    assert chosen != temporary_folder
    assert chosen.stat().st_mode & 0o777 == 0o700
    assert str(chosen) in capsys.readouterr().err


def test_a_link_is_not_taken(temporary_folder, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    temporary_folder.symlink_to(tmp_path / "elsewhere")
    assert cache._folder.__wrapped__() not in (None, temporary_folder, tmp_path / "elsewhere")


def test_without_any_folder_kernels_are_compiled_in_memory(temporary_folder, monkeypatch, capsys):
    def none():
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    assert cache._folder.__wrapped__() is None
    assert capsys.readouterr().err.splitlines() == [
        "numerics: no folder of its own can be written; kernels are compiled in memory, for this process only"
    ]


def test_nothing_is_written_to_closed_streams(temporary_folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    assert cache._folder.__wrapped__() is not None
    assert capsys.readouterr().out == ""
