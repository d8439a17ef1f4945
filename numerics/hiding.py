"""Hiding the factors: images that follow two factors, changed a little, and who still finds the factors.

The images are one ellipse and its first-order change under a small shift across and one down: x = image + A s + noise,
with orthogonal columns of A (one is odd across, the other odd down). They come in three versions:

    original       the loading A
    manipulated    A + E, E the smallest change that turns the principal axes by an angle
    noisy          A, and white noise of the power of E s, E ||E s||^2 = ||E||^2, spread over all pixels

Every method sees the same factors. A VAE follows variance, which the manipulation has turned away from the factors.
AMUSE (factors that are AR(1)) and FastICA (factors that are not Gaussian) do not look at variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.sprites import SHAPES, render
from theory import GenerativeModel, validation
from theory.axes.manipulation import two_factor_manipulation
from theory.axes.separation import Separation, TemporalModel, separate_series
from theory.metrics import GaussianCode

__all__ = [
    "ShiftedSprite",
    "Versions",
    "amuse_correlations",
    "fast_ica_correlations",
    "sample_mean_correlation",
    "separation_code",
    "shifted_sprite",
    "versions",
]

SHIFTS = (0.04, 0.03)  # standard deviations of the places across and down, of the range of a sprite
SCALE = 0.9


@dataclass(frozen=True, eq=False)
class ShiftedSprite:
    """An image and how it changes with its factors.

    Attributes
    ----------
    image : (size, size) array
        at the mean of the factors.
    basis : (size * size, D) array
        orthonormal images: two that span the changes, and two that no factor moves, to see the noise by. White noise
        has the same variance along each, so that nothing is lost by working in these coordinates.
    loading : (D, 2) array
        change of the image, in those coordinates, with one standard deviation of each factor; orthogonal columns.
    """

    image: np.ndarray
    basis: np.ndarray
    loading: np.ndarray

    def picture(self, factors, loading=None) -> np.ndarray:
        """The image at given factors (2,), without noise, cut to grey values from 0 to 1."""
        loading = self.loading if loading is None else loading
        change = self.basis @ (loading @ np.asarray(factors, dtype=float))
        return np.clip(self.image + change.reshape(self.image.shape), 0, 1)


@dataclass(frozen=True, eq=False)
class Versions:
    """The three versions of the data, with the size ||E||_F of the change."""

    original: GenerativeModel
    manipulated: GenerativeModel
    noisy: GenerativeModel
    size: float


def shifted_sprite(size: int = 64) -> ShiftedSprite:
    """A lying ellipse in the middle, and its change with its place across and down (central differences)."""
    place = np.array([SHAPES.index("ellipse"), SCALE, 0.0, 0.5, 0.5])
    moved = np.repeat(place[np.newaxis], 5, axis=0)
    for index, shift in enumerate(SHIFTS):
        moved[1 + 2 * index, 3 + index] += shift
        moved[2 + 2 * index, 3 + index] -= shift
    images = render(moved, size=size, samples=8)
    changes = ((images[1::2] - images[2::2]) / 2).reshape(2, -1).T
    lengths = np.linalg.norm(changes, axis=0)
    # Two directions without signal: the image itself and a constant, made orthogonal to the changes and each other.
    others = np.column_stack([images[0].ravel(), np.ones(size * size)])
    spanned = np.linalg.qr(np.column_stack([changes, others]))[0][:, 2:]
    return ShiftedSprite(
        image=images[0], basis=np.column_stack([changes / lengths, spanned]), loading=np.eye(4)[:, :2] * lengths
    )


def versions(sprite: ShiftedSprite, angle: float, noise_variance: float) -> Versions:
    """The original, the manipulation that turns the principal axes by an angle in radians, and the matched noise.

    Parameters
    ----------
    sprite : ShiftedSprite
    angle : float, from 0 to below pi/4, where the principal variances tie
    noise_variance : float > 0
        of each pixel.
    """
    noise_variance = validation.positive("noise_variance", noise_variance)
    change = two_factor_manipulation(sprite.loading, angle)
    return Versions(
        original=GenerativeModel(sprite.loading, noise_variance),
        manipulated=GenerativeModel(change.loading, noise_variance),
        noisy=GenerativeModel(sprite.loading, noise_variance + change.size**2 / sprite.image.size),
        size=change.size,
    )


def separation_code(truth: GenerativeModel, found: Separation) -> GaussianCode:
    """Factors and the components that a demixing makes of the data, as a joint Gaussian, for the closed scores."""
    demixing = found.demixing
    return GaussianCode(
        truth.factor_covariance,
        demixing @ truth.covariance @ demixing.T,
        truth.factor_covariance @ truth.loading.T @ demixing.T,
    )


def amuse_correlations(
    truth: GenerativeModel, autocorrelations, count: int, repeats: int, rng: np.random.Generator
) -> np.ndarray:
    """Mean correlation of factors with the components that AMUSE finds in a series, for each of several series.

    Factors are AR(1) of the given correlations; each series has `count` times. The noise is estimated.
    """
    model = TemporalModel(truth.loading, autocorrelations, truth.noise_variance)
    found = []
    for _ in range(repeats):
        factors, data = model.sample(count, rng)
        codes = data @ separate_series(data, factors.shape[1]).demixing.T
        found.append(sample_mean_correlation(factors, codes))
    return np.array(found)


def fast_ica_correlations(truth: GenerativeModel, count: int, repeats: int, rng: np.random.Generator) -> np.ndarray:
    """Mean correlation of factors with the components of scikit-learn's FastICA, for each of several samples.

    Factors are independent Laplace variables of variance 1, in no order of time.
    """
    from sklearn.decomposition import FastICA

    found = []
    for _ in range(repeats):
        factors = rng.laplace(scale=np.sqrt(0.5), size=(count, truth.latent_dim))
        noise = np.sqrt(truth.noise_variance) * rng.standard_normal((count, truth.data_dim))
        method = FastICA(truth.latent_dim, whiten="unit-variance", max_iter=1000, random_state=0)
        found.append(sample_mean_correlation(factors, method.fit_transform(factors @ truth.loading.T + noise)))
    return np.array(found)


def sample_mean_correlation(factors, codes) -> float:
    """MCC of draws: mean over factors of the absolute sample correlation with the code assigned to each."""
    from scipy.optimize import linear_sum_assignment

    factors, codes = validation.matrix("factors", factors), validation.matrix("codes", codes)
    count = factors.shape[1]
    correlations = np.abs(np.corrcoef(factors, codes, rowvar=False)[:count, count:])
    return float(correlations[linear_sum_assignment(correlations, maximize=True)].sum() / count)
