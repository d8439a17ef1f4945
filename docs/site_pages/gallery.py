"""The gallery: a page for each figure, with its picture, table, parameters and the code that makes it.

Figures are drawn once on quick settings, in `docs/_generated/figures`, and again when the code of the project changes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from numpydoc.docscrape import FunctionDoc

from figures.by_name import parameters_of
from figures.registry import FIGURES, FigureEntry
from theory.results import RESULTS

__all__ = ["pages"]

ROOT = Path(__file__).parents[2]
PACKAGES = ("theory", "numerics", "figures")


def pages(folder: Path) -> dict[str, str]:
    """Each page of the gallery by its file, and the figures that it shows in their folder."""
    drawn = folder / "figures"
    _draw(drawn)
    made = {f"gallery/{name}.md": _page(name, drawn) for name in FIGURES}
    cards = "\n\n".join(_card(name, entry.about) for name, entry in FIGURES.items())
    names = "\n".join(FIGURES)
    index = f"(gallery)=\n\n# Gallery\n\n:::::{{grid}} 1 2 2 3\n:gutter: 3\n\n{cards}\n:::::\n\n"
    index += f"```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    return {"gallery/index.md": index, **made}


def _card(name: str, about: str) -> str:
    head = f"::::{{grid-item-card}} {{ref}}`{name} <figure-{name}>`"
    return f"{head}\n:img-top: ../figures/{name}.png\n:img-alt: {about}\n\n{about}\n::::"


def _draw(folder: Path) -> None:
    """Draw all figures unless those there are of the code as it is."""
    code = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            code.update(file.read_bytes())
    mark = folder / "code.txt"
    if mark.exists() and mark.read_text(encoding="ascii") == code.hexdigest():
        return
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "figures", "--quick", "--format", "png", "--out", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    mark.write_text(code.hexdigest(), encoding="ascii")


def _page(name: str, drawn: Path) -> str:
    entry = FIGURES[name]
    about = json.loads((drawn / f"{name}.json").read_text(encoding="utf-8"))
    shown_by = [result for result in RESULTS if name in result.figures]
    parameters = "\n".join(f"- `{key}`: {_short(value)}" for key, value in about["parameters"].items())
    results = "\n".join(
        f"- {result.claim} "
        + (f"({{ref}}`{result.page} <page-{result.page}>`)" if result.page else f"({result.missing})")
        for result in shown_by
    )
    caption = (drawn / f"{name}.md").read_text(encoding="utf-8").split("\n\nDrawn by:")[0].partition("\n\n")[2]
    parts = [
        f"(figure-{name})=\n\n# {name}",
        f"{entry.about[0].upper()}{entry.about[1:]}.",
        f"```{{image}} ../figures/{name}.png\n:alt: {entry.about}\n:width: 100%\n```",
        caption,
        f"**Stands for:** {entry.stands_for}.",
        f"{{download}}`Table of what it shows (CSV) <../figures/{name}.csv>`",
        _how_to_draw(entry),
        f"## Results that it shows\n\n{results}" if results else "",
        f"## Numbers of the picture\n\n{parameters}" if parameters else "",
        f"## Code\n\n```{{literalinclude}} ../../../figures/{name}.py\n:language: python\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _how_to_draw(entry: FigureEntry) -> str:
    """The call and the command that draw a figure, and a table of its parameters."""
    defaults = parameters_of(entry)
    described = {
        word: f"{about.type}: {' '.join(about.desc)}"
        for about in FunctionDoc(entry.module.data)["Parameters"]
        for word in about.name.split(", ")
    }
    rows = "\n".join(f"* - `{word}`\n  - `{defaults[word]!r}`\n  - {described[word]}" for word in defaults)
    table = f"```{{list-table}}\n:header-rows: 1\n\n* - parameter\n  - default\n  - what it is\n{rows}\n```"
    return (
        "## Draw it\n\n"
        f'The picture above:\n\n```python\nimport figures\n\nfigures.draw("{entry.name}", quick=True)\n```\n\n'
        "Without `quick` it has more points. Its parameters, and those of "
        f"[all figures](../../figures_of_your_own.md):\n\n{table}\n\n"
        f"With the default parameters, from the command line:\n\n"
        f"```bash\npython -m figures --only {entry.name} --out out\n```"
    )


def _short(value) -> str:
    text = json.dumps(value)
    return f"`{text}`" if len(text) <= 120 else f"`{text[:110]} ...`"
