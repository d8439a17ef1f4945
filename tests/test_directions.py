"""Imports go one way: between the packages, between the rooms of each package, and between all modules."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("theory", "numerics", "figures")  # each may import those before it
ROOMS = ("scores", "inference", "learning", "axes", "groups", "priors")  # of theory, likewise
FILES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for package in PACKAGES
    for file in sorted((ROOT / package).rglob("*.py"))
}


def imports(module: str) -> set[str]:
    """The modules of the project that a module imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {name if (name := f"{node.module}.{alias.name}") in FILES else node.module for alias in node.names}
    return {name for name in found if name in FILES} - {module}


IMPORTS = {module: imports(module) for module in FILES}


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_the_packages_are_read():
    assert "theory.learning.learned_noise" in IMPORTS["theory.learning.global_optimum"]
    assert sum(map(len, IMPORTS.values())) > 500


def test_no_package_imports_a_later_one():
    for module, imported in IMPORTS.items():
        allowed = PACKAGES[: PACKAGES.index(module.split(".")[0]) + 1]
        assert all(name.split(".")[0] in allowed for name in imported), module


@pytest.mark.parametrize("of", [str, room], ids=["modules", "rooms"])
def test_no_circle(of):
    graph = {}
    for module, imported in IMPORTS.items():
        graph.setdefault(of(module), set()).update({of(name) for name in imported} - {of(module)})
    order = list(TopologicalSorter(graph).static_order())  # CycleError names the circle
    assert order.index(of("theory.objective")) < order.index(of("theory.learning.global_optimum"))


def test_no_room_of_theory_imports_a_later_one():
    for index, name in enumerate(ROOMS):
        later = {f"theory.{other}" for other in ROOMS[index + 1 :]}
        imported = set().union(*(IMPORTS[module] for module in IMPORTS if room(module) == f"theory.{name}"))
        assert later.isdisjoint(map(room, imported)), name
