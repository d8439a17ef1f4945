"""The digest changes with the source of every compiled module, and names all of them."""

from __future__ import annotations

from pathlib import Path

from numerics import kernel_digest as module

PACKAGE = Path(module.__file__).parent


def test_every_module_with_compiled_functions_counts():
    compiled = {path.name for path in PACKAGE.rglob("*.py") if "@njit" in path.read_text()}
    assert compiled == set(module.COMPILED)


def test_it_depends_on_source_and_compiler_and_on_nothing_else(tmp_path, monkeypatch):
    def digest(source, version="1.0"):
        (tmp_path / module.COMPILED[0]).write_bytes(source)
        monkeypatch.setattr(module, "__file__", str(tmp_path / "kernel_digest.py"))
        monkeypatch.setattr(module.numba, "__version__", version)
        return module.kernel_digest.__wrapped__()

    assert digest(b"x = 1\n") == digest(b"x = 1\r\n") != digest(b"x = 2\n")
    assert digest(b"x = 1\n") != digest(b"x = 1\n", version="1.1")
