"""Many training runs at once: every beta from every seed, independent runs in parallel.

Each run is the one that `train` makes with `rng=numpy.random.default_rng(seed)`, step for step: runs share only the
data. They go in small batches (`numerics.sweeps.batches`) to the threads of the compiled kernel or to the workers of an
executor; an interrupt (Ctrl-C) or a worker that dies loses nothing that was finished. With a file, finished runs
outlive this process too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from numerics.kernels.descent import Limits
from numerics.sweeps.batches import finished_batches
from numerics.sweeps.pending import Pending
from numerics.sweeps.run_file import RunFile
from numerics.training import descent
from numerics.training.problem import BLAS, TrainingProblem, training_problem
from numerics.training.stop import Stop
from numerics.training.train import as_weights, descent_limits
from theory import validation
from theory.groups import Weights
from theory.interface import interrupts
from theory.interface.progress import asked, progress_bar
from theory.model import LinearVAE
from theory.partition import Posterior, partition

__all__ = ["Sweep", "sweep"]

RUN_BYTES = 1024  # memory of a run besides its parameters
LARGEST_SEED = 2**63 - 1  # that an int64 array holds


@dataclass(frozen=True, eq=False)
class Sweep:
    """The results of the runs of a sweep; rows are betas, columns are seeds.

    Attributes
    ----------
    betas, seeds : (B,) and (R,) arrays
        betas are numbers, or `Weights` if these were given.
    losses, gradient_norms : (B, R) arrays
        as in `TrainingRun`; NaN where a run was not made or overflowed.
    steps : (B, R) array of int
    stopped : (B, R) array of str
        as in `TrainingRun`, or "not run", or "overflowed": the numbers of the run left the range of double precision,
        because the learning rate is too large, or negative weights leave the loss no lower bound.
    interrupted : bool
        whether the sweep ended early, so that runs may be missing.
    failure : str or None
        the error that ended it, if not a keyboard interrupt: a worker that died, or a file that could not be written.
    parameters : (B, R, n) array
        in the training coordinates of `problem`; the start where a run was not made, NaN where it overflowed.
    problem : TrainingProblem
    """

    betas: np.ndarray
    seeds: np.ndarray
    losses: np.ndarray
    gradient_norms: np.ndarray
    steps: np.ndarray
    stopped: np.ndarray
    interrupted: bool
    failure: str | None
    parameters: np.ndarray
    problem: TrainingProblem

    def vae(self, beta_index: int, seed_index: int) -> LinearVAE:
        """The trained model of one run; indices below zero count from the end.

        Raises
        ------
        ValueError
            if there is no such run, it was not made because the sweep ended early, or it overflowed.
        """
        rows, columns = self.stopped.shape
        row = validation.count("beta_index", beta_index, minimum=-rows, maximum=rows - 1)
        column = validation.count("seed_index", seed_index, minimum=-columns, maximum=columns - 1)
        run = f"the run of beta {self.betas[row]} and seed {self.seeds[column]}"
        if self.stopped[row, column] == Stop.NOT_RUN:
            raise ValueError(f"{run} did not finish, because the sweep ended before; make it again")
        if self.stopped[row, column] == Stop.OVERFLOWED:
            raise ValueError(
                f"{run} overflowed; pass a smaller learning_rate, or weights that leave the loss a lower bound"
            )
        return self.problem.vae(self.parameters[row, column])

    def vaes(self) -> list[list[LinearVAE]]:
        """The trained models of all runs, one list for each beta; raises as `vae` if a run has none."""
        rows, columns = self.stopped.shape
        return [[self.vae(row, column) for column in range(columns)] for row in range(rows)]

    def best(self, beta_index: int) -> LinearVAE:
        """The trained model of lowest loss among the seeds of one beta; raises as `vae` if no run has one."""
        rows = len(self.stopped)
        losses = self.losses[validation.count("beta_index", beta_index, minimum=-rows, maximum=rows - 1)]
        return self.vae(beta_index, 0 if np.isnan(losses).all() else int(np.nanargmin(losses)))


@BLAS.wrap(limits=1, user_api="blas")  # waiting threads of the library would take time from those that train
def sweep(
    covariance,
    latent_dim: int,
    *,
    betas,
    seeds=1,
    groups: Posterior = "diagonal",
    prior: np.ndarray | None = None,
    noise_variance: float | str = "learned",
    decoder: np.ndarray | None = None,
    posterior: Posterior = "diagonal",
    method: str = "accelerated",
    learning_rate: float = 0.01,
    gradient_tolerance: float = 1e-8,
    max_steps: int = 20_000,
    executor: Executor | None = None,
    file=None,
    progress: bool | None = None,
) -> Sweep:
    """Train for every beta from every seed; the runs are those of `train` by the same method, on any executor.

    Parameters
    ----------
    covariance, latent_dim, groups, prior, noise_variance, decoder, posterior
        as in `train`, the same for all runs.
    betas : sequence of floats > 0, or of `theory.groups.Weights`
    seeds : int > 0, or sequence of ints, from 0 to 2^63 - 1
        of the random starts, one run per beta and seed; a number n stands for 0 .. n - 1.
    method : "accelerated" (default), "gradient" or "adam"
        the compiled methods of `train`; the others, "auto" among them, train one model at a time.
    learning_rate, gradient_tolerance, max_steps
        as in `train`.
    executor : concurrent.futures.Executor, optional
        whose workers make the runs, each run on one core; by default the threads of this process. A process pool,
        `dask.distributed.Client.get_executor()` or `mpi4py.futures.MPIPoolExecutor` will do; it stays open.
    file : path to a .jsonl file, optional
        finished runs are added to it, batch by batch, and runs already in it are reused. One sweep at a time may write
        it; a later one may have other betas and seeds. Damaged runs are made again, and a file of another version of
        the training code or of NumPy is renamed to FILE.old-1, both with a warning.
    progress : bool, optional
        a progress bar on stderr; by default only in a terminal, and elsewhere a line every ten seconds.

    Returns
    -------
    Sweep
        after a keyboard interrupt or a failure the runs that finished, with `interrupted` set. The same on every
        executor, to the last digit, if its machines compute alike. A run that overflows, where `train` raises, is
        marked in `stopped` and not kept in the file.

    Raises
    ------
    ValueError
        for arguments that do not fit; also if the file holds runs of another problem.
    Exception
        from the executor, its workers or the file, if no run was finished before; later it is in `failure`.

    Examples
    --------
    >>> from numerics import sweep
    >>> done = sweep([[2.0, 0.0], [0.0, 0.5]], 1, betas=[1.0, 8.0], seeds=2, noise_variance=0.5)
    >>> done.losses.round(3).tolist()
    [[2.838, 2.838], [3.645, 3.645]]
    """
    problem = training_problem(covariance, latent_dim, noise_variance, decoder, posterior, groups, prior)
    code = descent.METHOD_CODES[validation.choice("method", method, descent.METHOD_CODES)]
    limits = descent_limits(learning_rate, gradient_tolerance, max_steps)
    progress = asked(progress)
    if isinstance(betas, Sequence) and any(isinstance(beta, Weights) for beta in betas):
        betas = np.array(betas, dtype=object)
    else:
        betas = validation.positive_array("betas", validation.vector("betas", betas))
    weights = [as_weights("betas", beta) for beta in validation.sequence("betas", betas)]
    each = len(weights) * (3 * problem.mask.nbytes + RUN_BYTES)  # parameters as they are here, made and returned
    seeds = validation.seeds("seeds", seeds, maximum=LARGEST_SEED, bytes_each=each)
    if not isinstance(executor, Executor | None):
        raise ValueError(
            f"executor must be a concurrent.futures.Executor, got {executor!r}; pass for example "
            "ProcessPoolExecutor(), or client.get_executor() of a Dask client"
        )
    stored = None
    if file is not None:
        validation.instance("file", file, (str, os.PathLike), "pass the path of a .jsonl file")
        stored = RunFile(file, problem, _asked(problem, noise_variance, posterior, groups, method, limits))
        problem = stored.problem

    keys = [(weight.of_parts, seed) for weight in weights for seed in seeds]
    starts = {seed: problem.start(np.random.default_rng(seed)) for seed in seeds}
    done = {} if stored is None else dict(stored.runs)
    todo = Pending(problem, [key for key in dict.fromkeys(keys) if key not in done], starts)
    bar = progress_bar(total=len(todo.keys), desc="training", unit="run", progress=progress)

    def keep(part: slice) -> None:
        with interrupts.put_off():  # else a run may be written twice, or half
            finished = todo.finished(part, known=done if stored is None else stored.runs)
            bar.update(len(finished.keys() - done.keys()))
            done.update(finished)
            if stored is not None:
                stored.append(finished)

    interrupted, failure = False, None
    try:
        with bar:
            try:
                with closing(finished_batches(todo, code, limits, executor)) as batches:
                    for part in batches:
                        keep(part)
            finally:
                keep(slice(None))  # runs that finished while an interrupt or an error came
    except KeyboardInterrupt:
        interrupted = True
    except Exception as error:
        if not todo.finished(slice(None)):
            raise
        interrupted, failure = True, f"{type(error).__name__}: {error}"

    unfinished = {"loss": np.nan, "gradient_norm": np.nan, "steps": 0, "stopped": Stop.NOT_RUN}
    runs = [done.get(key, unfinished | {"parameters": starts[key[1]]}) for key in keys]

    def column(name: str, kind) -> np.ndarray:
        return np.array([run[name] for run in runs], dtype=kind).reshape(len(betas), len(seeds))

    return Sweep(
        betas=betas,
        seeds=np.array(seeds, dtype=np.int64),
        losses=column("loss", float),
        gradient_norms=column("gradient_norm", float),
        steps=column("steps", np.int64),
        stopped=column("stopped", object),
        interrupted=interrupted,
        failure=failure,
        parameters=np.reshape([run["parameters"] for run in runs], (len(betas), len(seeds), len(problem.mask))),
        problem=problem,
    )


def _asked(problem: TrainingProblem, noise_variance, posterior, groups, method: str, limits: Limits) -> dict:
    """Everything that a run depends on besides covariance, weights and seed, as JSON values."""
    return {
        "latent_dim": problem.latent_dim,
        "noise_variance": noise_variance if isinstance(noise_variance, str) else float(noise_variance),
        "decoder": None if problem.decoder is None else problem.decoder.tolist(),
        "posterior": sorted(group.tolist() for group in partition(posterior, problem.latent_dim)),
        "groups": sorted(group.tolist() for group in partition(groups, problem.latent_dim)),
        "prior": problem.prior.tolist(),
        "method": method,
        "learning_rate": limits.learning_rate,
        "gradient_tolerance": limits.tolerance,
        "max_steps": limits.max_steps,
    }
