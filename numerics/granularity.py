"""Training of the grouped objective over group size, weight and capacity, and what the groups do to the inference.

The penalty is a weight beta on total correlation between groups of neighbouring latents, 1 on the rest. Measured are

    loss          the grouped objective itself
    elbo          -loss at weights 1, with the prior that was trained with: a bound on E log p(x) of the model
    matched_elbo  the same with the true law of the factors as the prior; if the decoder is the true one, it falls short
                  of E log p(x) by the reverse divergence from the true posterior
    errors        E (s_i - s^_i)^2 for each factor i that has a latent, for a decoder held at the true columns

Everything comes from training by gradients; the theory of it is in `theory.groups`. A group size to tune, its trade
with capacity and a "V"-shaped trajectory of the best ELBO are the subject of Chen, Wang, Zou (2022) and Chen, Xiang,
Wang (2025), whose experiments are with non-linear VAEs; these linear experiments and what they show are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from numerics.block_factors import block_truth
from numerics.sweep import sweep
from numerics.training import train
from theory import LinearVAE, elbo_terms, validation
from theory.groups import Weights, equal_groups, granularity_slope
from theory.model import GenerativeModel
from theory.partition import Posterior

__all__ = ["GranularityRun", "VertexCell", "factor_errors", "granularity_map", "vertex_map"]

SAME = 1e-6  # relative change of the error up to which a grouping makes no difference


@dataclass(frozen=True, eq=False)
class GranularityRun:
    """One training run of a map.

    Attributes
    ----------
    capacity : int, number of latents
    size : int, of a group
    beta : float, weight of total correlation between groups
    seed : int
    vae : LinearVAE
    loss, elbo, matched_elbo : float, in nats
    errors : (capacity,) array
        mean squared error of each factor, in its squared units; NaN for a learned decoder, whose latents stand for no
        factor.
    stopped : str, as in `TrainingRun`
    """

    capacity: int
    size: int
    beta: float
    seed: int
    vae: LinearVAE
    loss: float
    elbo: float
    matched_elbo: float
    errors: np.ndarray
    stopped: str


def granularity_map(
    truth: GenerativeModel,
    *,
    betas: Sequence[float],
    sizes: Sequence[int] | None = None,
    capacities: Sequence[int] | None = None,
    decoder: str = "true",
    prior: str = "standard",
    posterior: Posterior = "diagonal",
    seeds: int = 1,
    gradient_tolerance: float = 1e-8,
    progress: bool | None = None,
) -> list[GranularityRun]:
    """Train for every capacity, group size, beta and seed.

    Parameters
    ----------
    truth : GenerativeModel
        with positive noise, which the VAE takes over; where capacity is less than the number of factors, the factors
        without latent add to the noise, and the noise is learned.
    betas : sequence of floats >= 0
    sizes : sequence of ints > 0, optional
        of groups; those above a capacity are left out there. 1 to the number of factors by default.
    capacities : sequence of ints > 0, optional
        at most the number of factors, which is the default.
    decoder : "true" or "learned"
        held at the first columns of the true loading, or trained.
    prior : "standard" or "matched"
        N(0, I), or the true covariance of the factors that have a latent.
    posterior : "diagonal", "full", or a list of groups of latents
    seeds : int
        random starts of each.
    gradient_tolerance : float > 0
    progress : bool, optional
        a bar on stderr; by default only where stderr is a terminal.

    Returns
    -------
    list of GranularityRun

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    factors = truth.latent_dim
    capacities = [factors] if capacities is None else [_up_to("capacities", value, factors) for value in capacities]
    sizes = range(1, factors + 1) if sizes is None else [_up_to("sizes", value, factors) for value in sizes]
    held = validation.choice("decoder", decoder, ("true", "learned")) == "true"
    matched = validation.choice("prior", prior, ("standard", "matched")) == "matched"
    betas = [validation.non_negative("betas", beta) for beta in betas]
    cells = [(capacity, size) for capacity in capacities for size in sizes if size <= capacity]
    runs = []
    for capacity, size in tqdm(cells, desc="maps", unit="cell", disable=None if progress is None else not progress):
        law = truth.factor_covariance[:capacity, :capacity]
        groups = equal_groups(capacity, size)
        done = sweep(
            truth.covariance,
            capacity,
            betas=[Weights.independence(beta) for beta in betas],
            seeds=seeds,
            groups=groups,
            prior=law if matched else None,
            noise_variance=truth.noise_variance if capacity == factors else "learned",
            decoder=truth.loading[:, :capacity] if held else None,
            posterior=posterior,
            gradient_tolerance=gradient_tolerance,
            progress=False,
        )
        if done.interrupted:
            raise KeyboardInterrupt
        for row, beta in enumerate(betas):
            for column, seed in enumerate(done.seeds):
                vae = done.vae(row, column)
                runs.append(
                    GranularityRun(
                        capacity=capacity,
                        size=size,
                        beta=beta,
                        seed=int(seed),
                        vae=vae,
                        loss=float(done.losses[row, column]),
                        elbo=-elbo_terms(vae, truth.covariance, prior=law if matched else None).loss(1.0),
                        matched_elbo=-elbo_terms(vae, truth.covariance, prior=law).loss(1.0),
                        errors=factor_errors(truth, vae) if held else np.full(capacity, np.nan),
                        stopped=str(done.stopped[row, column]),
                    )
                )
    return runs


def factor_errors(truth: GenerativeModel, vae: LinearVAE) -> np.ndarray:
    """E (s_i - v_i^T x)^2 for each factor that a latent of the same number stands for; centred data.

    Returns
    -------
    (K,) array, K the number of latents
    """
    count = vae.latent_dim
    law, seen = truth.factor_covariance[:count, :count], vae.encoder @ truth.loading @ truth.factor_covariance
    return np.diagonal(law - 2 * seen[:, :count] + vae.encoder @ truth.covariance @ vae.encoder.T).copy()


@dataclass(frozen=True)
class VertexCell:
    """What draws of one kind of truth say about groups that are its blocks, and groups that cut them.

    Attributes
    ----------
    loading : str
    correlation, noise_variance : float
    draws : int
    blocks_help, blocks_hurt : float
        share of the draws in which the error at the true blocks is below, or above, that without a penalty; in the
        rest it is the same.
    cuts_hurt : float
        share in which single latents as groups have a larger error than no penalty.
    slope_helps : float
        share in which the closed-form slope of the error at beta = 1 says that the true blocks help.
    ratio : float
        median over draws of the error at the true blocks over that without a penalty.
    """

    loading: str
    correlation: float
    noise_variance: float
    draws: int
    blocks_help: float
    blocks_hurt: float
    cuts_hurt: float
    slope_helps: float
    ratio: float


def vertex_map(
    *,
    block: int = 2,
    count: int = 3,
    data_dim: int = 8,
    beta: float = 10.0,
    correlations: Sequence[float] = (0.2, 0.4, 0.6, 0.8),
    noise_variances: Sequence[float] = (0.1, 0.3, 1.0, 3.0),
    loadings: Sequence[str] = ("random", "local", "orthogonal"),
    draws: int = 30,
    progress: bool | None = None,
) -> list[VertexCell]:
    """Where the V holds: over correlation, noise and loading, the share of random truths that each grouping helps.

    Without a penalty all groupings are the same, so the vertex of a V along group sizes 1, `block`, all is at the
    blocks where they help and cuts hurt.

    Parameters
    ----------
    block, count : int
        size and number of the blocks.
    data_dim : int, D
    beta : float > 0, weight of total correlation between groups
    correlations, noise_variances, loadings
        as for `block_truth`; one cell for each combination.
    draws : int
        truths for each cell, the same seeds in all.
    progress : bool, optional
        a bar on stderr; by default only where stderr is a terminal.

    Returns
    -------
    list of VertexCell

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    if validation.latent_count("draws", draws) < 1:
        raise ValueError("draws must be at least 1, got 0; pass the number of truths for each cell")
    latent_dim = block * count
    cells = [(kind, rho, noise) for kind in loadings for rho in correlations for noise in noise_variances]
    found = []
    for kind, rho, noise in tqdm(cells, desc="map", unit="cell", disable=None if progress is None else not progress):
        errors, slopes = np.empty((draws, 3)), np.empty(draws)
        for draw in range(draws):
            truth = block_truth([block] * count, rho, noise, data_dim, loading=kind, rng=np.random.default_rng(draw))
            for column, size in enumerate((1, block, latent_dim)):
                errors[draw, column] = _trained_error(truth, equal_groups(latent_dim, size), beta)
            slopes[draw] = granularity_slope(truth, equal_groups(latent_dim, block))
        cut, kept = (errors[:, :2] / errors[:, 2:]).T
        found.append(
            VertexCell(
                loading=kind,
                correlation=float(rho),
                noise_variance=float(noise),
                draws=draws,
                blocks_help=float(np.mean(kept < 1 - SAME)),
                blocks_hurt=float(np.mean(kept > 1 + SAME)),
                cuts_hurt=float(np.mean(cut > 1 + SAME)),
                # Of order one where it is not rounding.
                slope_helps=float(np.mean(slopes < -SAME)),
                ratio=float(np.median(kept)),
            )
        )
    return found


def _trained_error(truth: GenerativeModel, groups: Posterior, beta: float) -> float:
    """Mean squared error, summed over factors, of an encoder trained for the true decoder."""
    run = train(
        truth.covariance,
        truth.latent_dim,
        beta=Weights.independence(beta),
        groups=groups,
        noise_variance=truth.noise_variance,
        decoder=truth.loading,
    )
    return float(factor_errors(truth, run.vae).sum())


def _up_to(name: str, value: int, largest: int) -> int:
    value = validation.latent_count(name, value)
    if not 1 <= value <= largest:
        raise ValueError(f"{name} must be from 1 to the number of factors, {largest}, got {value}")
    return value
