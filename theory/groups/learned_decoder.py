"""With a learned decoder grouping changes nothing: the optimal value of the grouped objective, and its exceptions.

**Non-negative weights.** Let every weight on total correlation and on dimension-wise KL be >= 0, the prior N(0, I), and
the decoder free. A code may be transformed by any invertible T if the decoder undoes it: distortion and mutual
information stay, and T can make the code's covariance I and the posterior covariance diagonal, where total correlation
and dimension-wise KL vanish. So

    least loss = min over codes of  distortion / (2 s2) + (D/2) log(2 pi s2) + w_I I
               = least loss of the plain VAE with beta = w_I

for every data covariance, all groups, posterior families and other weights.

**Zero and negative weights.**

    weight 0          same value; no longer unique up to the symmetries of the plain VAE
    w_D < 0           no lower bound: scale one latent
    w_B (w_W) < 0     no lower bound if two latents share a block of the posterior and lie in different groups (the
                      same group): transform the block. Otherwise no lower bound if one signal, copied to many latents,
                      gains more than it costs (below). Otherwise strictly lower than the plain optimum if the
                      ratios c_i = max(1, l_i / t), i <= K, are not all equal: rotate two latents of different c in the
                      coordinates in which Q = I, which keeps Q diagonal.

**Copied signals.** Let all C_jj = 1 and let the posterior variances of some latents fall like e: n_g latents of group g
carry rho_g independent signals, and all groups together rho. Every independent signal costs w_I/2 log(1/e) of
information; each repetition of a signal in another group adds 1/2 log(1/e) to the total correlation between groups,
each repetition within a group adds it to that within. The loss is

    [ w_I rho + w_B (sum_g rho_g - rho) + w_W sum_g (n_g - rho_g) ] 1/2 log(1/e) + O(1),

less (D/2) log(1/e) if the noise is learned and rho is the rank r of the data. **Theorem**: if no block of the posterior
can be transformed freely, the loss is unbounded if and only if this is negative for some 1 <= rho_g <= n_g <= |g| (or
rho_g = n_g = 0) and max rho_g <= rho <= min(r, sum rho_g). With a fixed noise one signal decides: minus infinity if

    w_I - w_B + sum_g min(0, b_g) < 0,    b_g = w_B + min(0, w_W) (|g| - 1)

(the least b_g in place of the sum if none is negative). Copied once to each of G groups it costs w_I + w_B (G - 1), to
all m latents of one group w_I + w_W (m - 1), to all K latents w_I + w_B (G - 1) + w_W (K - G).

*Proof that nothing else is unbounded.* The page `copied-signals` has it for a fixed noise and a diagonal Q, from the
information I_J that latents J carry. For a learned noise, I_J is half the integral over s of n_J(s), the number of
eigenvalues above e^s - 1 of the sum over J of h_j h_j^T, h_j a latent's row of gains in units of its noise. At each s
these numbers obey the inequalities of the rho, up to a shift of s (Weyl), and log distortion is at least minus the
measure of the s with n(s) = r, up to a constant. Blocks inside groups change no total correlation between groups, and
blocks that cross groups only add to it. Not covered: blocks that cross groups, for a learned noise, K >= r and w_W < 0
<= w_B.

With weights >= 0 only a correlated (or non-Gaussian) prior changes the value: see `correlated_prior_shift`.

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
SMALL_WEIGHT = 1e-3  # of total correlation, below which the correlation of the code is close to 1


@dataclass(frozen=True)
class LearnedDecoderValue:
    """The least value of the grouped objective for a learned decoder, and how it compares with the plain VAE.

    Attributes
    ----------
    plain : float
        least loss of the plain VAE with beta = w_I, in nats.
    value : float or None
        least value of the grouped objective; None if there is no closed form.
    status : str
        "unique": `value` is `plain`, only at the optima of the plain VAE; "not unique": `value` is `plain`, also at
        other points; "lower": below `plain` and finite; "unbounded": minus infinity; "undecided": finite, but with a
        negative weight in a case that the theory does not cover (all ratios l_i / t are tied and no block of the
        posterior can be transformed).
    idle : tuple of str
        parts of the rate whose weight is zero or negative and that are not always zero.

    Examples
    --------
    >>> from theory.groups import Weights, learned_decoder_value
    >>> result = learned_decoder_value([[3.0, 0.0], [0.0, 1.0]], 2, Weights.independence(-0.5), noise_variance=0.5)
    >>> result.status, result.value, result.idle
    ('lower', None, ('between',))
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
        the family of Q; in general another partition than `groups`.

    Returns
    -------
    LearnedDecoderValue

    Raises
    ------
    ValueError
        if `covariance` is not a covariance matrix, `groups` or `posterior` is not a partition of the latents, or an
        argument is out of its range.

    Notes
    -----
    Exact.

    Examples
    --------
    >>> from theory.groups import Weights, learned_decoder_value
    >>> result = learned_decoder_value([[3.0, 0.0], [0.0, 1.0]], 2, Weights.independence(5.0), noise_variance=0.5)
    >>> result.status, result.value == result.plain
    ('unique', True)
    """
    validation.instance("weights", weights, Weights, "pass theory.groups.Weights(...)")
    latent_dim = validation.count("latent_dim", latent_dim)
    validation.count("latent_dim", latent_dim, bytes_each=8 * latent_dim)  # for pairs of latents
    plain = optimum(
        covariance, latent_dim, beta=weights.mutual_information, noise_variance=noise_variance, posterior=posterior
    )
    groups = partition(groups, latent_dim, "groups")
    together = partition_mask(groups, latent_dim)
    shared = partition_mask(partition(posterior, latent_dim), latent_dim)
    others = ~np.eye(latent_dim, dtype=bool)
    tied = _tied(plain.eigenvalues, latent_dim, weights.mutual_information * plain.noise_variance)

    rank = int(np.count_nonzero(plain.eigenvalues))
    parts = {"dimension_wise": "free"} if latent_dim else {}
    for name, pairs in (("between", ~together), ("within", together & others)):
        if (pairs & shared).any():
            parts[name] = "free"
        elif pairs.any() and rank:  # without a signal these latents are always independent
            parts[name] = "fixed" if tied else "rotated"
    negative = {name: how for name, how in parts.items() if getattr(weights, name) < 0}
    idle = tuple(name for name in parts if getattr(weights, name) <= 0)

    resolved = len(plain.eigenvalues) if noise_variance == "learned" else 0
    copied = _cheapest_signals(weights, [len(group) for group in groups], rank, resolved) if negative else 0.0
    if "free" in negative.values() or plain.loss == -np.inf or copied < 0:
        return LearnedDecoderValue(plain.loss, -np.inf, "unbounded", idle)
    if negative:
        status = "lower" if "rotated" in negative.values() else "undecided"
        return LearnedDecoderValue(plain.loss, None, status, idle)
    movable = any(parts[name] != "fixed" for name in idle)
    return LearnedDecoderValue(plain.loss, plain.loss, "not unique" if movable else "unique", idle)


def correlated_prior_shift(correlation: float, weight: float) -> float:
    """By how much a weight other than 1 on total correlation changes the optimal value for a correlated prior.

    For two latents, between groups of one.

    The prior is N(0, Pi), Pi = [[1, rho], [rho, 1]]; the loss is that of the plain VAE with beta = 1 plus (w - 1) TC.
    With a full posterior the code's covariance is free, and the least value differs from that of the plain VAE by

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

    Examples
    --------
    >>> from theory.groups import correlated_prior_shift
    >>> round(correlated_prior_shift(0.6, weight=3.0), 4), correlated_prior_shift(0.0, weight=3.0)
    (0.156, 0.0)
    """
    weight = validation.positive("weight", weight)
    rho = validation.number("correlation", correlation)
    if not abs(rho) < 1:
        raise ValueError(f"correlation must lie between -1 and 1, got {rho!r}; pass a prior of full rank")
    # The root of rho (1 - w) r^2 + w r - rho = 0 between 0 and rho's sign, written without cancellation.
    scale = max(1.0, weight)  # so that no square overflows
    root = np.sqrt((weight / scale) ** 2 + 4 * rho**2 * (1 - weight) / scale / scale)
    code = 2 * rho / scale / (weight / scale + root)
    # For a small weight 1 - r^2 has no digits in r; it follows from the equation for r.
    small = weight < SMALL_WEIGHT and rho != 0
    log_rest = np.log(weight * (code / rho) * (1 - rho * code)) if small else np.log1p(-(code**2))
    return float(np.log1p(-rho * code) - np.log1p(-(rho**2)) / 2 - weight / 2 * log_rest)


def _cheapest_signals(weights: Weights, sizes: list[int], rank: int, data_dim: int) -> float:
    """The least cost of copied signals in units of 1/2 log(1/e), see the module; with all r signals minus `data_dim`.

    The first signal of a group costs w_B and gains by its repetitions within the group; each further signal costs w_B
    and one repetition less. The cheapest come first, at least as many as there are independent signals.
    """
    repeated = min(0.0, weights.within)
    least = np.inf
    for signals in range(1, min(rank, sum(sizes)) + 1):
        first = np.sort([weights.between + repeated * (size - 1) for size in sizes])
        more = sum(min(size, signals) - 1 for size in sizes)
        total = np.cumsum(np.concatenate([first, np.full(more, weights.between - repeated)]))
        cost = (weights.mutual_information - weights.between) * signals + total[signals - 1 :].min()
        least = min(least, cost - (data_dim if signals == rank else 0))
    return float(least)


def _tied(eigenvalues: np.ndarray, latent_dim: int, water_level: float) -> bool:
    """Whether all latents have one ratio of code to posterior variance, max(1, l_i / t), latents without a mode 1."""
    if latent_dim == 0 or water_level == 0:
        return False
    ratios = np.ones(latent_dim)
    seen = eigenvalues[:latent_dim]
    ratios[: len(seen)] = np.maximum(1.0, seen / water_level)
    return bool(np.ptp(ratios) <= TIE * ratios.max())
