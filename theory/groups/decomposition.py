"""The objective split along groups of latents, and the chain rule of total correlation that the split rests on.

For a partition of the latents z_j into groups g, and C = V S V^T + Q the covariance of the aggregate code (encoder V,
posterior covariance Q, covariance S of the data x),

    TC(z)   = between + sum_g within_g
    between = 1/2 [ sum_g log det C_gg - log det C ],   within_g = 1/2 [ sum_{j in g} log C_jj - log det C_gg ]
    rate    = I(x; z) + between + sum_g within_g + sum_j KL(q(z_j) || p(z_j)).

Each part is non-negative. Along partitions that refine one another the part between groups only grows, and its
increments are total correlations inside the groups of the coarser partition: the chain rule telescopes.

Exact: the chain rule holds for every density, the formulas for Gaussian codes. In the setting of Chen, Wang, Zou (2022)
and Chen, Xiang, Wang (2025), who decompose total correlation along groups; the formulas are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theory import gaussian, validation
from theory.groups.objective import Weights
from theory.model import LinearVAE, linear_vae
from theory.objective import terms_and_signal
from theory.partition import Posterior, partition

__all__ = ["GroupedTerms", "TotalCorrelationPath", "equal_groups", "grouped_terms", "total_correlation_path"]


@dataclass(frozen=True, eq=False)
class GroupedTerms:
    """The parts of the objective along groups; all except the distortion in nats.

    Attributes
    ----------
    distortion : expected squared error, in squared units of the data
    reconstruction : -E log p(x|z)
    mutual_information : I(x; z)
    between : total correlation between the groups of q(z)
    within : (groups,) array, total correlation inside each group
    dimension_wise_kl : sum over latents of KL(q(z_j) || p(z_j))
    prior_dependence : E_q log [prod_j p(z_j) / p(z)], zero for a prior that is independent across latents

    Examples
    --------
    >>> from theory import LinearVAE
    >>> from theory.groups import Weights, grouped_terms
    >>> vae = LinearVAE([[1.0, 0.5], [0.0, 1.0]], [[0.5, 0.3], [0.2, 0.5]], [[0.3, 0.0], [0.0, 0.4]], 0.5)
    >>> terms = grouped_terms(vae, [[2.0, 0.5], [0.5, 1.0]], [[0, 1]])
    >>> terms.between, terms.within.round(4), round(terms.loss(Weights.independence(4.0)), 4)
    (0.0, array([0.1751]), 3.5724)
    """

    distortion: float
    reconstruction: float
    mutual_information: float
    between: float
    within: np.ndarray
    dimension_wise_kl: float
    prior_dependence: float

    @property
    def group_wise_kl(self) -> float:
        """Sum over groups of KL(q(z_g) || p(z_g)) for an independent prior: within plus dimension-wise."""
        return float(self.within.sum()) + self.dimension_wise_kl

    def loss(self, weights: Weights) -> float:
        """The grouped objective, in nats; `weights.dimension_wise` also multiplies `prior_dependence`."""
        validation.instance("weights", weights, Weights, "pass theory.groups.Weights(...)")
        return (
            self.reconstruction
            + weights.mutual_information * self.mutual_information
            + weights.between * self.between
            + weights.within * float(self.within.sum())
            + weights.dimension_wise * (self.dimension_wise_kl + self.prior_dependence)
        )


@dataclass(frozen=True, eq=False)
class TotalCorrelationPath:
    """Total correlation along partitions that refine one another.

    Attributes
    ----------
    between : (levels,) array, total correlation between the groups of each partition
    increments : (levels + 1,) array
        the total correlation that each partition adds to the coarser one before it: first against one group of all
        latents, last inside the groups of the last partition. Their sum is the total correlation.

    Examples
    --------
    >>> from theory.groups import total_correlation_path
    >>> path = total_correlation_path([[1.0, 0.5, 0.2], [0.5, 1.0, 0.2], [0.2, 0.2, 1.0]], [[[0, 1], [2]]])
    >>> path.increments.round(4)
    array([0.0274, 0.1438])
    """

    between: np.ndarray
    increments: np.ndarray


def equal_groups(latent_dim: int, size: int) -> list[list[int]]:
    """Neighbouring latents in groups of `size`; the last group may be smaller.

    Raises
    ------
    ValueError
        if `size` is not a positive whole number.

    Examples
    --------
    >>> from theory.groups import equal_groups
    >>> equal_groups(5, size=2)
    [[0, 1], [2, 3], [4]]
    """
    latent_dim = validation.count("latent_dim", latent_dim, bytes_each=64)  # a number and its reference in a list
    size = validation.count("size", size, minimum=1)
    return [list(range(first, min(first + size, latent_dim))) for first in range(0, latent_dim, size)]


def grouped_terms(vae: LinearVAE, covariance, groups: Posterior, *, prior=None) -> GroupedTerms:
    """Every part of the grouped objective of a VAE on data with the given covariance.

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
        as for `theory.elbo_terms`.
    groups : "diagonal", "full", or a list of groups of latents
        "diagonal" puts each latent in a group of its own, "full" all in one group.
    prior : (K, K) array, optional
        covariance of a Gaussian prior; the identity by default.

    Returns
    -------
    GroupedTerms
        `loss(Weights.uniform(beta))` is the objective of the beta-VAE.

    Raises
    ------
    ValueError
        for an invalid partition, if `covariance` or `prior` is not a covariance matrix of the right size, or for
        weights of the VAE so large that the objective overflows.

    Notes
    -----
    Exact. In the setting of Chen et al. (2022, 2025).

    Examples
    --------
    >>> from theory import LinearVAE
    >>> from theory.groups import grouped_terms
    >>> vae = LinearVAE([[1.0, 0.5], [0.0, 1.0]], [[0.5, 0.3], [0.2, 0.5]], [[0.3, 0.0], [0.0, 0.4]], 0.5)
    >>> round(grouped_terms(vae, [[2.0, 0.5], [0.5, 1.0]], "diagonal").between, 4)
    0.1751
    """
    linear_vae("vae", vae)
    groups = partition(groups, vae.latent_dim, "groups")
    terms, root = terms_and_signal(vae, covariance, prior)
    posterior = vae.posterior_covariance
    return GroupedTerms(
        distortion=terms.distortion,
        reconstruction=terms.reconstruction,
        mutual_information=terms.mutual_information,
        between=gaussian.total_correlation_of_sum(root, posterior, groups),
        within=np.array([_within(root[group], posterior[np.ix_(group, group)]) for group in groups]),
        dimension_wise_kl=terms.dimension_wise_kl,
        prior_dependence=(
            0.0 if prior is None else terms.aggregate_kl - terms.total_correlation - terms.dimension_wise_kl
        ),
    )


def total_correlation_path(covariance, partitions: Sequence[Posterior]) -> TotalCorrelationPath:
    """Total correlation of a Gaussian along a hierarchy: TC = sum of increments between(P_l+1) - between(P_l).

    The increment from a partition to a finer one is the total correlation between the parts of each of its groups,
    summed over groups, so none is negative.

    Parameters
    ----------
    covariance : (K, K) array, positive definite
    partitions : sequence of partitions, each finer than or equal to the one before

    Returns
    -------
    TotalCorrelationPath, in nats

    Raises
    ------
    ValueError
        if a partition does not refine the one before, or `partitions` is empty.

    Notes
    -----
    Exact. This project's reading of an iterative decomposition along groups.

    Examples
    --------
    >>> from theory.groups import total_correlation_path
    >>> covariance = [[1.0, 0.5, 0.2], [0.5, 1.0, 0.2], [0.2, 0.2, 1.0]]
    >>> total_correlation_path(covariance, [[[0, 1], [2]], "diagonal"]).between.round(4)
    array([0.0274, 0.1712])
    """
    covariance = validation.covariance_matrix("covariance", covariance)
    levels = [
        partition(groups, len(covariance), "partitions")
        for groups in validation.sequence("partitions", partitions, minimum=0)
    ]
    if not levels:
        raise ValueError("partitions must hold at least one partition, got none; pass a list of partitions")
    if not np.isfinite(gaussian.log_determinant(covariance)):
        raise ValueError("covariance must be positive definite; remove variables that depend on others")
    increments, before = [], partition("full", len(covariance))
    for position, level in enumerate([*levels, partition("diagonal", len(covariance))]):
        increments.append(sum(_between_parts(covariance, group, level, f"partitions[{position}]") for group in before))
        before = level
    between = np.array([gaussian.total_correlation(covariance, level) for level in levels])
    return TotalCorrelationPath(between=between, increments=np.array(increments, dtype=float))


def _within(root: np.ndarray, posterior: np.ndarray) -> float:
    """Total correlation between the latents of one group: `root` is a root of the covariance of their means."""
    return gaussian.total_correlation_of_sum(root, posterior, partition("diagonal", len(posterior)))


def _between_parts(covariance: np.ndarray, group: np.ndarray, level: tuple[np.ndarray, ...], name: str) -> float:
    """Total correlation between the parts into which a finer partition cuts a group."""
    position = {latent: index for index, latent in enumerate(group)}
    parts = []
    for finer in level:
        shared = [position[latent] for latent in finer if latent in position]
        if shared and len(shared) < len(finer):
            raise ValueError(
                f"{name} must refine the partition before it, its group {finer.tolist()} crosses groups; "
                "pass partitions from coarse to fine"
            )
        if shared:
            parts.append(shared)
    return gaussian.total_correlation(covariance[np.ix_(group, group)], parts)
