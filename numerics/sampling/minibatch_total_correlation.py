"""Minibatch estimates of the parts of the rate, as used to train a beta-TCVAE, drawn many times.

**Estimates.** Each minibatch holds M data points from N(0, S) and a code z_i ~ q(.|x_i) of each. For every set g of
latents

    log q^(z_ig) = log sum_j w_ij q(z_ig|x_j)

    weighted     w_ij = 1/(N M)
    stratified   w_ii = 1/N and w_ij = (N - 1) / (N (M - 1)), equal for all other points,

and the parts are means over i of log q(z_i|x_i) - log q^(z_i) and so on. The M codes of a minibatch share their
points, so standard errors are taken over minibatches. N, the size of the data set, only enters the weights: points are
always fresh, which averages over data sets.

**Source.** The estimators are those of R. T. Q. Chen, Li, Grosse, Duvenaud (2018). With m = M - 1 other points, their
stratified weights are 1/m for all but one of these and (N - m)/(N m) for that one: the same sum. Public implementations
differ in where they put the weight 1/N; where it is a fixed column instead of the diagonal, the point of the code
itself mostly has the weight 1/m.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from numerics.sampling.estimate import Estimate
from numerics.sampling.gaussian import draw_gaussian, log_density, log_density_of_squares, log_sum, square_root
from theory import validation
from theory.groups.minibatch import ESTIMATORS, minibatch_sizes
from theory.model import LinearVAE, linear_vae, mean_offset
from theory.moments import as_moments
from theory.partition import Posterior, partition

__all__ = ["MinibatchEstimates", "sample_minibatch_bias", "sample_minibatch_terms"]

DRAWN = 2**20  # pairs of points of the minibatches that are drawn together
TOGETHER = 2**17  # pairs of points that are computed together, so few that a processor's cache holds them

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
) -> dict[str, MinibatchEstimates]:
    """Both minibatch estimates of mutual information, total correlation between and within groups, and the rest.

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

    Returns
    -------
    dict of MinibatchEstimates, "weighted" and "stratified", from the same draws

    Raises
    ------
    ValueError
        if an argument is out of its range.
    """
    return _sample(vae, covariance, groups, dataset_size, batch_size, batches, rng, bias_only=False)


def sample_minibatch_bias(
    vae: LinearVAE,
    covariance,
    groups: Posterior,
    *,
    dataset_size: int,
    batch_size: int,
    batches: int,
    rng: np.random.Generator | int,
) -> dict[str, MinibatchEstimates]:
    """The bias of both estimates: the same draws with log q^(z_g) - log q(z_g), whose spread is small.

    Parameters, results and errors as for `sample_minibatch_terms`.
    """
    return _sample(vae, covariance, groups, dataset_size, batch_size, batches, rng, bias_only=True)


def _sample(vae, covariance, groups, dataset_size, batch_size, batches, rng, bias_only: bool):
    linear_vae("vae", vae)
    size, batch = minibatch_sizes(dataset_size, batch_size)
    validation.count("batch_size", batch, bytes_each=16 * batch)  # pairs of points
    parts = 2 * (3 + vae.latent_dim)
    validation.count("batches", batches, minimum=2, bytes_each=8 * parts)  # one has no standard error
    data_covariance = validation.covariance_matrix("covariance", as_moments(covariance).covariance, vae.data_dim)
    rng = validation.random_generator("rng", rng)
    groups = [tuple(group.tolist()) for group in partition(groups, vae.latent_dim, "groups")]
    offset, rows = mean_offset(vae, covariance), {name: [] for name in ESTIMATORS}
    for means, codes in _draw(vae, data_covariance, offset, batch, batches, rng):
        logs = _log_aggregates(vae.posterior_covariance, means, codes, groups, size)
        if bias_only:
            exact = _exact(vae, data_covariance, codes - vae.encoder @ offset, logs)
            conditional = log_prior = 0.0
        else:
            exact = dict.fromkeys(logs, 0.0)
            conditional = log_density(codes - means, np.linalg.cholesky(vae.posterior_covariance))
            log_prior = log_density(codes, np.eye(vae.latent_dim))
        for name in ESTIMATORS:
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


def _log_aggregates(covariance, means, codes, groups, size: int) -> dict[Latents, dict[str, np.ndarray]]:
    """log q^(z_g) by each estimator, for all latents, each group and each single one."""
    batch, everything = means.shape[1], tuple(range(means.shape[2]))
    by_latents = {}
    for latents in {everything, *groups, *((latent,) for latent in everything)}:
        part = list(latents)
        pairs = _log_pairs(codes[..., part], means[..., part], covariance[np.ix_(part, part)])
        places = np.arange(batch)
        own = pairs[:, places, places]
        pairs[:, places, places] = -np.inf
        others = log_sum(pairs, axis=2)
        by_latents[latents] = {
            "weighted": np.logaddexp(own, others) - np.log(size) - np.log(batch),
            "stratified": np.logaddexp(own - np.log(size), others + np.log((size - 1) / size / (batch - 1))),
        }
    return by_latents


def _log_pairs(codes: np.ndarray, means: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """log q(z_i|x_j) of all pairs in each minibatch, (minibatches, M, M), by one latent at a time to save memory."""
    root = np.linalg.cholesky(covariance)
    whiten = np.linalg.inv(root).T
    squares = 0.0
    for code, mean in zip(np.moveaxis(codes @ whiten, 2, 0), np.moveaxis(means @ whiten, 2, 0), strict=True):
        apart = code[:, :, np.newaxis] - mean[:, np.newaxis, :]
        squares = np.add(squares, np.square(apart, out=apart), out=apart)
    return log_density_of_squares(squares, root)


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
