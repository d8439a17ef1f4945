"""The parts of the rate of codes whose aggregate has no closed form: estimates, their bias, and bounds that hold.

**Parts.** With q(z) the aggregate posterior of the population that the N observations are drawn from,

    rate = E KL(q(z|x) || p(z)) = I(x; z) + TC(z) + sum_j KL(q(z_j) || p(z_j)),   p = N(0, I).

The rate is known for each observation. Its parts need log q, and what is at hand is the mixture of the N posteriors:

    with     log 1/N sum_n q(z_i|x_n), the point of the code itself included: the usual estimate ("plug-in")
    without  log 1/(N-1) sum_{n != i} q(z_i|x_n).

**Bounds.** For a set of latents g and a code z_i ~ q(.|x_i)

    E without_g <= E log q(z_g) <= E with_g.

The left side is Jensen's inequality; the right says that an estimate of I(x; z_g) by N points is too small on average.
So the information lies between E [log q(z|x) - with] (never above log N) and E [log q(z|x) - without], and each other
part between two differences of this kind. They hold for the means of the estimates, whatever the distribution is;
their sums with the rate, which is known, and I, TC, KL >= 0 tighten them.

**Bias.** To first order in 1/N `with` is as much too large as `without` is too small, chi_g / (2 N) with 1 + chi_g =
E q(z_g|x)/q(z_g), for one latent of a Gaussian code exp(2 I) (see `theory.groups.minibatch`). Half of the distance is
therefore the bias of the plug-in, as long as it is small. Where the distance is above a nat, as for a rate above log N,
no estimate from N observations is near: then the bias is NaN, and only the bounds say something.

**Noise.** Codes are drawn. Regression on log q(z|x) - log p(z), whose mean for each observation and for all is known,
removes most of what the draws add, and makes the parts sum to the rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from numerics.sampling.gaussian import log_sum
from theory import gaussian
from theory.partition import partition

__all__ = ["RatePart", "RateParts", "rate_parts"]

EVALUATED = 2000  # codes at which the mixture is evaluated
REFERENCES = 50_000  # posteriors in the mixture at most; with more the bias hardly falls
DENSITIES = 2**30  # of single latents that are computed at most, if the mixture stays as large as EVALUATED: 10 seconds
KNOWN_GAP = 1.0  # nats between with and without, up to which half of them is the bias
TOGETHER = 2**20  # pairs of a code and a posterior that are computed together
ROUNDING = 1e-12  # relative variation below which a KL, or what a draw adds to it, is constant
HALF_LOG_2PI = math.log(2 * math.pi) / 2


@dataclass(frozen=True)
class RatePart:
    """One part of the rate, in nats.

    Attributes
    ----------
    plug_in : float
        with the mixture of the posteriors in the place of q(z).
    bias : float
        of `plug_in`, to first order in 1/N; subtract it. NaN if the observations are too few to tell.
    lower, upper : float
        between which the value for the population lies, up to `standard_error`.
    gaussian : float
        what the part is if the code is Gaussian with the same mean and covariance. For the information an upper bound,
        for the dimension-wise KL a lower bound.
    standard_error : float
        of `plug_in`, from the scatter of observations and draws.

    Examples
    --------
    >>> import numpy as np
    >>> from numerics import Codes, audit
    >>> mean = np.random.default_rng(0).normal(size=(400, 1), scale=0.8)
    >>> part = audit(Codes(mean, np.full((400, 1), 0.36))).mutual_information
    >>> part.lower < part.plug_in - part.bias < part.upper, round(part.gaussian, 3)
    (True, 0.508)
    """

    plug_in: float
    bias: float
    lower: float
    upper: float
    gaussian: float
    standard_error: float


@dataclass(frozen=True)
class RateParts:
    """The three parts of a rate."""

    mutual_information: RatePart
    total_correlation: RatePart
    dimension_wise_kl: RatePart


def rate_parts(mean: np.ndarray, variance: np.ndarray, kl: np.ndarray, rng: np.random.Generator) -> RateParts:
    """The parts of the rate of N diagonal Gaussian posteriors, with bounds; see the module.

    Parameters
    ----------
    mean, variance : (N, K) arrays
    kl : (N,) array
        of each observation, summed over the latents; its mean is the rate.
    rng : numpy.random.Generator

    Returns
    -------
    RateParts
    """
    rate, count, latent_dim = float(kl.mean()), *mean.shape
    evaluated = min(EVALUATED, count)
    order = rng.permutation(count)[: min(REFERENCES, max(evaluated, DENSITIES // (EVALUATED * latent_dim)))]
    means, variances = mean[order], variance[order]
    draws = [
        _log_densities(means, variances, rng.standard_normal((evaluated, latent_dim)))
        for _ in range(math.ceil(EVALUATED / evaluated))
    ]
    conditional, joint, joint_gap, marginals, marginal_gap, prior = np.stack(draws, axis=1)
    columns = np.stack([conditional - joint, joint - marginals, marginals - prior, joint_gap, marginal_gap], axis=-1)
    values, errors = _adjusted(columns, conditional - prior, kl[order[:evaluated]], kl)
    information, total, single, joint_gap, marginal_gap = values

    # Upper bounds also by what the lower bounds of the other parts leave of the rate.
    information_lower, single_lower = max(0.0, information), max(0.0, single - marginal_gap)
    information_upper = max(information_lower, min(information + joint_gap, rate - single_lower))
    single_upper = max(single_lower, single)
    total_lower = max(0.0, total - joint_gap)
    total_upper = max(total_lower, rate - information_lower - single_lower)
    joint_bias, marginal_bias = (gap / 2 if gap <= KNOWN_GAP else math.nan for gap in (joint_gap, marginal_gap))
    of_information, of_total, of_single = _gaussian_parts(mean, variance)
    return RateParts(
        RatePart(information, -joint_bias, information_lower, information_upper, of_information, errors[0]),
        RatePart(total, joint_bias - marginal_bias, total_lower, total_upper, of_total, errors[1]),
        RatePart(single, marginal_bias, single_lower, single_upper, of_single, errors[2]),
    )


def _log_densities(means: np.ndarray, variances: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Of one code for each of the first posteriors, in rows: log q(z|x); `with` of all latents and how much `without`
    is below it; the sums over single latents of both; log p(z).
    """
    evaluated, (count, latent_dim) = len(noise), means.shape
    codes = means[:evaluated] + np.sqrt(variances[:evaluated]) * noise
    precisions, log_norms = 1 / variances, np.log(variances) / 2 + HALF_LOG_2PI
    found = np.zeros((6, evaluated))
    found[0] = -np.sum(noise**2 / 2 + log_norms[:evaluated], axis=1)
    found[5] = -np.sum(codes**2 / 2 + HALF_LOG_2PI, axis=1)
    rows = max(1, TOGETHER // count)
    for first in range(0, evaluated, rows):
        own = np.arange(first, min(first + rows, evaluated))
        joint = np.zeros((len(own), count))
        for latent in range(latent_dim):
            distances = (codes[own, latent, np.newaxis] - means[:, latent]) ** 2
            single = -distances * precisions[:, latent] / 2 - log_norms[:, latent]
            joint += single
            found[3:5, own] += _with_and_gap(single, own)
        found[1:3, own] = _with_and_gap(joint, own)
    return found


def _with_and_gap(exponents: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`with`, and `with` less `without`, from the log density of each code (row) under each posterior (column)."""
    rows, count = np.arange(len(own)), exponents.shape[1]
    of_itself = exponents[rows, own]
    exponents[rows, own] = -np.inf
    others = log_sum(exponents, axis=1)
    complete = np.logaddexp(of_itself, others) - math.log(count)
    return complete, complete - (others - math.log(count - 1))


def _adjusted(columns: np.ndarray, drawn: np.ndarray, kl: np.ndarray, every_kl: np.ndarray) -> tuple[list, list]:
    """Means of the columns, and their standard errors, after regression on two numbers whose means are known.

    `drawn` (draws, n) is log q(z|x) - log p(z) of the codes of n observations. Its mean given x is `kl` (n,), and the
    mean of that is the rate. `columns` is (draws, n, columns).
    """
    known = np.stack(np.broadcast_arrays(1.0, drawn - kl, kl - every_kl.mean()), axis=-1)
    sizes = np.abs(known).max(axis=(0, 1))
    sizes[1:] = np.where(sizes[1:] > ROUNDING * (1 + np.abs(kl).max()), sizes[1:], np.inf)  # such a column is zero
    known /= sizes  # columns of one size, so that none counts as rounding of another
    coefficients = np.linalg.lstsq(known.reshape(-1, 3), columns.reshape(-1, columns.shape[-1]), rcond=None)[0]
    rest = (columns - known @ coefficients).mean(axis=0)
    variances = rest.var(axis=0, ddof=1) / len(kl) + (coefficients[2] / sizes[2]) ** 2 * every_kl.var(ddof=1) / len(
        every_kl
    )
    return coefficients[0].tolist(), np.sqrt(variances).tolist()


def _gaussian_parts(mean: np.ndarray, variance: np.ndarray) -> tuple[float, float, float]:
    """The three parts of a Gaussian code with the mean m and covariance C of this one; they sum to the rate, too."""
    centre, noise = mean.mean(axis=0), variance.mean(axis=0)
    covariance = (mean - centre).T @ (mean - centre) / len(mean)
    root = gaussian.covariance_root(covariance)
    spread = np.diagonal(covariance) + noise
    # 1/2 log det C - E 1/2 log det Q(x), of which the second term is largest if Q does not depend on x.
    varying = np.sum(np.log(noise) - np.log(variance).mean(axis=0)) / 2
    groups = partition("diagonal", len(noise))
    return (
        gaussian.information(root, np.diag(noise)) + float(varying),
        gaussian.total_correlation_of_sum(root, np.diag(noise), groups),
        float(np.sum(spread + centre**2 - 1 - np.log(spread)) / 2),
    )
