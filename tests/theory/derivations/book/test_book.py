"""The book: complete, the same on every run, plain enough for LaTeX and for code-hosting sites."""

import re
import shutil
import subprocess

import pytest
import sympy as sp

from theory.derivations.book import book, terminal
from theory.derivations.engine import printers
from theory.derivations.registry import derivations

PAGES = derivations()
TEX, MARKDOWN = book.latex_book(PAGES), book.markdown_book(PAGES)
names = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_every_page_and_every_step_is_in_both():
    assert TEX.count(r"\subsection{") == len(PAGES)
    assert len(re.findall(r"^## ", MARKDOWN, flags=re.MULTILINE)) == len(PAGES) + 3  # contents, notation, sources
    steps = sum(len(page.steps) for page in PAGES)
    assert TEX.count(r"\nopagebreak") == steps
    assert len(re.findall(r"^\*\*\d+\. ", MARKDOWN, flags=re.MULTILINE)) == steps


def test_the_same_bytes_on_every_run():
    assert book.latex_book(PAGES) == TEX
    assert book.markdown_book(PAGES) == MARKDOWN
    assert not re.search(r"\\today", TEX)


def test_only_amsmath_is_needed():
    assert re.findall(r"\\usepackage.*", TEX) == [r"\usepackage{amsmath}"]
    for foreign in (r"\mathbb", r"\operatorname", r"\includegraphics", r"\href"):
        assert foreign not in TEX


def test_the_markdown_renders_on_code_hosting_sites():
    assert r"\operatorname" not in MARKDOWN
    assert MARKDOWN.count("$$") % 2 == 0
    inline = re.sub(r"\$\$.*?\$\$", "", MARKDOWN, flags=re.DOTALL)
    assert not [line for line in inline.splitlines() if line.count("$") % 2]
    # Markdown takes a backslash before punctuation for itself.
    formulas = re.findall(r"\$\$(.*?)\$\$", MARKDOWN, flags=re.DOTALL) + re.findall(r"\$([^$\n]+)\$", inline)
    assert not [formula for formula in formulas if re.search(r"(?<!\\)\\[,;:!|{}#]", formula)]
    anchors = set(re.findall(r'<a id="([\w-]+)">', MARKDOWN))
    assert set(re.findall(r"\]\(#([\w-]+)\)", MARKDOWN)) <= anchors


@names
def test_a_page_for_the_terminal(page):
    shown = terminal.page_text(page)
    assert page.title in shown
    assert "\\" not in shown and "$" not in shown
    assert all(f"{number}. {step.title}" in shown for number, step in enumerate(page.steps, 1))
    assert max(map(len, shown.splitlines())) <= terminal.COLUMNS + 24  # a single term may be wider than the column
    assert shown == terminal.page_text(page)


@names
def test_a_page_on_its_own(page):
    assert book.latex_page(page).startswith(r"\documentclass")
    assert book.markdown_page(page).count("$$") % 2 == 0


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("for $\\beta \\ge 1$ and `code`", "for β ≥ 1 and code"),
        ("$P^{-1} W^T/t$", "P⁻¹ Wᵀ/t"),
        ("$p(x|z)^{1/\\beta}$", "p(x|z)^(1/β)"),
        ("$\\sigma^2 l_1$", "σ² l₁"),
        ("$\\log\\det C_{jj}$", "log det Cⱼⱼ"),
    ],
)
def test_mathematics_in_plain_text(sentence, expected):
    assert terminal.plain(sentence) == expected


def test_long_relations_are_broken_between_terms():
    symbols = sp.symbols("alpha_1:30", positive=True)
    relation = sp.Eq(sp.Symbol("y"), sp.Add(*symbols), evaluate=False)
    lines = terminal.broken(relation, 40)
    assert all(printers.width(line) <= 40 for _, line in lines)
    assert lines[0] == ("", sp.Symbol("y")) and lines[1][0] == "="
    assert {operator for operator, _ in lines[2:]} == {"+"}
    assert sp.Add(*(line for _, line in lines[1:])) == relation.rhs


def test_no_sum_begins_with_a_needless_minus():
    x, y = sp.symbols("x y")
    assert printers.pretty(y - x) == "y - x"
    assert printers.latex(-x + sp.Symbol("z")) == "z - x"


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
