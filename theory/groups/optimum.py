"""The optimum of the grouped objective for a decoder that is held: stationarity, and a Newton solver.

With C = V S V^T + Q and H as in `theory.groups.objective`, every stationary point satisfies

    H V S = W^T S / s2,    Q_bb = w_I (H_bb)^-1 for each block b of the posterior family.

At equal weights beta, H = beta P and this is the best encoder of the plain VAE in closed form. Otherwise H depends on
C, and the objective need not be convex: the solution here is the one reached from the plain VAE by moving the weights
in steps (continuation), each step by Newton's method in a trust region with the Hessian from a complex step of the
exact gradient. Exact up to the solver: gradient norm and least curvature are reported. One group, or weight 1, gives
the plain VAE exactly; groups of one the penalty on the whole total correlation; the limit of a large weight is in
`theory.groups.independence`.

In the setting of R. Chen et al. (2018), Chen, Wang, Zou (2022) and Chen, Xiang, Wang (2025); equations and solver are
this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from theory import validation
from theory.groups.decomposition import GroupedTerms, grouped_terms
from theory.groups.held_decoder import HeldDecoder, newton
from theory.groups.objective import Weights
from theory.inference import InferenceError, inference_error, optimal_encoder
from theory.model import GenerativeModel, LinearVAE
from theory.partition import Posterior, partition

__all__ = ["GroupedOptimum", "granularity_errors", "grouped_optimum"]

ROUNDING = 1e-9  # by how much a bracket is wider than it need be without rounding
LARGEST_STEP = 4.0  # factor by which weights change between two Newton solutions


@dataclass(frozen=True, eq=False)
class GroupedOptimum:
    """A minimum of the grouped objective for a decoder that is held.

    Attributes
    ----------
    vae : LinearVAE
    terms : GroupedTerms
    loss : float, in nats
    gradient_norm : float
        largest entry of the gradient in the solver's coordinates.
    least_curvature : float
        smallest eigenvalue of the Hessian there; positive at a strict local minimum.
    """

    vae: LinearVAE
    terms: GroupedTerms
    loss: float
    gradient_norm: float
    least_curvature: float


def grouped_optimum(
    decoder,
    noise_variance: float | str,
    covariance,
    weights: Weights,
    groups: Posterior = "diagonal",
    *,
    posterior: Posterior = "diagonal",
    start: LinearVAE | None = None,
) -> GroupedOptimum:
    """The encoder and posterior covariance that minimise the grouped objective for a decoder that is held.

    Parameters
    ----------
    decoder : (D, K) array
        of any shape and rank.
    noise_variance : float > 0, or "learned"
        "learned" solves D s2 = distortion on top; that needs data with variance outside the decoder's range.
    covariance : (D, D) array, of the data
    weights : Weights, none negative
    groups : "diagonal", "full", or a list of groups of latents
    posterior : "diagonal", "full", or a list of groups of latents
        the family of Q.
    start : LinearVAE, optional
        where to begin, with a posterior of the family. By default the plain VAE's best encoder, followed as the weights
        move to those asked for.

    Returns
    -------
    GroupedOptimum

    Raises
    ------
    ValueError
        for a negative weight, an argument out of its range, or a noise that cannot be learned.

    Notes
    -----
    Exact at equal weights; otherwise exact up to the solver, and a local minimum: the objective is not convex. A latent
    that the decoder does not use has a flat direction if `weights.dimension_wise` is zero.
    """
    decoder = validation.matrix("decoder", decoder)
    data_dim, latent_dim = decoder.shape
    if validation.positive_or_word("noise_variance", noise_variance, "learned") == "learned":
        noise_variance = _learned_noise(
            decoder, validation.covariance_matrix("covariance", covariance, data_dim), weights, groups, posterior
        )
    problem = HeldDecoder(
        decoder,
        float(noise_variance),
        validation.covariance_matrix("covariance", covariance, data_dim),
        partition(groups, latent_dim, "groups"),
        partition(posterior, latent_dim),
    )
    for name in ("between", "within", "dimension_wise"):
        validation.non_negative(f"weights.{name}", getattr(weights, name))
    if start is None:
        plain = optimal_encoder(decoder, noise_variance, weights.mutual_information, posterior=posterior)
        theta, path = problem.pack(plain), _path(weights)
    else:
        if not start.belongs_to(posterior):
            raise ValueError("start must have a posterior covariance of the family; pass one with those blocks only")
        theta, path = problem.pack(start), [weights]
    for step in path:
        theta = newton(problem, theta, step)
    return _solution(problem, theta, weights)


def granularity_errors(
    truth: GenerativeModel,
    partitions: Sequence[Posterior],
    beta: float,
    *,
    posterior: Posterior = "diagonal",
) -> list[InferenceError]:
    """Inference errors against the true factors of the grouped penalty, one for each partition of the latents.

    Decoder and noise are the truth's; the weights are beta between groups and 1 on the rest.

    Parameters
    ----------
    truth : GenerativeModel
        with positive noise; its factors may be correlated, while the prior of the VAE is N(0, I).
    partitions : sequence of partitions
    beta : float >= 0
    posterior : "diagonal", "full", or a list of groups of latents

    Returns
    -------
    list of InferenceError

    Raises
    ------
    ValueError
        as for `grouped_optimum`.

    Notes
    -----
    Exact up to the solver. Partitions change the errors only through the mismatch of N(0, I) with the factors and of
    the posterior family with the true posterior; with one group the errors are those of the plain VAE.
    """
    weights = Weights.independence(beta)
    return [
        inference_error(
            truth,
            grouped_optimum(
                truth.loading, truth.noise_variance, truth.covariance, weights, groups, posterior=posterior
            ).vae,
        )
        for groups in partitions
    ]


def _learned_noise(decoder, covariance, weights: Weights, groups: Posterior, posterior: Posterior) -> float:
    """A root of D s2 = distortion(s2), between the variance outside the decoder's range and that of data and prior."""
    left, singular, _ = np.linalg.svd(decoder)
    outside = left[:, np.count_nonzero(singular > validation.rank_tolerance(singular)) :]
    least, most = np.sum((covariance @ outside) * outside), np.trace(covariance)
    if not least > validation.rank_tolerance(np.linalg.eigvalsh(covariance)):
        raise ValueError(
            "noise_variance must be a number where the data have no variance outside the decoder's range, got "
            "'learned': it would run to zero"
        )

    def excess(log_noise: float) -> float:
        noise = np.exp(log_noise)
        best = grouped_optimum(decoder, noise, covariance, weights, groups, posterior=posterior)
        return float(np.log(best.terms.distortion / (len(covariance) * noise)))

    # The distortion is at most that of the code that is the prior, tr S + tr W W^T; a root may lie at either end.
    ends = np.array([least, most + np.sum(decoder**2)]) / len(covariance)
    bracket = np.log(ends * (1 - ROUNDING, 1 + ROUNDING))
    return float(np.exp(brentq(excess, *bracket, xtol=1e-14, rtol=1e-14)))


def _path(weights: Weights) -> list[Weights]:
    """Weights on the way from equal ones, each within a factor of the one before, from below where they start at 0."""
    information = weights.mutual_information
    ends = np.array([weights.between, weights.within, weights.dimension_wise]) / information
    farthest = np.abs(np.log(np.maximum(ends, 1 / LARGEST_STEP))).max()
    count = max(1, int(np.ceil(farthest / np.log(LARGEST_STEP))))
    shares = np.arange(1, count + 1) / count
    # In the logarithm where weights grow; straight where they shrink, as they may end at zero.
    grown = [np.where(ends >= 1, np.maximum(ends, 1) ** share, 1 + share * (ends - 1)) for share in shares]
    return [*(Weights(information, *(information * values)) for values in grown[:-1]), weights]


def _solution(problem: HeldDecoder, theta: np.ndarray, weights: Weights) -> GroupedOptimum:
    vae = problem.vae(theta)
    terms = grouped_terms(vae, problem.covariance, problem.groups)
    curvatures = np.linalg.eigvalsh(problem.hessian(theta, weights)) if theta.size else np.array([np.inf])
    return GroupedOptimum(
        vae=vae,
        terms=terms,
        loss=terms.loss(weights),
        gradient_norm=float(np.abs(problem.gradient(theta, weights)).max(initial=0.0)),
        least_curvature=float(curvatures[0]),
    )
