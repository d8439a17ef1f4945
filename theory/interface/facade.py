"""The names and modules of a package, each loaded when it is first used, and old names that still work.

So `--help` and `import theory` load only what they need. A submodule of a package must not have the name of something
that the package exports: importing one would hide the other.
"""

from __future__ import annotations

import pkgutil
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module

from theory.interface.old_names import OLD_NAMES

__all__ = ["facade"]


def facade(package: str, exports: Mapping[str, str]) -> tuple[Callable, Callable, list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package.

    Parameters
    ----------
    package : str
        its `__name__`.
    exports : mapping
        from each module to the names, separated by blanks, that the package exports from it. Where there are none,
        the package is itself an old name, and its old names are what `import *` gives.
    """
    homes = {name: module for module, names in exports.items() for name in names.split()}
    old = OLD_NAMES.get(package, {})

    def modules() -> set[str]:
        # from the dictionary, for an attribute that is missing would be looked up by `__getattr__` again
        folders = vars(sys.modules[package]).get("__path__", [])
        return {module.name for module in pkgutil.iter_modules(folders)}

    def __getattr__(name: str):
        if name in homes:
            value = getattr(import_module(homes[name]), name)
            vars(sys.modules[package])[name] = value  # so that this function is not called again for it
            return value
        if name in old:
            warnings.warn(f"{package}.{name} is now {old[name]}", DeprecationWarning, stacklevel=2)
            module, _, attribute = old[name].rpartition(".")
            return getattr(import_module(module), attribute)
        if name in modules():
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    names = sorted(homes or old)

    def __dir__() -> list[str]:
        special = [name for name in vars(sys.modules[package]) if name.startswith("__")]
        return sorted({*special, *modules(), *names})

    return __getattr__, __dir__, names
