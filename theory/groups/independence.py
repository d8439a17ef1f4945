"""The limit of a large weight between groups: the best encoder with independent groups, for a fixed decoder.

Letters are those of `theory.groups.objective`, with I = I(x; z). As w_B grows the total correlation between groups
falls like 1/w_B^2, and the optimum tends to

    minimise  distortion / (2 s2) + w_I I + w_W within + w_D dimension-wise KL   subject to  C_ij = 0 across groups,

whose Lagrange condition is the stationarity of `theory.groups.optimum` with a symmetric Lambda, zero inside groups, in
place of (w_I - w_B) C^-1 + (w_B - w_I) blockdiag(C_gg^-1), whose limit it is. Solved by Newton's method on stationarity
and constraint together, from the solution at a large weight. Exact up to the solver.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from theory import validation
from theory.groups.decomposition import grouped_terms
from theory.groups.fixed_decoder import COMPLEX_STEP, FixedDecoder
from theory.groups.objective import Weights, code_slope
from theory.groups.optimum import GroupedOptimum, grouped_optimum
from theory.groups.search import least_curvature
from theory.moments import as_moments
from theory.partition import Posterior, partition, partition_mask

__all__ = ["independent_groups"]

LARGE_WEIGHT = 1e4  # between groups, relative to the information, of the start of Newton's method on the constraint
FLAT_SHARES = (1e-15, 1e-11, 1e-7)  # candidates for the share of the largest singular value below which one is zero


def independent_groups(
    decoder,
    noise_variance: float,
    covariance,
    groups: Posterior,
    *,
    weights: Weights | None = None,
    posterior: Posterior = "diagonal",
) -> GroupedOptimum:
    """The optimum of the grouped objective as its weight between groups goes to infinity.

    Parameters
    ----------
    decoder : (D, K) array
    noise_variance : float > 0
    covariance : (D, D) array, of the data
    groups : "diagonal", "full", or a list of groups of latents
    weights : Weights, optional
        of the other parts, none negative; all 1 by default. The weight between groups has no meaning here.
    posterior : "diagonal", "full", or a list of groups of latents
        the family of Q.

    Returns
    -------
    GroupedOptimum
        `gradient_norm` is the largest violation of stationarity or constraint; `least_curvature` that along the
        constraint. The loss is that of the limit, to which the losses at finite weights rise.

    Raises
    ------
    ValueError
        as for `theory.groups.grouped_optimum`.

    Notes
    -----
    Exact up to the solver, which starts at the best minimum at a weight of 1e4 (`starts`, `agreeing`). If the decoder
    has dependent columns, data outside its range can make groups independent, as in `grouped_optimum`; then many codes
    may be optimal, with no curvature between them.

    Examples
    --------
    >>> from theory.groups import independent_groups
    >>> best = independent_groups([[1.0, 0.9], [0.0, 0.4]], 0.05, [[2.0, 0.5], [0.5, 0.3]], "diagonal")
    >>> round(best.terms.between, 9) == 0, round(best.loss, 4)
    (True, 3.0828)
    """
    validation.positive("noise_variance", noise_variance)
    weights = Weights() if weights is None else validation.instance("weights", weights, Weights)
    # On the constraint the weight between groups has no effect; this one removes log det C from the cost.
    weights = replace(weights, between=weights.mutual_information)
    large = replace(weights, between=LARGE_WEIGHT * weights.mutual_information)
    near = grouped_optimum(decoder, noise_variance, covariance, large, groups, posterior=posterior)
    latent_dim = near.vae.latent_dim
    groups = partition(groups, latent_dim, "groups")
    problem = FixedDecoder(
        near.vae.decoder,
        near.vae.noise_variance,
        as_moments(covariance).covariance,
        groups,
        partition(posterior, latent_dim),
    )
    across = np.nonzero(np.triu(~partition_mask(groups, latent_dim)))
    theta = problem.pack(near.vae)
    multipliers = (large.mutual_information - large.between) * np.linalg.inv(problem.coordinates.code(theta))[across]
    unknowns = np.concatenate([theta, multipliers])
    residual, jacobian = _system(problem, weights, across, unknowns)
    while True:
        # Directions without curvature have small singular values; the best of three cut-offs is taken at each step.
        steps = [unknowns - np.linalg.lstsq(jacobian, residual, cut)[0] for cut in FLAT_SHARES]
        systems = [_system(problem, weights, across, moved) for moved in steps]
        best = int(np.argmin([_size(after) for after, _ in systems]))
        if not _size(systems[best][0]) < _size(residual) / 2:
            break
        unknowns, (residual, jacobian) = steps[best], systems[best]
    size = len(theta)
    vae = problem.vae(unknowns[:size])
    terms = grouped_terms(vae, problem.covariance, groups)
    return GroupedOptimum(
        vae=vae,
        terms=terms,
        loss=terms.loss(replace(weights, between=0.0)),
        gradient_norm=_size(residual),
        least_curvature=least_curvature(
            (jacobian[:size, :size] + jacobian[:size, :size].T) / 2,
            np.concatenate([jacobian[size:, :size], problem.idle(unknowns[:size])]),
        ),
        starts=near.starts,
        agreeing=near.agreeing,
    )


def _size(residual: np.ndarray) -> float:
    largest = np.abs(residual).max(initial=0.0)
    return float(largest) if np.isfinite(largest) else np.inf


def _system(problem: FixedDecoder, weights: Weights, across, unknowns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The equations' residual, and its Jacobian by complex step."""
    steps = unknowns + 1j * COMPLEX_STEP * np.eye(len(unknowns))
    jacobian = _conditions(problem, weights, across, steps).imag / COMPLEX_STEP
    return _conditions(problem, weights, across, unknowns), jacobian.T


def _conditions(problem: FixedDecoder, weights: Weights, across, unknowns: np.ndarray) -> np.ndarray:
    """Stationarity of the Lagrangian in theta, then C_ij across groups; (..., n) -> (..., n)."""
    count = unknowns.shape[-1] - len(across[0])
    theta, multipliers = unknowns[..., :count], unknowns[..., count:]
    code = problem.coordinates.code(theta)
    slope = problem.coordinates.strength / problem.noise_variance + code_slope(
        code, weights, problem.coordinates.together
    )
    slope[..., across[0], across[1]] += multipliers
    slope[..., across[1], across[0]] += multipliers
    stationary = problem.coordinates.pull_back(theta, slope, weights.mutual_information)
    return np.concatenate([stationary, code[..., across[0], across[1]]], axis=-1)
