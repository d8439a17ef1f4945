"""The digest changes with every source of the folder, in which all compiled functions are."""

from __future__ import annotations

from pathlib import Path

from numerics.kernels import digest as module

FOLDER = Path(module.__file__).parent


def test_every_compiled_function_is_in_the_folder():
    root = FOLDER.parents[1]
    sources = [path for package in ("theory", "numerics", "figures") for path in (root / package).rglob("*.py")]
    assert {path.parent for path in sources if "@compiled" in path.read_text(encoding="utf-8")} == {FOLDER}
    assert [path.name for path in sources if "njit(cache" in path.read_text(encoding="utf-8")] == ["cache.py"]


def test_it_depends_on_sources_and_compiler_and_on_nothing_else(tmp_path, monkeypatch):
    def digest(version="1.0", **sources):
        for path in tmp_path.iterdir():
            path.unlink()
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_bytes(source)
        monkeypatch.setattr(module, "__file__", str(tmp_path / "digest.py"))
        monkeypatch.setattr(module.numba, "__version__", version)
        return module.kernel_digest.__wrapped__()

    first = digest(a=b"x = 1\n", b=b"y = 1\n")
    assert digest(a=b"x = 1\r\n", b=b"y = 1\n") == first
    others = [
        digest(a=b"x = 2\n", b=b"y = 1\n"),
        digest(a=b"x = 1\n", b=b"y = 2\n"),
        digest(a=b"x = 1\n", c=b"y = 1\n"),
        digest("1.1", a=b"x = 1\n", b=b"y = 1\n"),
    ]
    assert len({first, *others}) == 5
