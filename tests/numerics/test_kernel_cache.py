"""Where compiled kernels go in an installation that cannot be written, for a user without a home."""

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
from numerics import kernel_cache
from numerics.kernel_digest import kernel_digest

# One small kernel: whether it was taken from the cache, and that it computes.
PROGRAM = """
import sys, numpy as np
from numerics import kernels_training as kernels
assert kernels.dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 11.0
print(sum(kernels.dot.stats.cache_hits.values()), kernels.CACHE)
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
    command = [sys.executable, "-c", PROGRAM]
    first, second = (run_where_nothing_can_be_written(command, site, home, temporary) for _ in range(2))
    user = os.getuid()
    folder = temporary / f"linear-beta-vae-{user}-{kernel_digest()}"
    for run, hits in ((first, 0), (second, 1)):
        assert run.returncode == 0, run.stderr
        assert run.stdout == f"{hits} True\n"  # the second process compiles nothing
        assert run.stderr.splitlines() == [
            f"numerics: no folder of its own can be written; kernels are compiled in {folder}"
        ]
    assert folder.stat().st_mode & 0o777 == 0o700  # what is in it will be executed


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No folder but temporary ones, in `tmp_path`."""
    monkeypatch.setattr(kernel_cache, "_somewhere", lambda: bool(kernel_cache.config.CACHE_DIR))
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", "")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"linear-beta-vae-{os.getuid()}-{kernel_digest()}"


def test_a_folder_that_others_may_write_is_not_taken(nowhere, capsys):
    nowhere.mkdir()
    nowhere.chmod(0o777)
    assert kernel_cache.prepare()
    chosen = Path(kernel_cache.config.CACHE_DIR)
    assert chosen.parent == nowhere.parent
    assert chosen != nowhere
    assert chosen.stat().st_mode & 0o777 == 0o700
    assert str(chosen) in capsys.readouterr().err


def test_a_link_is_not_taken(nowhere, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    nowhere.symlink_to(tmp_path / "elsewhere")
    assert kernel_cache.prepare()
    assert Path(kernel_cache.config.CACHE_DIR) not in (nowhere, tmp_path / "elsewhere")


def test_without_any_folder_kernels_are_compiled_in_memory(nowhere, monkeypatch, capsys):
    def none():
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    assert not kernel_cache.prepare()
    assert capsys.readouterr().err.splitlines() == [
        "numerics: no folder of its own can be written; kernels are compiled in memory, for this process only"
    ]


def test_closed_streams_are_told_nothing(nowhere, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    assert kernel_cache.prepare()
    assert capsys.readouterr().out == ""
