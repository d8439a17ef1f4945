"""Finds the pages, every module in the folder of a chapter that has a function `derivation`, and puts them in order."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import theory.derivations
from theory.derivations.engine.page import Derivation
from theory.results import expand

__all__ = ["CHAPTERS", "chapter_of", "derivations", "find"]

# Folder of the pages -> heading of their chapter, in the order of the book.
CHAPTERS = {
    "foundations": "Foundations",
    "inference": "A fixed decoder: what the encoder infers",
    "learning": "A learned decoder: what the model learns",
    "axes": "Which axes",
    "priors": "Other priors",
    "groups": "Which groups",
    "scores": "Disentanglement scores",
}


@cache
def _modules() -> dict[str, tuple[str, Derivation]]:
    found: dict[str, tuple[str, Derivation]] = {}
    prefix = theory.derivations.__name__ + "."
    for chapter in CHAPTERS:
        package = import_module(prefix + chapter)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            page = import_module(module.name).derivation()
            if page.name in found:
                raise ValueError(f"two derivations are called {page.name!r}: {found[page.name][0]} and {module.name}")
            found[page.name] = chapter, page
    return found


def chapter_of(page: Derivation) -> str:
    """The folder that a page lies in, which is the key of its chapter."""
    return _modules()[page.name][0]


@cache
def derivations() -> tuple[Derivation, ...]:
    """All pages: chapter by chapter, each after those that it builds on."""
    pages = {name: page for name, (_, page) in _modules().items()}
    chapters = list(CHAPTERS)
    waiting = sorted(pages, key=lambda name: (chapters.index(chapter_of(pages[name])), name))
    ordered: list[str] = []
    while waiting:
        for name in waiting:
            if not set(pages[name].builds_on) - set(ordered):
                break
        else:
            unmet = sorted({f"{name} on {other}" for name in waiting for other in pages[name].builds_on})
            raise ValueError(f"derivations build on each other in a circle or on what is missing: {', '.join(unmet)}")
        waiting.remove(name)
        ordered.append(name)
    # The sort is stable: chapters stay together, and inside a chapter the order just found stays.
    return tuple(pages[name] for name in sorted(ordered, key=lambda name: chapters.index(chapter_of(pages[name]))))


def find(names: list[str]) -> tuple[Derivation, ...]:
    """The pages of the given names, each the name of a page, of a result or of a chapter; all if none is given.

    Raises
    ------
    ValueError
        for a name that is neither.
    """
    known = derivations()
    if not names:
        return known
    wanted: dict[str, Derivation] = {}
    for name in (page for asked in names for page in expand(asked, "page", [*CHAPTERS, *(p.name for p in known)])):
        hits = [page for page in known if name in (page.name, chapter_of(page))]
        if not hits:
            pages, chapters = ", ".join(page.name for page in known), ", ".join(CHAPTERS)
            raise ValueError(f"there is no derivation {name!r}; there are: {pages}; chapters: {chapters}")
        wanted.update((page.name, page) for page in hits)
    return tuple(wanted.values())
