"""The site builds without a warning, to the same bytes on every run, with a page for everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from figures.registry import FIGURES
from tests.site.building import build
from theory.derivations.registry import derivations
from theory.results import RESULTS

site_pages = pytest.importorskip("site_pages", reason="comes with the extra `docs`")

pytestmark = pytest.mark.slow


def files(folder: Path) -> dict[str, Path]:
    """What is read of a site, by its place in it: all but what Sphinx keeps for the next build."""
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    return {name: file for name, file in found.items() if not name.startswith(".doctrees/")}


def test_the_same_bytes_on_every_run(site, tmp_path):
    build(tmp_path)
    first, second = files(site), files(tmp_path)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name].read_bytes() != second[name].read_bytes()] == []


def test_every_page_figure_package_and_result_is_there(site):
    made = site / "_generated"
    for folder, names in {
        "book": [page.name for page in derivations()],
        "gallery": FIGURES,
        "api": site_pages.api.PACKAGES,
    }.items():
        assert {file.stem for file in (made / folder).glob("*.html")} == {"index", *names}
    rows = re.findall(r"<p><strong>([\w-]+)</strong> · ", (made / "results.html").read_text(encoding="utf-8"))
    assert sorted(rows) == sorted(result.name for result in RESULTS)
