"""Output files: bad paths are refused before the work, and no file is left half-written."""

from __future__ import annotations

import os
import tempfile
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from theory.interface import files, report


@pytest.fixture
def no_writing(monkeypatch):
    """Make every folder refuse new files (permissions would not stop an administrator who runs the tests)."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)


def test_folder_is_created_with_its_parents_and_may_exist(tmp_path):
    folder = tmp_path / "a" / "b"
    assert files.output_folder(folder) == folder and folder.is_dir()
    assert files.output_folder(str(folder)) == folder
    assert list(folder.iterdir()) == []


def test_folder_that_is_a_file_or_below_one(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match=f"{path}: is a file, or lies below one; name a folder"):
            files.output_folder(path)


def test_an_empty_name_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="the name of the output folder is empty"):
        files.output_folder("")
    assert files.output_folder(".") == files.output_folder(Path()) == Path()


def test_folder_that_cannot_be_created(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ValueError, match=r"cannot be created \(Permission denied\); name another folder"):
        files.output_folder(tmp_path / "new")


@pytest.mark.usefixtures("no_writing")
def test_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be written \(Permission denied\); name another folder"):
        files.output_folder(tmp_path)
    with pytest.raises(ValueError, match=r"cannot be written \(Permission denied\)"):
        files.output_file(tmp_path / "x.npz", ".npz")


def test_file_is_checked_and_not_created(tmp_path):
    path = tmp_path / "x.npz"
    assert files.output_file(str(path), ".npz") == path
    assert list(tmp_path.iterdir()) == []


def test_file_that_cannot_be_written_at_its_path(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    for name, expected in [
        ("x.csv", r"the output format is \.npz; use x\.npz"),
        ("x", r"the output format is \.npz; use x\.npz"),
        ("folder.npz", "is a folder; name a file in it"),
        ("none/x.npz", "there is no folder .*none; create it first"),
    ]:
        with pytest.raises(ValueError, match=expected):
            files.output_file(tmp_path / name, ".npz")


def test_writing_replaces_the_whole_file(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(b"something longer that was there before")
    files.write_atomically(path, lambda opened: opened.write(b"new"))
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(b"old")

    def fail_half_way(opened):
        opened.write(b"half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        files.write_atomically(path, fail_half_way)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_files_written_together_all_change_or_none(tmp_path):
    paths = [tmp_path / "a.bin", tmp_path / "b.bin"]
    files.write_together({path: lambda opened, path=path: opened.write(path.name.encode()) for path in paths})
    assert [path.read_bytes() for path in paths] == [b"a.bin", b"b.bin"]

    def fail(_):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        files.write_together({paths[0]: lambda opened: opened.write(b"new"), paths[1]: fail})
    assert [path.read_bytes() for path in paths] == [b"a.bin", b"b.bin"]
    assert sorted(tmp_path.iterdir()) == paths


def test_a_folder_at_the_path_of_a_file(tmp_path):
    (tmp_path / "b.bin").mkdir()
    expected = f"{tmp_path / 'b.bin'}: is a folder; remove it or choose another path"
    with pytest.raises(ValueError, match=expected):
        files.write_together({tmp_path / name: lambda opened: opened.write(b"") for name in ("a.bin", "b.bin")})
    assert [path.name for path in tmp_path.iterdir()] == ["b.bin"]
    with pytest.raises(ValueError, match=expected):
        files.write_atomically(tmp_path / "b.bin", lambda opened: opened.write(b""))


def test_writing_through_a_link_keeps_the_link(tmp_path):
    target, link = tmp_path / "target.bin", tmp_path / "link.bin"
    target.write_bytes(b"old")
    link.symlink_to(target)
    files.write_atomically(link, lambda opened: opened.write(b"new"))
    assert link.is_symlink() and target.read_bytes() == b"new"


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    files.write_atomically(tmp_path / "written", lambda opened: opened.write(b""))
    assert (tmp_path / "written").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_the_longest_name_that_the_system_allows_is_written_and_a_longer_one_is_refused(tmp_path):
    """The temporary file has a shorter name."""
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    file = tmp_path / f"{'x' * (longest - 4)}.csv"
    assert files.output_file(file, ".csv") == file
    files.write_atomically(file, lambda opened: opened.write(b"new"))
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    for name in ("x" * (longest - 3), "x" * 5000, "\N{BLACK STAR}" * (longest // 3)):
        with pytest.raises(ValueError, match=r"x.csv: cannot be written \(File name too long\)|\u2605.*too long"):
            files.output_file(tmp_path / f"{name}.csv", ".csv")


def test_a_path_that_no_file_can_have(tmp_path):
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "lost.csv").symlink_to(tmp_path / "none" / "x.csv")
    (tmp_path / "full.csv").symlink_to("/dev/full")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "file").write_text("")
    for path, expected in [
        ("", "the output format is .csv; name a file"),
        ("/", "the output format is .csv; name a file"),
        ("a\0b.csv", r"cannot be written \(embedded null byte\)"),
        (tmp_path / "loop.csv", r"cannot be written \(Too many levels of symbolic links\)"),
        (tmp_path / "lost.csv", f"there is no folder {tmp_path}/none; create it first"),
        (tmp_path / "full.csv", "is a device or a pipe; name a file"),
        (tmp_path / "pipe.csv", "is a device or a pipe; name a file"),
        (tmp_path / "file" / "x.csv", "there is no folder .*file; create it first"),
    ]:
        with pytest.raises(ValueError, match=expected):
            files.output_file(path, ".csv")
    with pytest.raises(ValueError, match=r"cannot be created \(embedded null byte\)"):
        files.output_folder("a\0b")


def test_a_write_protected_file_is_refused_before_the_work(tmp_path, monkeypatch):
    """It could be replaced, since its folder can be written into, but its protection is respected."""
    file = tmp_path / "x.csv"
    file.write_text("kept")
    file.chmod(0o444)
    if os.access(file, os.W_OK):  # an administrator runs the tests
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(ValueError, match="is write-protected; name another file, or allow writing"):
        files.output_file(file, ".csv")


@pytest.mark.parametrize("path", [None, 3, b"x.csv", ["x.csv"], object(), Path, 1j, float("nan"), True])
def test_what_is_not_a_path_is_refused(path):
    for ask in (lambda: files.output_file(path, ".csv"), lambda: files.output_folder(path)):
        with pytest.raises(ValueError, match="path must be a str or a PathLike, got"):
            ask()
    with pytest.raises(ValueError, match="path must be a str or a PathLike, got"):
        files.write_atomically(path, lambda opened: None)


@pytest.mark.parametrize("write", [lambda opened: opened.write(bytes(5000)), report.npz_archive({"x": np.ones(999)})])
def test_the_error_of_a_full_disk_names_the_file(tmp_path, small_files, write):
    file = tmp_path / "x.npz"
    file.write_bytes(b"old")
    with small_files(1000), pytest.raises(OSError, match="File too large") as raised:
        files.write_atomically(file, write)
    assert raised.value.filename == str(file)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_is_set_aside_under_a_free_name(tmp_path):
    (tmp_path / "runs.old-2").symlink_to("nowhere")
    for number, content in ((1, b"one"), (3, b"three")):
        (tmp_path / "runs").write_bytes(content)
        assert files.set_aside(tmp_path / "runs") == tmp_path / f"runs.old-{number}"
    assert (tmp_path / "runs.old-1").read_bytes() == b"one" and (tmp_path / "runs.old-3").read_bytes() == b"three"
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("option", ["out", "save", "markdown", "latex"])
def test_a_file_that_is_read_is_refused_as_output_before_the_work(tmp_path, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    Path("x.npz").write_text("x")
    Path("link").symlink_to("x.npz")
    for source in ("x.npz", "./x.npz:KEY", "link"):
        arguments = Namespace(**{"data": source, option: str(tmp_path / "x.npz")})
        with pytest.raises(ValueError, match="is read by --data, and would be replaced"):
            files.refuse_inputs(arguments)
    files.refuse_inputs(Namespace(data="x.npz", out="y.npz", save=None))
    files.refuse_inputs(Namespace(data=".", out="."))  # a folder is refused by its reader
