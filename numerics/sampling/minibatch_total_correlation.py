"""Minibatch estimates of the parts of the rate, as used to train a beta-TCVAE, drawn many times.

**Estimates.** Each minibatch holds M data points from N(0, S) and a code z_i ~ q(.|x_i) of each. For every set g of
latents

    log q^(z_ig) = log sum_j w_ij q(z_ig|x_j)

    weighted       w_ij = 1/(N M)
    stratified     w_ii = 1/N and w_ij = (N - 1) / (N (M - 1)), equal for all other points
    unnormalised   w_ij = 1
    fixed-column   w_i0 = 1/N and w_i1 = (N - m)/(N m), whichever the code, and w_ij = 1/m, where m = M - 1; but
                   w_i0 = w_i1 for the last code but one,

and the parts are means over i of log q(z_i|x_i) - log q^(z_i) and so on. The M codes of a minibatch share their
points, so standard errors are taken over minibatches. N, the size of the data set, only enters the weights: points are
always fresh, which averages over data sets.

**Source.** The estimators are those of R. T. Q. Chen, Li, Grosse, Duvenaud (2018). With m = M - 1 other points, their
stratified weights are 1/m for all but one of these and (N - m)/(N m) for that one: the same sum. The last two are what
public code computes: with the weight 1/N in a fixed column instead of the diagonal, the point of the code itself mostly
has the weight 1/m.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from numerics.sampling.estimate import Estimate
from numerics.sampling.gaussian import draw_gaussian, log_density, log_density_of_squares, log_sum, square_root
from theory import validation
from theory.groups.minibatch import ESTIMATORS, IN_PUBLIC_CODE, minibatch_sizes, minibatch_weights
from theory.model import LinearVAE, linear_vae, mean_offset
from theory.moments import as_moments
from theory.partition import Posterior, partition

__all__ = ["MinibatchEstimates", "sample_minibatch_bias", "sample_minibatch_terms"]

DRAWN = 2**20  # pairs of points of the minibatches that are drawn together
TOGETHER = 2**17  # pairs of points of the minibatches that are computed together
CACHED = 2**14  # pairs of points in one array, so few that a processor's cache holds some such arrays
SMALLEST = 1e-200  # a sum of products of exponentials above it does not notice what underflows
FURTHEST = 700.0  # a square beyond it has an exponential that is far below, and slow to compute near underflow

Latents = tuple[int, ...]


@dataclass(frozen=True)
class MinibatchEstimates:
    """Each part of the rate by one estimator: mean over minibatches, in nats; the names of `GroupedTerms`."""

    mutual_information: Estimate
    between: Estimate
    within: tuple[Estimate, ...]
    dimension_wise_kl: Estimate


def sample_minibatch_terms(
    vae: LinearVAE,
    covariance,
    groups: Posterior,
    *,
    dataset_size: int,
    batch_size: int,
    batches: int,
    rng: np.random.Generator | int,
    estimators: Sequence[str] = ESTIMATORS,
) -> dict[str, MinibatchEstimates]:
    """The minibatch estimates of mutual information, total correlation between and within groups, and the rest.

    Parameters
    ----------
    vae : LinearVAE
        with a posterior covariance of any family.
    covariance : (D, D) array, or Moments
        of the Gaussian data.
    groups : "diagonal", "full", or a list of groups of latents
    dataset_size : int, N
    batch_size : int, M
        from 2 to N.
    batches : int, at least 2
    rng : numpy.random.Generator, or a seed
    estimators : sequence of str
        of "weighted", "stratified", "unnormalised" and "fixed-column"; by default the first two.

    Returns
    -------
    dict of MinibatchEstimates, by the names of the estimators, from the same draws

    Raises
    ------
    ValueError
        if an argument is out of its range.
    """
    return _sample(vae, covariance, groups, dataset_size, batch_size, batches, rng, estimators, bias_only=False)


def sample_minibatch_bias(
    vae: LinearVAE,
    covariance,
    groups: Posterior,
    *,
    dataset_size: int,
    batch_size: int,
    batches: int,
    rng: np.random.Generator | int,
    estimators: Sequence[str] = ESTIMATORS,
) -> dict[str, MinibatchEstimates]:
    """The bias of the estimates: the same draws with log q^(z_g) - log q(z_g), whose spread is small.

    Parameters, results and errors as for `sample_minibatch_terms`.
    """
    return _sample(vae, covariance, groups, dataset_size, batch_size, batches, rng, estimators, bias_only=True)


def _sample(vae, covariance, groups, dataset_size, batch_size, batches, rng, estimators, bias_only: bool):
    linear_vae("vae", vae)
    size, batch = minibatch_sizes(dataset_size, batch_size)
    validation.count("batch_size", batch, bytes_each=16 * batch)  # pairs of points
    parts = 2 * (3 + vae.latent_dim)
    validation.count("batches", batches, minimum=2, bytes_each=8 * parts)  # one has no standard error
    data_covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance, vae.data_dim)
    rng = validation.random_generator("rng", rng)
    groups = [tuple(group.tolist()) for group in partition(groups, vae.latent_dim, "groups")]
    offset, rows = mean_offset(vae, covariance), {name: [] for name in _names(estimators)}
    for means, codes in _draw(vae, data_covariance, offset, batch, batches, rng):
        logs = _log_aggregates(vae.posterior_covariance, means, codes, groups, size, rows)
        if bias_only:
            exact = _exact(vae, data_covariance, codes - vae.encoder @ offset, logs)
            conditional = log_prior = 0.0
        else:
            exact = dict.fromkeys(logs, 0.0)
            conditional = log_density(codes - means, np.linalg.cholesky(vae.posterior_covariance))
            log_prior = log_density(codes, np.eye(vae.latent_dim))
        for name in rows:
            log_aggregates = {latents: values[name] - exact[latents] for latents, values in logs.items()}
            rows[name].append(_parts(log_aggregates, groups, conditional, log_prior))
    return {name: _estimates(np.concatenate(blocks, axis=1)) for name, blocks in rows.items()}


def _draw(vae, covariance, offset, batch: int, batches: int, rng) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Posterior means and codes of some minibatches at a time, (minibatches, M, K) each."""
    spread = vae.encoder @ square_root(covariance)
    root = np.linalg.cholesky(vae.posterior_covariance)
    drawn, together = (max(1, pairs // batch**2) for pairs in (DRAWN, TOGETHER))
    for first in range(0, batches, drawn):
        shape = (min(drawn, batches - first), batch)
        means = vae.encoder @ offset + draw_gaussian(shape, spread, rng)
        codes = means + draw_gaussian(shape, root, rng)
        for part in range(0, len(means), together):
            yield means[part : part + together], codes[part : part + together]


def _names(estimators: Sequence[str]) -> list[str]:
    names = (*ESTIMATORS, *IN_PUBLIC_CODE)
    return [validation.choice("estimators", name, names) for name in validation.sequence("estimators", estimators)]


def _log_aggregates(
    covariance, means, codes, groups, size: int, estimators: Iterable[str]
) -> dict[Latents, dict[str, np.ndarray]]:
    """log q^(z_g) by each estimator, for all latents, each group and each single one."""
    batch, everything = means.shape[1], tuple(range(means.shape[2]))
    sets = {everything, *groups, *((latent,) for latent in everything)}
    sums_of_others = _log_sums_of_others(covariance, means, codes, sets)
    by_latents = {}
    for latents in sets:
        part = list(latents)
        root = np.linalg.cholesky(covariance[np.ix_(part, part)])
        own = log_density((codes - means)[..., part], root)
        others = sums_of_others[latents] + log_density_of_squares(0.0, root)  # the latter is log q(m_jg|x_j)
        unnormalised = np.logaddexp(own, others)
        found = {
            "unnormalised": unnormalised,
            "weighted": unnormalised - np.log(size) - np.log(batch),
            "stratified": np.logaddexp(own - np.log(size), others + np.log((size - 1) / size / (batch - 1))),
        }
        if "fixed-column" in estimators:
            firsts = [log_density((codes - means[:, at : at + 1])[..., part], root) for at in (0, 1)]
            shares = [np.exp(first - unnormalised) for first in firsts]
            found["fixed-column"] = unnormalised + np.log(_reweighted(shares, size, batch))
        by_latents[latents] = found
    return by_latents


def _reweighted(shares: list[np.ndarray], size: int, batch: int) -> np.ndarray:
    """sum_j w_ij p_j with the weights of the fixed column, for p_j of sum one; `shares` are those of points 0 and 1."""
    rest = 1 / (batch - 1)
    weights = minibatch_weights(size, batch)
    return rest + sum((weight - rest) * share for weight, share in zip(weights, shares, strict=True))


def _log_sums_of_others(covariance, means, codes, sets: Iterable[Latents]) -> dict[Latents, np.ndarray]:
    """log sum_j q(z_ig|x_j) / q(m_jg|x_j) over the other points j of each code's minibatch, for each set g of latents.

    Densities of latents that are independent given x are multiplied, so each exponential is taken once for all sets.
    Where a sum of such products comes near the smallest floats, it is taken by logarithms instead.
    """
    parts = {latents: _independent_blocks(covariance, latents) for latents in sets}
    coordinates = {
        block: _coordinates(covariance, means, codes, block)
        for block in {block for each in parts.values() for block in each}
    }
    found = {latents: np.empty(codes.shape[:2]) for latents in parts}
    batch = codes.shape[1]
    step = max(1, CACHED // (len(codes) * batch))
    for first in range(0, batch, step):
        rows = slice(first, min(first + step, batch))
        densities = {}
        for block, pairs in coordinates.items():
            squares = _squares(pairs, rows)
            np.minimum(squares, FURTHEST, out=squares)
            densities[block] = np.exp(np.negative(squares, out=squares), out=squares)
        for latents, blocks in parts.items():
            sums = _sums_of_products([densities[block] for block in blocks])
            if sums.min() > SMALLEST:
                found[latents][:, rows] = np.log(sums)
            else:
                squares = sum(_squares(coordinates[block], rows) for block in blocks)
                found[latents][:, rows] = log_sum(np.negative(squares, out=squares), axis=2)
    return found


def _independent_blocks(covariance: np.ndarray, latents: Latents) -> list[Latents]:
    """Some latents in blocks, between which their covariance is zero."""
    related = covariance[np.ix_(latents, latents)] != 0
    reached = np.linalg.matrix_power(related, len(latents))  # from latent to latent, in so many steps
    return sorted({tuple(np.array(latents)[row].tolist()) for row in reached})


def _coordinates(covariance, means, codes, block: Latents) -> list[tuple[np.ndarray, np.ndarray]]:
    """Codes and means, (minibatches, M) each, along axes of a block on which q(z|x) is exp(-|z - m|^2) up to scale."""
    part = list(block)
    whiten = np.linalg.inv(np.linalg.cholesky(2 * covariance[np.ix_(part, part)])).T
    pairs = np.stack([codes[..., part] @ whiten, means[..., part] @ whiten])
    return list(np.ascontiguousarray(np.moveaxis(pairs, 3, 0)))


def _squares(coordinates: list[tuple[np.ndarray, np.ndarray]], rows: slice) -> np.ndarray:
    """|z_i - m_j|^2 of the codes in some rows and all points, (minibatches, rows, M); infinite for a code's own point.

    One coordinate at a time saves memory.
    """
    squares = None
    for codes, means in coordinates:
        apart = codes[:, rows, np.newaxis] - means[:, np.newaxis, :]
        np.square(apart, out=apart)
        squares = apart if squares is None else np.add(squares, apart, out=squares)
    places = np.arange(rows.start, rows.stop)
    squares[:, places - rows.start, places] = np.inf
    return squares


def _sums_of_products(factors: list[np.ndarray]) -> np.ndarray:
    """The sums along the last axis of the products of arrays of one shape."""
    if len(factors) == 1:
        return factors[0].sum(axis=2)
    *others, last = factors
    return np.einsum("bij,bij->bi", reduce(np.multiply, others), last)


def _exact(vae, covariance, centred: np.ndarray, sets) -> dict[Latents, np.ndarray]:
    """The exact log q(z_g) of centred codes, for each set of latents."""
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    return {
        latents: log_density(centred[..., list(latents)], np.linalg.cholesky(code[np.ix_(latents, latents)]))
        for latents in sets
    }


def _parts(logs: dict[Latents, np.ndarray], groups: list[Latents], conditional, log_prior) -> np.ndarray:
    """Mutual information, between, within each group, dimension-wise: (parts, minibatches), each a mean over codes."""
    whole = logs[tuple(range(sum(map(len, groups))))]
    single = {group: sum(logs[latent,] for latent in group) for group in groups}
    values = [
        conditional - whole,
        whole - sum(logs[group] for group in groups),
        *(logs[group] - single[group] for group in groups),
        sum(single.values()) - log_prior,
    ]
    return np.array([value.mean(axis=1) for value in values])


def _estimates(parts: np.ndarray) -> MinibatchEstimates:
    information, between, *within, rest = map(Estimate.of, parts)
    return MinibatchEstimates(information, between, tuple(within), rest)
