"""Finds the pages and orders them.

The page global-optimum is what `derivation` of the module `global_optimum` in a chapter's folder makes, and so on: each
page has the name of its module.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import theory.derivations
from theory.derivations.engine.page import BOOK, Derivation
from theory.results import ROOMS, expand

__all__ = ["chapter_of", "derivations", "find"]


@cache
def _modules() -> dict[str, tuple[str, Derivation]]:
    pages: dict[str, tuple[str, Derivation]] = {}
    prefix = theory.derivations.__name__ + "."
    for chapter in ROOMS:
        package = import_module(prefix + chapter)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            page = import_module(module.name).derivation()
            if page.name.replace("-", "_") != module.name.rpartition(".")[2]:
                raise ValueError(f"the page {page.name!r} is made in {module.name}; give page and module the same name")
            if page.name in pages:
                raise ValueError(
                    f"two derivations are named {page.name!r}, one of them in {module.name}, the other in the chapter "
                    f"{pages[page.name][0]}; rename one"
                )
            pages[page.name] = chapter, page
            BOOK[page.name] = page
    return pages


def chapter_of(page: Derivation) -> str:
    """The folder of a page, which is the key of its chapter."""
    return _modules()[page.name][0]


@cache
def derivations() -> tuple[Derivation, ...]:
    """All pages, chapter by chapter, each after the pages that it builds on."""
    pages = {name: page for name, (_, page) in _modules().items()}
    chapters = list(ROOMS)
    waiting = sorted(pages, key=lambda name: (chapters.index(chapter_of(pages[name])), name))
    ordered: list[str] = []
    while waiting:
        for name in waiting:
            if not set(pages[name].builds_on) - set(ordered):
                break
        else:
            unmet = sorted({f"{name} on {other}" for name in waiting for other in pages[name].builds_on})
            raise ValueError(
                f"derivations build on each other in a circle, or on a page that does not exist: {', '.join(unmet)}"
            )
        waiting.remove(name)
        ordered.append(name)
    # The sort is stable: inside a chapter the pages keep this order.
    return tuple(pages[name] for name in sorted(ordered, key=lambda name: chapters.index(chapter_of(pages[name]))))


def find(names: list[str]) -> tuple[Derivation, ...]:
    """The pages with the given names, each that of a page, of a result or of a chapter; all pages if none is given.

    Raises
    ------
    ValueError
        if a name is neither that of a page nor that of a chapter.
    """
    everything = derivations()
    if not names:
        return everything
    chosen: dict[str, Derivation] = {}
    known = [*ROOMS, *(page.name for page in everything)]
    for name in (one for asked in names for one in expand(asked, "page", known)):
        matching = [page for page in everything if name in (page.name, chapter_of(page))]
        if not matching:
            pages, chapters = ", ".join(page.name for page in everything), ", ".join(ROOMS)
            raise ValueError(
                f"no derivation {name!r}; the derivations are {pages}; the chapters are {chapters}; "
                "`python -m theory results` lists the results, whose names stand for theirs"
            )
        chosen.update((page.name, page) for page in matching)
    return tuple(chosen.values())
