"""The lowest versions that pyproject.toml allows, as constraints for pip: each `name>=X` as `name==X`.

What the dependencies themselves need is left to pip, which takes the newest: that is what someone gets who has an old
version of one of them and installs the rest today.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
for requirement in project["dependencies"] + project["optional-dependencies"]["test"]:
    name, at_least, version = requirement.partition(">=")
    if not at_least:
        raise SystemExit(f"pyproject.toml: {requirement} says no lowest version; write {requirement}>=X")
    print(f"{name}=={version}")
