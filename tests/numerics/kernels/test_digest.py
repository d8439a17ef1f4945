"""The digest changes with every source of the folder, in which all compiled functions are, with all that they call."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from numerics.kernels import digest as module

FOLDER = Path(module.__file__).parent
ROOT = FOLDER.parents[1]
PACKAGE = "numerics.kernels"


def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it; of `from a import b` both a and a.b, for b may be a module."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, path  # this project has no relative imports
            names |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return names


def is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_kernels_import_nothing_that_the_digest_does_not_cover():
    """A function from elsewhere could change without the digest, and old compiled code would be used."""
    allowed = {"numba", "llvmlite", "numpy", *sys.stdlib_module_names}
    for path in FOLDER.rglob("*.py"):
        outside = {name for name in imported(path) if not is_inside(name, PACKAGE)}
        assert {name.partition(".")[0] for name in outside - {"numerics"}} <= allowed, path


def test_the_list_of_what_depends_on_kernels_is_who_imports_them():
    import numerics.kernels

    listed = set(re.findall(r"`((?:numerics|figures|tests)\.[\w.]+)`", numerics.kernels.__doc__))
    importers = set()
    for package in ("theory", "numerics", "figures", "tests"):
        for path in (ROOT / package).rglob("*.py"):
            if any(is_inside(name, PACKAGE) for name in imported(path)):
                importers.add(".".join(path.relative_to(ROOT).with_suffix("").parts))
    own = (PACKAGE, f"tests.{PACKAGE}")
    assert listed == {name for name in importers if not any(is_inside(name, folder) for folder in own)}


def test_every_compiled_function_is_in_the_folder():
    root = FOLDER.parents[1]
    sources = [path for package in ("theory", "numerics", "figures") for path in (root / package).rglob("*.py")]
    assert {path.parent for path in sources if "@compiled" in path.read_text(encoding="utf-8")} == {FOLDER}
    assert [path.name for path in sources if "njit(cache" in path.read_text(encoding="utf-8")] == ["cache.py"]


def test_it_depends_on_sources_and_compiler_and_on_nothing_else(tmp_path, monkeypatch):
    def digest(numba="1.0", llvmlite="1.0", **sources):
        for path in tmp_path.rglob("*.py"):
            path.unlink()
        for name, source in sources.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(source)
        monkeypatch.setattr(module, "__file__", str(tmp_path / "digest.py"))
        monkeypatch.setattr(module.numba, "__version__", numba)
        monkeypatch.setattr(module.llvmlite, "__version__", llvmlite)
        return module.kernel_digest.__wrapped__()

    first = digest(a=b"x = 1\n", b=b"y = 1\n")
    assert digest(a=b"x = 1\r\n", b=b"y = 1\n") == first
    others = [
        digest(a=b"x = 2\n", b=b"y = 1\n"),
        digest(a=b"x = 1\n", b=b"y = 2\n"),
        digest(a=b"x = 1\n", c=b"y = 1\n"),
        digest(a=b"x = 1\n", b=b"y = 1\n", folder__c=b"z = 1\n"),
        digest(a=b"x = 1\n", b=b"y = 1\n", folder__c=b"z = 2\n"),
        digest(numba="1.1", a=b"x = 1\n", b=b"y = 1\n"),
        digest(llvmlite="1.1", a=b"x = 1\n", b=b"y = 1\n"),
    ]
    assert len({first, *others}) == 8
