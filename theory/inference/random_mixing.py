"""Random mixing in high dimension: every error per factor, and the optimal beta, as a function of two numbers.

Loading with independent entries of variance a tau2 / D, K/D -> c as both grow; Gamma = I, the truth's decoder and
noise, diagonal posterior. The eigenvalues of A^T A / tau2 follow the Marchenko-Pastur law mu (with its atom at 0 for
c > 1), its diagonal tends to a, and by symmetry every factor has the same error. With S(z) = int dmu(x)/(x + z), the
positive root of

    a c z S^2 + (z + a - a c) S - 1 = 0,
    S2 = int dmu/(x + z)^2 = -S'(z) = S (1 + a c S) / (2 a c z S + z + a - a c),

at z = beta, everything is closed:

    mean squared error   e = int (beta^2 + x)/(x + beta)^2 dmu = S + (beta^2 - beta) S2
    log score            -1/2 [ log 2 pi + log d + e/d ],  d = beta/(beta + a)
    forward KL           -log score - 1/2 [ log(2 pi e) - int log(1 + x) dmu ]
    reverse KL           1/2 [ (1+a) d + r - 2 - int log(1 + x) dmu - log d ],
                         r = int (1+x)(beta^2+x)/(x+beta)^2 dmu = 1 + (1-beta)^2 (S - beta S2)

    int log(1 + x) dmu   = log(1 + a q) + (1/c) log(1 + a c s) - a q s,  s = S(1), q = 1/(1 + a c s).

Asymptotic: exact in the limit, with finite-size errors of order 1/D for these averages. The limit law is Marchenko and
Pastur's (1967); the errors are this project's, in the setting of Sikka et al. 2019.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.inference.error import InferenceError
from theory.inference.minimum import log_slope, minima
from theory.inference.path import CRITERIA

__all__ = ["random_mixing_errors", "random_mixing_loading", "random_mixing_optimal_beta"]


def random_mixing_errors(aspect: float, signal_to_noise: float, betas) -> InferenceError:
    """The four errors *per factor* in the limit, at each beta.

    Parameters
    ----------
    aspect : float > 0
        c, the limit of K/D.
    signal_to_noise : float > 0
        a, the limit of A_j^T A_j / tau2 for each column.
    betas : array of floats > 0, any shape

    Returns
    -------
    InferenceError
        arrays shaped as `betas`; the squared error in units of the factors' variance, the rest in nats.
    """
    aspect, signal_to_noise = (
        validation.positive("aspect", aspect),
        validation.positive("signal_to_noise", signal_to_noise),
    )
    return _errors(aspect, signal_to_noise, validation.positive_array("betas", betas))


def random_mixing_optimal_beta(aspect: float, signal_to_noise: float, criterion: str = "forward_kl") -> float:
    """The beta at which an error per factor is least in the limit: a curve in (a, c), to 1e-10.

    Parameters and errors as in `random_mixing_errors` and `optimal_beta`.
    """
    aspect, signal_to_noise = (
        validation.positive("aspect", aspect),
        validation.positive("signal_to_noise", signal_to_noise),
    )
    validation.choice("criterion", criterion, CRITERIA)
    sign = -1 if criterion == "log_score" else 1

    def cost(betas):
        return sign * getattr(_errors(aspect, signal_to_noise, betas), criterion)

    if criterion in ("mean_squared_error", "reverse_kl"):
        return 1.0  # the law for independent factors and the true decoder, see `optimal_beta`; it holds in the limit
    grid = np.geomspace(1e-6 * min(1.0, signal_to_noise), 1e9 * max(1.0, signal_to_noise), 600)
    candidates = minima(cost, grid, log_slope(cost, grid))
    return float(candidates[np.argmin(cost(candidates))])


def random_mixing_loading(
    data_dim: int, latent_dim: int, signal_to_noise: float, noise_variance: float, rng: np.random.Generator
) -> np.ndarray:
    """One draw of the random loading at finite size: (D, K), independent Gaussian entries of variance a tau2 / D."""
    variance = validation.positive("signal_to_noise", signal_to_noise) * validation.positive(
        "noise_variance", noise_variance
    )
    return np.sqrt(variance / data_dim) * rng.standard_normal((data_dim, latent_dim))


def _errors(c: float, a: float, beta: np.ndarray) -> InferenceError:
    # For c > 1 the share 1 - 1/c of the spectrum is zero, where both integrands are 1; the rest is that of A A^T.
    atom, bulk = max(0.0, 1 - 1 / c), min(1.0, 1 / c)
    stieltjes, squared = _stieltjes(c, a, beta) if c <= 1 else _stieltjes(1 / c, a * c, beta)
    mean_error = atom + bulk * (stieltjes + (beta**2 - beta) * squared)
    variance = beta / (beta + a)
    log_score = -(np.log(2 * np.pi) + np.log(variance) + mean_error / variance) / 2
    information = _shannon(c, a)
    against_truth = atom + bulk * (1 + (1 - beta) ** 2 * (stieltjes - beta * squared))
    return InferenceError(
        mean_squared_error=mean_error,
        forward_kl=-log_score - (np.log(2 * np.pi * np.e) - information) / 2,
        reverse_kl=((1 + a) * variance + against_truth - 2 - information - np.log(variance)) / 2,
        log_score=log_score,
    )


def _stieltjes(c: float, a: float, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int dmu/(x+z) and int dmu/(x+z)^2 for z off the negative axis; the root is written so that nothing cancels."""
    linear = z + a - a * c
    root = np.sqrt(linear**2 + 4 * a * c * z)
    falling = linear.real < 0
    first = np.where(falling, (root - linear) / (2 * a * c * z), 2 / np.where(falling, 1, linear + root))
    return first, first * (1 + a * c * first) / root


def _shannon(c: float, a: float) -> float:
    """int log(1 + x) dmu, twice the information per factor of the exact posterior."""
    s = _stieltjes(c, a, np.array(1.0))[0]
    q = 1 / (1 + a * c * s)
    return float(np.log1p(a * q) + np.log1p(a * c * s) / c - a * q * s)
