"""What gets installed is what is there: setuptools has to be told each of several top-level packages."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_package_is_listed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    modules = [path for top in ("theory", "numerics", "figures") for path in (ROOT / top).rglob("*.py")]
    packages = {".".join(path.parent.relative_to(ROOT).parts) for path in modules}
    assert sorted(settings["packages"]) == sorted(packages)
    assert all((ROOT / package.replace(".", "/") / "__init__.py").is_file() for package in packages)
    assert all((ROOT / "figures" / file).is_file() for file in settings["package-data"]["figures"])
