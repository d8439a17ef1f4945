"""The command line and the files: same bytes on every run, exit codes, one-line errors, nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from figures import collapse, rotation_energy
from figures.__main__ import main
from figures.kit.caption import caption_of
from figures.kit.table import Point
from figures.registry import FIGURES

CHEAP = "rotation_energy"


@pytest.fixture(autouse=True)
def cached_tables(monkeypatch, quick_table):
    """The command line draws tables that were computed once."""
    for entry in FIGURES.values():
        monkeypatch.setattr(entry.module, "data", lambda figure=entry.name, **_: quick_table(figure))


def test_list(capsys):
    assert main(["--list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in FIGURES)
    assert main(["--list", "--json", "--only", "collapse"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["figures"]
    assert listed["name"] == "collapse" and listed["takes_data"] is True
    assert listed["stands_for"] == FIGURES["collapse"].stands_for and listed["stands_for"] in text


def test_all_figures(tmp_path, capsys):
    assert main(["--quick", "--jobs", "1", "--out", str(tmp_path / "new" / "folder"), "--format", "png"]) == 0
    captured = capsys.readouterr()
    assert "theory and experiment agree in all" in captured.out and "FAILED" not in captured.out
    assert all(f"wrote {name}" in captured.err for name in FIGURES)
    written = {file.name for file in (tmp_path / "new" / "folder").iterdir()}
    assert written == {f"{name}.{kind}" for name in FIGURES for kind in ("png", "csv", "json", "md")}


def test_only_takes_commas_and_repetition(tmp_path, capsys):
    options = ["--only", "rotation_energy, learned_noise", "--only", "rotation_energy", "--format", "svg"]
    assert main([*options, "--jobs", "1", "--out", str(tmp_path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["agree"] is True
    assert [file for file in report["files"] if file.endswith("svg")] == ["learned_noise.svg", "rotation_energy.svg"]
    assert {deviation["figure"] for deviation in report["deviations"]} == {"learned_noise", "rotation_energy"}


def test_the_same_bytes_on_every_run(tmp_path, monkeypatch):
    monkeypatch.undo()  # the table too is made twice
    for folder in ("first", "second"):
        options = ["--quick", "--only", CHEAP, "--format", "pdf,png,svg", "--out", str(tmp_path / folder)]
        assert main(options) == 0
    files = sorted((tmp_path / "first").iterdir())
    assert [file.suffix for file in files] == [".csv", ".json", ".md", ".pdf", ".png", ".svg"]
    for file in files:
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes(), file.name


def test_a_picture_does_not_depend_on_the_other_formats(tmp_path):
    for name in ("collapse", CHEAP):
        for formats in ("png", "pdf,png"):
            assert main(["--only", name, "--format", formats, "--out", str(tmp_path / formats)]) == 0
        alone, beside = ((tmp_path / formats / f"{name}.png").read_bytes() for formats in ("png", "pdf,png"))
        assert alone == beside


def test_a_folder_in_the_place_of_a_file_is_named_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rotation_energy, "data", lambda **_: pytest.fail("drawn"))
    (tmp_path / f"{CHEAP}.csv").mkdir()
    assert main(["--only", CHEAP, "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert f"{CHEAP}.csv: is a folder; remove it" in captured.err
    assert [file.name for file in tmp_path.iterdir()] == [f"{CHEAP}.csv"]


def test_a_disk_that_is_full_leaves_no_file_of_the_figure(tmp_path, monkeypatch, capsys):
    opened, filled = Path.open, []

    def full(self, *arguments, **options):
        if self.name.endswith(".tmp"):
            filled.append(self.name)
        if len(filled) == 3:
            raise OSError(28, "No space left on device", str(self))
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    assert main(["--only", CHEAP, "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].endswith("No space left on device") and "Traceback" not in captured.err
    assert len(filled) == 3 and list(tmp_path.iterdir()) == []


def test_json_beside_a_figure_tells_what_it_was_made_from(tmp_path):
    assert main(["--only", "collapse", "--out", str(tmp_path), "--format", "png"]) == 0
    about = json.loads((tmp_path / "collapse.json").read_text())
    assert about["format"] == 1 and about["figure"] == "collapse" and about["parameters"]["data"] == "digits"
    assert about["versions"]["numpy"] == np.__version__
    assert all(deviation["passed"] for deviation in about["deviations"])
    assert (tmp_path / "collapse.csv").read_text().splitlines()[0] == ",".join(Point.__dataclass_fields__)


def test_the_caption_beside_a_figure(tmp_path, quick_table):
    np.savetxt(tmp_path / "my data.csv", np.eye(3), delimiter=",")
    options = ["--only", f"collapse,{CHEAP}", "--data", str(tmp_path / "my data.csv"), "--no-header", "--standardize"]
    out = ["--format", "png", "--jobs", "1", "--out", str(tmp_path)]
    assert main([*options, *out]) == 0
    caption = caption_of(collapse, quick_table("collapse"))
    command = "python -m figures --only collapse --data 'my data.csv' --no-header --standardize"
    assert (tmp_path / "collapse.md").read_text() == (
        f"# collapse\n\n{caption}\n\nDrawn by: `{command}`\n\nStands for: {FIGURES['collapse'].stands_for}\n"
    )
    assert f"Drawn by: `python -m figures --only {CHEAP}`" in (tmp_path / f"{CHEAP}.md").read_text()


def test_one_panel_alone(tmp_path, quick_table):
    options = ["--only", "collapse", "--panel", "b", "--quick", "--format", "png", "--out", str(tmp_path)]
    assert main([*options, "--dpi", "100"]) == 0
    assert {file.name for file in tmp_path.iterdir()} == {f"collapse_b.{kind}" for kind in ("png", "csv", "json", "md")}
    page = (tmp_path / "collapse_b.md").read_text()
    assert page.startswith(f"# collapse_b\n\n{caption_of(collapse, quick_table('collapse'), 'b')}\n\n")
    assert "Drawn by: `python -m figures --only collapse --panel b --quick`" in page
    assert int.from_bytes((tmp_path / "collapse_b.png").read_bytes()[16:20]) == 340


def test_dots_per_inch(tmp_path):
    for dpi in (50, 260):
        assert main(["--only", CHEAP, "--dpi", str(dpi), "--out", str(tmp_path / str(dpi))]) == 0
        assert int.from_bytes((tmp_path / str(dpi) / f"{CHEAP}.png").read_bytes()[16:20]) == 7 * dpi
    pdfs = [(tmp_path / dpi / f"{CHEAP}.pdf").read_bytes() for dpi in ("50", "260")]
    assert pdfs[0] == pdfs[1]


def test_disagreement_exits_with_one(tmp_path, monkeypatch, capsys):
    monkeypatch.undo()
    true = rotation_energy.two_mode_rotation_energy
    monkeypatch.setattr(rotation_energy, "two_mode_rotation_energy", lambda *a, **k: 1.001 * true(*a, **k))
    assert main(["--quick", "--only", CHEAP, "--out", str(tmp_path), "--format", "png"]) == 1
    text = capsys.readouterr().out
    # the formula stands behind two quantities: the encoder optimised again, and only rotated
    assert "FAILED" in text and "theory and experiment disagree in 2 of" in text
    assert (tmp_path / f"{CHEAP}.png").exists()


def test_finished_figures_stay_when_interrupted(tmp_path, monkeypatch, capsys):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(rotation_energy, "data", interrupted)
    options = ["--only", "learned_noise,rotation_energy", "--out", str(tmp_path), "--format", "png", "--jobs", "1"]
    assert main(options) == 130
    written = {f"learned_noise.{kind}" for kind in ("png", "csv", "json", "md")}
    assert {file.name for file in tmp_path.iterdir()} == written


def test_several_at_a_time_write_the_same_bytes_and_report_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.undo()
    reports = {}
    for jobs in ("1", "2"):
        options = ["--quick", "--only", f"collapse,{CHEAP}", "--format", "png", "--json", "--jobs", jobs]
        assert main([*options, "--out", str(tmp_path / jobs)]) == 0
        captured = capsys.readouterr()
        reports[jobs] = json.loads(captured.out)
        assert "wrote collapse" in captured.err and f"wrote {CHEAP}" in captured.err
    assert reports["1"] | {"folder": ""} == reports["2"] | {"folder": ""}
    for file in sorted((tmp_path / "1").iterdir()):
        assert file.read_bytes() == (tmp_path / "2" / file.name).read_bytes(), file.name


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_behind(tmp_path, number):
    """An interrupt ends the command in a moment, and a command that is killed takes its processes with it."""
    options = ["--only", "optimal_beta,granularity", "--jobs", "2", "--out", str(tmp_path)]
    command = subprocess.Popen([sys.executable, "-m", "figures", *options], stderr=subprocess.DEVNULL)
    children = Path(f"/proc/{command.pid}/task/{command.pid}/children")
    if not children.exists():
        command.kill()
        pytest.skip("needs /proc")
    wait_until(lambda: len(workers_of(children)) == 2)
    found = workers_of(children)
    command.send_signal(number)
    assert command.wait(20) == {signal.SIGKILL: -signal.SIGKILL}.get(number, 130)
    wait_until(lambda: not any(Path(f"/proc/{one}").exists() for one in found))
    assert list(tmp_path.iterdir()) == []


def workers_of(children: Path) -> list[str]:
    """The processes that draw, among the children of a command."""
    found = children.read_text().split()
    return [one for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_figure_that_cannot_be_drawn_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("no ink")

    monkeypatch.setattr(rotation_energy, "plot", broken)
    with pytest.raises(RuntimeError, match="no ink"):
        main(["--only", CHEAP, "--out", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--only", "portrait"],
            "--only must name figures or results, got 'portrait'; the figures are inference_error, ",
        ),
        (["--only", ""], "--only must name figures or results, got ''"),
        (["--format", "png,jpg"], "--format must name some of pdf, png, svg, got 'jpg'"),
        (["--header"], "header is for the first line of a .csv file, but there is no --data"),
        (["--data", "NUMBERED"], "line 1 looks like column numbers (0, 1)"),
        (["--data", "missing.csv"], "missing.csv: no such file; check the path"),
        (["--data", "TEXT"], "line 1, column 2 is 'x', not a finite number"),
        (["--data", "CONSTANT"], "constant.csv: must vary in at least two directions of comparable scale"),
        (["--data", "missing.csv", "--only", CHEAP], "--data is for collapse, rate_distortion, learned_noise"),
        (["--jobs", "0"], "--jobs must be >= 1, got 0"),
        (["--dpi", "49"], "--dpi must be >= 50, got 49"),
        (["--dpi", "1201"], "--dpi must be <= 1200, got 1201"),
        (["--panel", "a"], "--panel is of one figure; name it by --only"),
        (["--panel", "a", "--only", f"collapse,{CHEAP}"], "--panel is of one figure; name it by --only"),
        (["--panel", "c", "--only", CHEAP], "--panel must be one of 'a', 'b', got 'c'"),
        (["--out", "TEXT"], "is a file, or lies below one; name a folder"),
        (["--speed"], "unrecognized arguments: --speed; see python -m figures draw --help"),
    ],
)
def test_bad_usage_is_one_line_and_exits_with_two(options, message, tmp_path, capsys):
    (tmp_path / "text.csv").write_text("1,x\n2,3\n")
    (tmp_path / "constant.csv").write_text("1,2\n1,2\n")
    (tmp_path / "numbered.csv").write_text("0,1\n2.5,3.5\n1.5,0.5\n")
    files = {name.upper(): str(tmp_path / f"{name}.csv") for name in ("text", "constant", "numbered")}
    before = sorted(tmp_path.iterdir())
    out = [] if "--out" in options else ["--out", str(tmp_path / "out")]
    assert main([*(files.get(option, option) for option in options), *out]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and message in captured.err
    assert sorted(tmp_path.iterdir()) == before
