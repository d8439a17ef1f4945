"""Random mixing in high dimension: every error per factor, and the optimal beta, as a function of two numbers.

**Limit.** Loading with independent entries of variance a tau2 / D, K/D -> c as both grow; Gamma = I, the truth's
decoder and noise, diagonal posterior. The eigenvalues of A^T A / tau2 follow the Marchenko-Pastur distribution mu (with
its atom at 0 for c > 1), its diagonal tends to a, and by symmetry every factor has the same error. With S(z) = int
dmu(x)/(x + z), the positive root of

    a c z S^2 + (z + a - a c) S - 1 = 0,
    S2 = int dmu/(x + z)^2 = -S'(z) = S (1 + a c S) / (2 a c z S + z + a - a c),

at z = beta, every error has a closed form.

**Errors.**

    mean squared error   e = int (beta^2 + x)/(x + beta)^2 dmu = beta^2 S2 + X = 1 - Y - (beta - 1) X
    log score            -1/2 [ log 2 pi + log d + e/d ],  d = beta/(beta + a)
    forward KL           -log score - 1/2 [ log(2 pi e) - int log(1 + x) dmu ]
    reverse KL           1/2 [ (1+a) d + r - 2 - int log(1 + x) dmu - log d ],
                         r = int (1+x)(beta^2+x)/(x+beta)^2 dmu = 1 + (1-beta)^2 X
    with                 Y = int x/(x+beta) dmu = 1 - beta S,  X = int x/(x+beta)^2 dmu = S - beta S2

    int log(1 + x) dmu   = log(1 + a q) + (1/c) log(1 + a c s) - a q s,  s = S(1), q = 1/(1 + a c s).

Asymptotic: exact in the limit, with finite-size errors of order 1/D for these averages. The limit distribution is
Marchenko and Pastur's (1967); the errors are this project's, in the setting of Sikka et al. 2019.
"""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.inference.criteria import CRITERIA
from theory.inference.error import InferenceError
from theory.minimise import global_minimum

__all__ = ["random_mixing_errors", "random_mixing_loading", "random_mixing_optimal_beta"]

GRID_POINTS_PER_DECADE = 40
DECADES = 30  # the two numbers may lie between 1e-30 and 1e30


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

    Examples
    --------
    >>> from theory.inference import random_mixing_errors
    >>> random_mixing_errors(0.5, signal_to_noise=10.0, betas=[0.5, 1.0, 2.0]).mean_squared_error.round(4)
    array([0.1566, 0.1483, 0.1632])
    """
    aspect, signal_to_noise = _checked(aspect, signal_to_noise)
    return _errors(aspect, signal_to_noise, validation.scales("betas", betas)).without_negative_divergences()


def random_mixing_optimal_beta(aspect: float, signal_to_noise: float, criterion: str = "forward_kl") -> float:
    """The beta at which an error per factor is least in the limit: a curve in (a, c), to 1e-10.

    Parameters and errors as in `random_mixing_errors` and `optimal_beta`.

    Examples
    --------
    >>> from theory.inference import random_mixing_optimal_beta
    >>> round(random_mixing_optimal_beta(0.5, signal_to_noise=10.0), 4)
    1.4528
    """
    aspect, signal_to_noise = _checked(aspect, signal_to_noise)
    validation.choice("criterion", criterion, CRITERIA)
    sign = -1 if criterion == "log_score" else 1

    def cost(betas):
        return sign * getattr(_errors(aspect, signal_to_noise, betas), criterion)

    if criterion in ("mean_squared_error", "reverse_kl"):
        return 1.0  # as for any loading with independent factors and the true decoder, see `beta_of_least_error`
    # For few factors per dimension the optimum is close to 1, for many it grows like a c.
    high = 1e9 * max(1.0, signal_to_noise, signal_to_noise * aspect)
    low = 1e-6 * min(1.0, signal_to_noise)
    return global_minimum(cost, low, high, GRID_POINTS_PER_DECADE)


def random_mixing_loading(
    data_dim: int, latent_dim: int, signal_to_noise: float, noise_variance: float, rng
) -> np.ndarray:
    """One draw of the random loading at finite size: (D, K), independent Gaussian entries of variance a tau2 / D.

    `rng` is a `numpy.random.Generator` or a seed.

    Examples
    --------
    >>> from theory.inference import random_mixing_loading
    >>> random_mixing_loading(100, 20, signal_to_noise=10.0, noise_variance=0.1, rng=0).shape
    (100, 20)
    """
    _, signal_to_noise = _checked(1.0, signal_to_noise)
    variance = signal_to_noise * validation.scale("noise_variance", noise_variance)
    data_dim = validation.count("data_dim", data_dim, minimum=1, bytes_each=16)
    latent_dim = validation.count("latent_dim", latent_dim, bytes_each=16 * data_dim)
    return np.sqrt(variance / data_dim) * validation.random_generator("rng", rng).standard_normal(
        (data_dim, latent_dim)
    )


def _checked(aspect: float, signal_to_noise: float) -> tuple[float, float]:
    """Both as floats, if they lie in the range where an optimal beta keeps its digits."""
    return validation.scale("aspect", aspect, DECADES), validation.scale("signal_to_noise", signal_to_noise, DECADES)


def _errors(c: float, a: float, beta: np.ndarray) -> InferenceError:
    # For c > 1 the share 1 - 1/c of the spectrum is zero, where both integrands are 1; the rest is that of A A^T.
    atom, bulk = max(0.0, 1 - 1 / c), min(1.0, 1 / c)
    stieltjes, root = _stieltjes(c, a, beta) if c <= 1 else _stieltjes(1 / c, a * c, beta)
    narrow, strong = (c, a) if c <= 1 else (1 / c, a * c)
    passed = stieltjes * strong * (1 - narrow + narrow * beta * stieltjes)  # Y
    across = passed / root  # X
    squared = stieltjes * (1 + strong * narrow * stieltjes) / root  # S2
    # Each has two forms; the one without cancellation is used: e = 1 - M, e/d = 1 + a/beta - M/d.
    missed = bulk * (passed + (beta - 1) * across)  # M
    is_small = missed.real < 0.5
    kept = atom + bulk * (beta**2 * squared + across)
    mean_error = np.where(is_small, 1 - missed, kept)
    ratio = a / beta  # d = 1/(1 + a/beta)
    variance, log_variance = 1 / (1 + ratio), -np.log1p(ratio)
    penalty = np.where(
        is_small, 1 + _beyond_tangent(ratio) - missed * (1 + ratio), kept * (1 + ratio) + log_variance
    )  # log d + e/d
    log_score = -(np.log(2 * np.pi) + penalty) / 2
    information = _shannon(c, a)
    against_truth = 1 + bulk * (1 - beta) ** 2 * across
    return InferenceError(
        mean_squared_error=mean_error,
        forward_kl=-log_score - (np.log(2 * np.pi * np.e) - information) / 2,
        reverse_kl=((1 + a) * variance + against_truth - 2 - information - log_variance) / 2,
        log_score=log_score,
    )


def _stieltjes(c: float, a: float, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """S = int dmu/(x+z) for c <= 1 and z off the negative axis, and the root of the discriminant of its equation."""
    linear = z + a * (1 - c)
    root = np.sqrt(linear**2 + 4 * a * c * z)
    return 2 / (linear + root), root


def _beyond_tangent(x: np.ndarray) -> np.ndarray:
    """x - log(1 + x), by its series for small x, where it cancels; x may be complex, for slopes."""
    small = np.abs(x) < 0.1
    near = np.where(small, x, 0)
    series = sum((-near) ** power / power for power in range(2, 18))
    return np.where(small, series, x - np.log1p(x))


def _shannon(c: float, a: float) -> float:
    """int log(1 + x) dmu, twice the information per factor of the exact posterior."""
    narrow, strong = (c, a) if c <= 1 else (1 / c, a * c)
    s = max(0.0, 1 - 1 / c) + min(1.0, 1 / c) * float(_stieltjes(narrow, strong, np.array(1.0))[0])
    q = 1 / (1 + a * c * s)
    return float(np.log1p(a * q) + np.log1p(a * c * s) / c - a * q * s)
