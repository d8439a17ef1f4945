"""The factors that the principal axes of images carry, and the score of a linear beta-VAE on them.

**Axes.** The factors enter images non-linearly: a place moves a bump, and so appears in several axes, as a position
does in the terms of a Fourier series. Which factor an axis carries is therefore measured without linearity, by the
share of an axis' variance that lies between the levels of a factor (the correlation ratio, adjusted for the number of
levels).

**Score.** The mutual information gap of draws: for each factor the information (20 bins) of the best code minus that
of the second best, over the entropy of the factor. It is invariant under scaling of the codes, and the beta-VAE only
scales and drops principal axes and adds posterior noise; so the score of the mean code changes with beta only where
latents collapse, that of sampled codes everywhere.

**Chance.** Its level depends on the draw. Places across and down enter the images alike, so that the two largest
eigenvalues of the population tie, and in a sample they nearly do: their rotation in the sample is chance. Where one
axis is x and the other y, the gap is largest; where both are half of each, zero. At 2,000 and 8,000 images it was .009
to .059 over eight draws each, and its correlation with the difference of the shares of x and y in an axis .96 and .99.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.data.sprites import FACTORS, Sprites
from theory import LinearVAE, Moments, optimum, validation
from theory.model import linear_vae

__all__ = ["AxisContent", "axis_content", "mutual_information_gap_of_draws", "score_curve"]

BINS = 20


@dataclass(frozen=True, eq=False)
class AxisContent:
    """The leading principal axes of images, and what they carry.

    Attributes
    ----------
    eigenvalues : (D,) array
        of the covariance of the pixels, descending.
    axes : (D, K) array
        the leading eigenvectors.
    shares : (K, 5) array
        share of the variance along each axis that each factor of `FACTORS` explains, at most 1; about zero, also
        below, for a factor without effect; zero along an axis without variance, and for a factor of which no two
        images share a level.
    """

    eigenvalues: np.ndarray
    axes: np.ndarray
    shares: np.ndarray

    @property
    def leading_factors(self) -> list[str]:
        """The factor that explains most of each axis."""
        return [FACTORS[index] for index in np.argmax(self.shares, axis=1)]


def axis_content(sprites: Sprites, count: int) -> AxisContent:
    """Principal axes of images, with the share of each that each factor explains.

    With G levels of a factor and N images, share = 1 - (1 - between / total) (N - 1) / (N - G).

    Parameters
    ----------
    sprites : Sprites
    count : int
        K, the number of axes.

    Returns
    -------
    AxisContent
    """
    sprites = validation.instance("sprites", sprites, Sprites, "pass what sample_sprites or load_dsprites returns")
    pixels = sprites.pixels.astype(float)
    count = validation.count("count", count, maximum=pixels.shape[1])
    moments = Moments.of(pixels)
    ascending, directions = np.linalg.eigh(moments.covariance)
    axes = directions[:, ::-1][:, :count]
    places = (pixels - moments.mean) @ axes
    shares = np.column_stack([_explained(places, levels) for levels in sprites.factors.T])
    return AxisContent(np.clip(ascending[::-1], 0, None), axes, shares)


def mutual_information_gap_of_draws(
    sprites: Sprites, vae: LinearVAE, *, rng: np.random.Generator | int | None = None
) -> float:
    """MIG of a linear VAE on images: of sampled codes if `rng` is given, else of mean codes.

    Codes are cut into 20 bins between -4 and 4 of their standard deviations; a factor counts by its levels.
    """
    sprites = validation.instance("sprites", sprites, Sprites, "pass what sample_sprites or load_dsprites returns")
    vae = linear_vae("vae", vae)
    if vae.data_dim != sprites.pixels.shape[1]:
        raise ValueError(f"vae must take {sprites.pixels.shape[1]} pixels, it takes {vae.data_dim}; train it on them")
    rng = None if rng is None else validation.random_generator("rng", rng)
    codes = (sprites.pixels - (0 if vae.mean is None else vae.mean)) @ vae.encoder.T
    if rng is not None:
        codes = codes + rng.standard_normal(codes.shape) @ np.linalg.cholesky(vae.posterior_covariance).T
    binned = _binned(codes)
    gaps = []
    for values in sprites.factors.T:
        levels = np.unique(values, return_inverse=True)[1]
        informations = np.sort([0.0, 0.0, *(_information(levels, bins) for bins in binned.T)])
        entropy = _information(levels, levels)
        if entropy > 0:
            gaps.append((informations[-1] - informations[-2]) / entropy)
    if not gaps:
        raise ValueError("sprites must have a factor that varies, theirs are all constant; pass more images")
    return float(np.mean(gaps))


def score_curve(
    sprites: Sprites,
    latent_dim: int,
    betas,
    *,
    noise_variance: float | str = "learned",
    rng: np.random.Generator | int = 0,
) -> dict[str, np.ndarray]:
    """The optimal linear VAE of images at each beta: active latents, noise and score.

    Parameters
    ----------
    sprites : Sprites
    latent_dim : int
    betas : (B,) array > 0
    noise_variance : "learned" or float > 0
    rng : numpy.random.Generator, or a seed
        of the sampled codes.

    Returns
    -------
    dict of (B,) arrays: beta, active_count, noise_variance, and the mutual information gap of mean and of sampled codes
    """
    sprites = validation.instance("sprites", sprites, Sprites, "pass what sample_sprites or load_dsprites returns")
    latent_dim = validation.count("latent_dim", latent_dim, maximum=sprites.pixels.shape[1])
    rng = validation.random_generator("rng", rng)
    moments = Moments.of(sprites.pixels)
    rows = []
    for beta in validation.positive_array("betas", validation.vector("betas", betas)):
        best = optimum(moments, latent_dim, beta=beta, noise_variance=noise_variance)
        if best.vae is None:
            raise ValueError(
                f"latent_dim must be below the rank of the images, got {latent_dim}: the noise runs to zero"
            )
        gaps = [mutual_information_gap_of_draws(sprites, best.vae, rng=source) for source in (None, rng)]
        rows.append((beta, best.active_count, best.noise_variance, *gaps))
    names = ("beta", "active_count", "noise_variance", "gap_of_means", "gap_of_samples")
    return dict(zip(names, np.array(rows).reshape(-1, len(names)).T, strict=True))


def _explained(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    levels, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.zeros((len(levels), places.shape[1]))
    np.add.at(means, which, places)
    means /= counts[:, np.newaxis]
    total = places.var(axis=0)
    if len(levels) == len(places):
        return np.zeros(places.shape[1])
    within = 1 - np.divide(counts @ means**2 / len(places), total, out=np.ones(len(total)), where=total > 0)
    scale = (len(places) - 1) / (len(places) - len(levels))
    return np.where(total > 0, 1 - within * scale, 0.0)


def _binned(codes: np.ndarray) -> np.ndarray:
    deviations = codes.std(axis=0)
    varies = deviations > len(codes) * np.finfo(float).eps * np.abs(codes).max(axis=0, initial=0.0)
    scaled = np.divide(codes - codes.mean(axis=0), deviations, out=np.zeros(codes.shape), where=varies)
    return np.clip(np.floor((scaled + 4) / 8 * BINS), 0, BINS - 1).astype(int)


def _information(first: np.ndarray, second: np.ndarray) -> float:
    """Mutual information of two columns of whole numbers, in nats."""
    joint = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(joint, (first, second), 1.0)
    joint /= len(first)  # whole numbers until here, so that a constant column has no information at all
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    present = joint > 0
    return float(np.sum(joint[present] * np.log(joint[present] / product[present])))
