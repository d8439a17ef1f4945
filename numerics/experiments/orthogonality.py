"""Points of a rectangle in space: three linear models trained on them, and how orthogonal their decoders become.

Points uniform on [0, 1]^2, the first axis stretched by a ratio, are put into R^3 and rotated by 45 degrees about
(1, -1, 1): two directions of variance ratio^2 / 12 and 1 / 12, none in the third. Two latents suffice. After training,
the distance to orthogonality of the decoder tells whether its latents are the axes of the rectangle.

    diagonal posterior   at the axes, distance 0, once training has converged and the ratio is not 1
    full posterior       any rotation is as good
    autoencoder          any regular linear map is as good; a start that is the same from every side ends evenly
                         distributed over all rotations, at the chance level

At ratio 1 the population has no axes: the columns of a converged decoder with either posterior are orthogonal however
its latents are rotated, and the distance is zero by what `distance_to_orthogonality` does at ties. A sample of it has
axes: its two eigenvalues differ by a percent, its covariance is not quite diagonal, and training long enough finds
them. What is seen there is therefore how long one trained.

Of the six mean distances that Rolinek et al. (2019) report, three come out: .00 for the diagonal posterior at ratio 2,
and .20 and .01 at ratios 1.2 and 1.5 after about 300 plain gradient steps, not at the end, where all are zero. Three do
not. At ratio 1 those 300 steps lead to .37 to .47 (ten samples, 200 starts each), not to .49. The .34 and .33 of a full
posterior and of an autoencoder are .548, chance, before training, after it, and at every step on the way, so that no
number of steps explains them; nor does 1/sqrt(2) in the norm, which gives .39.
"""

from __future__ import annotations

import numpy as np

from numerics.sweeps.sweep import sweep
from numerics.training.autoencoder import train_autoencoder
from numerics.training.problem import in_range
from theory import validation
from theory.axes.orthogonality import distance_to_orthogonality
from theory.moments import Moments, as_moments

__all__ = ["MODELS", "distances", "distances_while_training"]


MODELS = ("diagonal", "full", "autoencoder")
# Singular values of a trained decoder are equal to what a gradient of 1e-8 leaves of them: 1.4e-8 of 400 runs at most.
TIE = 1e-6


def distances(covariance, *, seeds, water_level: float = 0.02, max_steps: int = 100_000) -> dict[str, np.ndarray]:
    """Distance to orthogonality of two latents after training to a vanishing gradient, for each model and start.

    Parameters
    ----------
    covariance : (3, 3) array, or Moments
    seeds : int, or sequence of ints
        of the starts.
    water_level : float > 0
        beta times the (fixed) noise variance, at beta = 1; below the smaller variance, 1 / 12, or a latent collapses.
    max_steps : int

    Returns
    -------
    dict from the names in `MODELS` to arrays, one distance per start; NaN for a run that did not converge.

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    covariance, seeds = _in_space(covariance), _bounded(seeds)
    water_level = _water_level(water_level, covariance)
    found = {}
    for posterior in ("diagonal", "full"):
        done = sweep(
            covariance, 2, betas=[1.0], seeds=seeds, noise_variance=water_level, posterior=posterior,
            max_steps=max_steps, progress=False,
        )  # fmt: skip
        values = _distances(done.vae(0, index).decoder for index in range(len(done.seeds)))
        found[posterior] = np.where(done.stopped[0] == "gradient", values, np.nan)
    runs = train_autoencoder(covariance, 2, seeds=seeds, max_steps=max_steps)
    found["autoencoder"] = np.where(runs.gradient_norms <= 1e-8, _distances(runs.decoders), np.nan)
    return found


def distances_while_training(
    covariance, steps, *, seeds, model: str = "diagonal", water_level: float = 0.02
) -> np.ndarray:
    """Distance to orthogonality after given numbers of plain gradient steps, for each start.

    Parameters
    ----------
    covariance : (3, 3) array, or Moments
    steps : sequence of ints
    seeds : int, or sequence of ints
    model : one of `MODELS`
    water_level : float > 0
        as for `distances`.

    Returns
    -------
    (steps, starts) array

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    covariance, seeds = _in_space(covariance), _bounded(seeds)
    water_level = _water_level(water_level, covariance)
    model = validation.choice("model", model, MODELS)
    rows = []
    for count in [validation.count("steps", count) for count in validation.sequence("steps", steps)]:
        if model == "autoencoder":
            rows.append(_distances(train_autoencoder(covariance, 2, seeds=seeds, max_steps=count).decoders))
            continue
        done = sweep(
            covariance, 2, betas=[1.0], seeds=seeds, noise_variance=water_level, posterior=model, method="gradient",
            max_steps=count, progress=False,
        )  # fmt: skip
        rows.append(_distances(done.vae(0, index).decoder for index in range(len(done.seeds))))
    return np.array(rows)


def _in_space(covariance) -> Moments:
    """The covariance of three coordinates, checked."""
    moments = as_moments(covariance)
    validation.covariance_matrix("covariance", moments.covariance, 3)
    return moments


def _water_level(value: float, moments: Moments) -> float:
    """The water level, if it is of a size that training takes for a noise."""
    value = validation.positive("water_level", value)
    unit = float(np.diagonal(moments.covariance).max()) or 1.0
    in_range("water_level", value, "times the largest variance of the data", unit)
    return value


def _bounded(seeds):
    """The seeds, if they are a number, checked against what their runs take."""
    return seeds if validation.several(seeds) else validation.count("seeds", seeds, minimum=1, bytes_each=1000)


def _distances(decoders) -> np.ndarray:
    return np.array([distance_to_orthogonality(decoder, tie=TIE).distance for decoder in decoders])
