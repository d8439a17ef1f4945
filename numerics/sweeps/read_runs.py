"""Reading the runs of a resume file without resuming it: `read_runs`."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from numerics.sweeps.run_file import credible_runs, header_of
from numerics.training.problem import TrainingProblem, training_problem
from theory import validation
from theory.model import LinearVAE

__all__ = ["Runs", "read_runs"]


@dataclass(frozen=True, eq=False)
class Runs:
    """The finished runs of a file, one entry of each array a run.

    Attributes
    ----------
    asked : dict
        what all runs share: latent_dim, noise_variance, posterior, method and the rest, by the names of `sweep`.
    betas : (R,) array
        NaN for a run whose four weights differ.
    weights : (R, 4) array
        `theory.groups.Weights.of_parts`.
    seeds, steps : (R,) arrays of int
    losses, gradient_norms : (R,) arrays
    stopped : (R,) array of str
        as in `TrainingRun`.
    parameters : (R, n) array
        in the training coordinates of `problem`.
    problem : TrainingProblem

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from numerics import read_runs, sweep
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "runs.jsonl")
    ...     _ = sweep([[2.0, 0.0], [0.0, 0.5]], 1, betas=[1.0, 8.0], noise_variance=0.5, file=file)
    ...     runs = read_runs(file)
    >>> sorted(zip(runs.betas.tolist(), runs.losses.round(3).tolist()))
    [(1.0, 2.838), (8.0, 3.645)]
    """

    asked: dict
    betas: np.ndarray
    weights: np.ndarray
    seeds: np.ndarray
    steps: np.ndarray
    losses: np.ndarray
    gradient_norms: np.ndarray
    stopped: np.ndarray
    parameters: np.ndarray
    problem: TrainingProblem

    def vae(self, index: int) -> LinearVAE:
        """The trained model of one run."""
        count = len(self.seeds)
        return self.problem.vae(self.parameters[validation.count("index", index, minimum=-count, maximum=count - 1)])


def read_runs(path) -> Runs:
    """The finished runs in a file that `sweep` or `numerics sweep --resume` wrote; the file is only read.

    Parameters
    ----------
    path : str or path
        of a .jsonl file; made by this or another version of the training code.

    Returns
    -------
    Runs
        in the order of the file.

    Raises
    ------
    ValueError
        if it is no file of runs, or its first line is damaged.

    Warns
    -----
    UserWarning
        if lines are damaged or cut short; their runs are left out.

    Examples
    --------
    See `Runs`.
    """
    path = Path(validation.instance("path", path, (str, os.PathLike), "pass the path of a .jsonl file"))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); name a file that `sweep` wrote") from None
    first, *lines = content.split(b"\n")
    asked, stored = header_of(path, first)
    scaled = stored["axes"] * stored["standard_deviations"]
    problem = training_problem(
        stored["unit"] * (scaled @ scaled.T),
        asked["latent_dim"],
        asked["noise_variance"],
        None if asked["decoder"] is None else np.array(asked["decoder"]),
        asked["posterior"],
        asked["groups"],
        np.array(asked["prior"]),
    )
    problem = replace(problem, **stored)
    lines = [text for text in lines if text]
    runs = credible_runs(lines, problem, asked)
    first_of = {(tuple(run["weights"]), run["seed"]): run for run in reversed(runs)}  # as in a resumed sweep
    kept = [run for run in runs if first_of[tuple(run["weights"]), run["seed"]] is run]
    if len(runs) < len(lines):
        warnings.warn(
            f"{path}: {len(lines) - len(runs)} of {len(lines)} runs in it are damaged or cut short; they are left out",
            stacklevel=2,
        )

    def column(name: str, kind) -> np.ndarray:
        return np.array([run[name] for run in kept], dtype=kind)

    weights = column("weights", float).reshape(-1, 4)
    return Runs(
        asked=asked,
        betas=np.where((weights == weights[:, :1]).all(axis=1), weights[:, 0], np.nan),
        weights=weights,
        seeds=column("seed", np.int64),
        steps=column("steps", np.int64),
        losses=column("loss", float),
        gradient_norms=column("gradient_norm", float),
        stopped=column("stopped", object),
        parameters=np.array([run["parameters"] for run in kept]).reshape(len(kept), len(problem.mask)),
        problem=problem,
    )
