"""Training of the grouped objective over group size, weight and capacity, and the effect of the groups on inference.

The penalty is a weight beta on total correlation between groups of neighbouring latents, 1 on the rest. Each run
reports

    loss          the grouped objective itself
    elbo          -loss at weights 1, with the prior of the training: a bound on E log p(x) of the model
    matched_elbo  the same with the true distribution of the factors as the prior; if the decoder is the true one, it
                  falls short of E log p(x) by the reverse divergence from the true posterior
    errors        E (s_i - s^_i)^2 for each factor i that has a latent, for a decoder fixed at the true columns

All values come from training by gradients; the theory is in `theory.groups`. Chen, Wang, Zou (2022) and Chen, Xiang,
Wang (2025) tune a group size, trade it against capacity and report a "V"-shaped trajectory of the best ELBO, for
non-linear VAEs; these linear experiments and their results are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from numerics.sampling.cubature import elbo_terms_by_cubature
from numerics.sweeps.complete import complete_sweep
from numerics.training.stop import Stop
from theory import LinearVAE, validation
from theory.groups import Weights, equal_groups
from theory.interface.progress import asked, progress_bar
from theory.model import GenerativeModel
from theory.partition import Posterior, partition

__all__ = ["GranularityRun", "factor_errors", "granularity_map"]


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
        mean squared error of each factor, in its squared units; NaN for a learned decoder, whose latents match no
        factor.
    stopped : Stop, as in `TrainingRun`
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
    stopped: Stop


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
        with positive noise, which is also the VAE's; where capacity is less than the number of factors, the factors
        without latent add to the noise, and the noise is learned.
    betas : sequence of floats >= 0
    sizes : sequence of ints > 0, optional
        of groups; those above a capacity are left out there. 1 to the number of factors by default.
    capacities : sequence of ints > 0, optional
        at most the number of factors, which is the default.
    decoder : "true" or "learned"
        fixed at the first columns of the true loading, or trained.
    prior : "standard" or "matched"
        N(0, I), or the true covariance of the factors that have a latent.
    posterior : "diagonal", "full", or a list of groups of latents
    seeds : int > 0, or sequence of ints
        of the random starts of each; a number n stands for 0 .. n - 1.
    gradient_tolerance : float > 0
    progress : bool, optional
        a bar on stderr; by default only where stderr is a terminal.

    Returns
    -------
    list of GranularityRun
        the end of each start; with a fixed decoder of fewer data dimensions than factors that may be a local minimum.

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    validation.instance("truth", truth, GenerativeModel)
    validation.positive("truth.noise_variance", truth.noise_variance)
    factors = truth.latent_dim
    seeds = validation.seeds("seeds", seeds, bytes_each=8 * factors * (2 * truth.data_dim + factors))
    capacities = [factors] if capacities is None else _up_to("capacities", capacities, factors)
    sizes = range(1, factors + 1) if sizes is None else _up_to("sizes", sizes, factors)
    for capacity in capacities:
        partition(posterior, capacity)
    gradient_tolerance = validation.positive("gradient_tolerance", gradient_tolerance)
    progress = asked(progress)
    fixed = validation.choice("decoder", decoder, ("true", "learned")) == "true"
    matched = validation.choice("prior", prior, ("standard", "matched")) == "matched"
    betas = [validation.non_negative("betas", beta) for beta in validation.sequence("betas", betas)]
    cells = [(capacity, size) for capacity in capacities for size in sizes if size <= capacity]
    runs = []
    for capacity, size in progress_bar(cells, desc="maps", unit="cell", progress=progress):
        prior_covariance = truth.factor_covariance[:capacity, :capacity]
        groups = equal_groups(capacity, size)
        done = complete_sweep(
            truth.covariance,
            capacity,
            betas=[Weights.independence(beta) for beta in betas],
            seeds=seeds,
            groups=groups,
            prior=prior_covariance if matched else None,
            noise_variance=truth.noise_variance if capacity == factors else "learned",
            decoder=truth.loading[:, :capacity] if fixed else None,
            posterior=posterior,
            gradient_tolerance=gradient_tolerance,
        )
        for row, (beta, vaes) in enumerate(zip(betas, done.vaes(), strict=True)):
            for column, (seed, vae) in enumerate(zip(done.seeds, vaes, strict=True)):
                standard, true_prior = (_elbo(vae, truth.covariance, one) for one in (None, prior_covariance))
                runs.append(
                    GranularityRun(
                        capacity=capacity,
                        size=size,
                        beta=beta,
                        seed=int(seed),
                        vae=vae,
                        loss=float(done.losses[row, column]),
                        elbo=true_prior if matched else standard,
                        matched_elbo=true_prior,
                        errors=factor_errors(truth, vae) if fixed else np.full(capacity, np.nan),
                        stopped=done.stopped[row, column],
                    )
                )
    return runs


def factor_errors(truth: GenerativeModel, vae: LinearVAE) -> np.ndarray:
    """E (s_i - v_i^T x)^2 for each factor that has a latent of the same number; centred data.

    The error is linear in independent standard normal numbers: the squares of its coefficients are summed.

    Returns
    -------
    (K,) array, K the number of latents
    """
    missed = (np.eye(vae.latent_dim, truth.latent_dim) - vae.encoder @ truth.loading) @ truth.factor_root
    return np.sum(missed**2, axis=1) + truth.noise_variance * np.sum(vae.encoder**2, axis=1)


def _elbo(vae: LinearVAE, covariance: np.ndarray, prior: np.ndarray | None) -> float:
    parts = elbo_terms_by_cubature(vae, covariance, prior)
    return -parts["reconstruction"] - parts["rate"]


def _up_to(name: str, values: Sequence[int], largest: int) -> list[int]:
    counts = [validation.count(name, value) for value in validation.sequence(name, values)]
    for value in counts:
        if not 1 <= value <= largest:
            raise ValueError(f"{name} must be from 1 to the number of factors, {largest}, got {value}")
    return counts
