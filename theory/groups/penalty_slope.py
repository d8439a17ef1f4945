"""Whether a small penalty between groups helps or hurts: the slope of the inference error in its weight, at weight one.

**Slope.** The data x = A s + n have factors s of covariance Gamma, noise of variance tau2 and the covariance S. The VAE
has the fixed decoder W and noise s2, the encoder V, a posterior covariance Q of any family and codes of covariance C =
V S V^T + Q. With the weight w on total correlation between groups g (1 on the rest), the encoder solves H V S = W^T S /
s2, H = I + W^T W / s2 + (w - 1) B, B = blockdiag(C_gg^-1) - C^-1. At w = 1 it is the plain VAE's, with P = I + W^T W /
s2, so dV/dw = -P^-1 B V and

    d MSE / dw = -2 tr [ P^-1 B V X ],    X = S V^T - A Gamma = cov(x, s^ - s),

X the covariance of the data with the error of the inferred factors s^ = V x.

**Sign.** X vanishes if decoder and noise are those of the truth and its factors are independent with variance 1, as in
the prior: s^ is then the posterior mean, and its error is uncorrelated with the data. So

    Gamma = I, W = A, s2 = tau2:   for every grouping the MSE is least at weight 1 (among weights >= 0);
    Gamma != I:                    a weight slightly above 1 helps if the slope is negative, as it usually is for groups
                                   that keep strongly correlated factors together, and hurts if groups separate them.

Exact. In the setting of Chen, Wang, Zou (2022) and Chen, Xiang, Wang (2025); this project's.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.inference import optimal_encoder
from theory.model import GenerativeModel
from theory.partition import Posterior, partition

__all__ = ["granularity_slope"]


def granularity_slope(truth: GenerativeModel, groups: Posterior, *, posterior: Posterior = "diagonal") -> float:
    """Derivative of the mean squared error in the weight between groups, at weight 1; decoder and noise of the truth.

    d MSE / dw = -2 tr [ P^-1 B V (S V^T - A Gamma) ] with the plain VAE's V and C = V S V^T + Q.

    Parameters
    ----------
    truth : GenerativeModel
        with positive noise; factors may be correlated, while the prior of the VAE is N(0, I).
    groups : "diagonal", "full", or a list of groups of latents
    posterior : "diagonal", "full", or a list of groups of latents
        the family of Q.

    Returns
    -------
    float, in squared units of the factors; the error is summed over factors

    Raises
    ------
    ValueError
        if the noise is zero, or for an invalid partition.

    Notes
    -----
    Exact.

    Examples
    --------
    >>> from theory import GenerativeModel
    >>> from theory.groups import granularity_slope
    >>> truth = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05, [[1.0, 0.6], [0.6, 1.0]])
    >>> round(granularity_slope(truth, "diagonal"), 4)
    0.134
    """
    validation.instance("truth", truth, GenerativeModel)
    noise = validation.positive("truth.noise_variance", truth.noise_variance)
    vae = optimal_encoder(truth.loading, noise, 1.0, posterior=posterior)
    seen = vae.encoder @ truth.covariance
    code = seen @ vae.encoder.T + vae.posterior_covariance
    pull = -np.linalg.inv(code)
    for group in partition(groups, vae.latent_dim, "groups"):
        block = np.ix_(group, group)
        pull[block] += np.linalg.inv(code[block])
    precision = np.eye(vae.latent_dim) + truth.loading.T @ truth.loading / noise
    moved = np.linalg.solve(precision, pull @ vae.encoder)
    error = seen - truth.factor_covariance @ truth.loading.T
    return float(-2 * np.sum(moved * error))
