"""The site, which is built once, and the extension of Sphinx that makes its pages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.site.building import ROOT, build

sys.path.insert(0, str(ROOT / "docs"))  # for `site_pages`


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id) -> Path:
    """The folder of the built site: `SITE_FOLDER` if that is set, else a temporary one.

    One worker of pytest-xdist builds it, while the others wait.
    """
    import fcntl

    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    folder = Path(os.environ.get("SITE_FOLDER", shared / "site")).absolute()
    built = shared / "site_is_built"
    with (shared / "site_lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            build(folder)
            built.touch()
    return folder
