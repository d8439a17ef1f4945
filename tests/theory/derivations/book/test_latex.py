"""The book in LaTeX: complete, the same on every run, plain enough for any LaTeX."""

import re
import shutil
import subprocess

import pytest

from theory.derivations.book import latex
from theory.derivations.registry import derivations

PAGES = derivations()
TEX = latex.latex_book(PAGES)


def test_every_page_and_every_step_is_in_it():
    assert TEX.count(r"\subsection{") == len(PAGES)
    assert TEX.count(r"\nopagebreak") == sum(len(page.steps) for page in PAGES)


def test_the_same_bytes_on_every_run():
    assert latex.latex_book(PAGES) == TEX
    assert not re.search(r"\\today", TEX)


def test_only_amsmath_is_needed():
    assert re.findall(r"\\usepackage.*", TEX) == [r"\usepackage{amsmath}"]
    for foreign in (r"\mathbb", r"\operatorname", r"\includegraphics", r"\href"):
        assert foreign not in TEX


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_on_its_own(page):
    assert latex.latex_page(page).startswith(r"\documentclass")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a LaTeX installation (pdflatex)")
def test_it_compiles_and_fits_the_page(tmp_path):
    (tmp_path / "book.tex").write_text(TEX, encoding="utf-8")
    for _ in range(2):  # the second run knows the section numbers
        run = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "book.tex"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
        )
        assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "book.pdf").stat().st_size > 50_000
    overfull = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", run.stdout)]
    assert max(overfull, default=0) <= 10
    assert "undefined references" not in run.stdout
