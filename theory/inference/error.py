"""How far an encoder is from the true posterior: four inference errors, in closed form.

The truth is x = A s + m + n (`GenerativeModel`); the encoder gives q(s|x) = N(mu(x), Q) with mu = V (x - m_vae). The
error of its mean is a sum of squares, of bias and noise, without cancellation:

    E = E (s - mu)(s - mu)^T = (V A - I) Gamma (V A - I)^T + tau2 V V^T + (V d)(V d)^T,   d = m - m_vae.

    mean squared error   tr E
    log score            E log q(s|x) = -1/2 [ K log 2 pi + log det Q + tr(Q^-1 E) ]             (higher is better)
    forward KL           E KL(p(s|x) || q) = -log score - H[p(s|x)]
    reverse KL           E KL(q || p(s|x)) = 1/2 [ tr(Sigma^-1 (Q + E)) - 2 K + log det Sigma - log det Q ]

with Sigma the covariance of the true posterior. Exact. If p(s|x) is singular (tau2 = 0 with a non-zero loading, or a
singular Gamma) both divergences are infinite; the other two errors stay finite.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from theory import validation
from theory.gaussian import cholesky, solve_lower
from theory.inference.matching import match_latents
from theory.model import GenerativeModel, LinearVAE, linear_vae

__all__ = ["InferenceError", "TruePosterior", "inference_error", "true_posterior"]


@dataclass(frozen=True, eq=False)
class InferenceError:
    """The four errors of an encoder against the true factors: floats, or arrays along a curve.

    Attributes
    ----------
    mean_squared_error : E ||s - mu(x)||^2, summed over factors, in squared units of the factors
    forward_kl : E KL(p(s|x) || q(s|x)), nats
    reverse_kl : E KL(q(s|x) || p(s|x)), nats
    log_score : E log q(s|x) at the true factors, nats; higher is better

    Examples
    --------
    >>> from theory import GenerativeModel, inference_error_curve
    >>> errors = inference_error_curve(GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05), betas=[0.5, 1.0, 2.0])
    >>> errors.mean_squared_error.round(3), errors.forward_kl.round(3)
    (array([0.429, 0.397, 0.443]), array([6.295, 2.398, 1.344]))
    """

    mean_squared_error: float | np.ndarray
    forward_kl: float | np.ndarray
    reverse_kl: float | np.ndarray
    log_score: float | np.ndarray

    def without_negative_divergences(self) -> InferenceError:
        """The same errors, with negative divergences (rounding) set to zero."""
        return replace(self, forward_kl=_at_least_zero(self.forward_kl), reverse_kl=_at_least_zero(self.reverse_kl))


@dataclass(frozen=True, eq=False)
class TruePosterior:
    """log det Sigma of p(s|x), and a matrix T with T^T T = Sigma^-1 (None if Sigma is singular)."""

    log_determinant: float
    precision_root: np.ndarray | None

    @property
    def singular(self) -> bool:
        return self.precision_root is None


def true_posterior(truth: GenerativeModel) -> TruePosterior:
    """Factor the precision of p(s|x) from the posterior's modes, which keeps small variances exact.

    Raises
    ------
    ValueError
        for a non-zero noise so small that precisions overflow.
    """
    validation.within_decades("truth.noise_variance", truth.noise_variance, validation.VARIANCE_DECADES)
    _, _, shrink, basis = truth.posterior_modes
    if truth.factor_log_determinant == -np.inf or np.any(shrink == 0):
        return TruePosterior(-np.inf, None)
    units = np.sqrt(np.diagonal(truth.factor_covariance))  # the inverse is accurate if rows have one size
    return TruePosterior(
        float(np.log(shrink).sum() + truth.factor_log_determinant),
        np.linalg.inv(basis / units[:, np.newaxis]) / units / np.sqrt(shrink)[:, np.newaxis],
    )


def inference_error(truth: GenerativeModel, vae: LinearVAE, *, match: bool = False) -> InferenceError:
    """The four errors of a VAE's encoder against the factors of the truth.

    Parameters
    ----------
    truth : GenerativeModel
        with any loading, also rank-deficient or with more factors than data dimensions; factors may be correlated.
    vae : LinearVAE
        any encoder, optimal or not. Its noise and decoder do not enter.
    match : bool
        `False`: latent j represents factor j. `True`: latents are assigned to factors, up to permutation and sign, so
        that the mean squared error is least; unassigned factors get the prior N(0, 1), unassigned latents are dropped.

    Returns
    -------
    InferenceError

    Raises
    ------
    ValueError
        if the data dimensions differ, or the numbers of latents and factors differ and `match` is false.

    Notes
    -----
    Exact. In the setting of Sikka et al. 2019.

    Examples
    --------
    >>> from theory import GenerativeModel, inference_error, optimal_encoder
    >>> truth = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05)
    >>> round(inference_error(truth, optimal_encoder(truth.loading, 0.05, beta=1.0)).forward_kl, 3)
    2.398
    """
    validation.instance("truth", truth, GenerativeModel)
    linear_vae("vae", vae)
    match = validation.flag("match", match)
    if truth.data_dim != vae.data_dim:
        raise ValueError(
            f"vae must have the truth's data dimension {truth.data_dim}, got {vae.data_dim}; pass a VAE for these data"
        )
    offset = np.zeros(truth.data_dim) if vae.mean is None else truth.mean - vae.mean
    encoder, covariance = vae.encoder, vae.posterior_covariance
    if match:
        encoder, covariance = match_latents(truth, vae, offset)
    elif vae.latent_dim != truth.latent_dim:
        raise ValueError(
            f"vae must have as many latents as the truth has factors ({truth.latent_dim}), got {vae.latent_dim}; "
            "pass match=True to assign them"
        )
    # s - mu(x) = parts e with e ~ N(0, I): all errors are sums of squares of these columns.
    gain_error = (encoder @ truth.loading - np.eye(truth.latent_dim)) @ truth.factor_root
    parts = np.column_stack([gain_error, np.sqrt(truth.noise_variance) * encoder, encoder @ offset])

    # The factor Q = L L^T gives both log det Q and Q^-1.
    root = cholesky(covariance)
    log_det = 2 * np.log(np.diagonal(root)).sum()
    penalty = np.sum(solve_lower(root, parts) ** 2)
    log_score = -(len(parts) * np.log(2 * np.pi) + log_det + penalty) / 2
    exact = true_posterior(truth)
    spread = np.inf
    if not exact.singular:
        spread = np.sum((exact.precision_root @ root) ** 2) + np.sum((exact.precision_root @ parts) ** 2)
    return InferenceError(
        mean_squared_error=float(np.sum(parts**2)),
        forward_kl=float(forward_kl(log_score, exact.log_determinant, len(parts))),
        reverse_kl=float(reverse_kl(spread, exact.log_determinant, log_det, len(parts))),
        log_score=float(log_score),
    ).without_negative_divergences()


def _at_least_zero(divergence):
    return np.maximum(divergence, 0.0) if np.ndim(divergence) else max(0.0, divergence)


def forward_kl(log_score, exact_log_determinant: float, factors: int):
    """-log score - H[p(s|x)]; infinite for a singular true posterior."""
    if exact_log_determinant == -np.inf:
        return np.full(np.shape(log_score), np.inf)[()]
    return -log_score - (factors * np.log(2 * np.pi * np.e) + exact_log_determinant) / 2


def reverse_kl(spread, exact_log_determinant: float, log_determinant_q, factors: int):
    """1/2 [ tr(Sigma^-1 (Q + E)) - 2 K + log det Sigma - log det Q ]; infinite for a singular true posterior."""
    if exact_log_determinant == -np.inf:
        return np.full(np.shape(log_determinant_q), np.inf)[()]
    return (spread - 2 * factors + exact_log_determinant - log_determinant_q) / 2
