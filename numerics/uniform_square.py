"""Points of a rectangle in space: three linear models trained on them, and how orthogonal their decoders become.

Points uniform on [0, 1]^2, the first axis stretched by a ratio, are put into R^3 and rotated by 45 degrees about
(1, -1, 1): two directions of variance ratio^2 / 12 and 1 / 12, none in the third. Two latents suffice. After training,
the distance to orthogonality of the decoder tells whether its latents are the axes of the rectangle.

    diagonal posterior   at the axes, distance 0, once training has converged and the ratio is not 1
    full posterior       any rotation is as good
    autoencoder          any regular linear map is as good; a start that is the same from every side ends evenly
                         distributed over all rotations, at the chance level

At ratio 1 the population has no axes. A sample has: its two eigenvalues differ by a percent, its covariance is not
quite diagonal, and training long enough finds the sample's axes. What is seen there is therefore how long one trained.
"""

from __future__ import annotations

import numpy as np

from numerics.autoencoder import train_autoencoder
from numerics.sweep import sweep
from theory import validation
from theory.axes.orthogonality import distance_to_orthogonality

__all__ = [
    "MODELS",
    "PUBLISHED",
    "PUBLISHED_SERIES",
    "distances",
    "distances_while_training",
    "square_covariance",
    "uniform_square",
]

MODELS = ("diagonal", "full", "autoencoder")

# Mean distances that Rolinek et al. (2019) report: at ratio 2 for each model, and for the diagonal posterior by ratio.
PUBLISHED = {"diagonal": 0.00, "full": 0.34, "autoencoder": 0.33}
PUBLISHED_SERIES = {1.0: 0.49, 1.2: 0.20, 1.5: 0.01}


def _placement() -> np.ndarray:
    """(3, 2): where the two axes of the rectangle lie after the rotation (Rodrigues' formula)."""
    axis, angle = np.array([1.0, -1.0, 1.0]) / np.sqrt(3), np.pi / 4
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return (np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)[:, :2]


def uniform_square(count: int, axis_ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Draw points of the rectangle, rotated into space: (count, 3)."""
    axis_ratio = validation.positive("axis_ratio", axis_ratio)
    return (rng.uniform(size=(validation.count("count", count), 2)) * [axis_ratio, 1.0]) @ _placement().T


def square_covariance(axis_ratio: float) -> np.ndarray:
    """Covariance (3, 3) of the points: variances ratio^2 / 12 and 1 / 12 along the axes of the rectangle."""
    return (_placement() * [validation.positive("axis_ratio", axis_ratio) ** 2 / 12, 1 / 12]) @ _placement().T


def distances(covariance, *, seeds, water_level: float = 0.02, max_steps: int = 100_000) -> dict[str, np.ndarray]:
    """Distance to orthogonality of two latents after training to a vanishing gradient, for each model and start.

    Parameters
    ----------
    covariance : (3, 3) array, or Moments
    seeds : int, or sequence of ints
        of the starts.
    water_level : float > 0
        beta times the (held) noise variance, at beta = 1; below the smaller variance, 1 / 12, or a latent collapses.
    max_steps : int

    Returns
    -------
    dict from the names in `MODELS` to arrays, one distance per start; NaN for a run that did not converge.
    """
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


def distances_while_training(covariance, steps, *, seeds, water_level: float = 0.02) -> np.ndarray:
    """Distance to orthogonality after given numbers of plain gradient steps with a diagonal posterior, for each start.

    Returns
    -------
    (steps, starts) array
    """
    rows = []
    for count in steps:
        done = sweep(
            covariance, 2, betas=[1.0], seeds=seeds, noise_variance=water_level, method="gradient", max_steps=count,
            progress=False,
        )  # fmt: skip
        rows.append(_distances(done.vae(0, index).decoder for index in range(len(done.seeds))))
    return np.array(rows)


def _distances(decoders) -> np.ndarray:
    return np.array([distance_to_orthogonality(decoder).distance for decoder in decoders])
