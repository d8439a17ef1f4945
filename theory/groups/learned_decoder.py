"""With a learned decoder grouping does nothing: the optimal value of the grouped objective, and where that stops.

Let every weight on total correlation and on dimension-wise KL be >= 0, the prior N(0, I), and the decoder free. A code
may be transformed by any invertible T if the decoder undoes it: distortion and mutual information stay, and T can make
the code's covariance I and the posterior covariance diagonal, where total correlation and dimension-wise KL vanish. So

    least loss = min over codes of  distortion / (2 s2) + (D/2) log(2 pi s2) + w_I I
               = least loss of the plain VAE with beta = w_I

whatever the data covariance, the groups, the posterior family and the other weights are. Which weights may be lowered:

    weight 0          same value; no longer unique up to the symmetries of the plain VAE
    w_D < 0           no lower bound: scale one latent
    w_B (w_W) < 0     no lower bound if two latents share a block of the posterior and lie in different groups (the
                      same group): transform the block. Otherwise, as with a diagonal posterior, strictly lower than
                      the plain optimum if the ratios c_i = max(1, l_i / t), i <= K, are not all equal: rotate two
                      latents of different c in the coordinates in which Q = I, which keeps Q diagonal.

Only a prior that is correlated (or not Gaussian) moves the value with weights >= 0: see `correlated_prior_shift`.

Exact. The theorem is this project's, in the setting of Chen, Wang, Zou (2022) and Chen, Xiang, Wang (2025).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.groups.objective import Weights
from theory.learning import optimum
from theory.partition import Posterior, partition, partition_mask

__all__ = ["LearnedDecoderValue", "correlated_prior_shift", "learned_decoder_value"]

# Ratios l_i / t closer than this are tied: a rotation between them moves total correlation by its square.
TIE = 1e-9


@dataclass(frozen=True)
class LearnedDecoderValue:
    """What the weights do to the optimum of a learned decoder.

    Attributes
    ----------
    plain : float
        least loss of the plain VAE with beta = w_I, in nats.
    value : float or None
        least value of the grouped objective; None where it is not known in closed form.
    status : str
        "unique": `value` is `plain`, at the optima of the plain VAE only; "not unique": `value` is `plain`, at others
        too; "lower": below `plain`; "unbounded": minus infinity; "undecided": a negative weight that this theory does
        not reach (all ratios l_i / t are tied and no block of the posterior can be transformed).
    idle : tuple of str
        parts of the rate whose weight is zero or negative and that are not always zero.
    """

    plain: float
    value: float | None
    status: str
    idle: tuple[str, ...]


def learned_decoder_value(
    covariance,
    latent_dim: int,
    weights: Weights,
    groups: Posterior = "diagonal",
    *,
    noise_variance: float | str = "learned",
    posterior: Posterior = "diagonal",
) -> LearnedDecoderValue:
    """The least value of the grouped objective over decoder, encoder, posterior and (if learned) noise; prior N(0, I).

    Parameters
    ----------
    covariance : (D, D) array or Moments
    latent_dim : int, K
    weights : Weights
        of any sign except `mutual_information`, which is positive.
    groups : "diagonal", "full", or a list of groups of latents
        between and within which total correlation is split.
    noise_variance : "learned" or float > 0
    posterior : "diagonal", "full", or a list of groups of latents
        the family of Q; another partition than `groups` in general.

    Returns
    -------
    LearnedDecoderValue

    Raises
    ------
    ValueError
        if the covariance is not one, a partition is none, or an argument is out of its range.

    Notes
    -----
    Exact.
    """
    plain = optimum(
        covariance, latent_dim, beta=weights.mutual_information, noise_variance=noise_variance, posterior=posterior
    )
    together = partition_mask(partition(groups, latent_dim, "groups"), latent_dim)
    shared = partition_mask(partition(posterior, latent_dim), latent_dim)
    others = ~np.eye(latent_dim, dtype=bool)
    tied = _tied(plain.eigenvalues, latent_dim, weights.mutual_information * plain.noise_variance)

    parts = {"dimension_wise": "free"} if latent_dim else {}
    for name, pairs in (("between", ~together), ("within", together & others)):
        if pairs.any():
            parts[name] = "free" if (pairs & shared).any() else "fixed" if tied else "rotated"
    negative = {name: how for name, how in parts.items() if getattr(weights, name) < 0}
    idle = tuple(name for name in parts if getattr(weights, name) <= 0)

    if "free" in negative.values() or plain.loss == -np.inf:
        return LearnedDecoderValue(plain.loss, -np.inf, "unbounded", idle)
    if negative:
        status = "lower" if "rotated" in negative.values() else "undecided"
        return LearnedDecoderValue(plain.loss, None, status, idle)
    movable = any(parts[name] != "fixed" for name in idle)
    return LearnedDecoderValue(plain.loss, plain.loss, "not unique" if movable else "unique", idle)


def correlated_prior_shift(correlation: float, weight: float) -> float:
    """How much a correlated prior of two latents moves the optimal value when total correlation has another weight.

    The prior is N(0, Pi), Pi = [[1, rho], [rho, 1]]; the loss is that of the plain VAE with beta = 1 plus (w - 1) TC.
    With a full posterior the code's covariance is free, and the least value moves from that of the plain VAE by

        log[(1 - rho r) / (1 - rho^2)] - (w/2) log(1 - r^2) + 1/2 log(1 - rho^2),   w r (1 - rho r) = rho (1 - r^2),

    r the correlation of the code at the optimum: rho at w = 1, towards zero as w grows, where the shift ends at
    -1/2 log(1 - rho^2), the total correlation of the prior. Positive for w > 1, negative for w < 1, zero for rho = 0:
    so the theorem of `learned_decoder_value` fails exactly where the prior is correlated.

    Parameters
    ----------
    correlation : float in (-1, 1), rho
    weight : float > 0, w

    Returns
    -------
    float, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    Exact; this project's.
    """
    weight = validation.positive("weight", weight)
    rho = validation.vector("correlation", [correlation])[0]
    if not abs(rho) < 1:
        raise ValueError(f"correlation must lie between -1 and 1, got {rho!r}; pass a prior of full rank")
    # The root of rho (1 - w) r^2 + w r - rho = 0 between 0 and rho's sign, written without cancellation.
    code = 2 * rho / (weight + np.sqrt(weight**2 + 4 * rho**2 * (1 - weight)))
    remaining = 1 - rho**2
    return float(np.log1p(-rho * code) - np.log(remaining) / 2 - weight / 2 * np.log1p(-(code**2)))


def _tied(eigenvalues: np.ndarray, latent_dim: int, water_level: float) -> bool:
    """Whether all latents have one ratio of code to posterior variance, max(1, l_i / t), latents without a mode 1."""
    if latent_dim == 0 or water_level == 0:
        return False
    ratios = np.ones(latent_dim)
    seen = eigenvalues[:latent_dim]
    ratios[: len(seen)] = np.maximum(1.0, seen / water_level)
    return bool(np.ptp(ratios) <= TIE * ratios.max())
