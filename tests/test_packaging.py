"""What gets installed is what is there: setuptools needs a list of several top-level packages."""

import importlib
import importlib.metadata
import tomllib
from pathlib import Path

import pytest

import theory

ROOT = Path(__file__).parent.parent


def test_every_package_is_listed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    modules = [path for top in ("theory", "numerics", "figures") for path in (ROOT / top).rglob("*.py")]
    packages = {".".join(path.parent.relative_to(ROOT).parts) for path in modules}
    assert sorted(settings["packages"]) == sorted(packages)
    assert all((ROOT / package.replace(".", "/") / "__init__.py").is_file() for package in packages)
    assert all(
        (ROOT / package.replace(".", "/") / file).is_file()
        for package, files in settings["package-data"].items()
        for file in files
    )


@pytest.mark.parametrize("door", ["theory", "numerics", "figures"])
def test_each_door_tells_the_version(door, capsys):
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"{door}.__main__").main(["--version"])
    installed = importlib.metadata.version("linear-beta-vae")
    assert (ended.value.code, capsys.readouterr().out) == (0, f"linear-beta-vae {theory.__version__}\n")
    assert installed == theory.__version__
