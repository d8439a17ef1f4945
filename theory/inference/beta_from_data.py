"""The beta of least inference error where the factors were measured: its estimate, and a bootstrap interval.

The loading, the noise and the factor covariance are estimated by regression (`GenerativeModel.from_data`), and the
optimal beta is that of the estimated model. Its interval is the percentile interval of the bootstrap: observations are
drawn again with replacement, the model is estimated from each resample, and of the optimal betas the quantiles
(1 - level)/2 and (1 + level)/2 are taken. The coverage is asymptotic, and fails where the optimum is on a boundary: for
orthogonal columns and uncorrelated factors the beta of least forward KL is 1, the smallest that any loading has with
uncorrelated factors, so that estimates of it lie mostly above 1. That is what the note says.

Each factor is divided by its standard deviation, in the data and in each resample, as the prior N(0, I) of the VAE has
variance 1: what the optimal beta of factors in pixels or years would be is another question, and not asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.inference.beta_of_least_error import OptimalBeta, optimal_beta
from theory.inference.criteria import CRITERIA
from theory.interface.progress import progress_bar
from theory.model import FittedModel, GenerativeModel
from theory.partition import Posterior
from theory.regression import regression

__all__ = ["BetaFromData", "BetaInterval", "optimal_beta_from_data"]

SIGNIFICANCE = 0.05  # of the tests for orthogonal columns and uncorrelated factors
ANISOTROPY = 4.0  # ratio of residual variances above which the noise is not of one variance
ORTHOGONAL = (
    "these data do not tell the columns of the loading from orthogonal ones, nor the factors from uncorrelated ones: "
    "if they are, the true posterior factorises, the encoder at beta = 1 is that posterior, and no beta is better; an "
    "estimate other than 1 may be sampling error"
)
SINGLE = "with one factor the encoder at beta = 1 is the true posterior, and no beta is better"
UNRELATED = (
    "the factors explain no more of the data than chance would (p = {p:.2g}): are the rows of both files in the same "
    "order?"
)
EXACT = (
    "column {columns} of the data (counted from 1) follows exactly from the factors: leave it out if it is a factor "
    "itself"
)
ANISOTROPIC = (
    "the residual variances of the columns differ by a factor of {ratio:.3g}: the model has noise of one variance; "
    "rescale the columns (--standardize on the command line), or add the factors that are missing"
)
NOISELESS = "the factors explain the data up to rounding: without noise the posterior is a point, and no beta is better"
CONSTANT = "the data are constant, and tell nothing about the factors"


@dataclass(frozen=True)
class BetaInterval:
    """The optimal beta of an estimated model, and the interval of those of its resamples.

    Examples
    --------
    >>> from theory.inference import BetaInterval, OptimalBeta
    >>> BetaInterval(OptimalBeta(beta=1.4, error=0.2, flat=False, attained=True), low=1.2, high=1.7).low
    1.2
    """

    best: OptimalBeta
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class BetaFromData:
    """What `optimal_beta_from_data` finds.

    Attributes
    ----------
    fitted : FittedModel
        of factors with variance 1.
    betas : mapping from criteria to BetaInterval
    notes : tuple of str
        what the data say against reading the numbers as they stand: orthogonal columns, noise of several variances.

    Examples
    --------
    >>> from theory import GenerativeModel
    >>> from theory.inference import optimal_beta_from_data
    >>> factors, data = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05).sample(500, rng=0)
    >>> found = optimal_beta_from_data(data, factors, criteria=["forward_kl"], resamples=40, rng=0)
    >>> 2.5 < found.betas["forward_kl"].low < found.betas["forward_kl"].high < 4.5
    True
    """

    fitted: FittedModel
    betas: Mapping[str, BetaInterval]
    notes: tuple[str, ...]


def optimal_beta_from_data(
    data,
    factors,
    *,
    criteria: Iterable[str] = CRITERIA,
    noise_variance: float | str = "true",
    posterior: Posterior = "diagonal",
    resamples: int = 400,
    level: float = 0.95,
    rng: np.random.Generator | int = 0,
    progress: bool | None = None,
) -> BetaFromData:
    """The beta of least inference error for data whose factors were measured, with bootstrap intervals. Asymptotic.

    Parameters
    ----------
    data : (N, D) array
    factors : (N, K) array
        one observation in each row as in `data`; see `GenerativeModel.from_data`.
    criteria : sequence of str
        of `optimal_beta`; by default all four.
    noise_variance : float > 0, "true" or "learned"
        of the decoder, as in `optimal_beta`; its weights are the estimated loading.
    posterior : "diagonal", "full", or a list of groups of latents
    resamples : int, 2 to 100,000
        draws of the bootstrap.
    level : float between 0 and 1
        of the interval.
    rng : numpy.random.Generator, or a seed
    progress : bool, optional
        a progress bar on stderr; by default a bar only where stderr is a terminal, and elsewhere a line every ten
        seconds.

    Returns
    -------
    BetaFromData

    Raises
    ------
    ValueError
        as `GenerativeModel.from_data` and `optimal_beta`, or if too few observations make a resample without a model.

    Examples
    --------
    >>> from theory import GenerativeModel, optimal_beta_from_data
    >>> factors, data = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05).sample(500, rng=0)
    >>> found = optimal_beta_from_data(data, factors, criteria=["forward_kl"], resamples=40)
    >>> round(found.betas["forward_kl"].best.beta, 1)
    3.1
    """
    criteria = [validation.choice("criteria", name, CRITERIA) for name in validation.sequence("criteria", criteria)]
    resamples = validation.count("resamples", resamples, minimum=2, maximum=100_000)
    level = validation.positive("level", level)
    if level >= 1:
        raise ValueError(f"level must be between 0 and 1, got {level}; pass for example 0.95")
    rng = validation.random_generator("rng", rng)
    regressed, found = regression(data, factors), {}
    fitted = FittedModel.of(regressed, standardize=True)
    options = {"noise_variance": noise_variance, "posterior": posterior}
    best = {name: optimal_beta(fitted.model, name, **options) for name in criteria}
    sought = [name for name in criteria if name != "log_score" or "forward_kl" not in criteria]  # of the same optimum
    count = len(regressed.factors)
    for _ in progress_bar(range(resamples), desc="bootstrap", unit="resample", progress=progress):
        weights = np.bincount(rng.integers(count, size=count), minlength=count).astype(float)
        model = _model_of(regressed, weights)
        for name in sought:
            found.setdefault(name, []).append(optimal_beta(model, name, **options).beta)
    edges = (1 - level) / 2, (1 + level) / 2
    intervals = {name: np.quantile(values, edges, method="inverted_cdf") for name, values in found.items()}
    intervals = {name: intervals[name if name in sought else "forward_kl"] for name in criteria}
    return BetaFromData(
        fitted=fitted,
        betas={name: BetaInterval(best[name], *map(float, intervals[name])) for name in criteria},
        notes=_notes(fitted, true_noise=noise_variance == "true"),
    )


def _model_of(regressed, weights: np.ndarray) -> GenerativeModel:
    """The model of a resample, of factors with variance 1."""
    try:
        found = regressed.estimate(weights).standardized()
    except np.linalg.LinAlgError:
        found = None
    distinct = np.count_nonzero(weights)  # fewer fit without an error, whatever the noise
    if found is None or distinct < len(found.gram) + 2 or not np.isfinite(found.loading).all():
        raise ValueError(
            "data must have enough observations that a resample of them still determines the model; pass more "
            "observations, or leave out a factor that hardly varies"
        )
    return GenerativeModel(found.loading, found.noise_variance, found.factor_covariance)


def _notes(fitted: FittedModel, *, true_noise: bool) -> tuple[str, ...]:
    if fitted.model.noise_variance == 0:
        return (NOISELESS if fitted.model.loading.any() else CONSTANT,)
    notes = []
    if fitted.relation_p_value > SIGNIFICANCE:
        notes.append(UNRELATED.format(p=fitted.relation_p_value))
    exact = np.flatnonzero((fitted.residual_variances == 0) & fitted.model.loading.any(axis=1))
    if exact.size:
        notes.append(EXACT.format(columns=", ".join(str(at + 1) for at in exact)))
    if true_noise and fitted.model.latent_dim == 1:
        notes.append(SINGLE)
    elif true_noise and min(fitted.orthogonality_p_value, fitted.independence_p_value) > SIGNIFICANCE:
        notes.append(ORTHOGONAL)
    varying = fitted.residual_variances[fitted.residual_variances > 0]
    if (ratio := varying.max() / varying.min()) > ANISOTROPY:
        notes.append(ANISOTROPIC.format(ratio=ratio))
    return tuple(notes)
