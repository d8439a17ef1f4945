"""Total correlation estimated as in practice, with q(z) from a minibatch of M of N data points: offset, bias, bounds.

For a code z_i of data point x_i, and every set g of the K latents (all, one of G groups, a single one),

    q^(z_ig) = w q(z_ig|x_i) + sum of w_j q(z_ig|x_j) over the other M - 1 points,

    weighted     w = w_j = 1/(N M)
    stratified   w = 1/N,  w_j = (N - 1) / (N (M - 1)).

Public code computes two others:

    unnormalised   w = w_j = 1: the weighted one without its constant
    fixed-column   with m = M - 1, the weight 1/N at the first point of the minibatch for every code, (N - m)/(N m) at
                   the second, 1/m at all others; and (N - m)/(N m) at the first for the last code but one

The second means to be the stratified estimator, whose weight 1/N is at the own point of each code.

**Offset.** The weighted estimator's weights sum to 1/N: as M grows, log q^ -> log q - log N for every set. The parts of
the rate change by log N, (G - 1) log N between the groups, (|g| - 1) log N within a group, and -K log N: zero in total,
and without a gradient. Apart from the offset it is the stratified one with N = M: log q^_weighted(N, M) =
log q^_stratified(M, M) - log N, exactly. The unnormalised one is log q^_stratified(M, M) + log M. The weights of the
fixed column sum to one, but for one code of M: its offset is the logarithm of that sum over M, at most of order 1/M^2.

**Bias.** With r_j = q(z_g|x_j) / q(z_g) and weights of sum one, q^/q - 1 = w (r_i - 1) + sum_j w_j (r_j - 1). For the
other points r_j - 1 has mean 0 and the variance E r_i - 1 = chi_g, averaged over z, so to leading order

    E log q^(z_g) - E log q(z_g) = chi_g [ w - 1/2 sum_j w_j^2 ],   1 + chi_g = det C_gg / det Q_gg = exp(2 I(x; z_g)).

Here C = V S V^T + Q is the covariance of the aggregate code: encoder V, posterior covariance Q, data covariance S.
I(x; z) changes by minus this for all latents, the part between groups by [chi_all - sum_g chi_g] [...], and so on. The
weighted bracket is (M + 1) / (2 M^2), for every N; the stratified one is 1/N - (1 - 1/N)^2 / (2 (M - 1)), of the
opposite sign until M is about N/2. With a fixed column the own point mostly has the weight 1/m, and the mean bracket of
the M codes is about 1/(2 M): the sign of the weighted estimator, not of the stratified one that it stands for. The rate
itself has no offset and no bias.

**Scale.** chi is a mean dominated by rare codes. Weighted by r, log r of all latents has the mean tr Q^-1 V S V^T +
I(x; z), and a variance of up to twice the square of the mean if one latent carries all information, less if many share
it. M large against exp(2 I) is not enough: only for M near the exponential of that mean do those codes occur, with the
bias above. With fewer points the bias is smaller, by far for several informative latents.

**Bound.** q^ is at least the term of its own point, so no estimate of log q(z|x) - log q(z) exceeds -log w. If the
posterior is independent between the groups given x, no estimate between groups exceeds (G - 1) times that, w being the
smallest weight.

Bound and offset are exact, the bias is asymptotic in M and N. Data points are independent draws of a Gaussian of mean
zero and covariance S, and N enters only the weights: the mean over all data sets of N points is compared with the exact
value for that Gaussian. The estimators are those of R. T. Q. Chen, Li, Grosse, Duvenaud (2018), except for the
stratified weights of the other points, which there are unequal with the same sum. Bias, scale and bounds for Gaussian
codes are this project's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import gaussian, validation
from theory.model import LinearVAE, linear_vae
from theory.moments import as_moments
from theory.partition import Posterior, partition

__all__ = [
    "ESTIMATORS",
    "IN_PUBLIC_CODE",
    "MinibatchBounds",
    "MinibatchParts",
    "minibatch_bias",
    "minibatch_bounds",
    "minibatch_offset",
    "minibatch_scale",
    "minibatch_sizes",
    "minibatch_weights",
]

ESTIMATORS = ("weighted", "stratified")  # of the paper
IN_PUBLIC_CODE = ("unnormalised", "fixed-column")


@dataclass(frozen=True, eq=False)
class MinibatchParts:
    """By how much the estimate of each part of the rate is too large, in nats; named as in `GroupedTerms`.

    Attributes
    ----------
    mutual_information, between : float
    within : (groups,) array
    dimension_wise_kl : float
    scale : float
        the minibatch size beyond which the values hold, `minibatch_scale`; 1 for exact values.
    in_range : bool
        whether the minibatch is that large. If not, the true bias is smaller in size, by far for an informative code.

    Examples
    --------
    >>> from theory import LinearVAE
    >>> from theory.groups import minibatch_bias
    >>> vae = LinearVAE([[1.0]], [[0.5]], [[0.5]], 0.5)
    >>> bias = minibatch_bias(vae, [[1.0]], "full", dataset_size=1000, batch_size=100)
    >>> round(bias.dimension_wise_kl, 5), round(bias.scale, 3)
    (-0.00202, 2.019)
    """

    mutual_information: float
    between: float
    within: np.ndarray
    dimension_wise_kl: float
    scale: float = 1.0
    in_range: bool = True


@dataclass(frozen=True)
class MinibatchBounds:
    """Upper bounds of the estimates, for any code in any minibatch, in nats.

    Attributes
    ----------
    mutual_information : float
    between : float
        infinite if the posterior covariance links groups.

    Examples
    --------
    >>> from theory import LinearVAE
    >>> from theory.groups import minibatch_bounds
    >>> vae = LinearVAE([[1.0, 0.0]], [[0.5], [0.2]], [[0.5, 0.0], [0.0, 0.5]], 0.5)
    >>> round(minibatch_bounds(vae, "diagonal", dataset_size=1000, batch_size=100).between, 4)
    6.9078
    """

    mutual_information: float
    between: float


def minibatch_bias(
    vae: LinearVAE,
    covariance,
    groups: Posterior,
    *,
    dataset_size: int,
    batch_size: int,
    estimator: str = "stratified",
) -> MinibatchParts:
    """Mean of the minibatch estimate of each part minus its exact value, to leading order in 1/M and 1/N.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
        of the Gaussian data.
    groups : "diagonal", "full", or a list of groups of latents
    dataset_size : int, N
    batch_size : int, M
        from 2 to N.
    estimator : "stratified", "weighted", "unnormalised" or "fixed-column"
        the two of the paper, and what public code computes, see the module. The bias includes the offset, which is
        exact.

    Returns
    -------
    MinibatchParts
        the four parts, summed over groups, add up to zero. Look at `in_range` before using them.

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    Asymptotic, for M (and N) large against `minibatch_scale`. The error is O(1/M^2 + 1/N^2) if every squared canonical
    correlation of x and z is below 1/4; otherwise E[(q(z|x)/q(z))^2] is infinite and the error falls more slowly, but
    faster than 1/M. The condition is on the whole code; the part of a single group needs only that of the group.

    Examples
    --------
    >>> from theory import LinearVAE
    >>> from theory.groups import minibatch_bias
    >>> vae = LinearVAE([[1.0]], [[0.5]], [[0.5]], 0.5)
    >>> bias = minibatch_bias(vae, [[1.0]], "full", dataset_size=1000, batch_size=100)
    >>> round(bias.mutual_information, 5), bias.in_range
    (0.00202, True)
    """
    linear_vae("vae", vae)
    dataset_size, batch_size = minibatch_sizes(dataset_size, batch_size)
    bracket, log_sum = _bracket(dataset_size, batch_size, estimator)
    groups = partition(groups, vae.latent_dim, "groups")
    scale = minibatch_scale(vae, covariance)
    data_covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance, vae.data_dim)
    if scale == np.inf:
        raise ValueError(
            "vae carries so much information on this covariance that no minibatch is large enough for the leading "
            "order to hold; use minibatch_bounds"
        )
    root = vae.encoder @ gaussian.covariance_root(data_covariance)

    def shift(latents) -> float:
        information = gaussian.information(root[latents], vae.posterior_covariance[np.ix_(latents, latents)])
        return np.expm1(2 * information) * bracket

    whole, single = shift(range(vae.latent_dim)), np.array([shift([latent]) for latent in range(vae.latent_dim)])
    inside = np.array([shift(group) for group in groups])
    offset = _offset(groups, vae.latent_dim, -log_sum)
    return MinibatchParts(
        mutual_information=float(offset.mutual_information - whole),
        between=float(offset.between + whole - inside.sum()),
        within=offset.within + inside - [single[group].sum() for group in groups],
        dimension_wise_kl=float(offset.dimension_wise_kl + single.sum()),
        scale=scale,
        in_range=bool(batch_size >= scale),
    )


def minibatch_offset(groups: Posterior, latent_dim: int, dataset_size: int) -> MinibatchParts:
    """The excess of the weighted estimate of each part, however large the minibatch: multiples of log N.

    Parameters
    ----------
    groups : "diagonal", "full", or a list of groups of latents
    latent_dim : int
    dataset_size : int, N >= 1

    Returns
    -------
    MinibatchParts

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    Exact. It does not depend on the parameters of the VAE, so it has no gradient.

    Examples
    --------
    >>> from theory.groups import minibatch_offset
    >>> offset = minibatch_offset([[0, 1], [2]], latent_dim=3, dataset_size=1000)
    >>> round(offset.mutual_information, 4), round(offset.between, 4), offset.within.round(4)
    (6.9078, 6.9078, array([6.9078, 0.    ]))
    """
    latent_dim = validation.count("latent_dim", latent_dim, bytes_each=120)  # an array for each latent
    groups = partition(groups, latent_dim, "groups")
    return _offset(groups, latent_dim, np.log(validation.count("dataset_size", dataset_size, minimum=1)))


def _offset(groups, latent_dim: int, excess: float) -> MinibatchParts:
    """What is added to each part if log q^ of every set of latents is too small by `excess`."""
    return MinibatchParts(
        mutual_information=float(excess),
        between=float((len(groups) - 1) * excess),
        within=np.array([(len(group) - 1) * excess for group in groups]),
        dimension_wise_kl=float(-latent_dim * excess),
    )


def minibatch_bounds(
    vae: LinearVAE, groups: Posterior, *, dataset_size: int, batch_size: int, estimator: str = "stratified"
) -> MinibatchBounds:
    """Upper bounds of the estimates of mutual information, minus the logarithm of the least weight, and between groups.

    log(N M) if weighted, log N if stratified, 0 if unnormalised, log N or log(N m / (N - m)) for a fixed column.

    Parameters
    ----------
    As for `minibatch_bias`.

    Returns
    -------
    MinibatchBounds
        between G groups G - 1 times the bound of the mutual information.

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    Exact bounds, for any data. Between groups because with a_gj = w_j q(z_g|x_j) the sum over j of the product over g
    of a_gj is at most the product over g of the sums over j.

    Examples
    --------
    >>> from theory import LinearVAE
    >>> from theory.groups import minibatch_bounds
    >>> vae = LinearVAE([[1.0]], [[0.5]], [[0.5]], 0.5)
    >>> round(minibatch_bounds(vae, "full", dataset_size=1000, batch_size=100).mutual_information, 4)
    6.9078
    """
    linear_vae("vae", vae)
    size, batch = minibatch_sizes(dataset_size, batch_size)
    groups = partition(groups, vae.latent_dim, "groups")
    if _estimator(estimator) == "fixed-column":
        information = max(np.log(size), -np.log((size - batch + 1) / (size * (batch - 1))))
    else:
        information = {"weighted": np.log(size) + np.log(batch), "stratified": np.log(size), "unnormalised": 0.0}[
            estimator
        ]
    between = (len(groups) - 1) * information if vae.belongs_to(groups) else np.inf
    return MinibatchBounds(float(information), float(between))


def minibatch_scale(vae: LinearVAE, covariance) -> float:
    """The minibatch size beyond which `minibatch_bias` holds: exp(tr Q^-1 V S V^T + I(x; z)).

    The exponential of the mean of log q(z|x)/q(z) over codes weighted by q(z|x)/q(z), that is, over those that make the
    mean of this ratio. exp(2 I) is smaller: a mean of the ratio, without the weight.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments

    Returns
    -------
    float, >= 1; infinite if too large for a float

    Raises
    ------
    ValueError
        if `covariance` is not a covariance matrix of the VAE's data dimension.

    Notes
    -----
    Exact as that mean; as the minibatch size needed it is a rule of thumb: the logarithm has the variance sum_k (s_k +
    2 s_k^2), s_k being the eigenvalues of Q^-1 V S V^T, so the formula becomes accurate gradually.

    Examples
    --------
    >>> from theory import LinearVAE
    >>> from theory.groups import minibatch_scale
    >>> vae = LinearVAE([[1.0]], [[0.5]], [[0.5]], 0.5)
    >>> round(minibatch_scale(vae, [[1.0]]), 4)
    2.0193
    """
    linear_vae("vae", vae)
    data_covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance, vae.data_dim)
    with np.errstate(over="ignore", invalid="ignore"):
        root = vae.encoder @ gaussian.covariance_root(data_covariance)
        noise = gaussian.cholesky(vae.posterior_covariance)
        exponent = np.sum(gaussian.solve_lower(noise, root) ** 2)
    if not exponent < 1e6:  # beyond the exponent of any float
        return np.inf
    information = gaussian.information(root, vae.posterior_covariance)
    with np.errstate(over="ignore"):
        return float(np.exp(exponent + information))


def minibatch_sizes(dataset_size: int, batch_size: int) -> tuple[int, int]:
    """N and M as whole numbers, with 2 <= M <= N."""
    size = validation.count("dataset_size", dataset_size, minimum=2)
    batch = validation.count("batch_size", batch_size, minimum=2)
    if batch > size:
        raise ValueError(
            f"batch_size must be from 2 to dataset_size, got {batch} of {size}; pass a minibatch of the data set"
        )
    return size, batch


def minibatch_weights(dataset_size: int, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """The weights that the fixed-column estimator gives to the first two points of a minibatch, (M,) each, one a code.

    All other points have the weight 1 / (M - 1).
    """
    size, others = dataset_size, batch_size - 1
    second = (size - others) / (size * others)
    first = np.full(batch_size, 1 / size)
    first[others - 1] = second
    return first, np.full(batch_size, second)


def _estimator(estimator: str) -> str:
    return validation.choice("estimator", estimator, (*ESTIMATORS, *IN_PUBLIC_CODE))


def _bracket(dataset_size: int, batch_size: int, estimator: str) -> tuple[float, float]:
    """w - 1/2 sum_j w_j^2 with a sum of weights of one, and the logarithm of their true sum; means over the codes."""
    size, batch = minibatch_sizes(dataset_size, batch_size)
    if _estimator(estimator) == "fixed-column":
        first, second = minibatch_weights(size, batch)  # of the points 0 and 1, for each code
        rest = 1 / (batch - 1)
        sums = first + second + (batch - 2) * rest
        squares = first**2 + second**2 + (batch - 2) * rest**2
        own = np.concatenate([first[:1], second[1:2], np.full(batch - 2, rest)])
        brackets = own / sums - (squares - own**2) / (2 * sums**2)
        return float(brackets.mean()), float(np.log(sums).mean())
    log_sum = {"weighted": -np.log(size), "stratified": 0.0, "unnormalised": np.log(batch)}[estimator]
    own = 1 / (size if estimator == "stratified" else batch)
    return own - (1 - own) ** 2 / (2 * (batch - 1)), float(log_sum)
