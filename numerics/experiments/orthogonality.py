"""How orthogonal the decoders of three linear models become on points of a rectangle in space.

**Data.** Points of a rectangle, rotated into R^3 (`numerics.data.rectangle`): two directions of variance, none in the
third. Two latents suffice. After training, the distance to orthogonality of the decoder shows whether its latents are
the axes of the rectangle.

**Models.**

    diagonal posterior   at the axes, distance 0, once training has converged and the ratio is not 1
    full posterior       any rotation is as good
    autoencoder          any regular linear map is as good; from a rotation-invariant start the end is uniform over all
                         rotations, at the chance level

**A square.** At ratio 1 the population has no axes: the columns of a converged decoder with either posterior are
orthogonal however its latents are rotated, and the distance is zero by the rule of `distance_to_orthogonality` at ties.
A sample of it has axes: its two eigenvalues differ by a percent, its covariance is not quite diagonal, and long
training finds them. The distance there therefore measures how long the training was.

`numerics.experiments.published_distances` compares with Rolinek et al. (2019).
"""

from __future__ import annotations

import numpy as np

from numerics.sweeps.complete import complete_sweep
from numerics.training.autoencoder import decoders_while_training, train_autoencoder
from numerics.training.descent import gradient_path
from numerics.training.end_of_run import stop_reason
from numerics.training.problem import in_range, training_problem
from numerics.training.stop import Stop
from numerics.training.train import descent_limits, overflow_error
from theory import validation
from theory.axes.orthogonality import distances_to_orthogonality
from theory.groups import Weights
from theory.moments import Moments, as_moments

__all__ = ["MODELS", "distances", "distances_while_training"]


MODELS = ("diagonal", "full", "autoencoder")
# A gradient of 1e-8 leaves equal singular values of a trained decoder this far apart: 1.4e-8 at most in 400 runs.
TIE = 1e-6
RUN_BYTES = 1000  # memory of a run
GRADIENT_TOLERANCE = 1e-8  # nats, of a run whose number of steps is given


def distances(
    covariance, *, seeds, water_level: float = 0.02, max_steps: int = 100_000, gradient_tolerance: float = 1e-8
) -> dict[str, np.ndarray]:
    """Distance to orthogonality of two latents after training to a vanishing gradient, for each model and start.

    Parameters
    ----------
    covariance : (3, 3) array, or Moments
    seeds : int, or sequence of ints
        of the starts.
    water_level : float > 0
        beta times the (fixed) noise variance, at beta = 1; below the smaller variance, 1 / 12, or a latent collapses.
    max_steps : int
    gradient_tolerance : float > 0
        of the two VAEs, in nats. What it leaves of the distance grows like 1 / gap^2, gap the relative difference of
        the two variances.

    Returns
    -------
    dict from the names in `MODELS` to arrays, one distance per start; NaN for a run that did not converge.

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    covariance, seeds = _in_space(covariance), validation.seeds("seeds", seeds, bytes_each=RUN_BYTES)
    water_level = _water_level(water_level, covariance)
    by_model = {}
    for posterior in ("diagonal", "full"):
        done = complete_sweep(
            covariance,
            2,
            betas=[1.0],
            seeds=seeds,
            noise_variance=water_level,
            posterior=posterior,
            max_steps=max_steps,
            gradient_tolerance=validation.positive("gradient_tolerance", gradient_tolerance),
        )
        values = distances_to_orthogonality(done.problem.decoders(done.parameters[0]), tie=TIE)
        by_model[posterior] = np.where(done.stopped[0] == Stop.GRADIENT, values, np.nan)
    runs = train_autoencoder(covariance, 2, seeds=seeds, max_steps=max_steps)
    values = distances_to_orthogonality(runs.decoders, tie=TIE)
    by_model["autoencoder"] = np.where(runs.stopped == Stop.GRADIENT, values, np.nan)
    return by_model


def distances_while_training(
    covariance, steps, *, seeds, model: str = "diagonal", water_level: float = 0.02
) -> np.ndarray:
    """Distance to orthogonality after given numbers of plain gradient steps, for each start.

    Parameters
    ----------
    covariance, seeds, water_level
        as for `distances`.
    steps : sequence of ints
    model : one of `MODELS`

    Returns
    -------
    (steps, starts) array

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    covariance, seeds = _in_space(covariance), validation.seeds("seeds", seeds, bytes_each=RUN_BYTES)
    water_level = _water_level(water_level, covariance)
    model = validation.choice("model", model, MODELS)
    steps = [validation.count("steps", count) for count in validation.sequence("steps", steps)]
    counts, rows = np.unique(np.array(steps, dtype=np.int64), return_inverse=True)
    if model == "autoencoder":
        decoders = decoders_while_training(covariance, 2, counts, seeds=seeds)
    else:
        decoders = _vae_decoders_while_training(covariance, counts, seeds, model, water_level)
    return np.array([distances_to_orthogonality(of_starts, tie=TIE) for of_starts in decoders])[rows]


def _vae_decoders_while_training(covariance: Moments, counts: np.ndarray, seeds, posterior: str, water_level: float):
    """The decoders after each of the increasing numbers of gradient steps, (counts, starts, 3, 2), each run made once.

    The runs are those of `sweep` by the method "gradient".
    """
    problem, weights = training_problem(covariance, 2, water_level, None, posterior), Weights()
    objective, limits = problem.objective(weights), descent_limits(1.0, GRADIENT_TOLERANCE, int(counts[-1]))
    paths = []
    for seed in seeds:
        theta = problem.start(np.random.default_rng(seed))
        end, path = gradient_path(theta, objective, limits, counts)
        if stop_reason(end.code, end.loss, end.gradient_norm, theta, problem, weights) == Stop.OVERFLOWED:
            raise overflow_error("gradient", limits.learning_rate, 1.0)
        paths.append(path)
    return problem.decoders(np.stack(paths, axis=1))


def _in_space(covariance) -> Moments:
    """The covariance of three coordinates, checked."""
    moments = as_moments(covariance)
    validation.covariance_matrix("covariance", moments.covariance, 3)
    return moments


def _water_level(value: float, moments: Moments) -> float:
    """The water level, if training accepts a noise of its size."""
    value = validation.positive("water_level", value)
    unit = float(np.diagonal(moments.covariance).max()) or 1.0
    in_range("water_level", value, "times the largest variance of the data", unit)
    return value
