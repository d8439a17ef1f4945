"""The best encoder of a known decoder, for any posterior family and any beta.

With t = beta s2 and P = I + W^T W / t, the unconstrained minimiser of the objective over all q(z|x) is proportional to
p(z) p(x|z)^(1/beta): the Gaussian of precision P and mean P^-1 W^T (x - m) / t. Keeping only blocks of the posterior
covariance changes neither the mean nor the precision within a block, so

    V = P^-1 W^T / t,    Q = blockdiag_b (P_bb)^-1.

Exact for every decoder, noise and beta > 0, whatever the data are (they do not enter). The price of the blocks is
(beta/2) [ sum_b log det P_bb - log det P ], the Hadamard gap. In the setting of Sikka et al. 2019.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.gaussian import hadamard_gap
from theory.model import LinearVAE
from theory.partition import Posterior, partition

__all__ = ["family_gap", "optimal_encoder", "posterior_precision"]


def posterior_precision(decoder: np.ndarray, water_level: float) -> np.ndarray:
    """P = I + W^T W / t, the precision of the unconstrained optimal posterior, shape (K, K)."""
    return np.eye(decoder.shape[1]) + decoder.T @ decoder / water_level


def optimal_encoder(
    decoder: np.ndarray, noise_variance: float, beta: float, *, posterior: Posterior = "diagonal"
) -> LinearVAE:
    """The VAE with the given decoder whose encoder minimises the objective: V = P^-1 W^T / t, Q = blockdiag (P_bb)^-1.

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
        for a non-positive noise or beta, a decoder that is not a finite matrix, or groups that are no partition.

    Notes
    -----
    Exact, and unique: the objective is strictly convex in V and Q for a fixed decoder wherever the data vary.
    """
    decoder = validation.matrix("decoder", decoder)
    noise_variance = validation.positive("noise_variance", noise_variance)
    water_level = validation.positive("beta", beta) * noise_variance
    groups = partition(posterior, decoder.shape[1])
    precision = posterior_precision(decoder, water_level)
    covariance = np.zeros_like(precision)
    for group in groups:
        block = np.ix_(group, group)
        inverse = np.linalg.inv(precision[block])
        covariance[block] = (inverse + inverse.T) / 2
    encoder = np.linalg.solve(precision, decoder.T / water_level)
    return LinearVAE(decoder, encoder, covariance, noise_variance)


def family_gap(decoder: np.ndarray, noise_variance: float, beta: float, *, posterior: Posterior = "diagonal") -> float:
    """What a posterior family costs: its least objective minus that of the full family, in nats.

    (beta/2) [ sum_b log det P_bb - log det P ] >= 0, zero exactly when the decoder's columns are orthogonal across
    groups. Exact; parameters and errors as for `optimal_encoder`.
    """
    decoder = validation.matrix("decoder", decoder)
    beta = validation.positive("beta", beta)
    water_level = beta * validation.positive("noise_variance", noise_variance)
    return beta / 2 * hadamard_gap(posterior_precision(decoder, water_level), posterior)
