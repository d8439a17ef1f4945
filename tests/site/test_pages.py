"""The pages that the site makes of the project: what is added to the project appears in them."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest

import theory.derivations.scores
from figures.registry import FIGURES, FigureEntry
from theory.derivations import registry
from theory.derivations.book import web
from theory.results import FIGURES_STAND_FOR, RESULTS, Result

site_pages = pytest.importorskip("site_pages", reason="comes with the extra `docs`")

STUB = Result(
    name="stub-result",
    claim="A stub is found.",
    functions=("theory.scores.stub_function",),
    page="stub-page",
    checks=("stub_check",),
    figures=("stub_figure",),
    tests="tests/theory/scores/test_stub.py",
    source="classical",
    scope="every stub",
    missing="nothing",
)
PAGE = """
import sympy as sp

from theory.derivations.engine.page import Claim, Derivation, Step

x = sp.Symbol("x", real=True)


def derivation():
    step = Step("A square", sp.Eq((x + 1) ** 2, x**2 + 2 * x + 1, evaluate=False), "Expand.")
    return Derivation("stub-page", "A page of a stub", (Claim("A stub is proved.", ("A square",)),), (), "x", (step,),
                      ("A square",))
"""


@pytest.fixture
def afresh():
    """What is found once and kept is looked for again, before a test and after it."""
    kept = (registry._modules, registry.derivations, web._page_names, site_pages.api.home)

    def forget():
        for function in kept:
            function.cache_clear()

    forget()
    yield
    forget()


def stub_data(*, slope=2.0, ends=(0, 1), quick=False, seed=0, progress=print):
    """A line.

    Parameters
    ----------
    slope : float, from 1 to 3
        of the line,
        in nats.
    ends : two floats
        where it begins and ends.
    quick, seed, progress
        as always.
    """


def stub_function():
    """What a stub computes."""


def test_a_result_appears_in_the_table(monkeypatch, tmp_path):
    monkeypatch.setattr(site_pages.results, "RESULTS", (*RESULTS, STUB))
    (text,) = site_pages.results.pages(tmp_path).values()
    row = text[text.index("**stub-result** · Disentanglement scores") :]
    assert "A stub is found." in row and "*Scope:* every stub (exact)." in row and "*Source:* classical." in row
    assert "*Computed by:* {py:obj}`theory.scores.stub_function`" in row
    assert "*Derived in:* {ref}`stub-page <page-stub-page>`" in row
    assert "*Checked by:* `stub_check`" in row
    assert "*Seen in:* {ref}`stub_figure <figure-stub_figure>`" in row
    assert "*Missing:* nothing" in row
    assert text.count("* - **") == len(RESULTS) + 1


def test_a_figure_appears_in_the_gallery(monkeypatch, tmp_path):
    def draw(folder):
        folder.mkdir()
        for name in FIGURES:
            (folder / f"{name}.json").write_text(json.dumps({"parameters": {"seed": 3, "long": [0.5] * 100}}))
            (folder / f"{name}.md").write_text(f"# {name}\n\nA caption.\n\nDrawn by: `x`\n\nStands for: nothing\n")

    monkeypatch.setattr(site_pages.gallery, "_draw", draw)
    monkeypatch.setattr(site_pages.gallery, "RESULTS", (*RESULTS, STUB))
    monkeypatch.setitem(FIGURES_STAND_FOR, "stub_figure", "the figure of a stub")
    monkeypatch.setitem(FIGURES, "stub_figure", FigureEntry("stub_figure", "a line of a stub"))
    monkeypatch.setitem(sys.modules, "figures.stub_figure", SimpleNamespace(data=stub_data))
    made = site_pages.gallery.pages(tmp_path)
    page, index = made["gallery/stub_figure.md"], made["gallery/index.md"]
    assert page.startswith("(figure-stub_figure)=\n\n# stub_figure\n\nA line of a stub.\n\n")
    assert "- A stub is found. ({ref}`stub-page <page-stub-page>`)" in page
    assert "\n\nA caption.\n\n**Stands for:** the figure of a stub.\n\n" in page
    assert "python -m figures --only stub_figure --out out" in page
    assert 'import figures\n\nfigures.draw("stub_figure", quick=True)\n' in page
    rows = page.split("```{list-table}")[1].split("```")[0].split("\n* - ")[2:]
    assert rows[0] == "`slope`\n  - `2.0`\n  - float, from 1 to 3: of the line, in nats."
    assert rows[1] == "`ends`\n  - `(0, 1)`\n  - two floats: where it begins and ends.\n" and len(rows) == 2
    assert "- `seed`: `3`\n- `long`: `[0.5, " in page and " ...`" in page
    assert "{literalinclude} ../../../figures/stub_figure.py" in page
    assert "{ref}`stub_figure <figure-stub_figure>`\n:img-top: ../figures/stub_figure.png" in index
    assert "\nstub_figure\n```" in index


def test_figures_are_drawn_again_when_the_code_changes(monkeypatch, tmp_path):
    """The figures are a stub that is drawn in no time; the code is a folder of one file."""
    code = tmp_path / "theory" / "code.py"
    code.parent.mkdir()
    code.write_text("first = 1\n")
    drawn = []

    def run(command, **options):
        drawn.append(command)
        (tmp_path / "figures_drawn").mkdir()

    monkeypatch.setattr(site_pages.gallery, "ROOT", tmp_path)
    monkeypatch.setattr(site_pages.gallery.subprocess, "run", run)
    for text, times in (("first = 1\n", 1), ("first = 1\n", 1), ("second = 2\n", 2), ("second = 2\n", 2)):
        code.write_text(text)
        site_pages.gallery._draw(tmp_path / "figures_drawn")
        assert len(drawn) == times
    assert drawn[0][1:4] == ["-m", "figures", "--quick"]


def test_an_exported_name_appears_in_the_reference(monkeypatch, tmp_path, afresh):
    for package in ("theory", "theory.scores"):
        module = import_module(package)
        monkeypatch.setattr(module, "__all__", [*module.__all__, "stub_function"])
        monkeypatch.setattr(module, "stub_function", stub_function, raising=False)
    made = site_pages.api.pages(tmp_path)
    assert ".. autofunction:: theory.scores.stub_function" in made["api/theory.scores.rst"]
    elsewhere = "- :py:obj:`stub_function <theory.scores.stub_function>`: What a stub computes."
    assert elsewhere in made["api/theory.rst"]
    assert ".. autofunction:: theory.stub_function" not in made["api/theory.rst"]
    assert "\n   theory.scores\n" in made["api/index.rst"]


def test_a_class_is_described_with_its_public_methods(tmp_path):
    text = site_pages.api.pages(tmp_path)["api/theory.rst"]
    own = text[text.index(".. autoclass:: theory.Moments\n") :].split("\n\n")[0]
    assert own.startswith(".. autoclass:: theory.Moments\n   :members: ")
    assert "of" in own.split(": ")[-1].split(", ")
    assert "_" not in {name[0] for name in own.split(": ")[-1].split(", ")}


def test_a_derivation_appears_in_the_book(monkeypatch, tmp_path, afresh):
    """A module in the folder of a chapter is enough."""
    (tmp_path / "stub_page.py").write_text(PAGE)
    folder = theory.derivations.scores
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    monkeypatch.setitem(registry.BOOK, "stub-page", None)  # so that it is taken out again
    made = site_pages.book.pages(tmp_path)
    assert made["book/stub-page.md"].startswith("(page-stub-page)=\n\n# A page of a stub\n")
    assert "- A stub is proved. [step 1]" in made["book/stub-page.md"]
    chapter = made["book/index.md"].split("## Disentanglement scores")[1].split("## ")[0]
    assert "stub-page" in chapter.split("\n")


def test_pages_are_written_where_they_changed_and_removed_where_they_are_made_no_more(monkeypatch, tmp_path):
    texts = {"book/kept.md": "kept", "book/changed.md": "before", "api/gone.rst": "gone"}
    monkeypatch.setattr(site_pages, "PAGES", (lambda folder: dict(texts), lambda folder: {"more.md": "more"}))
    folder = tmp_path / "_generated"
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "drawn.md").write_text("a caption")
    app = SimpleNamespace(srcdir=tmp_path)
    site_pages.write_pages(app)
    written = {name: folder / name for name in (*texts, "more.md")}
    for file in written.values():
        os.utime(file, (1, 1))
    texts["book/changed.md"] = "after"
    del texts["api/gone.rst"]
    site_pages.write_pages(app)
    assert written["book/kept.md"].stat().st_mtime == written["more.md"].stat().st_mtime == 1
    assert written["book/changed.md"].read_text() == "after"
    assert not written["api/gone.rst"].exists()
    assert (folder / "figures" / "drawn.md").exists()


def described(*lines):
    """The lines of a docstring after its formulas are made plain text."""
    lines = list(lines)
    site_pages.links.escaped(None, "function", "name", None, None, lines)
    return lines


def test_formulas_of_docstrings_are_no_markup():
    assert described("det |S| of x_ and s_i, W_", "a |b|") == [r"det \|S\| of x\_ and s_i, W\_", r"a \|b\|"]
    assert described("|a|", ".. rubric:: Examples", ">>> |a|") == [r"\|a\|", ".. rubric:: Examples", ">>> |a|"]


def role(text):
    """What the default role makes of a name in a docstring."""
    inliner = SimpleNamespace(document=SimpleNamespace(settings=SimpleNamespace(env=SimpleNamespace(docname="page"))))
    (node,), _ = site_pages.links.name_role("name", f"`{text}`", text, 1, inliner)
    return node


def test_a_name_in_a_docstring_is_a_link_if_it_is_exported():
    for text in ("optimal_beta", "theory.optimal_beta", "theory.inference.optimal_beta"):
        assert role(text)["reftarget"] == "theory.inference.optimal_beta"
        assert role(text).astext() == text
    assert role("theory.elbo_terms")["reftarget"] == "theory.objective.elbo_terms"
    assert role("noise_variance").tagname == "literal"


def complaints(monkeypatch, text, name="page"):
    """What is said of the examples of a page."""
    said = []
    log = SimpleNamespace(warning=lambda message, location: said.append((location, message)))
    monkeypatch.setattr(site_pages.examples.logging, "getLogger", lambda name: log)
    app = SimpleNamespace(config=SimpleNamespace(executed_pages=("page",)))
    site_pages.examples.check_examples(app, name, [text])
    return said


def test_examples_of_a_page_print_what_stands_below_them(monkeypatch):
    first = "```python\nx = 2\nprint(x)\n```\n\n```text\n2\n```\n"
    second = "Then\n\n```python\nprint(x + 1)\n```\n\n```text\n{}\n```\n"
    silent = "```python\nx += 1\n```\n"
    assert complaints(monkeypatch, first + second.format(3)) == []
    assert complaints(monkeypatch, first + silent + second.format(3)) == [("page", "printed\n4\nand not\n3\n")]
    assert complaints(monkeypatch, first + second.format("...")) == []
    assert complaints(monkeypatch, "```python\nprint(1)\n```\n") == [("page", "printed\n1\nand not\n")]
    assert complaints(monkeypatch, second.format(5), "another") == []
