"""The best encoder of a fixed decoder, for any posterior family and any beta.

With t = beta s2 and P = I + W^T W / t, the unconstrained minimiser of the objective over all q(z|x) is proportional to
p(z) p(x|z)^(1/beta): the Gaussian of precision P and mean P^-1 W^T (x - m) / t. Keeping only blocks of the posterior
covariance changes neither the mean nor the precision within a block, so

    V = P^-1 W^T / t,    Q = blockdiag_b (P_bb)^-1.

With W = left diag(w) axes^T these are V = axes diag(w/(w^2 + t)) left^T and, from the columns of W in a group, Q_bb =
axes_b diag(t/(w_b^2 + t)) axes_b^T, which keep their digits for small t. Exact for every decoder, noise and beta > 0,
and for any data (they do not enter). The cost of keeping only blocks is (beta/2) [ sum_b log det P_bb - log det P ],
the Hadamard gap. In the setting of Sikka et al. 2019. Training has its own, with its own code:
`numerics.training.halves`.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.gaussian import is_positive_definite, loss_between
from theory.model import LinearVAE
from theory.partition import Posterior, partition
from theory.singular_values import principal_axes
from theory.validation import AMPLITUDE_DECADES

__all__ = ["family_gap", "optimal_encoder"]

SMALL_GAP = 1e-3  # a smaller difference of log-determinants has lost digits


def optimal_encoder(
    decoder: np.ndarray, noise_variance: float, beta: float, *, posterior: Posterior = "diagonal"
) -> LinearVAE:
    """The VAE whose encoder minimises the objective for a fixed decoder: V = P^-1 W^T / t, Q = blockdiag (P_bb)^-1.

    Parameters
    ----------
    decoder : (D, K) array
        of any shape and rank.
    noise_variance : float > 0
        the decoder's s2.
    beta : float > 0
    posterior : "diagonal", "full", or a list of groups of latents

    Returns
    -------
    LinearVAE

    Raises
    ------
    ValueError
        for a non-positive noise or beta, a decoder that is not a finite matrix, groups that are not a partition, or a
        product of noise and beta so small that the posterior covariance of a group is singular up to rounding.

    Notes
    -----
    Exact, and unique: the objective is strictly convex in V and Q for a fixed decoder wherever the data vary.

    Examples
    --------
    >>> from theory import optimal_encoder
    >>> vae = optimal_encoder([[1.0, 0.9], [0.0, 0.4]], noise_variance=0.05, beta=1.0, posterior="full")
    >>> vae.posterior_covariance.round(3)
    array([[ 0.195, -0.172],
           [-0.172,  0.201]])
    """
    decoder = _checked_decoder(decoder)
    noise_variance, beta = validation.scale("noise_variance", noise_variance), validation.scale("beta", beta)
    water_level = beta * noise_variance
    covariance = np.diag(water_level / (np.sum(decoder**2, axis=0) + water_level))
    for group in partition(posterior, decoder.shape[1]):
        if len(group) == 1:
            continue
        _, singular, axes = principal_axes(decoder[:, group])
        block = (axes * (water_level / (singular**2 + water_level))) @ axes.T
        if not is_positive_definite(block):
            raise ValueError(
                f"noise_variance and beta must not be so small against the decoder: at beta x noise_variance = "
                f"{water_level:.3g} the posterior covariance of latents {group.tolist()} is singular up to rounding; "
                "pass larger ones, or posterior='diagonal'"
            )
        covariance[np.ix_(group, group)] = block
    # Larger matrices carry more rounding: the whole may be singular to rounding even if no block is.
    if not is_positive_definite(covariance):
        raise ValueError(
            f"noise_variance and beta must not be so small against the decoder: at beta x noise_variance = "
            f"{water_level:.3g} the posterior covariance is singular up to rounding; pass larger ones, or "
            "posterior='diagonal'"
        )
    left, singular, axes = principal_axes(decoder)
    encoder = (axes * (singular / (singular**2 + water_level))) @ left.T
    return LinearVAE(decoder, encoder, covariance, noise_variance)


def family_gap(decoder: np.ndarray, noise_variance: float, beta: float, *, posterior: Posterior = "diagonal") -> float:
    """The cost of a posterior family: its least objective minus that of the full family, in nats.

    (beta/2) [ sum_b log det P_bb - log det P ] >= 0, zero exactly when the decoder's columns are orthogonal across
    groups. Exact; parameters and errors as for `optimal_encoder`.

    Examples
    --------
    >>> from theory.inference import family_gap
    >>> decoder = [[1.0, 0.9], [0.0, 0.4]]
    >>> round(family_gap(decoder, 0.05, 1.0), 3), family_gap(decoder, 0.05, 1.0, posterior="full")
    (0.706, 0.0)
    """
    decoder = _checked_decoder(decoder)
    beta = validation.scale("beta", beta)
    water_level = beta * validation.scale("noise_variance", noise_variance)
    groups = partition(posterior, decoder.shape[1])
    gap, whitened = -_log_determinant(principal_axes(decoder)[1], water_level), np.zeros(decoder.shape)
    for group in groups:
        left, singular, _ = principal_axes(decoder[:, group])
        gap += _log_determinant(singular, water_level)
        whitened[:, group] = left * (singular / np.sqrt(singular**2 + water_level))
    # A small gap is a difference of large numbers; W_a^T W_b / t, with P_aa and P_bb scaled to the identity, is not.
    if gap < SMALL_GAP:
        gap = loss_between(whitened.T @ whitened, groups)
    return float(beta / 2 * gap)


def _checked_decoder(decoder) -> np.ndarray:
    return validation.within_decades("decoder", validation.matrix("decoder", decoder), AMPLITUDE_DECADES, tiny=True)


def _log_determinant(singular: np.ndarray, water_level: float) -> float:
    """log det P = sum log(1 + w^2/t) over the singular values w of the decoder."""
    return float(np.log1p(singular**2 / water_level).sum())
