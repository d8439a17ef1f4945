"""Builds the site as its readers do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(folder: Path) -> None:
    """Build the site into a folder without a warning; nothing that git sees in the repository changes."""
    before = _changes()
    command = [sys.executable, "-m", "sphinx", "-W", "docs", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert _changes() == before


def _changes() -> str:
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
