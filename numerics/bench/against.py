"""This tree against another one, such as an earlier commit: whole processes, as a person waits for them.

Both trees run by the same interpreter and libraries, in turn, each with kernels of its own in a temporary folder. The
processor time is that of a process and its children.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from theory.interface.progress import progress_bar

__all__ = ["COMMANDS", "Pair", "compare"]

HERE = Path(__file__).parents[2]
FIGURES = (
    "inference_error,optimal_beta,learned_inference_error,collapse,rate_distortion,learned_noise,convergence,"
    "rotation_energy,degenerate_spectrum,priors_and_axes,decomposition,granularity,granularity_trajectory,"
    "total_correlation,hiding_factors"
)
TRAIN = "import numerics; numerics.train([[2.0, 0.5], [0.5, 1.0]], 1, beta=1.0)"


@dataclass(frozen=True)
class Command:
    """Arguments of the interpreter; `{out}` stands for a folder. `fresh`: with nothing compiled before."""

    name: str
    arguments: tuple[str, ...]
    fresh: bool = False
    rounds: int = 7


COMMANDS = (
    Command("main_job", ("-m", "figures", "--only", FIGURES, "--out", "{out}"), rounds=1),
    Command("main_job_fresh", ("-m", "figures", "--only", FIGURES, "--out", "{out}"), fresh=True, rounds=1),
    Command("first_train", ("-c", TRAIN), fresh=True, rounds=3),
    Command(
        "train", ("-m", "numerics", "train", "--eigenvalues", "3,2,1", "--latent-dim", "2", "--beta", "1", "--json")
    ),
    Command("import_theory", ("-c", "import theory")),
    Command("theory_help", ("-m", "theory", "--help")),
    Command("numerics_help", ("-m", "numerics", "--help")),
    Command("figures_list", ("-m", "figures", "--list")),
    Command("numpy_and_scipy", ("-c", "import numpy, scipy.linalg")),
)


@dataclass(frozen=True)
class Pair:
    """The least wall and processor seconds of a command here and there."""

    name: str
    wall: tuple[float, float]
    processor: tuple[float, float]


def compare(tree: Path, names: list[str], *, progress: bool | None = None) -> Iterator[Pair]:
    """Run some of `COMMANDS` here and in another tree, and yield each as soon as it is measured.

    Parameters
    ----------
    tree : Path
        of a checkout with the packages `theory`, `numerics` and `figures`.
    names : list of str
    progress : bool, optional
        a progress bar on stderr; by default only in a terminal, and elsewhere a line every ten seconds.

    Raises
    ------
    ValueError
        if the tree has none of the packages, or a command fails in it.
    """
    if not (tree / "theory").is_dir():
        raise ValueError(f"--against must be a checkout of this project, got {tree}, which has no folder theory")
    chosen = [command for command in COMMANDS if command.name in names]
    trees = HERE, tree.resolve()
    with (
        tempfile.TemporaryDirectory() as folder,
        progress_bar(chosen, desc="bench", unit="command", progress=progress, leave=False) as bar,
    ):
        for command in bar:
            bar.set_postfix_str(command.name)
            if not command.fresh:
                for number, place in enumerate(trees):  # what it compiles is kept
                    _timed(command, place, Path(folder) / f"kept{number}")
            least = [(float("inf"), float("inf"))] * 2
            for turn in range(command.rounds):
                for number, place in enumerate(trees):
                    kernels = f"{command.name}{turn}{number}" if command.fresh else f"kept{number}"
                    taken = _timed(command, place, Path(folder) / kernels)
                    least[number] = tuple(map(min, least[number], taken))
            wall, processor = zip(*least, strict=True)
            yield Pair(command.name, wall, processor)


def _timed(command: Command, tree: Path, kernels: Path) -> tuple[float, float]:
    """Wall and processor seconds of one process in a tree."""
    environment = os.environ | {"PYTHONPATH": str(tree), "NUMBA_CACHE_DIR": str(kernels)}
    with tempfile.TemporaryDirectory() as out:
        line = [sys.executable, *(argument.format(out=out) for argument in command.arguments)]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        ended = subprocess.run(line, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-1:]
        raise ValueError(f"--against: {command.name!r} failed in {tree}: {' '.join(last)}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
