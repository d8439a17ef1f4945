"""The API reference: a page for each package that exports names, with everything that it exports.

An object that several packages export has its place in the innermost of them; the others list it with a link. So all
objects of a module are described in one package, as `sphinx.ext.viewcode` needs it for the links from source to them.
"""

from __future__ import annotations

import importlib
import inspect
from functools import cache
from pathlib import Path

from theory.results import ROOMS

__all__ = ["PACKAGES", "home", "pages"]

FOUNDATIONS = ("theory.gaussian", "theory.objective", "theory.estimator")  # modules that are read by themselves
PACKAGES = (
    "theory",
    *(f"theory.{room}" for room in ROOMS if room != "foundations"),
    "numerics",
    "figures",
    *FOUNDATIONS,
)


def pages(folder: Path) -> dict[str, str]:
    """Each page of the reference by its file."""
    made = {f"api/{package}.rst": _page(package) for package in PACKAGES}
    names = "\n".join(f"   {package}" for package in PACKAGES)
    index = f".. _api:\n\n{_title('API reference')}\nEvery name that a package exports, with examples.\n\n"
    index += f".. toctree::\n   :maxdepth: 1\n\n{names}\n"
    return {"api/index.rst": index, **made}


@cache
def home() -> dict[str, str]:
    """The name under which an exported object is described, by every name that it is exported under."""
    first: dict[int, str] = {}
    for package in sorted(PACKAGES, key=lambda name: -name.count(".")):
        for name, value in _exported(package).items():
            first.setdefault(id(value), f"{package}.{name}")
    return {f"{package}.{name}": first[id(value)] for package in PACKAGES for name, value in _exported(package).items()}


def _exported(package: str) -> dict[str, object]:
    module = importlib.import_module(package)
    return {name: getattr(module, name) for name in sorted(module.__all__, key=str.lower)}


def _page(package: str) -> str:
    """The names of a package: those described elsewhere as links, the others with their docstrings."""
    module = importlib.import_module(package)
    own, others = [], []
    for name, value in _exported(package).items():
        full = f"{package}.{name}"
        if home()[full] == full:
            own.append(f".. auto{'class' if inspect.isclass(value) else 'function'}:: {full}\n{_members(value)}")
        else:
            others.append(f"- :py:obj:`{name} <{home()[full]}>`: {_first_sentence(value)}")
    parts = [f".. _api-{package}:\n\n{_title(package)}", inspect.getdoc(module).split("\n\n")[0]]
    if others:
        parts += [f"Also exported by ``{package}``:", "\n".join(others)]
    return "\n\n".join([*parts, *own]) + "\n"


def _members(value) -> str:
    """The public methods and class methods of a class, as an option of autodoc."""
    if not inspect.isclass(value):
        return ""
    methods = [
        name
        for name, member in vars(value).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, classmethod))
    ]
    return f"   :members: {', '.join(methods)}\n" if methods else ""


def _first_sentence(value) -> str:
    return (inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ")


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"
