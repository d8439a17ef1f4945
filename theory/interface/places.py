"""Where functions, pages, checks and figures are, by name; files relative to the folder that holds the packages."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from pathlib import Path

__all__ = ["check_place", "figure_place", "function_of", "function_place", "page_place"]

ROOT = Path(__file__).parents[2]


def function_of(name: str) -> Callable:
    """A function of `theory` by its dotted name, looked up each time, so that a changed one is seen."""
    package, *attributes = name.split(".")
    return reduce(getattr, attributes, import_module(package))


def function_place(name: str) -> tuple[str, int]:
    """The file of a function of `theory`, by its dotted name, and the line on which it begins."""
    function = inspect.unwrap(function_of(name))
    return _relative(Path(inspect.getsourcefile(function))), inspect.getsourcelines(function)[1]


def page_place(name: str) -> str:
    """The module that makes a page: it has the name of the page."""
    (file,) = (ROOT / "theory" / "derivations").glob(f"*/{name.replace('-', '_')}.py")
    return _relative(file)


def check_place(name: str) -> str:
    """The module in which the check of `python -m numerics verify` is: it is a function of its name."""
    definition = re.compile(rf"^def {name}\(", re.MULTILINE)
    (file,) = (file for file in (ROOT / "numerics" / "checks").glob("*.py") if definition.search(file.read_text()))
    return _relative(file)


def figure_place(name: str) -> str:
    """The module of a figure."""
    return f"figures/{name}.py"


def _relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()
